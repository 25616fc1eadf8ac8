from pathlib import Path

import pytest

from gitops_sim.pull.flux.artifacts import pack_tree
from gitops_sim.pull.flux.ignoring import IgnoreRules, artifact_files
from gitops_sim.render import FolderTree


def rules(*lines: str) -> IgnoreRules:
    return IgnoreRules(("", line) for line in lines)


@pytest.mark.parametrize(
    ("lines", "path", "expected"),
    [
        (["*.md"], "docs/a.md", True),
        (["/*.md"], "docs/a.md", False),
        (["docs/"], "docs/a.yaml", True),
        (["docs/"], "docs", False),
        (["a/b"], "a/b/c.yaml", True),
        (["a/b"], "x/a/b", False),
        (["**/b"], "x/a/b", True),
        (["a/**/c"], "a/c", True),
        (["a/**/c"], "a/x/y/c", True),
        (["*.md", "!keep.md"], "keep.md", False),
        (["docs/", "!docs/keep.md"], "docs/keep.md", True),
        (["?.yaml"], "a.yaml", True),
        (["[ab].yaml"], "b.yaml", True),
        (["[!ab].yaml"], "b.yaml", False),
        (["\\#a"], "#a", True),
        (["a*"], "x/ab/c", True),
    ],
)
def test_patterns_are_those_of_gitignore(lines: list[str], path: str, *, expected: bool) -> None:
    assert rules(*lines).ignores(path) is expected


def tree(tmp_path: Path, *paths: str) -> FolderTree:
    for path in paths:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    return FolderTree(tmp_path)


def test_pictures_and_ci_are_left_out_by_default(tmp_path: Path) -> None:
    found = tree(tmp_path, ".github/ci.yaml", "a/logo.png", "a/b.yaml", ".gitignore", "x.tar.gz")
    assert artifact_files(found) == ["a/b.yaml"]


def test_own_rules_replace_the_defaults_but_not_for_version_control(tmp_path: Path) -> None:
    found = tree(tmp_path, ".github/ci.yaml", "a.png", "b.yaml", ".gitignore")
    assert artifact_files(found, ignore="b.yaml\n") == [".github/ci.yaml", "a.png"]


def test_a_sourceignore_counts_below_its_folder(tmp_path: Path) -> None:
    found = tree(tmp_path, "a/x.yaml", "b/x.yaml")
    (tmp_path / "a" / ".sourceignore").write_text("x.yaml\n# a remark\n")
    assert artifact_files(found) == ["a/.sourceignore", "b/x.yaml"]


def test_a_sparse_checkout_has_its_folders_and_the_files_of_the_root(tmp_path: Path) -> None:
    found = tree(tmp_path, "a/x.yaml", "b/x.yaml", "root.yaml")
    assert artifact_files(found, sparse=["./a"]) == ["a/x.yaml", "root.yaml"]


def test_links_out_of_the_repository_are_left_out(tmp_path: Path) -> None:
    found = tree(tmp_path, "a.yaml")
    (tmp_path / "out.yaml").symlink_to("/etc/hostname")
    assert pack_tree(found, ignore=None) == {"a.yaml": b"x"}
