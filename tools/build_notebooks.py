"""Build the notebooks from their sources: notebooks/src/NN-name.py -> notebooks/NN-name.ipynb.

    python tools/build_notebooks.py [--check]

A source is py:percent text. The notebook has no outputs, and its cells have ids that depend on
what is in them alone, so that the same source gives the same bytes and a change of one cell is a
small difference. `--check` writes nothing and fails when a notebook is missing, out of date, or
without source.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

import jupytext
import nbformat

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
KEPT = ("tags",)
"""Metadata of a cell that goes into the notebook."""


def main(arguments: list[str] | None = None) -> int:
    """Build or check all notebooks; return the exit status."""
    parser = argparse.ArgumentParser(description="build the notebooks")
    parser.add_argument("--check", action="store_true", help="compare only")
    chosen = parser.parse_args(arguments)
    built = {
        NOTEBOOKS / f"{source.stem}.ipynb": notebook(source.read_text(encoding="utf-8"))
        for source in sorted((NOTEBOOKS / "src").glob("*.py"))
    }
    wrong = [
        path.name
        for path, text in built.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    orphans = [path.name for path in sorted(NOTEBOOKS.glob("*.ipynb")) if path not in built]
    if chosen.check:
        for name in wrong:
            print(f"notebooks/{name} is not what its source gives: run ./do book")
        for name in orphans:
            print(f"notebooks/{name} has no source in notebooks/src")
        return 1 if wrong or orphans else 0
    for path, text in built.items():
        path.write_text(text, encoding="utf-8")
    print(f"{len(built)} notebooks, {len(wrong)} of them new or changed")
    return 0


def notebook(source: str) -> str:
    """Return the notebook that a py:percent source gives, as JSON text."""
    book = jupytext.reads(source, fmt="py:percent")
    seen: dict[str, int] = {}
    for cell in book.cells:
        cell.metadata = {key: cell.metadata[key] for key in KEPT if key in cell.metadata}
        cell.id = _identity(cell.cell_type + cell.source, seen)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    book.metadata = nbformat.from_dict(METADATA)
    book.nbformat, book.nbformat_minor = 4, 5
    nbformat.validate(book)
    return nbformat.writes(book, version=nbformat.NO_CONVERT).rstrip("\n") + "\n"


def _identity(content: str, seen: dict[str, int]) -> str:
    """Return an id made of the content; equal cells are counted."""
    digest = hashlib.sha256(content.encode()).hexdigest()[:8]
    seen[digest] = seen.get(digest, 0) + 1
    return digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"


if __name__ == "__main__":
    sys.exit(main())
