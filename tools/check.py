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
    """Run the parts, pytest last so that its closing line ends the output; 1 if any failed."""
    everything = "--all" in arguments
    chosen = [argument for argument in arguments if argument != "--all"]
    failed = [] if chosen else [" ".join(part[:2]) for part in STATIC if not succeeds(part)]
    if failed:
        print(f"failed: {', '.join(failed)}; the tests run all the same", flush=True)
    marker = () if everything or chosen else ("-m", "not all")
    histories = ("--all-histories",) if everything else ()
    # A file's tests share fixtures that are dear (a browser, a served lab): they stay together.
    spread = () if chosen else ("-n", "auto", "--dist", "loadfile")
    pytest = (sys.executable, "-m", "pytest", "-q", *spread, *marker, *histories, *chosen)
    tested = succeeds(pytest)
    return 0 if tested and not failed else 1


def succeeds(part: tuple[str, ...]) -> bool:
    """Run one part, showing what it prints."""
    print(f"$ {' '.join(part)}", flush=True)
    return subprocess.run(part, cwd=ROOT, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
