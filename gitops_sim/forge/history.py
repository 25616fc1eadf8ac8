"""Questions about commits: what came before, where two lines of work parted, what changed.

Pure functions over an `ObjectStore`. Times only order the walk; parents decide.

Source: git, revision.c and commit-reach.c (`paint_down_to_common`).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from typing import NamedTuple

from gitops_sim.forge.objects import FOLDER, ObjectStore, TreeEntry
from gitops_sim.forge.trees import GitTree, walk_files

__all__ = [
    "Change",
    "CommitInfo",
    "changes",
    "describe",
    "is_ancestor",
    "merge_base",
    "reachable",
    "touched",
    "unknown",
    "walk",
]

_OURS, _THEIRS, _STALE = 1, 2, 4


class Change(NamedTuple):
    """A path that differs between two trees; None where it is not there."""

    path: str
    old: TreeEntry | None
    new: TreeEntry | None


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """One commit as `git log --stat` tells it.

    `time` is in virtual seconds since the lab's epoch, negative for imported history; `files`
    are the paths that differ from the first parent.
    """

    commit: str
    author: str
    time: float
    message: str
    parents: tuple[str, ...]
    files: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.commit[:7]} {self.message.partition(chr(10))[0]} ({self.author})"


def describe(store: ObjectStore, commit_id: str, epoch: int) -> CommitInfo:
    """Return what one commit says, and which files it changed; `epoch` is in Unix seconds."""
    commit = store.commit(commit_id)
    before = store.commit(commit.parents[0]).tree if commit.parents else ""
    return CommitInfo(
        commit_id,
        commit.author.partition(" <")[0],
        float(commit.commit_time - epoch),
        commit.message.rstrip("\n"),
        commit.parents,
        tuple(change.path for change in changes(store, before, commit.tree)),
    )


def walk(
    store: ObjectStore, starts: Iterable[str], *, without: Iterable[str] = ()
) -> Iterator[str]:
    """Yield commits reachable from `starts` and not from `without`, newest first.

    A child comes before its parents, unless its clock was behind theirs.
    """
    seen = reachable(store, without)
    queue: list[tuple[int, int, str]] = []
    for start in starts:
        _push(store, queue, seen, start)
    while queue:
        commit_id = heapq.heappop(queue)[2]
        yield commit_id
        for parent in store.commit(commit_id).parents:
            _push(store, queue, seen, parent)


def _push(
    store: ObjectStore, queue: list[tuple[int, int, str]], seen: set[str], commit_id: str
) -> None:
    if commit_id not in seen:
        seen.add(commit_id)
        heapq.heappush(queue, (-store.commit(commit_id).commit_time, len(seen), commit_id))


def reachable(store: ObjectStore, starts: Iterable[str]) -> set[str]:
    """Return all commits from which `starts` descend, themselves included."""
    pending, seen = list(starts), set[str]()
    while pending:
        commit_id = pending.pop()
        if commit_id not in seen:
            seen.add(commit_id)
            pending.extend(store.commit(commit_id).parents)
    return seen


def touched(store: ObjectStore, commit_id: str, path: str) -> bool:
    """Return True when a commit has something else at a path than each of its parents."""
    commit = store.commit(commit_id)
    here = GitTree(store, commit.tree, "").entry(path)
    before = [GitTree(store, store.commit(each).tree, "").entry(path) for each in commit.parents]
    return here not in (before or [None])


def unknown(store: ObjectStore, head: str, known: Set[str]) -> list[str]:
    """Return a head ("" for none) and what is before it, less what is known; parents first."""
    pending, fresh = [head] if head else [], dict[str, None]()
    while pending:
        commit_id = pending.pop()
        if commit_id in known or commit_id in fresh:
            continue
        parents = store.commit(commit_id).parents
        waiting = [each for each in parents if each not in known and each not in fresh]
        if waiting:
            pending += [commit_id, *waiting]
        else:
            fresh[commit_id] = None
    return list(fresh)


def is_ancestor(store: ObjectStore, ancestor: str, descendant: str) -> bool:
    """Return True when `descendant` has everything that `ancestor` has; equal counts."""
    return ancestor == descendant or merge_base(store, ancestor, descendant) == ancestor


def merge_base(store: ObjectStore, ours: str, theirs: str) -> str:
    """Return the best common ancestor of two commits, "" when they share none.

    Differs: where a criss-cross history has several, Git merges them into a virtual base; this
    takes the newest one, and the smallest id of equally new ones.
    """
    flags: dict[str, int] = {}
    queue: list[tuple[int, str]] = []

    def paint(commit_id: str, colour: int) -> None:
        if flags.get(commit_id, 0) & colour != colour:
            flags[commit_id] = flags.get(commit_id, 0) | colour
            heapq.heappush(queue, (-store.commit(commit_id).commit_time, commit_id))

    paint(ours, _OURS)
    paint(theirs, _THEIRS)
    common: list[tuple[int, str]] = []
    while any(not flags[commit_id] & _STALE for _, commit_id in queue):
        when, commit_id = heapq.heappop(queue)
        colour = flags[commit_id]
        if colour & (_OURS | _THEIRS | _STALE) == _OURS | _THEIRS:
            common.append((when, commit_id))
            colour |= _STALE
        for parent in store.commit(commit_id).parents:
            paint(parent, colour)
    return _best(store, sorted({item for item in common if not flags[item[1]] & _STALE}))


def _best(store: ObjectStore, common: list[tuple[int, str]]) -> str:
    """Return the first that no other one descends from (times may run backwards)."""
    for _, candidate in common:
        others = [other for _, other in common if other != candidate]
        if candidate not in reachable(store, others):
            return candidate
    return ""


def changes(store: ObjectStore, old_tree: str, new_tree: str) -> list[Change]:
    """Return the files that differ between two trees, sorted by path; "" is the empty tree.

    Equal folders are not opened. A renamed file is one that went and one that came.
    """
    found: list[Change] = []
    pending = [("", old_tree, new_tree)]
    while pending:
        prefix, old_id, new_id = pending.pop()
        olds = store.tree(old_id) if old_id else {}
        news = store.tree(new_id) if new_id else {}
        for name in {**olds, **news}:
            old, new = olds.get(name), news.get(name)
            if old == new:
                continue
            path = prefix + name
            if old and new and old.mode == new.mode == FOLDER:
                pending.append((f"{path}/", old.id, new.id))
                continue
            found.extend(Change(p, e, None) for p, e in _files(store, path, old))
            found.extend(Change(p, None, e) for p, e in _files(store, path, new))
    return _joined(found)


def _files(
    store: ObjectStore, path: str, entry: TreeEntry | None
) -> Iterator[tuple[str, TreeEntry]]:
    if entry is None:
        return
    if entry.mode != FOLDER:
        yield path, entry
        return
    for name, below in walk_files(store, entry.id):
        yield f"{path}/{name}", below


def _joined(found: list[Change]) -> list[Change]:
    """Return one change for a path, sorted: gone and come at once is a change of the file."""
    by_path: dict[str, Change] = {}
    for change in found:
        before = by_path.get(change.path)
        if before:
            change = Change(change.path, before.old or change.old, before.new or change.new)
        by_path[change.path] = change
    return [by_path[path] for path in sorted(by_path)]
