"""Run what `./do test` promises, one part after the other, and say what failed.

`./do test` runs lint, import contracts, types and the quick tests; `./do test --all`
runs the tests marked ``all`` too (browser, notebooks in a kernel, every history), and
other arguments are given to pytest: ``./do test tests/clock -k pacing``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATIC = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("lint-imports", "--no-cache"),
    ("codespell",),
    ("mypy",),
)


def main(arguments: list[str]) -> int:
    """Run the parts; return the number of failed ones (0 is success)."""
    everything = "--all" in arguments
    chosen = [a for a in arguments if a != "--all"]
    parts: list[tuple[str, ...]] = []
    if not chosen:
        parts += STATIC
    marker = () if everything or chosen else ("-m", "not all")
    parts.append((sys.executable, "-m", "pytest", "-q", *marker, *chosen))
    if everything:
        parts[-1] += ("--all-histories",)
    failed = []
    for part in parts:
        print(f"$ {' '.join(part)}", flush=True)
        if subprocess.run(part, cwd=ROOT, check=False).returncode:
            failed.append(part[0])
    if failed:
        print(f"failed: {', '.join(failed)}")
    return min(len(failed), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
