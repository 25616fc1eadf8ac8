"""Whatever people and clients do in whatever order: replays are equal, clones are whole."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitops_sim.errors import GitOpsSimError
from gitops_sim.forge import Repository
from gitops_sim.forge.history import is_ancestor, reachable

Git = Callable[..., str]
World = Any

BRANCHES = ["main", "fix", "fix/web", "side"]
branches = st.sampled_from(BRANCHES)
people = st.sampled_from(["alice", "bob", "carol"])
files = st.dictionaries(
    st.sampled_from(["a", "a/b", "c", "d/e"]),
    st.one_of(st.none(), st.sampled_from(["1\n", "2\n", "1\n2\n3\n"])),
    min_size=1,
    max_size=2,
)
number = st.integers(1, 3)
actions = st.one_of(
    st.tuples(st.just("commit"), files, branches, people),
    st.tuples(st.just("branch"), branches, branches),
    st.tuples(st.just("delete"), branches),
    st.tuples(st.just("tag"), st.sampled_from(["v1", "v2"]), branches),
    st.tuples(st.just("revert"), st.sampled_from(["HEAD", "fix", "side~1"]), branches),
    st.tuples(st.just("open"), branches, branches, people),
    st.tuples(st.just("review"), number, people, st.sampled_from(["approve", "request_changes"])),
    st.tuples(st.just("merge"), number, st.sampled_from(["merge", "squash", "fast-forward"])),
    st.tuples(st.just("close"), number),
    st.tuples(st.just("protect"), branches, st.integers(0, 1), st.booleans()),
    st.tuples(st.just("run"), st.integers(1, 90)),
)


def act(world: World, repository: Repository, action: tuple[Any, ...]) -> None:
    """Do one thing; that it may be refused is part of it."""
    name, *values = action
    requests = repository.merge_requests
    with suppress(GitOpsSimError, IndexError):
        if name == "commit":
            repository.commit(values[0], "Change", values[1], author=values[2])
        elif name == "branch":
            repository.create_branch(*values)
        elif name == "delete":
            repository.delete_branch(*values)
        elif name == "tag":
            repository.tag(*values)
        elif name == "revert":
            repository.revert(*values)
        elif name == "open":
            repository.open_merge_request(values[0], values[1], author=values[2])
        elif name == "review":
            requests[values[0] - 1].review(*values[1:])
        elif name == "merge":
            requests[values[0] - 1].merge(method=values[1])
        elif name == "close":
            requests[values[0] - 1].close()
        elif name == "protect":
            repository.protect(
                values[0], reviews=values[1], no_direct_push=values[2], dismiss_stale=True
            )
        else:
            world.run(float(values[0]))


@given(st.lists(actions, max_size=25))
def test_any_history_is_replayed_and_whole(
    make_world: Callable[[], World], todo: list[tuple[Any, ...]]
) -> None:
    world = make_world()
    repository = world.forge.create_repository("shop", {"a": "0\n", "c": "0\n"})
    for action in todo:
        act(world, repository, action)
    again = world.replayed()
    assert again.forge.repository("shop").refs.all() == repository.refs.all()
    assert again.journal.to_jsonl() == world.journal.to_jsonl()
    for head in repository.refs.all().values():
        for commit in reachable(repository.objects, [head]):
            tree = repository.tree(commit)
            assert all(tree.read(path) is not None for path in tree.files())
    for request in repository.merge_requests:
        assert (request.state == "merged") == bool(request.merged_commit)
        if request.state == "open":
            head, target = request.head, repository.head(f"refs/heads/{request.target}")
            assert head == repository.head(f"refs/heads/{request.source}")
            assert not is_ancestor(repository.objects, head, target)


@pytest.mark.all
@settings(  # one forge and server for all examples, a repository for each
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(actions, st.sampled_from(["", "fetch", "depth", "push"])), max_size=12))
def test_clone_that_fetches_and_pushes_in_between_stays_whole(
    git: Git,
    git_server: str,
    world: World,
    tmp_path: Path,
    todo: list[tuple[tuple[Any, ...], str]],
) -> None:
    name = f"shop-{len(world.forge.repositories)}"
    repository = world.forge.create_repository(name, {"a": "0\n"})
    git("clone", "-q", f"{git_server}/{name}.git", name)
    work = tmp_path / name
    for step, (action, then) in enumerate(todo):
        act(world, repository, action)
        if then == "push":
            git("fetch", "-q", "--prune", cwd=work)
            git("switch", "-q", "-C", "work", "origin/main", cwd=work)
            (work / f"pushed-{step}").write_text(str(step))
            git("add", ".", cwd=work)
            git("commit", "-q", "-m", "Pushed", cwd=work)
            git("push", "-q", "--force", "origin", "work:pushed", cwd=work)
            assert repository.head("pushed") == git("rev-parse", "work", cwd=work).strip()
        elif then:
            depth = ["--depth=2"] if then == "depth" else []
            git("fetch", "-q", "--prune", "--tags", *depth, "origin", cwd=work)
            seen = git("for-each-ref", "--format=%(objectname) %(refname)", cwd=work).split("\n")
            for branch in repository.branches():
                assert f"{repository.head(branch)} refs/remotes/origin/{branch}" in seen
    git("fsck", "--strict", cwd=work)
