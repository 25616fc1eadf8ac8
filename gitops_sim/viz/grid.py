"""The object grid: a row an object, a column a world or a moment, a letter and a sign in between.

S in sync, D differs (with a sign of its own when by hand), M missing, X extra, ? unknown; nothing
where an object is on neither side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gitops_sim.types import ResourceKey
from gitops_sim.viz.glyphs import sync_glyph
from gitops_sim.viz.palette import INK, LINE, MUTED, PAPER, SYNC_STATES, SyncName
from gitops_sim.viz.picture import Picture
from gitops_sim.viz.svg import box, clipped, document, group, line, text

__all__ = ["LETTERS", "Grid", "GridRow", "draw_grid"]

LETTERS: dict[SyncName, str] = {
    "Synced": "S",
    "OutOfSync": "D",
    "Drifted": "D",
    "Missing": "M",
    "Extra": "X",
    "Unknown": "?",
}
_LEGEND: dict[SyncName, str] = {
    "Synced": "S in sync",
    "OutOfSync": "D differs",
    "Drifted": "D edited by hand",
    "Missing": "M missing",
    "Extra": "X extra",
    "Unknown": "? unknown",
}
_WIDTH, _LEFT, _TOP, _ROW = 1120, 290, 96, 56
_WIDEST = 164.0


@dataclass(frozen=True, slots=True)
class GridRow:
    """One object and its state in each column; None where it is on neither side."""

    key: ResourceKey
    states: tuple[SyncName | None, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """Columns, left to right, and one row an object."""

    columns: tuple[str, ...]
    rows: tuple[GridRow, ...]


def draw_grid(grid: Grid) -> Picture:
    """Draw the grid; the words are the same table in letters."""
    width = min(_WIDEST, (_WIDTH - _LEFT - 20) / max(len(grid.columns), 1))
    height = _TOP + _ROW * len(grid.rows) + 20
    parts = [*_legend(grid), *_heads(grid, width)]
    for index, row in enumerate(grid.rows):
        parts.append(_row(grid, row, _TOP + _ROW * index, width))
    words = _words(grid)
    label = "Object grid: " + "; ".join(words)
    svg = document("".join(parts), width=_WIDTH, height=height, label=label)
    return Picture(svg, "\n".join(words))


def _legend(grid: Grid) -> Iterator[str]:
    present = {state for row in grid.rows for state in row.states}
    shown = [(sync, words) for sync, words in _LEGEND.items() if sync in present]
    for index, (sync, words) in enumerate(shown):
        x = _LEFT + 16 + 200 * index
        yield sync_glyph(sync, x, 24) + text(x + 22, 29, words)


def _heads(grid: Grid, width: float) -> Iterator[str]:
    for index, column in enumerate(grid.columns):
        shown = clipped(column, 16, width - 6, face="bold")
        x = _LEFT + width * (index + 0.5)
        yield text(x, _TOP - 16, shown, weight=700, anchor="middle")


def _row(grid: Grid, row: GridRow, y: float, width: float) -> str:
    parts = [
        line(20, y, _LEFT + width * len(grid.columns), y, stroke=LINE),
        text(20, y + 21, row.key.kind, size=15, ink=MUTED),
        text(20, y + 44, clipped(row.key.name, 17, _LEFT - 30, face="bold"), size=17, weight=700),
    ]
    for index, (column, state) in enumerate(zip(grid.columns, row.states, strict=True)):
        if state is None:
            continue
        look = SYNC_STATES[state]
        x = _LEFT + width * index
        cell = box(x + 4, y + 5, width - 8, _ROW - 10, fill=look.tint or PAPER)
        cell += sync_glyph(state, x + width / 2 - 18, y + _ROW / 2)
        letter = LETTERS[state]
        cell += text(x + width / 2 + 8, y + _ROW / 2 + 7, letter, size=20, weight=700, ink=INK)
        parts.append(group(cell, title=f"{row.key} in {column}: {look.words}"))
    return "".join(parts)


def _words(grid: Grid) -> list[str]:
    names = [str(row.key) for row in grid.rows]
    wide = max(map(len, names), default=0)
    lines = [" " * wide + "".join(f"  {column}" for column in grid.columns)]
    for name, row in zip(names, grid.rows, strict=True):
        cells = zip(grid.columns, row.states, strict=True)
        letters = (f"  {LETTERS[s] if s else '-':{len(column)}}" for column, s in cells)
        lines.append(f"{name:{wide}}" + "".join(letters).rstrip())
    return lines
