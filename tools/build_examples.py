"""Run the commands that docs/real-repositories.md shows, and write what they print below them.

    python tools/build_examples.py

A command stands in a console block after `$ `. A repository that is not there (`../shared/repos`
holds public ones, beside the checkout) leaves its block as it is. `./do test --all` compares.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from pathlib import Path

from gitops_sim.cli import main as gitops_sim

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "real-repositories.md"
BLOCK = re.compile(r"(```console\n\$ gitops-sim ([^\n]+)\n)(.*?)(?=```)", re.DOTALL)


def main() -> int:
    """Write the page; return the exit status."""
    os.chdir(ROOT)
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(BLOCK.sub(refreshed, text), encoding="utf-8")
    return 0


def refreshed(block: re.Match[str]) -> str:
    """Return a block with the output of today."""
    words = block[2].split()
    if "--repo" in words and not Path(words[words.index("--repo") + 1]).is_dir():
        print(f"left as it is: {block[2]}")
        return block[0]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        gitops_sim(words)
    return block[1] + printed.getvalue()


if __name__ == "__main__":
    sys.exit(main())
