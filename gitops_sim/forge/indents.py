"""Where a run of changed lines that could stand in several places reads best, by indentation.

A run has two edges, each a place where a text is split. A split before a line that is indented
little, behind blank lines, or at the beginning of a block reads well; the sum over both edges is
compared. The weights are Git's, which were fitted to what people chose.

Source: git, xdiff/xdiffi.c (`measure_split`, `score_add_split`, `score_cmp`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

__all__ = ["best_end"]

MOST_INDENT = 200
MOST_BLANK = 20
MOST_SLIDING = 100
INDENT_WEIGHT = 60
START_OF_FILE, END_OF_FILE = 1, 21
TOTAL_BLANK, POST_BLANK = -30, 6
# Without and with blank lines beside the split.
MORE_INDENTED = (-4, 10)
STARTS_BLOCK = (24, 17)
ENDS_BLOCK = (23, 17)

_SPACES = b" \t\n\r\v\f"
_NONE = -1


class _Around(NamedTuple):
    """Lines on one side of a split: blank ones, then the indentation of the first other one."""

    blank: int
    indent: int


def best_end(lines: Sequence[bytes], size: int, highest: int, lowest: int) -> int:
    """Return where a run of `size` lines should end, at least `highest` and at most `lowest`."""
    first = max(highest, lowest - size - 1, lowest - MOST_SLIDING)
    best, chosen = (0, 0), _NONE
    for end in range(first, lowest + 1):
        edges = (_score(lines, end), _score(lines, end - size))
        score = (edges[0][0] + edges[1][0], edges[0][1] + edges[1][1])
        if chosen == _NONE or _compared(score, best) <= 0:
            best, chosen = score, end
    return chosen


def _compared(one: tuple[int, int], other: tuple[int, int]) -> int:
    """Return below 0 when the first score, of indentation and penalty, is the better one."""
    indents = (one[0] > other[0]) - (one[0] < other[0])
    return INDENT_WEIGHT * indents + one[1] - other[1]


def _score(lines: Sequence[bytes], at: int) -> tuple[int, int]:
    """Return the indentation behind a split, and the penalty of splitting there."""
    own = _indent(lines[at]) if at < len(lines) else _NONE
    before = _around(lines[i] for i in range(at - 1, -1, -1))
    after = _around(lines[i] for i in range(at + 1, len(lines)))
    penalty = START_OF_FILE if before == (0, _NONE) else 0
    penalty += END_OF_FILE if at >= len(lines) else 0
    post_blank = 1 + after.blank if own == _NONE else 0
    blank = before.blank + post_blank
    penalty += TOTAL_BLANK * blank + POST_BLANK * post_blank
    indent = own if own != _NONE else after.indent
    if _NONE not in (indent, before.indent):
        penalty += _step(before.indent, indent, after.indent)[blank != 0]
    return indent, penalty


def _step(before: int, indent: int, after: int) -> tuple[int, int]:
    """Return the penalties for how the indentation changes at a split."""
    if indent == before:
        return 0, 0
    if indent > before:
        return MORE_INDENTED
    return STARTS_BLOCK if after > indent else ENDS_BLOCK


def _around(lines: Iterable[bytes]) -> _Around:
    blank = 0
    for line in lines:
        indent = _indent(line)
        if indent != _NONE:
            return _Around(blank, indent)
        blank += 1
        if blank == MOST_BLANK:
            return _Around(blank, 0)
    return _Around(blank, _NONE)


def _indent(line: bytes) -> int:
    """Return the width of the white space that a line begins with; -1 for a blank line."""
    width = 0
    for byte in line:
        if byte not in _SPACES:
            return width
        if byte == ord(" "):
            width += 1
        elif byte == ord("\t"):
            width += 8 - width % 8
        if width >= MOST_INDENT:
            return MOST_INDENT
    return _NONE
