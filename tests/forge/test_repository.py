"""Commits, branches, history and rules of one repository."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.errors import (
    GitError,
    InputError,
    MergeConflictError,
    RefRejectedError,
    UnknownRefError,
)
from gitops_sim.forge import Repository
from gitops_sim.journal import facts

World = Any


@pytest.fixture
def shop(world: World) -> Repository:
    repository: Repository = world.forge.create_repository(
        "shop", {"base/web.yaml": "a: 1\n", "README.md": "Shop\n"}
    )
    return repository


def test_commit_changes_only_its_files_and_keeps_modes(shop: Repository) -> None:
    first = shop.tree()
    shop.commit({"base/web.yaml": "a: 2\n", "new": b"\0"}, "Change", author="bob")
    assert first.read("base/web.yaml") == b"a: 1\n"
    assert shop.tree().files() == ["README.md", "base/web.yaml", "new"]
    newest = shop.log(limit=1)[0]
    assert (newest.author, newest.message, newest.files) == (
        "bob",
        "Change",
        ("base/web.yaml", "new"),
    )


def test_commit_deletes_files_and_folders(shop: Repository) -> None:
    shop.commit({"base": None}, "Delete")
    assert shop.tree().files() == ["README.md"]
    with pytest.raises(InputError, match="no such file to delete"):
        shop.commit({"base/web.yaml": None}, "Again")


def test_commits_are_told_before_the_move_of_their_branch(world: World, shop: Repository) -> None:
    old = shop.head()
    new = shop.commit({"a": "1"}, "More")
    entries = [entry.fact for entry in world.journal.entries()][-2:]
    assert [type(fact) for fact in entries] == [facts.CommitMade, facts.BranchMoved]
    assert (entries[1].old, entries[1].new, entries[0].files) == (old, new, ("a",))


def test_same_seed_time_and_content_give_the_same_ids(world: World, make_world: Any) -> None:
    ids = []
    for each in (world, make_world()):
        each.run(90)
        ids.append(each.forge.create_repository("shop", {"a": "1"}).head())
    assert ids[0] == ids[1]
    later = make_world()
    later.run(91)
    assert later.forge.create_repository("shop", {"a": "1"}).head() != ids[0]


def test_commit_time_is_the_virtual_one(world: World, shop: Repository) -> None:
    world.run(3600)
    shop.commit({"a": "1"}, "Later")
    assert shop.log(limit=1)[0].time == 3600.0


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("../x", "the part '..'"),
        ("/etc/passwd", "absolute"),
        ("a//b", "empty part"),
        ("", "not empty"),
        (".git/config", "Git's own data"),
        ("a/.GIT/hooks/x", "Git's own data"),
        ("git~1", "Git's own data"),
        ("a\0b", "control character"),
        ("a\\b", "backslash"),
        ("a\nb", "control character"),
        ("a/" + "x" * 256, "longer than 255"),
        ("\ud800", "Unicode"),
        (".", "the part '.'"),
    ],
)
def test_path_that_no_repository_can_hold_is_refused(
    shop: Repository, path: str, problem: str
) -> None:
    before = shop.head()
    with pytest.raises(InputError, match=problem):
        shop.commit({path: "x"}, "Bad")
    assert shop.head() == before


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"x" * 50 * 1024**2, "big: is 50.0 MiB large, the limit is 5 MiB"),
        ({"a": 1}, "a file is text or bytes"),
        ("\ud800", "not valid Unicode"),
    ],
)
def test_content_that_is_no_file_is_refused(shop: Repository, content: Any, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        shop.commit({"big": content}, "Bad")


def test_file_and_folder_of_one_name_exclude_each_other(shop: Repository) -> None:
    with pytest.raises(InputError, match="is a folder"):
        shop.commit({"base": "x"}, "Bad")
    with pytest.raises(InputError, match="is a file where a folder is needed"):
        shop.commit({"README.md/x": "x"}, "Bad")
    with pytest.raises(InputError, match="is a file where a folder is needed"):
        shop.commit({"n": "x", "n/x": "y"}, "Bad")


def test_commit_without_a_change_message_or_branch_is_refused(shop: Repository) -> None:
    with pytest.raises(GitError, match="nothing to commit"):
        shop.commit({"README.md": "Shop\n"}, "Same")
    with pytest.raises(GitError, match="needs a message"):
        shop.commit({"a": "1"}, " \n")
    with pytest.raises(GitError, match="is no author"):
        shop.commit({"a": "1"}, "Text", author="<>")
    with pytest.raises(UnknownRefError):
        shop.commit({"a": "1"}, "Text", "nowhere")


@pytest.mark.parametrize(
    "name", ["", "a..b", "a b", "-x", "a/", "a.lock", "x~1", "HEAD", "a@{1}", "\x7f", ".a", "a//b"]
)
def test_name_that_git_would_not_take_is_refused(shop: Repository, name: str) -> None:
    with pytest.raises(GitError, match="is no branch name"):
        shop.create_branch(name)


def test_branches_and_tags_are_made_and_deleted(shop: Repository) -> None:
    shop.create_branch("fix/web")
    shop.tag("v1")
    with pytest.raises(GitError, match="exists"):
        shop.create_branch("fix/web")
    with pytest.raises(GitError, match="cannot lock ref 'refs/heads/fix'"):
        shop.create_branch("fix")
    with pytest.raises(GitError, match="tags do not move"):
        shop.tag("v1")
    assert (shop.branches(), shop.tags()) == (["fix/web", "main"], ["v1"])
    shop.delete_branch("fix/web")
    shop.create_branch("fix")
    with pytest.raises(RefRejectedError, match="default branch cannot be deleted"):
        shop.delete_branch("main")


def test_revert_undoes_one_commit_among_others(shop: Repository) -> None:
    undone = shop.commit({"base/web.yaml": "a: 2\n", "extra": "x"}, "Bad change")
    shop.commit({"README.md": "More\n"}, "Good change")
    shop.revert(undone)
    assert shop.read("base/web.yaml") == "a: 1\n"
    assert shop.tree().files() == ["README.md", "base/web.yaml"]
    assert shop.read("README.md") == "More\n"
    assert shop.log()[0].message == f'Revert "Bad change"\n\nThis reverts commit {undone}.'
    with pytest.raises(GitError, match="nothing to revert"):
        shop.revert(undone)


def test_revert_of_what_was_changed_again_is_a_conflict(shop: Repository) -> None:
    undone = shop.commit({"base/web.yaml": "a: 2\n"}, "Two")
    shop.commit({"base/web.yaml": "a: 3\n"}, "Three")
    with pytest.raises(MergeConflictError) as raised:
        shop.revert(undone)
    assert raised.value.files == ("base/web.yaml",)


def test_protected_branch_refuses_by_rule(shop: Repository) -> None:
    shop.protect()
    with pytest.raises(RefRejectedError, match="direct pushes are refused; push another branch"):
        shop.commit({"a": "1"}, "Direct")
    with pytest.raises(RefRejectedError, match="direct pushes are refused"):
        shop.revert("HEAD")
    shop.create_branch("fix")
    shop.commit({"a": "1"}, "On a branch", "fix")
    shop.protect("fix", no_direct_push=False)
    with pytest.raises(RefRejectedError, match="cannot be deleted"):
        shop.delete_branch("fix")
    shop.unprotect()
    shop.commit({"a": "1"}, "Direct")


def test_log_goes_back_through_merges_children_first(world: World, shop: Repository) -> None:
    shop.create_branch("side")
    for number in range(3):
        world.run(60)
        shop.commit({"main": str(number)}, f"main {number}")
        shop.commit({"side": str(number)}, f"side {number}", "side")
    shop.open_merge_request("side").merge()
    log = shop.log()
    place = {info.commit: at for at, info in enumerate(log)}
    assert len(log) == 8
    assert all(place[parent] > at for at, info in enumerate(log) for parent in info.parents)
    assert [info.message for info in shop.log("main~1", limit=2)] == ["main 2", "main 1"]


@pytest.mark.all
def test_ten_thousand_commits_stay_cheap(world: World) -> None:
    files = {f"apps/{folder}/f{n}.yaml": "x\n" for folder in range(10) for n in range(20)}
    repository = world.forge.create_repository("big", files)
    before = len(repository.objects)
    for number in range(10_000):
        repository.commit_files(
            {f"apps/{number % 10}/f{number % 20}.yaml": f"v {number}\n"}, "Change", "", "alice"
        )
    assert len(repository.objects) - before == 5 * 10_000  # blob, three folders, commit
    assert len(repository.log()) == 10_001
    assert repository.read("apps/9/f19.yaml") == "v 9999\n"


@pytest.mark.parametrize("target", ["/etc/passwd", "../../x", "loop"])
def test_links_that_leave_or_loop_are_refused_when_read(shop: Repository, target: str) -> None:
    encoded = {"loop": {"text": target, "link": True}}
    shop.commit_files(encoded, "Link", "", "alice")
    with pytest.raises(InputError, match=r"outside the repository|form a loop"):
        shop.tree().read("loop")
    assert shop.tree().files() == ["README.md", "base/web.yaml", "loop"]


def test_links_inside_are_followed(shop: Repository) -> None:
    encoded = {"over": {"text": "base", "link": True}, "b": {"text": "over/web.yaml", "link": True}}
    shop.commit_files(encoded, "Link", "", "alice")
    tree = shop.tree()
    assert (tree.read("b"), tree.is_directory("over")) == (b"a: 1\n", True)
    assert tree.files("over") == ["base/web.yaml"]
    assert tree.blob_id("b") == tree.blob_id("base/web.yaml")
