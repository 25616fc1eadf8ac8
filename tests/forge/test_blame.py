"""Where lines come from, and which commits changed a path: as real Git says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitops_sim.errors import UnknownRefError
from gitops_sim.forge import Repository

Git = Callable[..., str]
World = Any


@pytest.fixture
def shop(world: World) -> Repository:
    """A history in which one file is edited on two branches that merge, and then deleted lines."""
    base = "".join(f"line {number}\n" for number in range(12))
    repository: Repository = world.forge.create_repository("shop", {"a/f": base, "b": "1\n"})
    world.run(60)
    repository.create_branch("side")
    repository.commit({"a/f": base.replace("line 2\n", "two\n")}, "Two", author="bob")
    world.run(60)
    sided = base.replace("line 9\n", "nine\nmore\n")
    repository.commit({"a/f": sided}, "Nine", "side", author="carol")
    world.run(60)
    repository.commit({"b": "2\n"}, "Other", "side")
    world.run(60)
    repository.open_merge_request("side", title="Merge").merge(by="dora")
    world.run(60)
    text = repository.read("a/f").replace("line 5\n", "").replace("line 0\n", "zero\nline 0\n")
    repository.commit({"a/f": text + "end"}, "Last", author="erin")
    return repository


@pytest.fixture
def work(git: Git, git_server: str, shop: Repository, tmp_path: Path) -> Path:
    git("clone", "-q", f"{git_server}/shop.git", "work")
    return tmp_path / "work"


@pytest.mark.parametrize("revision", ["HEAD", "HEAD~1", "HEAD~2", "origin/side"])
def test_blame_is_that_of_git(git: Git, work: Path, shop: Repository, revision: str) -> None:
    said = git("blame", "--line-porcelain", revision, "--", "a/f", cwd=work).split("\n")
    wanted = [row.split()[0] for row in said if len(row.split()) > 2 and len(row.split()[0]) == 40]
    found = shop.blame("a/f", revision.removeprefix("origin/"))
    assert [line.commit for line in found] == wanted
    assert [line.text for line in found] == git("show", f"{revision}:a/f", cwd=work).splitlines()


def test_blame_names_the_author_of_a_line(shop: Repository) -> None:
    authors = {line.text: line.author for line in shop.blame("a/f")}
    assert (authors["two"], authors["more"], authors["zero"]) == ("bob", "carol", "erin")
    assert authors["line 1"] == "alice"
    with pytest.raises(UnknownRefError):
        shop.blame("a/none")


@pytest.mark.parametrize("path", ["a/f", "a", "b", "none"])
def test_log_of_a_path_is_that_of_git(git: Git, work: Path, shop: Repository, path: str) -> None:
    wanted = git("log", "--format=%H", "--", path, cwd=work).split()
    assert [info.commit for info in shop.log(path=path)] == wanted
    assert [info.commit for info in shop.log(path=path, limit=1)] == wanted[:1]
