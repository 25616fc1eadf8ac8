"""The files of a job: what was checked out, and what its steps wrote over it."""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Sequence

from gitops_sim.errors import InputError, UnknownRefError
from gitops_sim.protocols import TreeReader
from gitops_sim.render import git_blob_id

__all__ = ["MAX_WRITTEN", "Workspace"]

MAX_WRITTEN = 64 * 1024 * 1024
"""Bytes that the steps of one job may have written."""


class Workspace:
    """A job's working copy; implements `TreeReader`. Empty until something is checked out.

    Args:
        root: The path that scripts see, such as `/home/runner/work/shop/shop`.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self._base: TreeReader | None = None
        self._written: dict[str, bytes | None] = {}

    def check_out(self, tree: TreeReader) -> None:
        """Put the files of a revision there; what steps wrote before stays."""
        self._base = tree

    def resolve(self, directory: str, path: str) -> str | None:
        """Return a path of a script as a path in the workspace; None when it is outside."""
        if path.startswith("/"):
            if path != self.root and not path.startswith(f"{self.root}/"):
                return None
            directory, path = "", path[len(self.root) :]
        parts: list[str] = []
        for part in f"{directory}/{path}".split("/"):
            if part == "..":
                if not parts:
                    return None
                parts.pop()
            elif part not in ("", "."):
                parts.append(part)
        return "/".join(parts)

    def write(self, path: str, data: bytes) -> None:
        """Write a file; its folders need not exist.

        Raises:
            InputError: The job has written more than `MAX_WRITTEN` bytes.
        """
        self._written[path] = data
        if sum(len(content or b"") for content in self._written.values()) > MAX_WRITTEN:
            raise InputError(path, 0, "no space left on the runner", "write less")

    def remove(self, path: str) -> None:
        """Remove a file, or all files below a folder."""
        for file in [path, *self.files(path)]:
            if self.exists(file):
                self._written[file] = None

    def exists(self, path: str) -> bool:
        """Return True for a file or folder."""
        if self.is_directory(path):
            return True
        try:
            self.blob_id(path)
        except UnknownRefError:
            return False
        except InputError:
            return True  # a broken link: there, but not readable
        return True

    def matching(self, directory: str, pattern: str) -> list[str]:
        """Return the names that a shell pattern stands for, as seen from a directory."""
        start = f"{directory}/" if directory else ""
        wanted = pattern.split("/")
        found: set[str] = set()
        for file in self.files(directory):
            parts = file[len(start) :].split("/")[: len(wanted)]
            if len(parts) == len(wanted) and all(map(_matches, parts, wanted)):
                found.add("/".join(parts))
        return sorted(found)

    def digest(self) -> str:
        """Return a digest of the checked-out tree and everything written."""
        total = hashlib.sha256((self._base.digest() if self._base else "").encode())
        for path, content in sorted(self._written.items()):
            what = "gone" if content is None else git_blob_id(content)
            total.update(f"\n{path}\0{what}".encode())
        return total.hexdigest()

    def files(self, under: str = "") -> Sequence[str]:
        """Return the paths of all files below a folder, sorted."""
        start = f"{under}/" if under else ""
        there = set(self._base.files(under)) if self._base else set()
        for path, content in self._written.items():
            if path.startswith(start):
                (there.discard if content is None else there.add)(path)
        return sorted(there)

    def read(self, path: str) -> bytes:
        """Return the content of a file; raises as `TreeReader.read`."""
        if path in self._written:
            content = self._written[path]
            if content is None:
                raise UnknownRefError("workspace", path)
            return content
        if self._base is None:
            raise UnknownRefError("workspace", path)
        return self._base.read(path)

    def is_directory(self, path: str) -> bool:
        """Return True for a folder."""
        if not path:
            return True
        if self._base is not None and self._base.is_directory(path):
            gone = [file for file, content in self._written.items() if content is None]
            return not gone or bool(self.files(path))
        return any(
            content is not None and file.startswith(f"{path}/")
            for file, content in self._written.items()
        )

    def blob_id(self, path: str) -> str:
        """Return the Git blob id of a file; raises as `read`."""
        if path in self._written or self._base is None:
            return git_blob_id(self.read(path))
        return self._base.blob_id(path)


def _matches(name: str, pattern: str) -> bool:
    """Match one part of a path; a hidden one only by a pattern that begins with a dot."""
    hidden = name.startswith(".") and not pattern.startswith(".")
    return not hidden and fnmatch.fnmatchcase(name, pattern)
