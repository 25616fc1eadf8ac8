"""Three-way merge: of files line by line (diff3), and of whole trees.

Both sides are compared with the version they started from. What only one side changed is taken;
what both changed alike is taken once; changes of both that overlap or touch are a conflict. A
tree is merged entry by entry, and only folders that both sides changed are opened.

Source: git, xdiff/xmerge.c at its default level, and merge-ort for trees; `git merge-file` is the
oracle in the tests.
Differs: renames are not followed: a file renamed on one side and changed on the other is a
conflict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeGuard

from gitops_sim.forge.lines import Edit, edits, split_lines
from gitops_sim.forge.objects import (
    BLOB,
    EXECUTABLE,
    FILE,
    FOLDER,
    SUBMODULE,
    ObjectStore,
    TreeEntry,
)

__all__ = ["MergedTree", "Sides", "is_binary", "merge_files", "merge_trees"]

JOIN_LINES = 3
"""Conflicts with at most this many equal lines between them are shown as one, as in Git."""


@dataclass(frozen=True, slots=True)
class Sides:
    """What the two sides are called in conflict markers: branch names, usually."""

    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class MergedTree:
    """A merged tree; `conflicts` maps a path to its text with markers, and is empty when clean.

    With conflicts, `tree` holds our version of the files in conflict.
    """

    tree: str
    conflicts: dict[str, str]


class _Piece(NamedTuple):
    """Lines of the result; a conflict when `theirs` is not None."""

    ours: list[bytes]
    theirs: list[bytes] | None = None


def is_binary(content: bytes) -> bool:
    """Return True for content that is not text: a zero byte near the beginning, as in Git."""
    return b"\0" in content[:8000]


def merge_files(base: bytes, ours: bytes, theirs: bytes, sides: Sides) -> tuple[bytes, bool]:
    """Merge two texts that started from `base`; return the text and whether it has conflicts."""
    old, our_lines, their_lines = split_lines(base), split_lines(ours), split_lines(theirs)
    pieces: list[_Piece] = []
    at = 0
    for start, end, ours_now, theirs_now in _regions(old, our_lines, their_lines):
        pieces.append(_Piece(old[at:start]))
        if ours_now == theirs_now or theirs_now == old[start:end]:
            pieces.append(_Piece(ours_now))
        elif ours_now == old[start:end]:
            pieces.append(_Piece(theirs_now))
        else:
            pieces.extend(_split_conflict(ours_now, theirs_now))
        at = end
    pieces.append(_Piece(old[at:]))
    conflict = any(piece.theirs is not None for piece in pieces)
    return b"".join(_printed(piece, sides) for piece in pieces), conflict


def _regions(
    old: Sequence[bytes], ours: list[bytes], theirs: list[bytes]
) -> list[tuple[int, int, list[bytes], list[bytes]]]:
    """Return start and end in `old`, and both new versions, of each region that was changed."""
    by_side = (edits(old, ours), edits(old, theirs))
    every = sorted((e.old_start, e.old_end, side) for side in (0, 1) for e in by_side[side])
    spans: list[tuple[int, int]] = []
    for start, end, _ in every:
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    new_ours, new_theirs = _Shift(by_side[0]), _Shift(by_side[1])
    return [
        (start, end, ours[slice(*new_ours(start, end))], theirs[slice(*new_theirs(start, end))])
        for start, end in spans
    ]


class _Shift:
    """Translates spans of the old text, asked for in order, to where they are in the new one."""

    def __init__(self, changes: list[Edit]) -> None:
        self._changes = changes
        self._next = 0
        self._offset = 0

    def __call__(self, start: int, end: int) -> tuple[int, int]:
        new_start = start + self._offset
        while self._next < len(self._changes) and self._changes[self._next].old_start <= end:
            edit = self._changes[self._next]
            self._offset = edit.new_end - edit.old_end
            self._next += 1
        return new_start, end + self._offset


def _split_conflict(ours: list[bytes], theirs: list[bytes]) -> list[_Piece]:
    """Return a conflict as pieces: lines that both sides have are no conflict."""
    found: list[Edit] = []
    for edit in edits(ours, theirs):
        if found and edit.old_start - found[-1].old_end <= JOIN_LINES:
            last = found.pop()
            edit = Edit(last.old_start, edit.old_end, last.new_start, edit.new_end)
        found.append(edit)
    pieces, at = [], 0
    for edit in found:
        pieces.append(_Piece(ours[at : edit.old_start]))
        ours_part = ours[edit.old_start : edit.old_end]
        pieces.append(_Piece(ours_part, theirs[edit.new_start : edit.new_end]))
        at = edit.old_end
    return [*pieces, _Piece(ours[at:])]


def _printed(piece: _Piece, sides: Sides) -> bytes:
    if piece.theirs is None:
        return b"".join(piece.ours)
    return b"".join(
        (
            b"<<<<<<< %s\n" % sides.ours.encode(),
            _closed(piece.ours),
            b"=======\n",
            _closed(piece.theirs),
            b">>>>>>> %s\n" % sides.theirs.encode(),
        )
    )


def _closed(lines: list[bytes]) -> bytes:
    """Return the lines with a line feed at the end, so that a marker begins a line."""
    text = b"".join(lines)
    return text + b"\n" if text and not text.endswith(b"\n") else text


def merge_trees(
    store: ObjectStore, base: str, ours: str, theirs: str, *, sides: Sides
) -> MergedTree:
    """Merge two trees that started from `base`; each is a tree id, "" for an empty one."""
    conflicts: dict[str, str] = {}
    merger = _TreeMerge(store, sides, conflicts)
    tree = merger.folder("", base, ours, theirs) or store.add_tree({})
    return MergedTree(tree, dict(sorted(conflicts.items())))


class _TreeMerge:
    """One merge of two trees; conflicts are collected by path."""

    def __init__(self, store: ObjectStore, sides: Sides, conflicts: dict[str, str]) -> None:
        self._store = store
        self._sides = sides
        self._conflicts = conflicts

    def folder(self, prefix: str, base: str, ours: str, theirs: str) -> str:
        """Return the merged folder, "" when nothing is left in it."""
        base_here, our_here, their_here = (
            self._store.tree(tree_id) if tree_id else {} for tree_id in (base, ours, theirs)
        )
        merged: dict[str, TreeEntry] = {}
        for name in sorted({**base_here, **our_here, **their_here}):
            entry = self._entry(
                prefix + name, base_here.get(name), our_here.get(name), their_here.get(name)
            )
            if entry is not None:
                merged[name] = entry
        return self._store.add_tree(merged) if merged else ""

    def _entry(
        self,
        path: str,
        base: TreeEntry | None,
        ours: TreeEntry | None,
        theirs: TreeEntry | None,
    ) -> TreeEntry | None:
        if ours == theirs or base == theirs:
            return ours
        if base == ours:
            return theirs
        if _folder_or_nothing(ours) and _folder_or_nothing(theirs):
            below = base.id if base and base.mode == FOLDER else ""
            tree = self.folder(f"{path}/", below, _id(ours), _id(theirs))
            return TreeEntry(FOLDER, tree) if tree else None
        if not _is_file(ours) or not _is_file(theirs):
            self._conflicts[path] = self._whole(ours, theirs)
            return ours
        return self._file(path, base, ours, theirs)

    def _file(
        self, path: str, base: TreeEntry | None, ours: TreeEntry, theirs: TreeEntry
    ) -> TreeEntry:
        started = base if _is_file(base) else None
        mode = theirs.mode if started and started.mode == ours.mode else ours.mode
        blobs = (_id(started), ours.id, theirs.id)
        if blobs[1] == blobs[2] or blobs[0] == blobs[2]:
            return TreeEntry(mode, ours.id)
        if blobs[0] == blobs[1]:
            return TreeEntry(mode, theirs.id)
        old, our_text, their_text = (self._store.blob(blob) if blob else b"" for blob in blobs)
        if is_binary(old) or is_binary(our_text) or is_binary(their_text):
            self._conflicts[path] = self._whole(ours, theirs)
            return ours
        text, conflict = merge_files(old, our_text, their_text, self._sides)
        if conflict:
            self._conflicts[path] = text.decode("utf-8", "replace")
            return ours
        return TreeEntry(mode, self._store.add(BLOB, text))

    def _whole(self, ours: TreeEntry | None, theirs: TreeEntry | None) -> str:
        """Return both versions as one conflict: deleted here and changed there, or no text."""
        shown = _Piece([self._shown(ours)], [self._shown(theirs)])
        return _printed(shown, self._sides).decode("utf-8", "replace")

    def _shown(self, entry: TreeEntry | None) -> bytes:
        if entry is None:
            return b""
        if entry.mode == FOLDER:
            return b"(a folder)\n"
        if entry.mode == SUBMODULE:
            return b"(submodule at %s)\n" % entry.id.encode()
        content = self._store.blob(entry.id)
        return b"(binary file, %d bytes)\n" % len(content) if is_binary(content) else content


def _folder_or_nothing(entry: TreeEntry | None) -> bool:
    return entry is None or entry.mode == FOLDER


def _is_file(entry: TreeEntry | None) -> TypeGuard[TreeEntry]:
    """Return True for a file with content to merge."""
    return entry is not None and entry.mode in (FILE, EXECUTABLE)


def _id(entry: TreeEntry | None) -> str:
    return entry.id if entry else ""
