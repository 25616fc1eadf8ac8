"""Some of the files of a tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_sim.errors import UnknownRefError
from gitops_sim.render import FolderTree, as_kubectl_takes, without


@pytest.fixture
def tree(tmp_path: Path) -> FolderTree:
    for name in ("a.yaml", "sub/b.yaml", "subway/c.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return FolderTree(tmp_path)


def test_left_out_directory_is_not_there(tree: FolderTree) -> None:
    left = without(tree, ["sub"])
    assert left.files() == ["a.yaml", "subway/c.yaml"]
    assert not left.is_directory("sub")
    assert left.is_directory("subway")
    assert left.read("a.yaml") == b"a.yaml"
    assert left.blob_id("a.yaml") == tree.blob_id("a.yaml")
    with pytest.raises(UnknownRefError):
        left.read("sub/b.yaml")


def test_another_choice_is_another_tree(tree: FolderTree) -> None:
    digests = {tree.digest(), without(tree, ["sub"]).digest(), without(tree, ["subway"]).digest()}
    assert len(digests) == 3


def test_nothing_left_out_is_everything(tree: FolderTree) -> None:
    assert without(tree, []).files() == tree.files()


def test_kubectl_takes_the_files_of_a_directory_and_none_below(tree: FolderTree) -> None:
    assert as_kubectl_takes(tree, "").files() == ["a.yaml"]
    assert as_kubectl_takes(tree, "sub") is tree


def test_kubectl_takes_all_that_a_kustomization_may_name(tree: FolderTree, tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: [a.yaml, sub]\n")
    assert as_kubectl_takes(tree, "") is tree
