"""Three-way merges: the same conflicts and the same bytes as Git."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_sim.forge.line_merging import Sides, merge_files
from gitops_sim.forge.merging import merge_trees
from gitops_sim.forge.objects import BLOB, EXECUTABLE, FILE, ObjectStore, TreeEntry
from gitops_sim.forge.trees import GitTree, write

Git = Callable[..., str]
SIDES = Sides("ours", "theirs")


def real_merge(folder: Path, base: bytes, ours: bytes, theirs: bytes) -> tuple[bytes, bool]:
    for name, content in (("base", base), ("ours", ours), ("theirs", theirs)):
        (folder / name).write_bytes(content)
    names = [part for name in ("ours", "base", "theirs") for part in ("-L", name)]
    done = subprocess.run(
        ["git", "merge-file", "-p", *names, "ours", "base", "theirs"],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    assert 0 <= done.returncode < 128, done.stderr
    return done.stdout, done.returncode > 0


CASES = {
    "apart": ("1\n2\n3\n4\n5\n", "one\n2\n3\n4\n5\n", "1\n2\n3\n4\nfive\n"),
    "same line": ("1\n2\n3\n", "1\nours\n3\n", "1\ntheirs\n3\n"),
    "touching": ("1\n2\n3\n", "1\nours\n3\n", "1\n2\ntheirs\n"),
    "alike": ("1\n2\n3\n", "1\nboth\n3\n", "1\nboth\n3\n"),
    "deleted and changed": ("1\n2\n3\n", "1\n3\n", "1\ntwo\n3\n"),
    "both insert": ("1\n2\n", "1\na\n2\n", "1\nb\n2\n"),
    "no end of line": ("1\n2", "1\n2\n3", "1\n2\n4"),
    "from nothing": ("", "a\nb\n", "a\nc\n"),
    "to nothing": ("a\nb\n", "", "a\nc\n"),
    "carriage returns": ("a\r\nb\r\n", "a\r\nB\r\n", "A\r\nb\r\n"),
    "two conflicts near": ("1\n2\n3\n4\n5\n", "a\n2\n3\n4\nb\n", "c\n2\n3\n4\nd\n"),
}


@pytest.mark.parametrize("case", CASES)
def test_merge_gives_the_bytes_of_git_merge_file(case: str, tmp_path: Path) -> None:
    base, ours, theirs = (text.encode() for text in CASES[case])
    assert merge_files(base, ours, theirs, SIDES) == real_merge(tmp_path, base, ours, theirs)


REPEATED = ["spec:\n", "  name: x\n", "---\n", "\n", "    - a\n", "kind: A\n"]


@st.composite
def histories(draw: st.DrawFn) -> tuple[bytes, bytes, bytes]:
    """A text, of distinct lines or of lines that come again and again, and two edited versions."""
    count = draw(st.integers(0, 24))
    base = [f"line {number}\n" for number in range(count)]
    if draw(st.booleans()):
        base = draw(st.lists(st.sampled_from(REPEATED), max_size=24))

    def edited(side: str) -> bytes:
        lines = list(base)
        for step in range(draw(st.integers(0, 4))):
            at = draw(st.integers(0, len(lines)))
            gone = draw(st.integers(0, 3))
            come = draw(st.integers(0, 3))
            words = [f"{side} {step}\n", f"both {step}\n", *REPEATED]
            lines[at : at + gone] = [draw(st.sampled_from(words)) for _ in range(come)]
        text = "".join(lines)
        return (text.removesuffix("\n") if draw(st.integers(0, 5)) == 0 else text).encode()

    return "".join(base).encode(), edited("ours"), edited("theirs")


@given(histories())
def test_merge_of_random_edits_is_that_of_git(
    tmp_path_factory: pytest.TempPathFactory, texts: tuple[bytes, bytes, bytes]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    assert merge_files(*texts, SIDES) == real_merge(folder, *texts)


@pytest.mark.all
@settings(max_examples=1500)
@given(histories())
def test_merge_of_many_random_edits_is_that_of_git(
    tmp_path_factory: pytest.TempPathFactory, texts: tuple[bytes, bytes, bytes]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    assert merge_files(*texts, SIDES) == real_merge(folder, *texts)


@given(histories())
def test_merge_with_an_unchanged_side_takes_the_other(texts: tuple[bytes, bytes, bytes]) -> None:
    base, ours, theirs = texts
    assert merge_files(base, base, theirs, SIDES) == (theirs, False)
    assert merge_files(base, ours, base, SIDES) == (ours, False)
    assert merge_files(base, ours, ours, SIDES) == (ours, False)


def tree(store: ObjectStore, files: dict[str, str | bytes], mode: int = FILE) -> str:
    entries = {}
    for path, content in files.items():
        raw = content.encode() if isinstance(content, str) else content
        entries[path] = TreeEntry(mode, store.add(BLOB, raw))
    return write(store, "", entries) if entries else store.add_tree({})


def merged(
    base: dict[str, str | bytes], ours: dict[str, str | bytes], theirs: dict[str, str | bytes]
) -> tuple[dict[str, str], dict[str, str]]:
    store = ObjectStore()
    found = merge_trees(
        store, tree(store, base), tree(store, ours), tree(store, theirs), sides=SIDES
    )
    reader = GitTree(store, found.tree, "shop")
    return {path: reader.read(path).decode() for path in reader.files()}, found.conflicts


def test_files_that_one_side_added_changed_or_deleted_are_taken() -> None:
    files, conflicts = merged(
        {"a/x": "1", "a/y": "2", "gone": "3"},
        {"a/x": "ours", "a/y": "2", "gone": "3", "b/new": "o"},
        {"a/x": "1", "a/y": "theirs", "b/other": "t"},
    )
    assert files == {"a/x": "ours", "a/y": "theirs", "b/new": "o", "b/other": "t"}
    assert not conflicts


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "told"),
    [
        ({"f": "1\n"}, {"f": "2\n"}, {"f": "3\n"}, "<<<<<<< ours\n2\n=======\n3\n>>>>>>> theirs\n"),
        ({"f": "1\n"}, {}, {"f": "3\n"}, "<<<<<<< ours\n=======\n3\n>>>>>>> theirs\n"),
        ({}, {"f": "2\n"}, {"f": "3\n"}, "<<<<<<< ours\n2\n=======\n3\n>>>>>>> theirs\n"),
        ({"f": b"\0"}, {"f": b"\0a"}, {"f": b"\0b"}, "(binary file, 2 bytes)"),
        ({}, {"f": "2\n"}, {"f/x": "3\n"}, "(a folder)"),
    ],
)
def test_conflicts_are_told_by_file(
    base: dict[str, str | bytes],
    ours: dict[str, str | bytes],
    theirs: dict[str, str | bytes],
    told: str,
) -> None:
    _, conflicts = merged(base, ours, theirs)
    assert list(conflicts) == ["f"]
    assert told in conflicts["f"]


def test_mode_and_content_merge_apart() -> None:
    store = ObjectStore()
    base, ours = tree(store, {"run": "1"}), tree(store, {"run": "1"}, EXECUTABLE)
    found = merge_trees(store, base, ours, tree(store, {"run": "2"}), sides=SIDES)
    entry = store.tree(found.tree)["run"]
    assert (entry.mode, store.blob(entry.id)) == (EXECUTABLE, b"2")


NAMES = ["a", "b", "d/a", "d/b"]
trees_of_files = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["1\n", "2\n", "3\n"]))


@pytest.mark.all
@settings(max_examples=60)
@given(base=trees_of_files, ours=trees_of_files, theirs=trees_of_files)
def test_merged_trees_are_those_of_git_merge_tree(
    make_repository: Callable[[], Path],
    base: dict[str, str],
    ours: dict[str, str],
    theirs: dict[str, str],
) -> None:
    store = ObjectStore()
    ids = [tree(store, dict(files)) for files in (base, ours, theirs)]
    found = merge_trees(store, *ids, sides=SIDES)
    folder = make_repository()
    for each in store:
        kind, content = store.raw(each)
        word = {1: "commit", 2: "tree", 3: "blob"}[kind]
        real(folder, "hash-object", "-w", "-t", word, "--stdin", input=content)
    root = real(folder, "commit-tree", ids[0], "-m", "base")
    sides = [real(folder, "commit-tree", each, "-p", root, "-m", "side") for each in ids[1:]]
    done = subprocess.run(
        ["git", "-c", "merge.renames=false", "merge-tree", "--write-tree", "--name-only", *sides],
        cwd=folder,
        capture_output=True,
        check=False,
        text=True,
    )
    lines = done.stdout.split("\n\n")[0].split()
    assert found.conflicts.keys() == set(lines[1:])
    if not found.conflicts:
        assert found.tree == lines[0]


def real(folder: Path, *arguments: str, input: bytes = b"") -> str:  # noqa: A002
    author = [part for setting in ("user.name=a", "user.email=a@b") for part in ("-c", setting)]
    done = subprocess.run(
        ["git", *author, *arguments], cwd=folder, input=input, capture_output=True, check=True
    )
    return done.stdout.decode().strip()


@pytest.fixture(scope="session")
def make_repository(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """One bare repository for all examples: objects never clash."""
    folder = tmp_path_factory.mktemp("oracle")
    real(folder, "init", "-q", "--bare")
    return lambda: folder
