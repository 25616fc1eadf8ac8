"""Three-way merge of one text, line by line (diff3), with the conflicts and the bytes of Git.

Both sides are compared with the text they started from. What only one side changed is taken;
what both changed alike is taken once; changes of both that overlap or touch are a conflict. A
conflict is then narrowed to the lines that differ, and conflicts that are near become one.

Source: git, xdiff/xmerge.c at the level that `git merge` uses (XDL_MERGE_ZEALOUS).
Differs: lines are compared by Myers' algorithm, as in `git merge-file`; `git merge` compares by
histogram unless told otherwise, and may then cut a conflict at other lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from gitops_sim.forge.lines import Edit, edits, split_lines

__all__ = ["Sides", "conflict_text", "is_binary", "merge_files"]

JOIN_LINES = 3
"""Conflicts with at most this many lines between them are shown as one, as in Git."""

_Lines: TypeAlias = Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Sides:
    """What the two sides are called in conflict markers: branch names, usually."""

    ours: str
    theirs: str


class _Part(NamedTuple):
    """Lines that somebody changed, on both sides; `same` is a conflict that turned out none."""

    kind: Literal["ours", "theirs", "conflict", "same"]
    start: int
    end: int
    their_start: int
    their_end: int


@dataclass(slots=True)
class _Group:
    """A span of the old text that edits of one side or both cover."""

    start: int
    end: int
    edits: tuple[list[Edit], list[Edit]]


def is_binary(content: bytes) -> bool:
    """Return True for content that is not text: a zero byte near the beginning, as in Git."""
    return b"\0" in content[:8000]


def merge_files(base: bytes, ours: bytes, theirs: bytes, sides: Sides) -> tuple[bytes, bool]:
    """Merge two texts that started from `base`; return the text and whether it has conflicts."""
    old, our_lines, their_lines = split_lines(base), split_lines(ours), split_lines(theirs)
    narrowed = [
        piece
        for part in _parts(edits(old, our_lines), edits(old, their_lines), our_lines, their_lines)
        for piece in _narrowed(part, our_lines, their_lines)
    ]
    pieces: list[bytes] = []
    at, conflict = 0, False
    for kind, start, end, their_start, their_end in _joined(narrowed):
        pieces += our_lines[at:start]
        if kind == "conflict":
            conflict = True
            ending = _line_end(old, (our_lines, start), (their_lines, their_start))
            ours_part, theirs_part = our_lines[start:end], their_lines[their_start:their_end]
            pieces.append(conflict_text(b"".join(ours_part), b"".join(theirs_part), sides, ending))
        else:
            pieces += (
                their_lines[their_start:their_end] if kind == "theirs" else our_lines[start:end]
            )
        at = end
    return b"".join([*pieces, *our_lines[at:]]), conflict


def _parts(
    ours: list[Edit], theirs: list[Edit], our_lines: _Lines, their_lines: _Lines
) -> list[_Part]:
    """Return the changes of both sides, those that overlap or touch as one."""
    marked = sorted([(edit, 0) for edit in ours] + [(edit, 1) for edit in theirs])
    groups: list[_Group] = []
    for edit, side in marked:
        if not groups or edit.old_start > groups[-1].end:
            groups.append(_Group(edit.old_start, edit.old_end, ([], [])))
        groups[-1].end = max(groups[-1].end, edit.old_end)
        groups[-1].edits[side].append(edit)
    shift = their_shift = 0
    parts = []
    for group in groups:
        our_edits, their_edits = group.edits
        first, their_first, end = group.start + shift, group.start + their_shift, group.end
        shift = _shift_after(our_edits, shift)
        their_shift = _shift_after(their_edits, their_shift)
        part = _Part("conflict", first, end + shift, their_first, end + their_shift)
        if not their_edits:
            part = part._replace(kind="ours")
        elif not our_edits:
            part = part._replace(kind="theirs")
        elif len(our_edits) == len(their_edits) == 1 and our_edits[0][:2] == their_edits[0][:2]:
            alike = (
                our_lines[part.start : part.end] == their_lines[part.their_start : part.their_end]
            )
            if alike:
                continue  # as if only one side had changed it: it is no part that separates others
        parts.append(part)
    return parts


def _shift_after(changes: list[Edit], before: int) -> int:
    """Return how far lines after these edits are from where they were."""
    return changes[-1].new_end - changes[-1].old_end if changes else before


def _narrowed(part: _Part, ours: _Lines, theirs: _Lines) -> list[_Part]:
    """Return a conflict without the lines that both sides have."""
    kind, start, end, their_start, their_end = part
    if kind != "conflict" or start == end or their_start == their_end:
        return [part]
    found = edits(ours[start:end], theirs[their_start:their_end])
    if not found:
        return [part._replace(kind="same")]
    return [
        _Part(
            "conflict",
            start + edit.old_start,
            start + edit.old_end,
            their_start + edit.new_start,
            their_start + edit.new_end,
        )
        for edit in found
    ]


def _joined(parts: list[_Part]) -> list[_Part]:
    """Return the parts with conflicts that are near each other as one."""
    joined: list[_Part] = []
    for part in parts:
        before = joined[-1] if joined else None
        near = before is not None and part.start - before.end <= JOIN_LINES
        if before and near and before.kind == part.kind == "conflict":
            joined[-1] = before._replace(end=part.end, their_end=part.their_end)
        else:
            joined.append(part)
    return joined


def _line_end(old: _Lines, ours: tuple[_Lines, int], theirs: tuple[_Lines, int]) -> bytes:
    """Return how the lines around a conflict end: CR LF only if all texts say so."""
    verdict: bool | None = None
    for lines, at in ((ours[0], ours[1] - 1), (theirs[0], theirs[1] - 1), (old, 0)):
        verdict = _ends_with_cr(lines, max(at, 0))
        if verdict is False:
            break
    return b"\r\n" if verdict else b"\n"


def _ends_with_cr(lines: _Lines, at: int) -> bool | None:
    """Return True for CR LF, False for LF, None when one cannot tell."""
    if not lines:
        return None
    if not lines[at].endswith(b"\n"):
        if at == 0:
            return None
        at -= 1
    return lines[at].endswith(b"\r\n")


def conflict_text(ours: bytes, theirs: bytes, sides: Sides, ending: bytes = b"\n") -> bytes:
    """Return both versions between conflict markers, each beginning on a line of its own."""
    return b"".join(
        (
            b"<<<<<<< %s%s" % (sides.ours.encode(), ending),
            _closed(ours, ending),
            b"=======%s" % ending,
            _closed(theirs, ending),
            b">>>>>>> %s%s" % (sides.theirs.encode(), ending),
        )
    )


def _closed(text: bytes, ending: bytes) -> bytes:
    return text + ending if text and not text.endswith(b"\n") else text
