"""Which lines differ between two texts: Myers' shortest edit script.

A text becomes a list of lines, lines become numbers, and what both share at the beginning and end
is cut off; what is left is compared by Myers' algorithm. Where that would take too long (two
large texts with little in common), lines that occur once on both sides divide the work first.

Source: E. Myers, An O(ND) difference algorithm (1986); dividing as in patience diff.
Differs: where repeated lines allow several shortest scripts, Git may choose another one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

__all__ = ["Edit", "edits", "split_lines"]

MAX_EDITS = 500
"""Lines inserted or deleted in one region before it is divided instead."""

_Numbers: TypeAlias = Sequence[int]
_Region: TypeAlias = tuple[int, int, int, int]


class Edit(NamedTuple):
    """`old[old_start:old_end]` becomes `new[new_start:new_end]`; one of them may be empty."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


def split_lines(text: bytes) -> list[bytes]:
    """Return the lines with their ends; only a line feed ends a line, as in Git."""
    lines = text.split(b"\n")
    last = lines.pop()
    return [line + b"\n" for line in lines] + ([last] if last else [])


def edits(old: Sequence[bytes], new: Sequence[bytes]) -> list[Edit]:
    """Return what turns `old` into `new`, in order; edits never touch each other."""
    numbers: dict[bytes, int] = {}
    a = [numbers.setdefault(line, len(numbers)) for line in old]
    b = [numbers.setdefault(line, len(numbers)) for line in new]
    partner = [-1] * len(a)
    pending: list[_Region] = [(0, len(a), 0, len(b))]
    while pending:
        pending.extend(_match(a, b, pending.pop(), partner))
    return _slid(a, b, _gaps(partner, len(b)))


def _match(a: _Numbers, b: _Numbers, region: _Region, partner: list[int]) -> list[_Region]:
    """Note partners in one region; return the smaller regions that are left to do."""
    a_from, a_to, b_from, b_to = region
    while a_from < a_to and b_from < b_to and a[a_from] == b[b_from]:
        partner[a_from] = b_from
        a_from, b_from = a_from + 1, b_from + 1
    while a_from < a_to and b_from < b_to and a[a_to - 1] == b[b_to - 1]:
        a_to, b_to = a_to - 1, b_to - 1
        partner[a_to] = b_to
    if a_from == a_to or b_from == b_to:
        return []
    pairs = _shortest(a[a_from:a_to], b[b_from:b_to])
    if pairs is not None:
        for i, j in pairs:
            partner[a_from + i] = b_from + j
        return []
    regions, i, j = [], a_from, b_from
    anchors = _anchors(a[a_from:a_to], b[b_from:b_to])
    for anchor_i, anchor_j in anchors:
        partner[a_from + anchor_i] = b_from + anchor_j
        regions.append((i, a_from + anchor_i, j, b_from + anchor_j))
        i, j = a_from + anchor_i + 1, b_from + anchor_j + 1
    return [*regions, (i, a_to, j, b_to)] if anchors else []


def _shortest(a: _Numbers, b: _Numbers) -> list[tuple[int, int]] | None:
    """Return the pairs of equal lines of a shortest script; None above `MAX_EDITS`."""
    furthest = {1: 0}
    trace: list[dict[int, int]] = []
    for cost in range(min(len(a) + len(b), MAX_EDITS) + 1):
        reached: dict[int, int] = {}
        for k in range(-cost, cost + 1, 2):
            down = k == -cost or (k != cost and furthest[k - 1] < furthest[k + 1])
            i = furthest[k + 1] if down else furthest[k - 1] + 1
            j = i - k
            while i < len(a) and j < len(b) and a[i] == b[j]:
                i, j = i + 1, j + 1
            reached[k] = i
            if i >= len(a) and j >= len(b):
                return _walk_back(trace, (i, j))
        trace.append(furthest := reached)
    return None


def _walk_back(trace: list[dict[int, int]], end: tuple[int, int]) -> list[tuple[int, int]]:
    """Follow the furthest points back from the end; collect the equal lines on the way."""
    pairs: list[tuple[int, int]] = []
    i, j = end
    for cost in range(len(trace), 0, -1):
        before, k = trace[cost - 1], i - j
        down = k == -cost or (k != cost and before[k - 1] < before[k + 1])
        k = k + 1 if down else k - 1
        start_i = before[k] if down else before[k] + 1
        while i > start_i:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        i, j = before[k], before[k] - k
    pairs.extend((n, n) for n in range(i - 1, -1, -1))
    return pairs


def _anchors(a: _Numbers, b: _Numbers) -> list[tuple[int, int]]:
    """Return pairs of lines that occur once on each side, rising on both: the longest such row."""
    once_b = _once(b)
    pairs = [(i, once_b[line]) for line, i in _once(a).items() if line in once_b]
    tops: list[int] = []
    piles: list[int] = []
    previous: list[int] = []
    for index, (_, j) in enumerate(pairs):
        pile = bisect_left(tops, j)
        previous.append(piles[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [j]
        piles[pile : pile + 1] = [index]
    row, index = [], piles[-1] if piles else -1
    while index >= 0:
        row.append(pairs[index])
        index = previous[index]
    return row[::-1]


def _once(numbers: _Numbers) -> dict[int, int]:
    """Return where each line is that occurs once, in order."""
    count: dict[int, int] = {}
    for line in numbers:
        count[line] = count.get(line, 0) + 1
    return {line: at for at, line in enumerate(numbers) if count[line] == 1}


def _gaps(partner: list[int], new_length: int) -> list[Edit]:
    """Return what lies between matched lines."""
    found: list[Edit] = []
    i = j = 0
    for at, there in enumerate([*partner, new_length]):
        if there < 0:
            continue
        if at > i or there > j:
            found.append(Edit(i, at, j, there))
        i, j = at + 1, there + 1
    return found


def _slid(a: _Numbers, b: _Numbers, found: list[Edit]) -> list[Edit]:
    """Move pure insertions and deletions down as far as they go, as Git does, and join them."""
    slid: list[Edit] = []
    for edit in reversed(found):
        moved = _down(a, b, edit, slid[-1].old_start if slid else len(a))
        while slid and moved.old_end == slid[-1].old_start:
            after = slid.pop()
            joined = Edit(moved.old_start, after.old_end, moved.new_start, after.new_end)
            moved = _down(a, b, joined, slid[-1].old_start if slid else len(a))
        slid.append(moved)
    return slid[::-1]


def _down(a: _Numbers, b: _Numbers, edit: Edit, limit: int) -> Edit:
    """Move one edit down, at most until it touches the next one."""
    while edit.old_end < limit and _same_when_moved(a, b, edit):
        edit = Edit(*(at + 1 for at in edit))
    return edit


def _same_when_moved(a: _Numbers, b: _Numbers, edit: Edit) -> bool:
    start, end, new_start, new_end = edit
    if start == end:
        return new_end < len(b) and b[new_start] == b[new_end]
    return new_start == new_end and a[start] == a[end]
