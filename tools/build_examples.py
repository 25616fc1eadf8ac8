"""Run the commands that docs/real-repositories.md shows, and write what they print below them.

    python tools/build_examples.py

A command is an indented line `$ gitops-sim run --repo NAME …`, NAME a folder of `../shared/repos`,
which holds public repositories beside the checkout; without it, blocks stay as they are.
`./do test --all` compares.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import textwrap
from pathlib import Path

from gitops_sim.cli import main as gitops_sim

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "real-repositories.md"
REPOSITORIES = ROOT.parent / "shared" / "repos"
BLOCK = re.compile(r"^    \$ gitops-sim (run --repo [^|\n]+)\n((?:    .*\n)*)", re.MULTILINE)


def main() -> int:
    """Write the page; return the exit status."""
    if not REPOSITORIES.is_dir():
        print(f"left as it is: there is no {REPOSITORIES}", file=sys.stderr)
        return 1
    os.chdir(REPOSITORIES)
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(BLOCK.sub(lambda block: shown(block[1]), text), encoding="utf-8")
    return 0


def shown(command: str) -> str:
    """Return a command and what it prints, indented as the page has it."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        gitops_sim(command.split())
    return textwrap.indent(f"$ gitops-sim {command}\n{printed.getvalue()}", "    ")


if __name__ == "__main__":
    sys.exit(main())
