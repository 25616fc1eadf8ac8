"""Objects from outside, before they are stored: is everything there, and may it be called so?

A clone that is imported and a pack that is pushed go through here. From each new head everything
new is visited once, with the path at which it was met, so that a refusal names the file.

Source: git, fsck.c and connected.c.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from gitops_sim.errors import GitError, InputError
from gitops_sim.forge.contents import MAX_FILE_BYTES, too_large
from gitops_sim.forge.names import check_path
from gitops_sim.forge.objects import (
    BLOB,
    COMMIT,
    EXECUTABLE,
    FILE,
    FOLDER,
    KIND_WORDS,
    LINK,
    SUBMODULE,
    TAG,
    TREE,
    ObjectStore,
    TreeEntry,
    parse_commit,
    parse_tree,
)
from gitops_sim.forge.packs import Objects

__all__ = ["check_objects"]

MAX_DEPTH = 100
"""Folders within folders."""
MAX_FILES = 100_000
"""The most files that a folder or a revision may hold."""

_GROUP_WRITABLE = 0o100664
_MODES = (FILE, EXECUTABLE, LINK, FOLDER, SUBMODULE, _GROUP_WRITABLE)

T = TypeVar("T")


def check_objects(
    new: Objects, heads: Iterable[str], store: ObjectStore, *, shallow: Iterable[str] = ()
) -> None:
    """Check all that hangs on new heads.

    Args:
        new: The objects that came in.
        heads: Where to begin.
        store: What was there before.
        shallow: Commits that may lack their parents.

    Raises:
        GitError: An object is missing, damaged, or not of the kind that it should be.
        InputError: A path that no repository may hold, a file that is too large, or too many.
    """
    checker = _Checker(new, store, frozenset(shallow))
    for head in heads:
        checker.history(head)


class _Checker:
    """One check; `_seen` has the kind of each object visited, `_files` how much a tree holds."""

    def __init__(self, new: Objects, store: ObjectStore, shallow: frozenset[str]) -> None:
        self._new = new
        self._store = store
        self._shallow = shallow
        self._seen: dict[str, int] = {}
        self._files: dict[str, int] = {}

    def history(self, head: str) -> None:
        """Check a head and everything before it."""
        pending: list[tuple[str, tuple[int, ...]]] = [(head, (COMMIT, TAG, TREE, BLOB))]
        while pending:
            object_id, kinds = pending.pop()
            kind, content = self._visit(object_id, kinds)
            if kind == COMMIT:
                commit = _parsed(parse_commit, object_id, content)
                if object_id not in self._shallow:
                    pending += [(parent, (COMMIT,)) for parent in commit.parents]
                self._tree(commit.tree)
            elif kind == TAG:
                named = content.partition(b"\n")[0].removeprefix(b"object ")
                pending.append((named.decode("ascii", "replace"), (COMMIT, TAG, TREE, BLOB)))
            elif kind == TREE:
                del self._seen[object_id]
                self._tree(object_id)

    def _visit(self, object_id: str, kinds: tuple[int, ...]) -> tuple[int, bytes]:
        """Return kind and bytes of a new object, once; (0, b"") for others."""
        found = self._new.get(object_id)
        seen = self._seen.get(object_id, 0)
        kind = seen or (found[0] if found else self._store.kind(object_id))
        self._seen[object_id] = kind
        if not kind:
            raise GitError(f"object {object_id} is missing: the history is not complete")
        if kind not in kinds:
            wanted = KIND_WORDS[kinds[0]].decode()
            raise GitError(f"object {object_id} is a {KIND_WORDS[kind].decode()}, not a {wanted}")
        return found if found and not seen else (0, b"")

    def _tree(self, tree_id: str) -> None:
        """Check the files of a commit; the same few folders, each in each, can be billions."""
        self._folder("", tree_id, 0)
        if self._count(tree_id) > MAX_FILES:
            fix = "keep only the manifests in it"
            raise InputError("", 0, f"the revision holds more than {MAX_FILES:,} files", fix)

    def _count(self, tree_id: str) -> int:
        """Return how many files are below a tree, each folder looked at once."""
        known = self._files.get(tree_id)
        if known is None:
            new = self._new.get(tree_id)
            entries = parse_tree(new[1]) if new else self._store.tree(tree_id)
            known = sum(
                self._count(entry.id) if entry.mode == FOLDER else 1 for entry in entries.values()
            )
            self._files[tree_id] = known
        return known

    def _folder(self, prefix: str, tree_id: str, depth: int) -> None:
        kind, content = self._visit(tree_id, (TREE,))
        if not kind:
            return
        if depth > MAX_DEPTH:
            fix = "put the files into fewer folders"
            raise InputError(prefix, 0, f"is more than {MAX_DEPTH} folders deep", fix)
        for name, entry in _parsed(parse_tree, tree_id, content).items():
            path = check_path(prefix + name)
            if entry.mode == FOLDER:
                self._folder(f"{path}/", entry.id, depth + 1)
            else:
                self._leaf(path, entry)

    def _leaf(self, path: str, entry: TreeEntry) -> None:
        if entry.mode not in _MODES:
            raise InputError(path, 0, f"has the mode {entry.mode:o}", "make it a plain file")
        if entry.mode == SUBMODULE:
            return
        _, content = self._visit(entry.id, (BLOB,))
        if len(content) > MAX_FILE_BYTES:
            raise too_large(path, len(content))


def _parsed(parse: Callable[[bytes], T], object_id: str, content: bytes) -> T:
    try:
        return parse(content)
    except (ValueError, UnicodeDecodeError) as error:
        raise GitError(f"object {object_id} is damaged: {error}") from None
