from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        (["a**b/c"], "axb/c", True),
        (["a**b/c"], "a/b/c", False),
        (["[!a]b"], "x/b", False),
        (["[[]"], "[", True),
        (["[a--z]"], "k", True),
        (["[z-a]", "k"], "k", True),
        (["*a" * 30 + "b"], "a" * 250, False),
        (["/" + "**/a/" * 30 + "b"], "a/" * 250 + "a", False),
    ],
)
def test_patterns_are_those_of_gitignore(lines: list[str], path: str, *, expected: bool) -> None:
    assert rules(*lines).ignores(path) is expected


def matches(glob: list[str], path: list[str]) -> bool:
    """Match part by part, trying everything."""
    if not glob or not path:
        return glob == path
    if glob[0] == "**":
        rest = range(len(path)) if glob[1:] else range(1, len(path) + 1)
        return any(matches(glob[1:], path[at:]) for at in rest)
    return fnmatchcase(path[0], glob[0]) and matches(glob[1:], path[1:])


parts = st.one_of(st.just("**"), st.text(alphabet="ab*?", min_size=1, max_size=5))
names = st.text(alphabet="ab", min_size=1, max_size=5)


@given(st.lists(parts, min_size=1, max_size=5), st.lists(names, min_size=1, max_size=6))
def test_a_pattern_says_what_its_parts_say(glob: list[str], path: list[str]) -> None:
    found = any(matches(glob, path[:end]) for end in range(1, len(path) + 1))
    assert rules("/" + "/".join(glob)).ignores("/".join(path)) == found


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
