"""Objects from outside, before they are stored: is everything there, and may it be called so?

A clone that is imported and a pack that is pushed go through here. From each new head everything
new is visited once, with the path at which it was met, so that a refusal names the file.

Source: git, fsck.c and connected.c.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias, TypeVar

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
    TreeEntry,
    parse_commit,
    parse_tree,
)
from gitops_sim.forge.packs import Objects

__all__ = ["check_objects"]

MAX_DEPTH = 100
"""Folders within folders."""

_GROUP_WRITABLE = 0o100664
_MODES = (FILE, EXECUTABLE, LINK, FOLDER, SUBMODULE, _GROUP_WRITABLE)

T = TypeVar("T")

Find: TypeAlias = Callable[[str], int]
"""Return the kind of an object that was there before, 0 when it was not."""


def check_objects(
    new: Objects, heads: Iterable[str], find: Find, *, shallow: Iterable[str] = ()
) -> None:
    """Check all that hangs on new heads; `shallow` commits may lack their parents.

    Raises:
        GitError: An object is missing, damaged, or not of the kind that it should be.
        InputError: A path that no repository may hold, or a file that is too large.
    """
    checker = _Checker(new, find, frozenset(shallow))
    for head in heads:
        checker.history(head)


class _Checker:
    """One check; `_seen` are objects that were visited, or are waiting to be."""

    def __init__(self, new: Objects, find: Find, shallow: frozenset[str]) -> None:
        self._new = new
        self._find = find
        self._shallow = shallow
        self._seen: set[str] = set()

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
                self._folder("", commit.tree, 0)
            elif kind == TAG:
                named = content.partition(b"\n")[0].removeprefix(b"object ")
                pending.append((named.decode("ascii", "replace"), (COMMIT, TAG, TREE, BLOB)))
            elif kind == TREE:
                self._seen.discard(object_id)
                self._folder("", object_id, 0)

    def _visit(self, object_id: str, kinds: tuple[int, ...]) -> tuple[int, bytes]:
        """Return kind and bytes of a new object, once; (0, b"") for others."""
        if object_id in self._seen:
            return 0, b""
        self._seen.add(object_id)
        found = self._new.get(object_id)
        kind = found[0] if found else self._find(object_id)
        if not kind:
            raise GitError(f"object {object_id} is missing: the history is not complete")
        if kind not in kinds:
            wanted = KIND_WORDS[kinds[0]].decode()
            raise GitError(f"object {object_id} is a {KIND_WORDS[kind].decode()}, not a {wanted}")
        return found or (0, b"")

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
