"""Diffs are those that `git apply` takes."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

World = Any


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
