"""Which lines of two texts are paired: Myers' shortest edit script, searched from both ends.

Lines that the other text lacks, and frequent lines among many such, are set aside first. Of the
rest the middle of a shortest path is found by going forward and backward at once, which divides
the work. The order of the search decides which of several shortest scripts comes out, so it is
exactly Git's. Where it would take too long (two large texts with little in common), lines that
occur once on both sides divide the work instead.

Source: E. Myers, An O(ND) difference algorithm (1986); git, xdiff/xdiffi.c (`xdl_split`) and
xdiff/xprepare.c (`xdl_cleanup_records`).
Differs: beyond 256 edits in one region Git divides by other heuristics.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

__all__ = ["mark_changed"]

MAX_EDITS = 256
"""Steps of the search from each end before a region is divided by rare lines."""
WINDOW = 100
"""Lines looked at around a frequent one."""
FREQUENT = 1024
"""Occurrences that always make a line frequent."""
KEEP_SHARE = 4
"""A frequent line is kept where at least one in so many around it is frequent, too."""

_Numbers: TypeAlias = Sequence[int]
_Region: TypeAlias = tuple[int, int, int, int]


def mark_changed(a: _Numbers, b: _Numbers, gone: list[bool], come: list[bool]) -> None:
    """Set what is not paired: lines of `a` in `gone`, lines of `b` in `come`."""
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    tail = 0
    while tail < min(len(a), len(b)) - start and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    left = _candidates(a, (start, len(a) - tail), Counter(b), gone)
    right = _candidates(b, (start, len(b) - tail), Counter(a), come)
    _Search([a[i] for i in left], [b[j] for j in right]).mark(left, right, gone, come)


def _candidates(
    lines: _Numbers, span: tuple[int, int], others: Counter[int], changed: list[bool]
) -> list[int]:
    """Return which lines of a span may be paired; the others are changed."""
    start, end = span
    limit = min(_root(len(lines)), FREQUENT)
    # 0: not in the other text, 1: there, 2: there so often that it says little
    kinds = [min(others[line], 1) + (others[line] >= limit) for line in lines[start:end]]
    kept = []
    for at, kind in enumerate(kinds):
        if kind == 1 or (kind == 2 and not _among_strangers(kinds, at)):
            kept.append(start + at)
        else:
            changed[start + at] = True
    return kept


def _root(number: int) -> int:
    """Return a power of two near the square root, as Git counts it."""
    return 1 << (number.bit_length() + 1) // 2


def _among_strangers(kinds: list[int], at: int) -> bool:
    """Return True for a frequent line that stands among lines that the other text lacks."""
    strangers = frequent = 0
    for step in (-1, 1):
        found, here = 0, at + step
        frequent += 1
        while 0 <= here < len(kinds) and abs(here - at) <= WINDOW and kinds[here] != 1:
            found += kinds[here] == 0
            frequent += kinds[here] == 2
            here += step
        if not found:
            return False
        strangers += found
    return frequent * KEEP_SHARE < frequent + strangers


class _Search:
    """One comparison of two rows of numbers."""

    def __init__(self, a: _Numbers, b: _Numbers) -> None:
        self._a = a
        self._b = b

    def mark(self, left: list[int], right: list[int], gone: list[bool], come: list[bool]) -> None:
        """Set what is not paired, `left` and `right` being where the numbers stand."""
        pending: list[_Region] = [(0, len(self._a), 0, len(self._b))]
        while pending:
            a_from, a_to, b_from, b_to = self._shrunk(pending.pop())
            if a_from < a_to and b_from < b_to:
                parts = self._divided((a_from, a_to, b_from, b_to))
                if parts:
                    pending += parts
                    continue
            for at in range(a_from, a_to):
                gone[left[at]] = True
            for at in range(b_from, b_to):
                come[right[at]] = True

    def _shrunk(self, region: _Region) -> _Region:
        """Return a region without equal lines at its ends."""
        a, b = self._a, self._b
        a_from, a_to, b_from, b_to = region
        while a_from < a_to and b_from < b_to and a[a_from] == b[b_from]:
            a_from, b_from = a_from + 1, b_from + 1
        while a_from < a_to and b_from < b_to and a[a_to - 1] == b[b_to - 1]:
            a_to, b_to = a_to - 1, b_to - 1
        return a_from, a_to, b_from, b_to

    def _divided(self, region: _Region) -> list[_Region]:
        """Return smaller regions; none when nothing in it can be paired."""
        a_from, a_to, b_from, b_to = region
        middle = self._middle(region)
        if middle:
            i, j = middle
            return [(a_from, i, b_from, j), (i, a_to, j, b_to)]
        parts, i, j = list[_Region](), a_from, b_from
        for i_next, j_next in _anchors(self._a[a_from:a_to], self._b[b_from:b_to]):
            parts.append((i, a_from + i_next, j, b_from + j_next))
            i, j = a_from + i_next + 1, b_from + j_next + 1
        return [*parts, (i, a_to, j, b_to)] if parts else []

    def _middle(self, region: _Region) -> tuple[int, int] | None:
        """Return where a shortest path's two halves meet; None if that is too far.

        Diagonal d holds the points (i, i - d); `ahead[d]` and `back[d]` are the furthest i that
        so many edits reach on it from the beginning and from the end.
        """
        a_from, a_to, b_from, b_to = region
        lowest, highest = a_from - b_to, a_to - b_from
        first, last = a_from - b_from, a_to - b_to
        is_odd = (first - last) % 2 == 1
        ahead, back = {first: a_from}, {last: a_to}
        low = high = first
        back_low = back_high = last
        for _ in range(MAX_EDITS):
            low, high = _widened(ahead, (low, high), (lowest, highest), -1)
            for d in range(high, low - 1, -2):
                i = self._forward(ahead, d, a_to, b_to)
                if is_odd and back_low <= d <= back_high and back[d] <= i:
                    return i, i - d
            back_low, back_high = _widened(
                back, (back_low, back_high), (lowest, highest), a_to + b_to + 1
            )
            for d in range(back_high, back_low - 1, -2):
                i = self._backward(back, d, a_from, b_from)
                if not is_odd and low <= d <= high and i <= ahead[d]:
                    return i, i - d
        return None

    def _forward(self, ahead: dict[int, int], d: int, a_to: int, b_to: int) -> int:
        i = ahead[d - 1] + 1 if ahead[d - 1] >= ahead[d + 1] else ahead[d + 1]
        while i < a_to and i - d < b_to and self._a[i] == self._b[i - d]:
            i += 1
        ahead[d] = i
        return i

    def _backward(self, back: dict[int, int], d: int, a_from: int, b_from: int) -> int:
        i = back[d - 1] if back[d - 1] < back[d + 1] else back[d + 1] - 1
        while i > a_from and i - d > b_from and self._a[i - 1] == self._b[i - d - 1]:
            i -= 1
        back[d] = i
        return i


def _widened(
    reached: dict[int, int], span: tuple[int, int], limits: tuple[int, int], nowhere: int
) -> tuple[int, int]:
    """Return the diagonals of the next step: one more at each side, within the limits."""
    low, high = span
    if low > limits[0]:
        low -= 1
        reached[low - 1] = nowhere
    else:
        low += 1
    if high < limits[1]:
        high += 1
        reached[high + 1] = nowhere
    else:
        high -= 1
    return low, high


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
    count = Counter(numbers)
    return {line: at for at, line in enumerate(numbers) if count[line] == 1}
