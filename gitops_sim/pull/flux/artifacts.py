"""What source-controller keeps of a revision, and kustomize-controller fetches: artifacts.

An artifact is a copy of the files of one revision without the ignored ones, packed as a tar
archive whose SHA-256 is its digest. It outlives a crash of the controller, as its volume does.

Source: fluxcd/pkg artifact/storage.
Differs: the archive is a gzip file of stored (not compressed) blocks, so that its digest is the
same with every zlib; symbolic links are packed as the files that they point to.
"""

from __future__ import annotations

import hashlib
import io
import struct
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gitops_sim.errors import InputError, UnknownRefError
from gitops_sim.protocols import Clock, TreeReader
from gitops_sim.pull.flux.ignoring import artifact_files

__all__ = ["Artifact", "ArtifactStorage", "ArtifactTree", "pack_tree"]

HOST: Final = "http://source-controller.flux-system.svc.cluster.local."
_BLOCK: Final = 65535


@dataclass(frozen=True, slots=True)
class Artifact:
    """A stored revision.

    `path` is below the storage's root, `size` in bytes of the archive, `stored_at` in seconds
    since the epoch; `files` are its content by path.
    """

    path: str
    revision: str
    digest: str
    size: int
    stored_at: float
    files: Mapping[str, bytes]

    @property
    def url(self) -> str:
        """Where other controllers fetch it from."""
        return f"{HOST}/{self.path}"


class ArtifactTree:
    """The files of an artifact; implements `TreeReader`.

    Args:
        artifact: Whose.
    """

    def __init__(self, artifact: Artifact) -> None:
        self._artifact = artifact
        self._folders = {
            "/".join(parts[:end])
            for path in artifact.files
            for parts in (path.split("/"),)
            for end in range(len(parts))
        }

    def digest(self) -> str:
        """Return the digest of the archive."""
        return self._artifact.digest

    def files(self, under: str = "") -> list[str]:
        """Return the paths of all files below a folder, sorted."""
        prefix = _clean(under)
        prefix = f"{prefix}/" if prefix else ""
        return sorted(path for path in self._artifact.files if path.startswith(prefix))

    def read(self, path: str) -> bytes:
        """Return the content of a file; UnknownRefError when there is no such file."""
        content = self._artifact.files.get(_clean(path))
        if content is None:
            raise UnknownRefError(self._artifact.path, path)
        return content

    def is_directory(self, path: str) -> bool:
        """Return True for a folder."""
        return _clean(path) in self._folders

    def blob_id(self, path: str) -> str:
        """Return the Git blob id of a file."""
        data = self.read(path)
        return hashlib.sha1(b"blob %d\0%s" % (len(data), data), usedforsecurity=False).hexdigest()


class ArtifactStorage:
    """The volume of source-controller: artifacts by path.

    Args:
        clock: Gives them their age.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._artifacts: dict[str, Artifact] = {}

    def __contains__(self, path: object) -> bool:
        """True when an artifact is there."""
        return path in self._artifacts

    def fetch(self, path: str) -> Artifact | None:
        """Return an artifact; None is the 404 of the storage's file server."""
        return self._artifacts.get(path)

    def store(
        self, folder: str, commit: str, revision: str, files: Mapping[str, bytes]
    ) -> Artifact:
        """Keep the files of a revision.

        Args:
            folder: `gitrepository/<namespace>/<name>`.
            commit: Names the archive.
            revision: Such as `main@sha1:...`.
            files: Content by path.
        """
        archive = _archive(files)
        artifact = Artifact(
            f"{folder}/{commit}.tar.gz",
            revision,
            f"sha256:{hashlib.sha256(archive).hexdigest()}",
            len(archive),
            self._clock.now(),
            files,
        )
        self._artifacts[artifact.path] = artifact
        return artifact

    def collect_garbage(self, folder: str, current: str, *, ttl: float, records: int) -> int:
        """Drop old artifacts of one source; return how many went.

        The current one stays; others stay up to `ttl` seconds after they were stored, and no
        more than `records` in all.

        Source: fluxcd/pkg artifact/storage, getGarbageFiles.
        """
        others = sorted(
            (
                artifact
                for path, artifact in self._artifacts.items()
                if path.startswith(f"{folder}/") and path != current
            ),
            key=lambda artifact: artifact.stored_at,
            reverse=True,
        )
        now = self._clock.now()
        garbage = [
            artifact
            for place, artifact in enumerate(others)
            if now - artifact.stored_at > ttl or place + 1 >= records
        ]
        for artifact in garbage:
            del self._artifacts[artifact.path]
        return len(garbage)

    def remove_all(self, folder: str) -> None:
        """Drop all artifacts of one source: it was deleted."""
        for path in [path for path in self._artifacts if path.startswith(f"{folder}/")]:
            del self._artifacts[path]


def pack_tree(
    tree: TreeReader, *, ignore: str | None, sparse: tuple[str, ...] = ()
) -> dict[str, bytes]:
    """Return the files of a revision that belong into its artifact.

    Links that lead nowhere, or out of the repository, are left out.
    """
    files: dict[str, bytes] = {}
    for path in artifact_files(tree, ignore=ignore, sparse=sparse):
        try:
            files[path] = tree.read(path)
        except (InputError, UnknownRefError):
            continue
    return files


def _archive(files: Mapping[str, bytes]) -> bytes:
    """Return a tar.gz of the files that depends on nothing but them."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(files):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(files[path]), 0o644
            tar.addfile(entry, io.BytesIO(files[path]))
    return _gzip_stored(packed.getvalue())


def _gzip_stored(data: bytes) -> bytes:
    """Return a gzip file with the data as it is. Source: RFC 1951 section 3.2.4, RFC 1952."""
    out = [b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"]
    for start in range(0, len(data), _BLOCK):
        block = data[start : start + _BLOCK]
        last = start + _BLOCK >= len(data)
        out.append(struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF))
        out.append(block)
    out.append(struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF))
    return b"".join(out)


def _clean(path: str) -> str:
    return "/".join(part for part in path.split("/") if part not in ("", "."))
