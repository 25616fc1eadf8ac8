"""Git objects in memory: raw bytes by id, and the four formats that the bytes are written in.

A file becomes a blob, a folder a tree of names and ids, a commit names a tree, its parents, who
and when. Every object is named by the SHA-1 of its kind, size and bytes, so equal content is
stored once and nothing can be changed afterwards. Objects are parsed when read and forgotten
again: 10,000 commits fit in some 50 MB.

Not here: which commit is a branch's head (`repository`), packs (`packs`).

Source: git, Documentation/gitformat-pack and git-hash-object; checked against the git binary.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

__all__ = [
    "BLOB",
    "COMMIT",
    "EXECUTABLE",
    "FILE",
    "FOLDER",
    "LINK",
    "SUBMODULE",
    "TAG",
    "TREE",
    "Commit",
    "ObjectStore",
    "TreeEntry",
    "encode_commit",
    "encode_tree",
    "object_id",
    "parse_commit",
    "parse_tree",
]

COMMIT, TREE, BLOB, TAG = 1, 2, 3, 4
"""Kinds of objects, numbered as in a pack."""
KIND_WORDS = {COMMIT: b"commit", TREE: b"tree", BLOB: b"blob", TAG: b"tag"}

FILE, EXECUTABLE, LINK, FOLDER, SUBMODULE = 0o100644, 0o100755, 0o120000, 0o40000, 0o160000
"""The modes that an entry of a tree may have."""

_ENTRY = re.compile(rb"([0-7]{5,6}) ([^\0/]+)\0(.{20})", re.DOTALL)
_STAMP = re.compile(rb"(?P<who>.*) (?P<time>-?\d+) [+-]\d{4}\s*")


class TreeEntry(NamedTuple):
    """What a tree says about one name: mode and object id (40 hex digits)."""

    mode: int
    id: str


@dataclass(frozen=True, slots=True)
class Commit:
    """A parsed commit: who is `Name <email>`, times are Unix seconds."""

    tree: str
    parents: tuple[str, ...]
    author: str
    author_time: int
    committer: str
    commit_time: int
    message: str


def object_id(kind: int, content: bytes) -> str:
    """Return the id that Git gives to an object: 40 hex digits."""
    header = b"%s %d\0" % (KIND_WORDS[kind], len(content))
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def parse_tree(content: bytes) -> dict[str, TreeEntry]:
    """Return the entries of a tree by name, in Git's order.

    Raises:
        ValueError: The bytes are no tree.
    """
    entries: dict[str, TreeEntry] = {}
    end = 0
    for match in _ENTRY.finditer(content):
        if match.start() != end:
            break
        end = match.end()
        mode, name, raw_id = match.groups()
        entries[name.decode("utf-8", "surrogateescape")] = TreeEntry(int(mode, 8), raw_id.hex())
    if end != len(content):
        raise ValueError("not a tree object")
    return entries


def encode_tree(entries: Mapping[str, TreeEntry]) -> bytes:
    """Return the bytes of a tree; Git sorts a folder as if its name ended in a slash."""
    rows = []
    for name, (mode, entry_id) in entries.items():
        raw = name.encode("utf-8", "surrogateescape")
        order = raw + b"/" if mode == FOLDER else raw
        rows.append((order, b"%o %s\0" % (mode, raw) + bytes.fromhex(entry_id)))
    return b"".join(row for _, row in sorted(rows))


def parse_commit(content: bytes) -> Commit:
    """Parse a commit; headers that the lab does not use (signatures, encoding) are skipped.

    Raises:
        ValueError: The bytes are no commit.
    """
    head, _, message = content.partition(b"\n\n")
    tree = author = committer = b""
    parents: list[str] = []
    for line in head.split(b"\n"):
        word, _, value = line.partition(b" ")
        if word == b"tree":
            tree = value
        elif word == b"parent":
            parents.append(value.decode("ascii"))
        elif word == b"author" and not author:
            author = value
        elif word == b"committer" and not committer:
            committer = value
    made, committed = _STAMP.fullmatch(author), _STAMP.fullmatch(committer)
    if len(tree) != 40 or not made or not committed:
        raise ValueError("not a commit object")
    return Commit(
        tree.decode("ascii"),
        tuple(parents),
        made["who"].decode("utf-8", "replace"),
        int(made["time"]),
        committed["who"].decode("utf-8", "replace"),
        int(committed["time"]),
        message.decode("utf-8", "replace"),
    )


def encode_commit(commit: Commit) -> bytes:
    """Return the bytes of a commit, in UTC."""
    lines = [f"tree {commit.tree}", *(f"parent {parent}" for parent in commit.parents)]
    lines.append(f"author {commit.author} {commit.author_time} +0000")
    lines.append(f"committer {commit.committer} {commit.commit_time} +0000")
    return ("\n".join(lines) + "\n\n" + commit.message).encode()


class ObjectStore:
    """All objects of one repository; append-only, so readers need no lock.

    `shallow` are commits whose parents were cut off when they were imported: they count as
    having none.
    """

    def __init__(self) -> None:
        self.shallow: set[str] = set()
        self._objects: dict[str, tuple[int, bytes]] = {}

    def __contains__(self, object_id: object) -> bool:
        return object_id in self._objects

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._objects))

    def add(self, kind: int, content: bytes) -> str:
        """Store an object and return its id."""
        new_id = object_id(kind, content)
        self._objects.setdefault(new_id, (kind, content))
        return new_id

    def raw(self, object_id: str) -> tuple[int, bytes]:
        """Return kind and bytes of an object; KeyError when it is not here."""
        return self._objects[object_id]

    def kind(self, object_id: str) -> int:
        """Return the kind of an object, 0 when it is not here."""
        found = self._objects.get(object_id)
        return found[0] if found else 0

    def blob(self, blob_id: str) -> bytes:
        """Return the content of a file; KeyError when there is no such blob."""
        return self._typed(blob_id, BLOB)

    def tree(self, tree_id: str) -> dict[str, TreeEntry]:
        """Return the entries of a folder; a fresh dict; KeyError when there is no such tree."""
        return parse_tree(self._typed(tree_id, TREE))

    def commit(self, commit_id: str) -> Commit:
        """Return a parsed commit; KeyError when there is no such commit."""
        commit = parse_commit(self._typed(commit_id, COMMIT))
        return replace(commit, parents=()) if commit_id in self.shallow else commit

    def add_tree(self, entries: Mapping[str, TreeEntry]) -> str:
        """Store a folder and return its id."""
        return self.add(TREE, encode_tree(entries))

    def _typed(self, object_id: str, kind: int) -> bytes:
        found_kind, content = self._objects[object_id]
        if found_kind != kind:
            raise KeyError(object_id)
        return content
