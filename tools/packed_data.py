"""The command line of the tools that make one packed data file of the Go modules' sources."""

from __future__ import annotations

import argparse
import lzma
import subprocess
from collections.abc import Callable
from pathlib import Path

__all__ = ["run"]


def run(
    about: str,
    target: Path,
    generate: Callable[[Path], bytes],
    arguments: list[str] | None = None,
) -> int:
    """Generate a data file, or with `--check` compare it; return the exit status.

    Args:
        about: What the tool does, for its help.
        target: The file, packed by xz.
        generate: From the folder of Go's modules to the content of the file.
        arguments: Of the command line; None: those of this process.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--check", action="store_true", help="compare only")
    chosen = parser.parse_args(arguments)
    told = subprocess.run(["go", "env", "GOMODCACHE"], check=True, capture_output=True, text=True)
    text = generate(Path(told.stdout.strip()))
    if chosen.check:
        same = lzma.decompress(target.read_bytes()) == text
        print(f"{target.name} is {'up to date' if same else 'out of date'}")
        return 0 if same else 1
    target.parent.mkdir(exist_ok=True)
    packed = lzma.compress(text, preset=9 | lzma.PRESET_EXTREME)
    target.write_bytes(packed)
    print(f"{target.name}: {len(text)} bytes, {len(packed)} packed")
    return 0
