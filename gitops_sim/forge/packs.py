"""Packs: many objects as one run of bytes, as Git sends and receives them.

Written plainly, each object whole and compressed. Read with everything that real clients send:
deltas against objects of the pack or of the repository. Packs come from outside, so that sizes
are checked before anything is inflated, and every damage is a GitError.

Source: git, Documentation/gitformat-pack.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from gitops_sim.errors import GitError
from gitops_sim.forge.objects import (
    BLOB,
    COMMIT,
    FOLDER,
    SUBMODULE,
    TAG,
    TREE,
    ObjectStore,
    object_id,
)

__all__ = ["MAX_PACK_BYTES", "Objects", "objects_of", "read_pack", "write_pack"]

MAX_PACK_BYTES = 256 * 1024**2
"""What the objects of one pack may come to, inflated."""
MAX_OBJECT_BYTES = 64 * 1024**2
"""The largest object that is inflated; the smaller limit for files is told by path."""

_OFFSET_DELTA, _REF_DELTA = 6, 7
_CHUNK = 16 * 1024

Objects: TypeAlias = dict[str, tuple[int, bytes]]
"""Kind and bytes by id."""


def objects_of(
    store: ObjectStore, commits: Sequence[str], *, known: Iterable[str] = ()
) -> list[str]:
    """Return the ids of commits and of all that their trees hold, less what `known` commits hold.

    `commits` are exactly those to send, newest first.
    """
    seen = set[str]()
    for commit_id in known:
        _collect(store, store.commit(commit_id).tree, seen)
    found = list(commits)
    for commit_id in reversed(commits):
        found += _collect(store, store.commit(commit_id).tree, seen)
    return found


def _collect(store: ObjectStore, root: str, seen: set[str]) -> list[str]:
    """Return what is below a tree and not yet seen; it is seen then."""
    found: list[str] = []
    pending = [] if root in seen else [root]
    seen.add(root)
    while pending:
        tree_id = pending.pop()
        found.append(tree_id)
        for mode, entry_id in store.tree(tree_id).values():
            if entry_id in seen or mode == SUBMODULE:
                continue
            seen.add(entry_id)
            (pending if mode == FOLDER else found).append(entry_id)
    return found


def write_pack(store: ObjectStore, ids: Sequence[str]) -> bytes:
    """Return a pack of these objects, in this order."""
    parts = [b"PACK", (2).to_bytes(4, "big"), len(ids).to_bytes(4, "big")]
    for each in ids:
        kind, content = store.raw(each)
        parts += [_entry_head(kind, len(content)), zlib.compress(content)]
    pack = b"".join(parts)
    return pack + hashlib.sha1(pack, usedforsecurity=False).digest()


def _entry_head(kind: int, size: int) -> bytes:
    head = [kind << 4 | size & 0x0F]
    size >>= 4
    while size:
        head[-1] |= 0x80
        head.append(size & 0x7F)
        size >>= 7
    return bytes(head)


def read_pack(pack: bytes, store: ObjectStore) -> Objects:
    """Return the objects of a pack; `store` may hold bases of deltas; nothing is stored.

    Raises:
        GitError: The pack is damaged, too large, or needs an object that is not there.
    """
    return _PackReader(pack, store).read()


@dataclass(frozen=True, slots=True)
class _Delta:
    """An object told as a change of another: by its place in the pack, or by its id."""

    offset: int
    base: int | str
    script: bytes


@dataclass(slots=True)
class _PackReader:
    """One pass over a pack; `budget` is what may still be inflated, in bytes."""

    pack: bytes
    store: ObjectStore
    budget: int = MAX_PACK_BYTES
    objects: Objects = field(default_factory=dict)
    at_offset: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    deltas: list[_Delta] = field(default_factory=list)

    def read(self) -> Objects:
        pack = self.pack
        if len(pack) < 32 or pack[:4] != b"PACK" or pack[4:8] not in (b"\0\0\0\2", b"\0\0\0\3"):
            raise GitError("bad pack: it has no pack header")
        if hashlib.sha1(pack[:-20], usedforsecurity=False).digest() != pack[-20:]:
            raise GitError("bad pack: its checksum does not match")
        at = 12
        for _ in range(int.from_bytes(pack[8:12], "big")):
            at = self._entry(at)
        if at != len(pack) - 20:
            raise GitError("bad pack: there is more than it says")
        self._resolve()
        return self.objects

    def _entry(self, start: int) -> int:
        """Read one entry; return where the next one begins."""
        kind, size, at = self._head(start)
        base: int | str = ""
        if kind == _OFFSET_DELTA:
            distance, at = self._distance(at)
            base = start - distance
        elif kind == _REF_DELTA:
            base, at = self.pack[at : at + 20].hex(), at + 20
        elif kind not in (COMMIT, TREE, BLOB, TAG):
            raise GitError(f"bad pack: no object is of kind {kind}")
        content, at = self._inflate(at, size)
        if base == "":
            self._add(start, kind, content)
        else:
            self.deltas.append(_Delta(start, base, content))
        return at

    def _byte(self, at: int) -> int:
        if at >= len(self.pack) - 20:
            raise GitError("bad pack: it ends too early")
        return self.pack[at]

    def _head(self, at: int) -> tuple[int, int, int]:
        """Return kind, size and where the head ends."""
        byte = self._byte(at)
        kind, size, shift = byte >> 4 & 7, byte & 0x0F, 4
        while byte & 0x80:
            at += 1
            byte = self._byte(at)
            size |= (byte & 0x7F) << shift
            shift += 7
        return kind, size, at + 1

    def _distance(self, at: int) -> tuple[int, int]:
        byte = self._byte(at)
        distance = byte & 0x7F
        while byte & 0x80:
            at += 1
            byte = self._byte(at)
            distance = (distance + 1) << 7 | byte & 0x7F
        return distance, at + 1

    def _inflate(self, at: int, size: int) -> tuple[bytes, int]:
        """Return what is compressed at a place, and where it ends."""
        self._spend(size)
        engine, parts, got = zlib.decompressobj(), list[bytes](), 0
        view = memoryview(self.pack)[:-20]
        while not engine.eof:
            chunk = view[at : at + _CHUNK]
            try:
                part = engine.decompress(chunk, size + 1 - got)
            except zlib.error as error:
                raise GitError(f"bad pack: an object cannot be inflated: {error}") from None
            used = len(chunk) - len(engine.unused_data) - len(engine.unconsumed_tail)
            got += len(part)
            if got > size or not (used or part):
                raise GitError("bad pack: an object is not as large as it says")
            parts.append(part)
            at += used
        if got != size:
            raise GitError("bad pack: an object is not as large as it says")
        return b"".join(parts), at

    def _spend(self, size: int) -> None:
        """Refuse more than the limits before it is there."""
        self.budget -= size
        if size > MAX_OBJECT_BYTES or self.budget < 0:
            raise GitError(
                f"pack too large: the limits are {MAX_OBJECT_BYTES // 1024**2} MiB an object and "
                f"{MAX_PACK_BYTES // 1024**2} MiB in all"
            )

    def _add(self, offset: int, kind: int, content: bytes) -> None:
        self.at_offset[offset] = self.objects[object_id(kind, content)] = (kind, content)

    def _resolve(self) -> None:
        """Apply deltas, each after its base, in as many rounds as chains need."""
        while self.deltas:
            waiting = []
            for delta in self.deltas:
                base = self._base(delta.base)
                if base is None:
                    waiting.append(delta)
                else:
                    self._add(delta.offset, base[0], self._applied(base[1], delta.script))
            if len(waiting) == len(self.deltas):
                raise GitError("bad pack: the base of a delta is neither in it nor here")
            self.deltas = waiting

    def _base(self, base: int | str) -> tuple[int, bytes] | None:
        if isinstance(base, int):
            return self.at_offset.get(base)
        found = self.objects.get(base)
        return found or (self.store.raw(base) if base in self.store else None)

    def _applied(self, base: bytes, script: bytes) -> bytes:
        """Return the object that a delta makes of its base."""
        base_size, at = _size(script, 0)
        size, at = _size(script, at)
        if base_size != len(base):
            raise GitError("bad pack: a delta is for another base")
        self._spend(size)
        parts, got = list[bytes](), 0
        while at < len(script):
            part, at = _instruction(base, script, at)
            got += len(part)
            if got > size:
                break
            parts.append(part)
        if got != size:
            raise GitError("bad pack: a delta makes an object of another size")
        return b"".join(parts)


def _size(script: bytes, at: int) -> tuple[int, int]:
    size = shift = 0
    while at < len(script):
        byte = script[at]
        size |= (byte & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if not byte & 0x80:
            return size, at
    raise GitError("bad pack: a delta ends too early")


def _instruction(base: bytes, script: bytes, at: int) -> tuple[bytes, int]:
    """Return what one instruction of a delta gives: new bytes, or a copy from the base."""
    code, at = script[at], at + 1
    if not code & 0x80:
        if not code or at + code > len(script):
            raise GitError("bad pack: a delta has a wrong instruction")
        return script[at : at + code], at + code
    numbers = [0] * 7
    for bit in range(7):
        if code >> bit & 1:
            if at >= len(script):
                raise GitError("bad pack: a delta ends too early")
            numbers[bit], at = script[at], at + 1
    start = int.from_bytes(bytes(numbers[:4]), "little")
    length = int.from_bytes(bytes(numbers[4:]), "little") or 0x10000
    if start + length > len(base):
        raise GitError("bad pack: a delta copies from beyond its base")
    return base[start : start + length], at
