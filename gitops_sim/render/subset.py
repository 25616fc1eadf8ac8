"""Some of the files of a revision: what a tool takes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from gitops_sim.errors import UnknownRefError
from gitops_sim.protocols import TreeReader
from gitops_sim.render import kustomization
from gitops_sim.render.reading import ParsedYaml, Reading

__all__ = ["Subset", "as_kubectl_takes", "without"]


class Subset:
    """A tree of which only some files are there; a `gitops_sim.protocols.TreeReader`.

    Args:
        tree: All files.
        files: The paths of those that are there.
    """

    def __init__(self, tree: TreeReader, files: Iterable[str]) -> None:
        self._tree = tree
        self._files = sorted(files)
        self._known = frozenset(self._files)
        self._folders = frozenset(
            path[:end] for path in self._files for end, sign in enumerate(path) if sign == "/"
        )

    def digest(self) -> str:
        """Return a hash over the tree and over which of its files are there."""
        return hashlib.sha256("\0".join((self._tree.digest(), *self._files)).encode()).hexdigest()

    def files(self, under: str = "") -> list[str]:
        """Return the paths of the files below a folder, sorted."""
        start = f"{under}/" if under else ""
        return [path for path in self._files if path.startswith(start)]

    def read(self, path: str) -> bytes:
        """Return the content of a file; UnknownRefError for one that is not there."""
        if path not in self._known:
            raise UnknownRefError("tree", path)
        return self._tree.read(path)

    def is_directory(self, path: str) -> bool:
        """Return True for the root, and for a folder that has a file."""
        return not path or path in self._folders

    def blob_id(self, path: str) -> str:
        """Return the Git blob id of a file."""
        return self._tree.blob_id(path)


def without(tree: TreeReader, folders: Sequence[str]) -> TreeReader:
    """Return the tree without some of its folders, given by their paths."""
    starts = tuple(f"{folder}/" for folder in folders)
    if not starts:
        return tree
    return Subset(tree, (path for path in tree.files() if not path.startswith(starts)))


def as_kubectl_takes(tree: TreeReader, path: str) -> TreeReader:
    """Return the tree as `kubectl apply -k` or `-f` sees it when given a directory.

    With a kustomization in the directory nothing is left out. Otherwise only the files directly in
    it count: `-f` does not go down without `-R`.

    Args:
        tree: All files.
        path: The directory, cleaned; "" is the root.
    """
    if kustomization.find(Reading(tree, ParsedYaml()), path) is not None:
        return tree
    start = f"{path}/" if path else ""
    inner = (file.removeprefix(start) for file in tree.files(path))
    return without(tree, sorted({start + n.partition("/")[0] for n in inner if "/" in n}))
