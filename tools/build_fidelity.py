"""Collect what differs from the real thing into docs/fidelity.md.

    python tools/build_fidelity.py [--check]

A simplification is told where it is made: a docstring says `Differs: …`. This tool gathers these
by room and writes them between the two markers of the page; the text around them is written by
hand. `--check` writes nothing and fails when the page is out of date.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "gitops_sim"
PAGE = ROOT / "docs" / "fidelity.md"
BEGIN, END = "<!-- collected: begin -->", "<!-- collected: end -->"
NOTE = re.compile(
    r"Differs:\s+(.+?)"
    r"(?=\n[ \t]*\n|\n[ \t]*(?:Args|Returns|Raises|Yields|Example|Sources?|Not here):|\Z)",
    re.DOTALL,
)


def main(arguments: list[str] | None = None) -> int:
    """Write or check the page; return the exit status."""
    parser = argparse.ArgumentParser(description="collect the notes on fidelity")
    parser.add_argument("--check", action="store_true", help="compare only")
    chosen = parser.parse_args(arguments)
    before = PAGE.read_text(encoding="utf-8")
    after = page(before)
    if chosen.check:
        if before != after:
            print("docs/fidelity.md is out of date: run `./do fidelity`")
        return int(before != after)
    PAGE.write_text(after, encoding="utf-8")
    return 0


def page(before: str) -> str:
    """Return the page with its collected part made anew.

    Raises:
        ValueError: The page has not both markers.
    """
    head, begin, rest = before.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"docs/fidelity.md needs the lines {BEGIN} and {END}")
    return f"{head}{BEGIN}\n{collected()}{END}{tail}"


def collected() -> str:
    """Return the notes of all rooms as Markdown, rooms and modules in alphabetical order."""
    parts = []
    for room in sorted(path for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()):
        lines = [
            f"- `{place}`: {note}"
            for module in sorted(room.rglob("*.py"))
            for place, note in notes(module)
        ]
        if lines:
            parts.append(f"\n### {room.name}\n\n" + "\n".join(lines) + "\n")
    return "".join(parts) + "\n"


def notes(module: Path) -> Iterator[tuple[str, str]]:
    """Yield (place, note) of one module: `room/module.py` and the name inside it, if any."""
    place = module.relative_to(PACKAGE).as_posix()
    tree = ast.parse(module.read_text(encoding="utf-8"))
    for name, text in docstrings(tree):
        for found in NOTE.finditer(text):
            yield f"{place} {name}".strip(), " ".join(found[1].split())


def docstrings(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield (dotted name, docstring) of a module and all that it defines, in order."""
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    if isinstance(node, documented):
        text = ast.get_docstring(node)
        if text:
            yield prefix, text
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from docstrings(child, f"{prefix}.{child.name}".strip("."))
        elif isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            # The text under a constant or an attribute; the docstring itself came above.
            text = child.value.value
            if isinstance(text, str) and text is not _docstring_value(node):
                yield prefix, text


def _docstring_value(node: ast.AST) -> object:
    body = getattr(node, "body", None)
    first = body[0] if isinstance(body, list) and body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return first.value.value
    return None


if __name__ == "__main__":
    sys.exit(main())
