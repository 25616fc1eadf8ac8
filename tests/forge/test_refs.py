"""What people may write for a revision."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.errors import GitError, UnknownRefError
from gitops_sim.forge import Repository
from gitops_sim.forge.objects import COMMIT

World = Any


@pytest.fixture
def shop(world: World) -> Repository:
    repository: Repository = world.forge.create_repository("shop", {"a": "1"})
    for number in (2, 3):
        repository.commit({"a": str(number)}, f"Number {number}")
    repository.tag("v3")
    return repository


def test_every_way_to_name_a_commit(shop: Repository) -> None:
    head, parent, root = (info.commit for info in shop.log())
    for revision in ("", "main", "HEAD", "@", "v3", "refs/heads/main", "tags/v3", head, head[:7]):
        assert shop.head(revision) == head
    assert shop.head("HEAD~") == shop.head("main^") == shop.head(f"{head[:7]}~1") == parent
    assert shop.head("v3~2") == shop.head("main^^") == shop.head("main~1^1") == root
    assert shop.head("main^0") == head


@pytest.mark.parametrize(
    "revision",
    ["nope", "main~3", "main^2", "abcd", "0" * 40, "main~x", "heads", "~1", "refs/heads"],
)
def test_unknown_revision_is_told(shop: Repository, revision: str) -> None:
    with pytest.raises(UnknownRefError):
        shop.head(revision)


def test_second_parent_of_a_merge(shop: Repository) -> None:
    shop.create_branch("side", "HEAD~1")
    side = shop.commit({"b": "1"}, "Side", "side")
    shop.open_merge_request("side").merge()
    assert shop.head("main^2") == side
    assert shop.head("main^1") == shop.head("v3")


def test_short_id_that_several_commits_share_is_ambiguous(shop: Repository) -> None:
    content = shop.objects.raw(shop.head())[1]
    seen: dict[str, str] = {}
    for number in range(2000):
        made = shop.objects.add(COMMIT, content + b"%d" % number)
        if seen.setdefault(made[:4], made) != made:
            break
    with pytest.raises(GitError, match=f"short commit id {made[:4]} is ambiguous"):
        shop.head(made[:4])
    assert shop.head(made) == made


def test_tree_id_is_no_revision(shop: Repository) -> None:
    with pytest.raises(UnknownRefError):
        shop.head(shop.objects.commit(shop.head()).tree)
