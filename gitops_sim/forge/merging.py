"""Three-way merge of whole trees.

A tree is merged entry by entry, and only folders that both sides changed are opened; files that
both changed are merged by lines.

Source: git, merge-ort; `git merge-tree` is the oracle in the tests.
Differs: renames are not followed: a file renamed on one side and changed on the other is a
conflict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeGuard

from gitops_sim.forge.line_merging import Sides, conflict_text, is_binary, merge_files
from gitops_sim.forge.objects import (
    BLOB,
    EXECUTABLE,
    FILE,
    FOLDER,
    SUBMODULE,
    ObjectStore,
    TreeEntry,
)

__all__ = ["MergedTree", "merge_trees"]


@dataclass(frozen=True, slots=True)
class MergedTree:
    """A merged tree; `conflicts` maps a path to its text with markers, and is empty when clean.

    With conflicts, `tree` holds our version of the files in conflict.
    """

    tree: str
    conflicts: dict[str, str]


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
        text = conflict_text(self._shown(ours), self._shown(theirs), self._sides)
        return text.decode("utf-8", "replace")

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
