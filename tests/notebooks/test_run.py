"""Every notebook runs from top to bottom in a kernel, without an error and without noise."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from traitlets.config import Config

from gitops_sim.cli.tour import jupyter_environment

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
SECONDS = 120
"""Given up after this; a lesson takes a few."""


def executed(path: Path, folder: Path) -> nbformat.NotebookNode:
    """Return the notebook with its outputs, run as `gitops-sim tour` runs it."""
    book = nbformat.read(path, as_version=4)
    config = Config({"KernelManager": {"transport": "ipc", "ip": str(folder / "kernel")}})
    client = NotebookClient(
        book,
        config=config,
        kernel_name="python3",
        timeout=SECONDS,
        coalesce_streams=True,  # a busy kernel sends one print in several pieces
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute(env=jupyter_environment(folder / "course", os.environ))
    return book


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


@pytest.fixture(scope="module")
def book(path: Path, tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    return executed(path, tmp_path_factory.mktemp("run"))


def outputs(book: nbformat.NotebookNode) -> list[Any]:
    return [output for cell in book.cells for output in cell.get("outputs", [])]


@pytest.mark.notebook
def test_it_writes_nothing_to_stderr(book: nbformat.NotebookNode) -> None:
    noise = [o.text for o in outputs(book) if o.output_type == "stream" and o.name == "stderr"]
    assert not noise


@pytest.mark.notebook
def test_it_shows_pictures_that_need_no_kernel(book: nbformat.NotebookNode) -> None:
    rich = [o.data for o in outputs(book) if "data" in o and "text/html" in o.data]
    pictures = [data for data in rich if "<img" in data["text/html"]]
    assert pictures
    for data in pictures:
        assert "data:image/svg+xml;base64," in data["text/html"]
        assert data["text/plain"].strip(), "words for screen readers and terminals"
    assert not [data for o in outputs(book) if "widget-view" in "".join(data := o.get("data", {}))]


@pytest.mark.notebook
def test_every_exercise_is_red_and_offers_help(book: nbformat.NotebookNode) -> None:
    checks = [cell for cell in book.cells if "check" in cell.metadata.get("tags", [])]
    assert checks
    for cell in checks:
        assert "Not yet" in cell.outputs[0].data["text/plain"]
    hints = [cell for cell in book.cells if "hint" in cell.metadata.get("tags", [])]
    assert all("hint 1 of 4" in cell.outputs[0].data["text/markdown"] for cell in hints)


@pytest.mark.all
@pytest.mark.notebook
def test_it_shows_the_same_in_another_kernel(
    path: Path, book: nbformat.NotebookNode, tmp_path: Path
) -> None:
    """The same seed, the same lesson: a class sees one thing."""
    again = executed(path, tmp_path)
    assert outputs(again) == outputs(book)
