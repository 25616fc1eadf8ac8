"""The menu `./do` and what it promises."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
needs_sh = pytest.mark.skipif(shutil.which("sh") is None, reason="no POSIX shell here")


def words() -> set[str]:
    menu = (ROOT / "do").read_text(encoding="utf-8").partition("case $word in")[2]
    return set(re.findall(r"^  ([a-z]+)\)", menu, re.MULTILINE))


def test_every_word_of_the_menu_is_in_its_help() -> None:
    script = (ROOT / "do").read_text(encoding="utf-8")
    shown = "\n".join(line for line in script.splitlines()[:10] if line.startswith("#"))
    assert not [word for word in words() if not re.search(rf"\b{word}\b", shown)]


def test_contributing_and_hooks_use_words_of_the_menu() -> None:
    for name in ("CONTRIBUTING.md", "README.md", ".pre-commit-config.yaml", ".ci/run"):
        text = (ROOT / name).read_text(encoding="utf-8")
        used = set(re.findall(r"\./do ([a-z]+)\b", text))
        programs = {path.name for path in Path(sys.executable).parent.iterdir()}
        unknown = used - words() - programs - {"gitops"}  # `./do gitops-sim …`
        assert not unknown, name


@needs_sh
def test_scripts_are_posix_shell_and_executable() -> None:
    for name in ("do", ".ci/run"):
        assert (ROOT / name).stat().st_mode & 0o100, name
        subprocess.run(["sh", "-n", name], cwd=ROOT, check=True)


@needs_sh
@pytest.mark.skipif(not (ROOT / ".venv/.stamp").exists(), reason="./do would install first")
def test_word_that_is_no_command_is_told_what_to_do() -> None:
    done = subprocess.run(
        ["sh", "do", "docter"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "there is no command 'docter': ./do help" in done.stderr


def test_closing_line_of_pytest_ends_what_is_printed() -> None:
    done = subprocess.run(
        [sys.executable, "tools/check.py", "tests/architecture/test_menu.py", "-k", "nothing_else"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, "no test was run, which is no success"
    assert re.search(r"deselected.* in [0-9.]+s", done.stdout.splitlines()[-1])
