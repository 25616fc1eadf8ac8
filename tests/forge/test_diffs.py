"""Diffs are those that `git apply` takes, and hunks those of `git diff`."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.forge.diffs import unified
from gitops_sim.forge.lines import edits, split_lines

World = Any
lines = st.lists(st.sampled_from("abcdef"), max_size=20)


@given(old=lines, new=lines)
def test_edits_turn_the_old_text_into_the_new(old: list[str], new: list[str]) -> None:
    a, b = [line.encode() for line in old], [line.encode() for line in new]
    result, at = [], 0
    for edit in edits(a, b):
        assert edit.old_start >= at
        result += a[at : edit.old_start] + b[edit.new_start : edit.new_end]
        at = edit.old_end
    assert result + a[at:] == b


def test_two_large_texts_with_little_in_common_are_compared_quickly() -> None:
    old = [b"%d" % number for number in range(20_000)]
    new = [b"%d" % (number * 7) for number in range(20_000)]
    assert sum(edit.new_end - edit.new_start for edit in edits(old, new)) > 10_000


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"),
        ("a\nb\n", "a\nb\nc"),
        ("a\nb", "b"),
        ("", "x\n"),
        ("".join(f"{n}\n" for n in range(40)), "".join(f"{n}\n" for n in range(1, 40) if n != 20)),
    ],
)
def test_hunks_are_those_of_git_diff(tmp_path: Path, old: str, new: str) -> None:
    (tmp_path / "old").write_text(old)
    (tmp_path / "new").write_text(new)
    done = subprocess.run(
        ["git", "diff", "--no-index", "--no-color", "old", "new"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    hunks = done.stdout[done.stdout.index(b"@@") :]
    plain = b"".join(
        b"@@" + line.split(b"@@")[1] + b"@@\n" if line.startswith(b"@@") else line
        for line in hunks.splitlines(keepends=True)
    )
    assert unified(split_lines(old.encode()), split_lines(new.encode())) == plain


def test_diff_of_a_commit_applies_with_git(world: World, tmp_path: Path) -> None:
    repository = world.forge.create_repository(
        "shop", {"a/x": "1\n2\n3\n", "gone": "bye\n", "same": "s\n"}
    )
    repository.commit({"a/x": "1\ntwo\n3\n", "gone": None, "new/y": "n"}, "Change")
    diff = repository.diff("HEAD~1", "HEAD")
    assert diff.paths == ("a/x", "gone", "new/y")
    for path in repository.tree("HEAD~1").files():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(repository.read(path, "HEAD~1"))
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=str(diff).encode(), check=True)
    found = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert found == set(repository.tree().files())
    assert (tmp_path / "a/x").read_text() == "1\ntwo\n3\n"
    assert (tmp_path / "new/y").read_text() == "n"


def test_binary_files_and_modes_are_told(world: World) -> None:
    repository = world.forge.create_repository("shop", {"b": b"\0a"})
    repository.commit({"b": b"\0b"}, "Change")
    assert "Binary files a/b and b/b differ" in repository.diff("HEAD~1").text
