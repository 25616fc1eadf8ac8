"""Folders of a repository: read as files (`GitTree`), and changed into new folders.

A change is a path and its new content; `write` and `remove` make the new tree from the old one
and touch only the folders on the way, so a commit costs what it changes, not what is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from gitops_sim.errors import InputError, UnknownRefError
from gitops_sim.forge.objects import FILE, FOLDER, LINK, SUBMODULE, ObjectStore, TreeEntry

__all__ = ["GitTree", "remove", "walk_files", "write"]

MAX_LINKS = 40
"""Links followed for one path before it counts as a loop, as in Linux."""

_Nested: TypeAlias = dict[str, Any]


class GitTree:
    """The files of one revision; implements `TreeReader`.

    Nothing here can change, so parsed folders are kept as long as this object is.

    Args:
        store: Where the objects are.
        tree_id: The root.
        repository: Its name, for messages.
    """

    def __init__(self, store: ObjectStore, tree_id: str, repository: str) -> None:
        self._store = store
        self._root = tree_id
        self._repository = repository
        self._folders: dict[str, dict[str, TreeEntry]] = {}

    def digest(self) -> str:
        """Return the tree id: equal for equal files, whatever the commit."""
        return self._root

    def files(self, under: str = "") -> list[str]:
        """Return the paths of all files below a folder, sorted; links are listed, not followed.

        Nothing when there is no such folder; submodules are left out.
        """
        try:
            path, entry = self._resolve(under)
        except UnknownRefError:
            return []
        if entry.mode != FOLDER:
            return []
        prefix = f"{path}/" if path else ""
        return sorted(prefix + name for name, _ in walk_files(self._store, entry.id))

    def read(self, path: str) -> bytes:
        """Return the content of a file, links inside the tree followed.

        Raises:
            UnknownRefError: There is no such file.
            InputError: A link leaves the tree or loops.
        """
        return self._store.blob(self.blob_id(path))

    def is_directory(self, path: str) -> bool:
        """Return True for a folder, links inside the tree followed.

        Raises:
            InputError: A link leaves the tree or loops.
        """
        try:
            return self._resolve(path)[1].mode == FOLDER
        except UnknownRefError:
            return False

    def blob_id(self, path: str) -> str:
        """Return the id of a file's content; raises like `read`."""
        entry = self._resolve(path)[1]
        if entry.mode in (FOLDER, SUBMODULE):
            raise UnknownRefError(self._repository, path)
        return entry.id

    def entry(self, path: str) -> TreeEntry | None:
        """Return mode and id of exactly this path, links not followed; None when not there."""
        entry = TreeEntry(FOLDER, self._root)
        for part in _parts(path):
            found = self._folder(entry.id).get(part) if entry.mode == FOLDER else None
            if found is None:
                return None
            entry = found
        return entry

    def _folder(self, tree_id: str) -> dict[str, TreeEntry]:
        entries = self._folders.get(tree_id)
        if entries is None:
            entries = self._folders[tree_id] = self._store.tree(tree_id)
        return entries

    def _resolve(self, path: str) -> tuple[str, TreeEntry]:
        """Return the path without links and what is there."""
        todo = _parts(path)[::-1]
        done: list[tuple[str, TreeEntry]] = [("", TreeEntry(FOLDER, self._root))]
        links = 0
        while todo:
            part = todo.pop()
            if part == "..":
                done.pop()
                if not done:
                    raise _leaves(path)
                continue
            here = done[-1][1]
            entry = self._folder(here.id).get(part) if here.mode == FOLDER else None
            if entry is None:
                raise UnknownRefError(self._repository, path)
            if entry.mode != LINK:
                done.append((part, entry))
                continue
            links += 1
            if links > MAX_LINKS:
                fix = "make the link point at a file that is there"
                raise InputError(path, 0, "symbolic links form a loop", fix)
            target = self._store.blob(entry.id).decode("utf-8", "surrogateescape")
            if target.startswith(("/", "\\")) or target[1:2] == ":":
                raise _leaves(path)
            todo.extend(reversed(_parts(target)))
        return "/".join(name for name, _ in done[1:]), done[-1][1]


def walk_files(store: ObjectStore, tree_id: str) -> Iterator[tuple[str, TreeEntry]]:
    """Yield path and entry of every file and link below a tree, folders in Git's order."""
    pending = [("", tree_id)]
    while pending:
        prefix, folder = pending.pop()
        for name, entry in store.tree(folder).items():
            if entry.mode == FOLDER:
                pending.append((f"{prefix}{name}/", entry.id))
            elif entry.mode != SUBMODULE:
                yield prefix + name, entry


def write(store: ObjectStore, tree_id: str, files: Mapping[str, TreeEntry]) -> str:
    """Return the tree with these files put in; an entry of mode 0 keeps the mode that is there.

    Raises:
        InputError: A file is where a folder is needed, or the other way round.
    """
    nested: _Nested = {}
    for path, entry in sorted(files.items()):
        *folders, name = path.split("/")
        here = nested
        for depth, folder in enumerate(folders, 1):
            here = here.setdefault(folder, {})
            if isinstance(here, TreeEntry):
                raise _in_the_way("/".join(folders[:depth]))
        here[name] = entry
    return _write(store, tree_id, nested, "")


def _write(store: ObjectStore, tree_id: str, nested: _Nested, prefix: str) -> str:
    entries = store.tree(tree_id) if tree_id else {}
    for name, new in nested.items():
        path, old = prefix + name, entries.get(name)
        if isinstance(new, TreeEntry):
            if old and old.mode == FOLDER:
                raise InputError(path, 0, "is a folder", "choose another name for the file")
            keeps = old.mode if old and old.mode not in (LINK, SUBMODULE) else FILE
            entries[name] = TreeEntry(new.mode or keeps, new.id)
        else:
            if old and old.mode != FOLDER:
                raise _in_the_way(path)
            below = _write(store, old.id if old else "", new, path + "/")
            entries[name] = TreeEntry(FOLDER, below)
    return store.add_tree(entries)


def remove(store: ObjectStore, tree_id: str, paths: Iterable[str]) -> str:
    """Return the tree without these files and folders; folders that get empty go with them.

    Raises:
        InputError: There is nothing at a path.
    """
    for path in paths:
        tree_id = _remove(store, tree_id, path.split("/"), path) or store.add_tree({})
    return tree_id


def _remove(store: ObjectStore, tree_id: str, parts: list[str], path: str) -> str:
    entries = store.tree(tree_id)
    entry = entries.get(parts[0])
    if entry is None or (len(parts) > 1 and entry.mode != FOLDER):
        raise InputError(path, 0, "there is no such file to delete", "check the path")
    below = _remove(store, entry.id, parts[1:], path) if len(parts) > 1 else ""
    if below:
        entries[parts[0]] = TreeEntry(FOLDER, below)
    else:
        del entries[parts[0]]
    return store.add_tree(entries) if entries else ""


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def _leaves(path: str) -> InputError:
    fix = "copy the file into the repository"
    return InputError(path, 0, "symbolic link points outside the repository", fix)


def _in_the_way(path: str) -> InputError:
    fix = f"delete it in an earlier commit or in this one: {{{path!r}: None}}"
    return InputError(path, 0, "is a file where a folder is needed", fix)
