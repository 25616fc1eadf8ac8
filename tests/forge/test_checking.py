"""What comes in is whole, of the right kinds, and at paths that a repository may hold."""

from __future__ import annotations

import re

import pytest

from gitops_sim.errors import GitError, InputError
from gitops_sim.forge.checking import check_objects
from gitops_sim.forge.contents import MAX_FILE_BYTES
from gitops_sim.forge.objects import (
    BLOB,
    COMMIT,
    EXECUTABLE,
    FILE,
    FOLDER,
    LINK,
    SUBMODULE,
    TAG,
    TREE,
    Commit,
    ObjectStore,
    TreeEntry,
    encode_commit,
    object_id,
)

MISSING = "0" * 39 + "1"


class Pushed(ObjectStore):
    """Objects of a push, made one by one."""

    def file(self, content: bytes = b"hello", mode: int = FILE) -> TreeEntry:
        return TreeEntry(mode, self.add(BLOB, content))

    def folder(self, **entries: TreeEntry) -> TreeEntry:
        return TreeEntry(FOLDER, self.add_tree(entries))

    def made(self, tree: str, *parents: str) -> str:
        who = "Ann <ann@example.com>"
        commit = Commit(tree, parents, who, 0, who, 0, "made")
        return self.add(COMMIT, encode_commit(commit))

    def check(self, head: str, *, shallow: tuple[str, ...] = ()) -> None:
        objects = {each: self.raw(each) for each in self}
        check_objects(objects, [head], ObjectStore(), shallow=shallow)


@pytest.fixture
def pushed() -> Pushed:
    return Pushed()


def test_what_is_whole_is_taken(pushed: Pushed) -> None:
    tree = pushed.folder(
        a=pushed.file(),
        b=pushed.file(mode=EXECUTABLE),
        c=pushed.file(b"a", LINK),
        d=pushed.folder(e=pushed.file()),
        f=TreeEntry(SUBMODULE, MISSING),
    )
    head = pushed.made(tree.id, pushed.made(tree.id))
    tag = pushed.add(TAG, f"object {head}\ntype commit\ntag v1\n\nv1\n".encode())
    for each in (head, tag, tree.id):
        pushed.check(each)


def test_what_is_missing_is_told(pushed: Pushed) -> None:
    tree = pushed.folder(a=pushed.file())
    heads = [
        MISSING,
        pushed.made(tree.id, MISSING),
        pushed.made(MISSING),
        pushed.made(pushed.folder(a=TreeEntry(FILE, MISSING)).id),
        pushed.made(pushed.folder(a=TreeEntry(FOLDER, MISSING)).id),
        pushed.add(TAG, f"object {MISSING}\ntype commit\ntag v1\n\nv1\n".encode()),
    ]
    for head in heads:
        with pytest.raises(GitError, match=f"object {MISSING} is missing"):
            pushed.check(head)


def test_a_shallow_commit_may_lack_its_parents(pushed: Pushed) -> None:
    cut = pushed.made(pushed.folder(a=pushed.file()).id, MISSING)
    pushed.check(cut, shallow=(cut,))


def test_an_object_of_another_kind_is_told(pushed: Pushed) -> None:
    file, tree = pushed.file(), pushed.folder(a=pushed.file())
    for head, told in (
        (pushed.made(file.id), "is a blob, not a tree"),
        (pushed.made(tree.id, tree.id), "is a tree, not a commit"),
        (pushed.made(pushed.folder(a=TreeEntry(FILE, tree.id)).id), "is a tree, not a blob"),
        (pushed.made(pushed.folder(a=TreeEntry(FOLDER, file.id)).id), "is a blob, not a tree"),
    ):
        with pytest.raises(GitError, match=told):
            pushed.check(head)


@pytest.mark.parametrize("kind", [COMMIT, TREE])
def test_a_damaged_object_is_told(pushed: Pushed, kind: int) -> None:
    damaged = pushed.add(kind, b"damaged")
    with pytest.raises(GitError, match=f"object {object_id(kind, b'damaged')} is damaged"):
        pushed.check(damaged)


@pytest.mark.parametrize("name", ["..", ".", ".git", ".GIT", "a\\b", "a\nb"])
def test_names_that_no_repository_may_hold_are_refused(pushed: Pushed, name: str) -> None:
    for tree in (
        pushed.folder(**{name: pushed.file()}),
        pushed.folder(a=pushed.folder(**{name: pushed.folder(b=pushed.file())})),
    ):
        with pytest.raises(InputError, match="path"):
            pushed.check(pushed.made(tree.id))


def test_odd_modes_depths_and_sizes_are_refused(pushed: Pushed) -> None:
    deep = pushed.folder(a=pushed.file())
    for _ in range(102):
        deep = pushed.folder(d=deep)
    for tree, told in (
        (pushed.folder(a=TreeEntry(0o100777, pushed.file().id)), "has the mode 100777"),
        (deep, "is more than 100 folders deep"),
        (pushed.folder(a=pushed.file(bytes(MAX_FILE_BYTES + 1))), re.escape("MiB")),
    ):
        with pytest.raises(InputError, match=told):
            pushed.check(pushed.made(tree.id))


def test_a_few_folders_that_hold_each_other_are_too_many_files(pushed: Pushed) -> None:
    folder = pushed.folder(**{f"f{number}": pushed.file() for number in range(10)})
    for _ in range(4):
        folder = pushed.folder(**{f"d{number}": folder for number in range(10)})
    pushed.check(pushed.made(folder.id))
    bomb = pushed.folder(a=folder, b=pushed.file())
    with pytest.raises(InputError, match="holds more than 100,000 files"):
        pushed.check(pushed.made(bomb.id))
    old = ObjectStore()
    for each in pushed:
        old.add(*pushed.raw(each))
    twice = Pushed()
    head = twice.made(twice.folder(a=folder, b=folder).id)
    with pytest.raises(InputError, match="holds more than 100,000 files"):
        check_objects({each: twice.raw(each) for each in twice}, [head], old)
