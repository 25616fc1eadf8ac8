"""Which lines differ between two texts, as Git tells it.

A text becomes a list of lines and lines become numbers; which of them are paired is found in
`shortest_edits`. Then each run of changed lines is slid down as far as it goes, or up again to
where the other text has a change, too, or to where it reads best (`indents`): of several right
answers that is the one that Git gives.

Source: git, xdiff/xdiffi.c (`xdl_change_compact`, `xdl_build_script`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from gitops_sim.forge.indents import best_end
from gitops_sim.forge.shortest_edits import mark_changed

__all__ = ["Edit", "edits", "split_lines"]

_Numbers: TypeAlias = Sequence[int]


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


def edits(old: Sequence[bytes], new: Sequence[bytes], *, by_indent: bool = False) -> list[Edit]:
    """Return what turns `old` into `new`, in order; edits never touch each other.

    Args:
        old: Lines.
        new: Lines.
        by_indent: Slide runs to where they read best, as `git diff` and `git blame` do and merges
            do not.
    """
    numbers: dict[bytes, int] = {}
    a = [numbers.setdefault(line, len(numbers)) for line in old]
    b = [numbers.setdefault(line, len(numbers)) for line in new]
    # One more than lines: what is behind the last line, and at -1, is unchanged.
    gone, come = [False] * (len(a) + 1), [False] * (len(b) + 1)
    mark_changed(a, b, gone, come)
    _compact(a, gone, come, old if by_indent else None)
    _compact(b, come, gone, new if by_indent else None)
    return _script(gone, come)


class _Run:
    """A run of changed lines in one text, maybe empty; runs are parted by one unchanged line."""

    def __init__(self, changed: list[bool]) -> None:
        self._changed = changed
        self.start = self.end = 0
        self._extend()

    @property
    def size(self) -> int:
        """How many lines it has."""
        return self.end - self.start

    def _extend(self) -> None:
        while self._changed[self.end]:
            self.end += 1

    def next(self) -> bool:
        """Go to the next run; False at the end of the text."""
        if self.end == len(self._changed) - 1:
            return False
        self.start = self.end = self.end + 1
        self._extend()
        return True

    def previous(self) -> None:
        """Go to the run before."""
        self.start = self.end = self.start - 1
        while self._changed[self.start - 1]:
            self.start -= 1

    def slide_up(self, lines: _Numbers) -> bool:
        """Move it up by one line, and join what it touches; False when it cannot."""
        if self.start == 0 or lines[self.start - 1] != lines[self.end - 1]:
            return False
        self.start, self.end = self.start - 1, self.end - 1
        self._changed[self.start], self._changed[self.end] = True, False
        while self._changed[self.start - 1]:
            self.start -= 1
        return True

    def slide_down(self, lines: _Numbers) -> bool:
        """Move it down by one line, and join what it touches; False when it cannot."""
        if self.end == len(lines) or lines[self.start] != lines[self.end]:
            return False
        self._changed[self.start], self._changed[self.end] = False, True
        self.start, self.end = self.start + 1, self.end + 1
        self._extend()
        return True


def _compact(
    lines: _Numbers, changed: list[bool], others: list[bool], texts: Sequence[bytes] | None
) -> None:
    """Slide each run of one text; the run of the other text keeps beside it."""
    run, other = _Run(changed), _Run(others)
    while True:
        if run.size:
            _settle(lines, run, other, texts)
        if not run.next():
            return
        other.next()


def _settle(lines: _Numbers, run: _Run, other: _Run, texts: Sequence[bytes] | None) -> None:
    size, highest, aligned = -1, 0, False
    while size != run.size:  # it may have joined others, and then goes further
        size = run.size
        while run.slide_up(lines):
            other.previous()
        highest, aligned = run.end, other.size > 0
        while run.slide_down(lines):
            other.next()
            aligned = aligned or other.size > 0
    best = run.end
    if texts is not None and not aligned and highest < run.end:
        best = best_end(texts, size, highest, run.end)
    while run.end > best or (aligned and highest < run.end and not other.size):
        run.slide_up(lines)
        other.previous()


def _script(gone: list[bool], come: list[bool]) -> list[Edit]:
    found: list[Edit] = []
    i = j = 0
    while i < len(gone) and j < len(come):
        start, new_start = i, j
        while gone[i]:
            i += 1
        while come[j]:
            j += 1
        if i > start or j > new_start:
            found.append(Edit(start, i, new_start, j))
        i, j = i + 1, j + 1
    return found
