"""Measure, and print what was measured: `./do bench [topic …]`.

A topic is a file beside this one with `measure() -> list[tuple[str, float, str]]`: what, figure,
unit. Each runs in a process of its own, so that none profits from another's imports and memory.
Figures depend on the machine: they are for people. What CI holds to a ceiling are counts
(tests/architecture/test_budgets.py).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
Figure = tuple[str, float, str]


def main(words: Sequence[str] | None = None) -> int:
    """Run the topics asked for, or all; return the number of those that failed, at most 1."""
    parser = argparse.ArgumentParser(description="run the benchmarks")
    parser.add_argument("topics", nargs="*", help="default: all")
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    parser.add_argument("--measure", metavar="TOPIC", help=argparse.SUPPRESS)
    arguments = parser.parse_args(words)
    if arguments.measure:
        print(json.dumps(measured(arguments.measure)))
        return 0
    known = topics()
    unknown = sorted(set(arguments.topics) - set(known))
    if unknown:
        parser.error(f"no topic {', '.join(unknown)}: there are {', '.join(known)}")
    found: dict[str, list[Figure]] = {}
    failed = []
    for topic in arguments.topics or known:
        print(f"measuring {topic} …", file=sys.stderr, flush=True)
        figures = in_own_process(topic)
        if figures is None:
            failed.append(topic)
        else:
            found[topic] = figures
    print(json.dumps(found, indent=1) if arguments.json else table(found))
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def topics() -> list[str]:
    """Return the names of all topics."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "run")


def in_own_process(topic: str) -> list[Figure] | None:
    """Return what a topic measures; None when it fails, with its trace on stderr."""
    command = [sys.executable, str(FOLDER / "run.py"), "--measure", topic]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        return None
    return [tuple(figure) for figure in json.loads(done.stdout.splitlines()[-1])]


def measured(topic: str) -> list[Figure]:
    """Return what a topic measures, in this process."""
    spec = importlib.util.spec_from_file_location(topic, FOLDER / f"{topic}.py")
    if spec is None or spec.loader is None:
        raise ImportError(topic)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    figures: list[Figure] = module.measure()
    return figures


def table(found: dict[str, list[Figure]]) -> str:
    """Return the figures as Markdown, with date and machine."""
    when = datetime.now(UTC).date()  # noqa: TID251 - says when it was measured
    lines = [
        f"{when}, Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores",
        "",
        "| topic | what | figure |",
        "| --- | --- | ---: |",
    ]
    for topic, figures in found.items():
        lines += [f"| {topic} | {what} | {figure:,.4g} {unit} |" for what, figure, unit in figures]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
