"""The forge's repositories, and how agents see them by URL."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from gitops_sim.errors import GitError, InputError, LabError, UnknownRefError
from gitops_sim.journal import facts
from gitops_sim.protocols import GitRemote, TreeReader

World = Any


def test_repositories_are_made_and_found_by_name(world: World) -> None:
    shop = world.forge.create_repository("shop", {"a": "1"}, default_branch="trunk")
    world.forge.create_repository("infra")
    assert [repository.name for repository in world.forge.repositories] == ["infra", "shop"]
    assert world.forge.repository("shop") is shop
    assert shop.branches() == ["trunk"]
    assert world.forge.url("shop") == "https://git.example.com/shop.git"
    with pytest.raises(LabError, match=r"has no repository 'x' \(it has: infra, shop\)"):
        world.forge.repository("x")


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a b", ".git", "x.git", "a" * 64])
def test_name_that_cannot_be_in_a_url_is_refused(world: World, name: str) -> None:
    with pytest.raises(LabError, match="is no repository name"):
        world.forge.create_repository(name)


def test_repository_that_cannot_be_made_leaves_no_trace(world: World) -> None:
    with pytest.raises(GitError):
        world.forge.create_repository("shop", {"a": "1"}, default_branch="a..b")
    world.forge.create_repository("shop", {"a": "1"})
    with pytest.raises(LabError, match="already"):
        world.forge.create_repository("shop")


def test_who_hears_of_the_first_push_finds_the_repository(world: World) -> None:
    heard = []
    world.forge.on_push(
        lambda repository, branch, old, new: heard.append(
            (world.forge.repository(repository.name).head(branch) == new, branch, old)
        )
    )
    world.forge.create_repository("shop", {"a": "1"})
    assert heard == [(True, "main", "")]
    with pytest.raises(InputError):
        world.forge.create_repository("bad", {"../a": "1"})
    assert [repository.name for repository in world.forge.repositories] == ["shop"]


def test_remote_shows_refs_as_ls_remote_does(world: World) -> None:
    shop = world.forge.create_repository("shop", {"a": "1"})
    remote: GitRemote = world.forge.remote(world.forge.url("shop"))
    shop.tag("v1")
    assert list(remote.refs()) == ["HEAD", "refs/heads/main", "refs/tags/v1"]
    assert set(remote.refs().values()) == {shop.head()}
    tree = remote.tree(shop.head())
    assert isinstance(tree, TreeReader)
    assert tree.read("a") == b"1"
    with pytest.raises(UnknownRefError):
        remote.tree("0" * 40)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://git.example.com/none.git", "repository '.*' not found"),
        ("https://github.com/x/y", "Could not resolve host: github.com"),
        ("shop", "repository 'shop' does not exist"),
    ],
)
def test_wrong_url_fails_as_git_says(world: World, url: str, told: str) -> None:
    remote = world.forge.remote(url)
    with pytest.raises(GitError, match=f"fatal: .*{told}"):
        remote.refs()


def test_remotes_fail_while_the_forge_is_down(world: World) -> None:
    shop = world.forge.create_repository("shop", {"a": "1"})
    remote = world.forge.remote(world.forge.url("shop"))
    world.forge.take_down()
    world.forge.take_down()
    for ask in (remote.refs, lambda: remote.tree(shop.head()), lambda: remote.message(shop.head())):
        with pytest.raises(GitError, match=r"Failed to connect to git.example.com port 443"):
            ask()
    shop.commit({"a": "2"}, "Meanwhile")
    world.forge.bring_back()
    assert remote.message(remote.refs()["HEAD"]) == "Meanwhile\n"
    assert len(world.facts(facts.FaultStarted)) == len(world.facts(facts.FaultEnded)) == 1


def test_real_git_and_its_libraries_load_only_when_they_are_used() -> None:
    check = (
        "import sys, gitops_sim.forge as f; "
        "print(sorted({'dulwich', 'git', 'subprocess'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"
