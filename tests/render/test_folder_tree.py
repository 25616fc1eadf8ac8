"""FolderTree: nothing outside the folder, no endless walks, contents that can be compared."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gitops_sim.errors import BuildError, InputError, UnknownRefError
from gitops_sim.protocols import TreeReader
from gitops_sim.render import FolderTree, git_blob_id
from gitops_sim.render.folder_tree import MAX_FILE_BYTES


def write(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return root


def test_it_is_a_tree_reader(tmp_path: Path) -> None:
    assert isinstance(FolderTree(tmp_path), TreeReader)


def test_files_are_listed_sorted_below_a_folder_without_git_data(tmp_path: Path) -> None:
    write(tmp_path, {"b.yaml": "", "a/x.yaml": "", "a/b/y": "", ".git/config": ""})
    tree = FolderTree(tmp_path)
    assert tree.files() == ["a/b/y", "a/x.yaml", "b.yaml"]
    assert tree.files("./a/") == ["a/b/y", "a/x.yaml"]
    assert tree.files("nope") == []


def test_a_missing_file_and_a_folder_cannot_be_read(tmp_path: Path) -> None:
    tree = FolderTree(write(tmp_path, {"a/x": "1"}))
    assert tree.read("a/x") == b"1"
    for path in ("a", "nope", "a/x/y", "a\0b"):
        with pytest.raises(UnknownRefError):
            tree.read(path)


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="no such folder"):
        FolderTree(tmp_path / "nope")


def test_links_inside_the_folder_are_followed(tmp_path: Path) -> None:
    write(tmp_path, {"base/x.yaml": "1"})
    os.symlink("base", tmp_path / "alias")
    os.symlink("../base/x.yaml", tmp_path / "base/link.yaml")
    tree = FolderTree(tmp_path)
    assert tree.is_directory("alias")
    assert tree.read("alias/link.yaml") == b"1"
    assert tree.files() == ["alias", "base/link.yaml", "base/x.yaml"]


@pytest.mark.parametrize("target", ["../secret", "/etc/passwd", "a/../../secret"])
def test_a_link_that_leaves_the_folder_is_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "secret").write_text("token")
    inside = write(tmp_path / "repo", {"a/x": ""})
    os.symlink(target, inside / "link.yaml")
    with pytest.raises(InputError, match=r"link\.yaml: symbolic link points outside"):
        FolderTree(inside).read("link.yaml")
    with pytest.raises(InputError, match="outside"):
        FolderTree(inside).read("../secret")


def test_a_link_loop_is_named(tmp_path: Path) -> None:
    os.symlink("b", tmp_path / "a")
    os.symlink("a", tmp_path / "b")
    tree = FolderTree(tmp_path)
    for look in (tree.read, tree.is_directory):
        with pytest.raises(InputError, match="a: symbolic links form a loop"):
            look("a")
    assert tree.files() == ["a", "b"]
    assert tree.digest()


def test_a_large_file_is_refused_only_when_read(tmp_path: Path) -> None:
    with (tmp_path / "big.yaml").open("wb") as big:
        big.truncate(50 * 1024 * 1024)
    tree = FolderTree(tmp_path)
    assert tree.files() == ["big.yaml"]
    assert tree.digest()
    with pytest.raises(InputError, match=r"big.yaml: is 50.0 MiB large, the limit is 3 MiB \(fix"):
        tree.read("big.yaml")
    assert MAX_FILE_BYTES == 3 * 1024 * 1024


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    tree = FolderTree(tmp_path)
    assert tree.files() == []
    with pytest.raises(InputError, match="not a regular file"):
        tree.read("pipe.yaml")


def test_the_digest_follows_names_and_contents(tmp_path: Path) -> None:
    tree = FolderTree(write(tmp_path, {"a": "1", "b": "2"}))
    first = tree.digest()
    assert tree.digest() == first
    write(tmp_path, {"b": "3"})
    second = tree.digest()
    (tmp_path / "b").rename(tmp_path / "c")
    assert len({first, second, tree.digest()}) == 3


def test_blob_ids_are_those_of_git(tmp_path: Path) -> None:
    write(tmp_path, {"a": "hello\n"})
    ran = subprocess.run(
        ["git", "hash-object", str(tmp_path / "a")], capture_output=True, text=True
    )
    assert FolderTree(tmp_path).blob_id("a") == ran.stdout.strip() == git_blob_id(b"hello\n")
