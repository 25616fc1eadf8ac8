"""The difference between two trees as people read it: a unified diff, as `git diff` prints it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gitops_sim.forge.history import Change, changes
from gitops_sim.forge.line_merging import is_binary
from gitops_sim.forge.lines import Edit, edits, split_lines
from gitops_sim.forge.objects import SUBMODULE, ObjectStore, TreeEntry

__all__ = ["Diff", "diff_trees"]

CONTEXT_LINES = 3


@dataclass(frozen=True, slots=True)
class Diff:
    """What differs between two commits.

    `paths` are the files that differ, sorted; `text` is the unified diff, which `git apply`
    takes, and what printing this shows.
    """

    paths: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return self.text


def diff_trees(store: ObjectStore, old_tree: str, new_tree: str) -> Diff:
    """Compare two trees; renames appear as a deletion and an addition."""
    found = changes(store, old_tree, new_tree)
    return Diff(
        tuple(change.path for change in found), "".join(_shown(store, change) for change in found)
    )


def _shown(store: ObjectStore, change: Change) -> str:
    path, old, new = change
    if old and new and old.mode & 0o170000 != new.mode & 0o170000:  # git shows two changes, too
        return _shown(store, Change(path, old, None)) + _shown(store, Change(path, None, new))
    head = [f"diff --git a/{path} b/{path}"]
    if old is None and new:
        head.append(f"new file mode {new.mode:o}")
    elif new is None and old:
        head.append(f"deleted file mode {old.mode:o}")
    elif old and new and old.mode != new.mode:
        head += [f"old mode {old.mode:o}", f"new mode {new.mode:o}"]
    if _id(old) == _id(new):
        return "\n".join(head) + "\n"
    same_mode = f" {new.mode:o}" if old and new and old.mode == new.mode else ""
    head.append(f"index {_id(old)[:7]}..{_id(new)[:7]}{same_mode}")
    before, after = _content(store, old), _content(store, new)
    names = f"a/{path}" if old else "/dev/null", f"b/{path}" if new else "/dev/null"
    if is_binary(before) or is_binary(after):
        return "\n".join([*head, f"Binary files {names[0]} and {names[1]} differ", ""])
    body = unified(split_lines(before), split_lines(after))
    if body:
        head += [f"--- {names[0]}", f"+++ {names[1]}"]
    return "\n".join(head) + "\n" + body.decode("utf-8", "replace")


def _id(entry: TreeEntry | None) -> str:
    return entry.id if entry else "0" * 40


def _content(store: ObjectStore, entry: TreeEntry | None) -> bytes:
    if entry is None:
        return b""
    if entry.mode == SUBMODULE:
        return b"Subproject commit %s\n" % entry.id.encode()
    return store.blob(entry.id)


def unified(old: Sequence[bytes], new: Sequence[bytes]) -> bytes:
    """Return the hunks of a unified diff with three lines of context; empty for equal texts."""
    hunks: list[list[Edit]] = []
    for edit in edits(old, new, by_indent=True):
        if hunks and edit.old_start - hunks[-1][-1].old_end <= 2 * CONTEXT_LINES:
            hunks[-1].append(edit)
        else:
            hunks.append([edit])
    return b"".join(_hunk(old, new, hunk) for hunk in hunks)


def _hunk(old: Sequence[bytes], new: Sequence[bytes], hunk: list[Edit]) -> bytes:
    first, last = hunk[0], hunk[-1]
    lead = min(CONTEXT_LINES, first.old_start)
    start, new_start = first.old_start - lead, first.new_start - lead
    end = min(last.old_end + CONTEXT_LINES, len(old))
    new_end = last.new_end + end - last.old_end
    lines = [f"@@ -{_span(start, end)} +{_span(new_start, new_end)} @@\n".encode()]
    at = start
    for edit in hunk:
        lines += [b" " + line for line in old[at : edit.old_start]]
        lines += [b"-" + line for line in old[edit.old_start : edit.old_end]]
        lines += [b"+" + line for line in new[edit.new_start : edit.new_end]]
        at = edit.old_end
    lines += [b" " + line for line in old[at:end]]
    return b"".join(
        line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n"
        for line in lines
    )


def _span(start: int, end: int) -> str:
    if end - start == 1:
        return str(start + 1)
    return f"{start + 1 if end > start else start},{end - start}"
