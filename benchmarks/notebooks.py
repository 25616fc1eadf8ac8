"""How long each notebook takes from top to bottom, with a new kernel."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"


def measure() -> list[tuple[str, float, str]]:
    """Return seconds per notebook."""
    figures = []
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        book = nbformat.read(path, as_version=4)
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            # No sockets of TCP: ipykernel warns of them, as they are not encrypted.
            config = Config({"KernelManager": {"transport": "ipc", "ip": f"{folder}/kernel"}})
            NotebookClient(book, config=config, timeout=120, kernel_name="python3").execute()
        figures.append((path.stem, time.perf_counter() - start, "s"))
    return figures
