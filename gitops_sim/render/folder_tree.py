"""A folder on disk, read as a tree of files; nothing outside it is ever opened.

Links are resolved here, one component at a time, so that a link that leaves the folder or runs in
a circle is an error with a name instead of a file of somebody else's or an endless walk.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from gitops_sim.errors import BuildError, InputError, UnknownRefError
from gitops_sim.render.paths import clean

__all__ = ["MAX_FILES", "MAX_FILE_BYTES", "FolderTree", "git_blob_id"]

MAX_FILE_BYTES = 3 * 1024 * 1024
"""The largest file that is read: what a Kubernetes API server takes as one request."""
MAX_FILES = 100_000
"""The most files a folder may hold."""
MAX_LINKS = 40
"""Links followed for one path before it counts as a loop, as in Linux."""


def git_blob_id(data: bytes) -> str:
    """Return the id that Git gives to this content."""
    return hashlib.sha1(b"blob %d\0%s" % (len(data), data), usedforsecurity=False).hexdigest()


class FolderTree:
    """The files of a folder; implements `TreeReader`.

    Nothing is kept between calls: a changed file is seen at the next read, and by `digest`.
    Repository data (`.git`) and names that are not UTF-8 are left out.

    Args:
        folder: An existing folder.

    Raises:
        BuildError: It is not a folder.
    """

    def __init__(self, folder: str | Path) -> None:
        self.root = Path(folder).resolve()
        if not self.root.is_dir():
            raise BuildError(str(folder), 0, "no such folder", "name a folder that exists")

    def digest(self) -> str:
        """Return a SHA-256 over the names and contents of all files, link texts for links."""
        total = hashlib.sha256()
        for path in self.files():
            on_disk = self.root / path
            if on_disk.is_symlink():
                content = "link " + os.readlink(on_disk)
            elif on_disk.stat().st_size > MAX_FILE_BYTES:
                facts = on_disk.stat()  # too large to be read by anyone: its size and time will do
                content = f"large {facts.st_size} {facts.st_mtime_ns}"
            else:
                content = git_blob_id(on_disk.read_bytes())
            total.update(f"{path}\0{content}\n".encode())
        return total.hexdigest()

    def files(self, under: str = "") -> list[str]:
        """Return the paths of all files below a folder, sorted; links are listed, not followed.

        Raises:
            BuildError: There are more than `MAX_FILES`.
        """
        start = clean(under)
        if start is None or not self.is_directory(start):
            return []
        found: list[str] = []
        pending = [start]
        while pending:
            folder = pending.pop()
            with os.scandir(self.root / folder) as entries:
                for entry in entries:
                    path = f"{folder}/{entry.name}" if folder else entry.name
                    if entry.name == ".git" or not _is_utf8(entry.name):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(path)
                    elif entry.is_symlink() or entry.is_file():
                        found.append(path)
            if len(found) > MAX_FILES:
                problem = f"holds more than {MAX_FILES} files"
                raise BuildError(under, 0, problem, "name a smaller folder below it")
        return sorted(found)

    def read(self, path: str) -> bytes:
        """Return the content of a file, links inside the folder followed.

        Raises:
            UnknownRefError: There is no such file.
            InputError: A link leaves the folder or loops, the file is larger than
                `MAX_FILE_BYTES`, or it is a device or a pipe.
        """
        real = self._resolve(path)
        try:
            facts = (self.root / real).lstat()
        except (OSError, ValueError):
            raise UnknownRefError(self.root.name, path) from None
        if not stat.S_ISREG(facts.st_mode):
            if stat.S_ISDIR(facts.st_mode):
                raise UnknownRefError(self.root.name, path)
            raise InputError(path, 0, "is not a regular file", "remove it from the repository")
        if facts.st_size > MAX_FILE_BYTES:
            size = f"is {facts.st_size / 1024**2:.1f} MiB large, the limit is 3 MiB"
            raise InputError(path, 0, size, "split the file or keep it out of the path")
        return (self.root / real).read_bytes()

    def is_directory(self, path: str) -> bool:
        """Return True for a folder, links inside the tree followed.

        Raises:
            InputError: A link leaves the folder or loops.
        """
        real = self._resolve(path)
        try:
            return stat.S_ISDIR((self.root / real).lstat().st_mode)
        except (OSError, ValueError):
            return False

    def blob_id(self, path: str) -> str:
        """Return the Git blob id of a file."""
        return git_blob_id(self.read(path))

    def _resolve(self, path: str) -> str:
        """Return `path` without links, relative to the root; what does not exist stays as it is."""
        todo = [part for part in reversed(path.split("/")) if part not in ("", ".")]
        done: list[str] = []
        links = 0
        while todo:
            part = todo.pop()
            if part == "..":
                if not done:
                    raise _leaves(path)
                done.pop()
                continue
            done.append(part)
            target = _link_target(self.root.joinpath(*done))
            if target is None:
                continue
            links += 1
            if links > MAX_LINKS:
                fix = "make the link point at a file that is there"
                raise InputError(path, 0, "symbolic links form a loop", fix)
            if target.startswith(("/", "\\")) or Path(target).is_absolute():
                raise _leaves(path)
            done.pop()
            steps = target.replace(os.sep, "/").split("/")
            todo.extend(step for step in reversed(steps) if step not in ("", "."))
        return "/".join(done)


def _link_target(path: Path) -> str | None:
    """Return the text of a symbolic link; None when the path is not one."""
    try:
        return os.readlink(path) if path.is_symlink() else None
    except (OSError, ValueError):
        return None


def _leaves(path: str) -> InputError:
    fix = "copy the file into the repository"
    return InputError(path, 0, "symbolic link points outside the repository", fix)


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
