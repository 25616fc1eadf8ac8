"""Which commit each line of a file comes from.

All lines begin as the newest commit's. Each commit hands the lines that a parent has too on to
that parent, the first parent first; what it cannot hand on is its own.

Source: git, blame.c (`pass_blame`).
Differs: a file is not followed through a rename.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from gitops_sim.forge.lines import edits, split_lines
from gitops_sim.forge.objects import FOLDER, SUBMODULE, ObjectStore
from gitops_sim.forge.trees import GitTree

__all__ = ["BlamedLine", "blame"]


@dataclass(frozen=True, slots=True)
class BlamedLine:
    """One line, without its end, and the commit that it comes from."""

    commit: str
    author: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.commit[:8]} ({self.author} {self.line}) {self.text}"


def blame(store: ObjectStore, head: str, path: str) -> list[BlamedLine]:
    """Return the lines of a file at a commit, each with its origin; [] when there is no file."""
    lines = _lines(store, head, path)
    origin = [head] * len(lines)
    waiting: dict[str, dict[int, int]] = {head: {at: at for at in range(len(lines))}}
    queue = [_age(store, head)]
    while queue:
        _, commit_id = heapq.heappop(queue)
        # from where a line is in this commit's file to where it is in the newest
        left = waiting.pop(commit_id)
        here = _lines(store, commit_id, path)
        for parent in store.commit(commit_id).parents:
            given = {
                before: left.pop(now)
                for now, before in _kept(_lines(store, parent, path), here).items()
                if now in left
            }
            if given and parent not in waiting:
                heapq.heappush(queue, _age(store, parent))
            if given:
                waiting.setdefault(parent, {}).update(given)
        for at in left.values():
            origin[at] = commit_id
    return [
        BlamedLine(
            commit_id,
            store.commit(commit_id).author.partition(" <")[0],
            number,
            line.decode("utf-8", "replace").rstrip("\r\n"),
        )
        for number, (commit_id, line) in enumerate(zip(origin, lines, strict=True), 1)
    ]


def _age(store: ObjectStore, commit_id: str) -> tuple[int, str]:
    return -store.commit(commit_id).commit_time, commit_id


def _lines(store: ObjectStore, commit_id: str, path: str) -> list[bytes]:
    entry = GitTree(store, store.commit(commit_id).tree, "").entry(path)
    if entry is None or entry.mode in (FOLDER, SUBMODULE):
        return []
    return split_lines(store.blob(entry.id))


def _kept(old: list[bytes], new: list[bytes]) -> dict[int, int]:
    """Return where lines of `new` were in `old`, for those that were there."""
    kept: dict[int, int] = {}
    old_at = new_at = 0
    for edit in [*edits(old, new, by_indent=True), None]:
        end = edit.old_start if edit else len(old)
        while old_at < end:
            kept[new_at] = old_at
            old_at, new_at = old_at + 1, new_at + 1
        if edit:
            old_at, new_at = edit.old_end, edit.new_end
    return kept
