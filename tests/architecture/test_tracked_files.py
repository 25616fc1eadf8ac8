"""What is in Git names no machine, no index, and nothing but the project."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LARGEST = 500_000
"""Bytes; more than that is a data set or a build product."""
NO_TEXT = {".png", ".xz", ".gz", ".ico"}
# Simulated machines have a /home/runner, as GitHub's, and a /home/learner.
# Written in parts, so that this file does not find itself.
FORBIDDEN = {
    "an absolute path": re.compile(
        r"(?<![\w.}])/(?:home/(?!runner|learner)|Users/|root/|work/|private/tmp/)[A-Za-z0-9_.-]+"
    ),
    "a package index": re.compile(
        r"pypi\." + r"org|files\.python" + r"hosted|--(?:extra-)?index-url "
    ),
    "an unfinished note": re.compile(r"\b(?:FIX" + r"ME|XX" + r"X|TO" + r"DO)\b(?! ?\(?#\d)"),
    "a merge conflict": re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE),
}
ABOUT_THE_RULE = {"requirements.lock", "tests/architecture/test_tracked_files.py"}


def tracked() -> list[Path]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("needs git and a checkout: what is tracked is asked of Git")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True)
    names = [name for name in listed.stdout.decode().split("\0") if name]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_contains(what: str) -> None:
    found = []
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in NO_TEXT or name in ABOUT_THE_RULE:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found.extend(f"{name}: {match[0]}" for match in FORBIDDEN[what].finditer(text))
    assert not found


def test_no_tracked_file_is_large() -> None:
    large = [p.relative_to(ROOT).as_posix() for p in tracked() if p.stat().st_size > LARGEST]
    assert not large


def test_no_tracked_file_is_a_build_product() -> None:
    built = [
        p.name
        for p in tracked()
        if p.suffix in {".pyc", ".html", ".whl", ".egg-info"} or p.name == ".DS_Store"
    ]
    assert not built
