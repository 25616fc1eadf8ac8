"""The lines that differ are those that Git tells."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_sim.forge.diffs import unified
from gitops_sim.forge.lines import edits, split_lines

few = st.lists(st.sampled_from("abcdef"), max_size=20)


@given(old=few, new=few, by_indent=st.booleans())
def test_edits_turn_the_old_text_into_the_new(
    old: list[str],
    new: list[str],
    by_indent: bool,  # noqa: FBT001
) -> None:
    a, b = [line.encode() for line in old], [line.encode() for line in new]
    result, at = [], 0
    for edit in edits(a, b, by_indent=by_indent):
        assert edit.old_start >= at
        result += a[at : edit.old_start] + b[edit.new_start : edit.new_end]
        at = edit.old_end
    assert result + a[at:] == b


def test_two_large_texts_with_little_in_common_are_compared_quickly() -> None:
    old = [b"%d" % number for number in range(20_000)]
    new = [b"%d" % (number * 7) for number in range(20_000)]
    assert sum(edit.new_end - edit.new_start for edit in edits(old, new)) > 10_000


def hunks(folder: Path, old: str, new: str) -> bytes:
    """Return what git diff says, without the function names behind the line numbers."""
    (folder / "old").write_text(old)
    (folder / "new").write_text(new)
    done = subprocess.run(
        ["git", "-c", "diff.algorithm=myers", "diff", "--no-index", "--no-color", "old", "new"],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    _, head, body = done.stdout.partition(b"@@")
    return b"".join(
        b"@@" + line.split(b"@@")[1] + b"@@\n" if line.startswith(b"@@") else line
        for line in (head + body).splitlines(keepends=True)
    )


def ours(old: str, new: str) -> bytes:
    return unified(split_lines(old.encode()), split_lines(new.encode()))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"),
        ("a\nb\n", "a\nb\nc"),
        ("a\nb", "b"),
        ("", "x\n"),
        ("".join(f"{n}\n" for n in range(40)), "".join(f"{n}\n" for n in range(1, 40) if n != 20)),
    ],
)
def test_hunks_are_those_of_git_diff(tmp_path: Path, old: str, new: str) -> None:
    assert ours(old, new) == hunks(tmp_path, old, new)


POOL = ["kind: A\n", "spec:\n", "  name: x\n", "    port: 1\n", "\n", "---\n", "\t- a\n", "  }\n"]


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, str]:
    """Two versions of a text in which the same lines come again and again."""
    old = draw(st.lists(st.sampled_from(POOL), max_size=40))
    new = list(old)
    for _ in range(draw(st.integers(0, 4))):
        at, gone = draw(st.integers(0, len(new))), draw(st.integers(0, 5))
        new[at : at + gone] = draw(st.lists(st.sampled_from([*POOL, "new\n"]), max_size=5))
    return "".join(old), "".join(new)


@given(edited())
def test_hunks_of_random_edits_are_those_of_git_diff(
    tmp_path_factory: pytest.TempPathFactory, texts: tuple[str, str]
) -> None:
    assert ours(*texts) == hunks(tmp_path_factory.getbasetemp(), *texts)


@pytest.mark.all
@settings(max_examples=1500)
@given(edited())
def test_hunks_of_many_random_edits_are_those_of_git_diff(
    tmp_path_factory: pytest.TempPathFactory, texts: tuple[str, str]
) -> None:
    assert ours(*texts) == hunks(tmp_path_factory.getbasetemp(), *texts)
