"""Ids and bytes are those of real Git."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitops_sim.forge.objects import (
    BLOB,
    EXECUTABLE,
    FILE,
    FOLDER,
    LINK,
    ObjectStore,
    TreeEntry,
    encode_commit,
    encode_tree,
    object_id,
    parse_commit,
    parse_tree,
)

Git = Callable[..., str]


@pytest.mark.parametrize("content", [b"", b"a: 1\n", b"\0\xff\r\n" * 50, "ünïcode".encode()])
def test_blob_id_is_that_of_git_hash_object(git: Git, content: bytes) -> None:
    assert object_id(BLOB, content) == git("hash-object", "--stdin", input=content).strip()


def test_tree_and_commit_ids_are_those_of_git(git: Git, tmp_path: Path) -> None:
    git("init", "-q")
    files = {"a-b": "1", "a/x": "2", "a.yaml": "3", "run.sh": "4", "ä": "5"}
    store = ObjectStore()
    entries: dict[str, TreeEntry] = {}
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
        entry = TreeEntry(FILE, store.add(BLOB, text.encode()))
        if path == "a/x":
            entries["a"] = TreeEntry(FOLDER, store.add_tree({"x": entry}))
        else:
            entries[path] = entry
    (tmp_path / "run.sh").chmod(0o755)
    entries["run.sh"] = TreeEntry(EXECUTABLE, entries["run.sh"].id)
    (tmp_path / "link").symlink_to("a/x")
    entries["link"] = TreeEntry(LINK, store.add(BLOB, b"a/x"))
    git("add", ".")
    tree = git("write-tree").strip()
    assert store.add_tree(entries) == tree
    made = git("commit-tree", tree, "-m", "Why not").strip()
    raw = git("cat-file", "commit", made).encode()
    assert encode_commit(parse_commit(raw)) == raw
    assert object_id(1, raw) == made


@pytest.mark.parametrize("raw", [b"x", b"100644 a", b"100644 a\0short", b"9 a\0" + b"x" * 20])
def test_bytes_that_are_no_tree_are_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="not a tree"):
        parse_tree(raw)


def test_bytes_that_are_no_commit_are_refused() -> None:
    with pytest.raises(ValueError, match="not a commit"):
        parse_commit(b"tree " + b"0" * 40 + b"\nauthor nobody\n\nhello")


def test_tree_is_read_as_it_was_written() -> None:
    entries: dict[str, Any] = {"b": TreeEntry(FILE, "1" * 40), "a": TreeEntry(FOLDER, "2" * 40)}
    assert parse_tree(encode_tree(entries)) == entries


def test_object_of_another_kind_is_not_found() -> None:
    store = ObjectStore()
    blob = store.add(BLOB, b"x")
    with pytest.raises(KeyError):
        store.tree(blob)
    assert (store.kind(blob), store.kind("0" * 40)) == (BLOB, 0)
