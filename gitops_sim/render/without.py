"""The files of a revision without some of its directories."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from gitops_sim.errors import UnknownRefError
from gitops_sim.protocols import TreeReader
from gitops_sim.render import kustomization
from gitops_sim.render.reading import ParsedYaml, Reading

__all__ = ["Without", "as_kubectl_takes"]


class Without:
    """A tree from which directories were left out; a `gitops_sim.protocols.TreeReader`.

    Args:
        tree: All files.
        folders: Paths of the directories that are not there.
    """

    def __init__(self, tree: TreeReader, folders: Sequence[str]) -> None:
        self._tree = tree
        self._folders = tuple(f"{folder}/" for folder in folders)

    def digest(self) -> str:
        """Return a hash over the tree and what is left out."""
        return hashlib.sha256("\0".join((self._tree.digest(), *self._folders)).encode()).hexdigest()

    def files(self, under: str = "") -> list[str]:
        """Return the paths that are left, sorted."""
        return [path for path in self._tree.files(under) if not self._hides(path)]

    def read(self, path: str) -> bytes:
        """Return the content of a file; UnknownRefError for one that is left out."""
        if self._hides(path):
            raise UnknownRefError("tree", path)
        return self._tree.read(path)

    def is_directory(self, path: str) -> bool:
        """Return True for a directory that is left."""
        return not self._hides(f"{path}/") and self._tree.is_directory(path)

    def blob_id(self, path: str) -> str:
        """Return the Git blob id of a file."""
        return self._tree.blob_id(path)

    def _hides(self, path: str) -> bool:
        return path.startswith(self._folders) if self._folders else False


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
    below = sorted({start + name.partition("/")[0] for name in inner if "/" in name})
    return Without(tree, below) if below else tree
