"""The main picture: one row per object, DESIRED card | verdict | ACTUAL card.

Only rows that differ are tinted, so that eyes go there first; the field that differs stands on
solid colour on both sides. The same `Board` is drawn as SVG and printed as text.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gitops_sim.types import ResourceKey
from gitops_sim.viz.glyphs import health_glyph, sync_glyph
from gitops_sim.viz.palette import INK, LINE, MUTED, PAPER, SYNC_STATES, SyncName
from gitops_sim.viz.svg import box, clipped, document, group, line, text, width_of

__all__ = [
    "HEADER_HEIGHT",
    "ROW_HEIGHT",
    "WIDTH",
    "Board",
    "BoardRow",
    "board_label",
    "board_text",
    "draw_board",
    "draw_header",
    "draw_row",
]

WIDTH = 1120
ROW_HEIGHT = 58
HEADER_HEIGHT = 96
_CARD_WIDTH = 400
_LEFT, _MIDDLE, _RIGHT = 20, 470, 700


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One object on both sides.

    `desired` and `actual` are the one field that matters, such as `replicas: 3`; None means that
    the object is absent on that side, "" that nothing needs to be said. `differs` sets the field
    on solid colour; `words` tell the verdict, `who` names the manager that set the live value.
    """

    key: ResourceKey
    sync: SyncName
    words: str
    desired: str | None
    actual: str | None
    differs: bool = False
    health: str = ""
    who: str = ""


@dataclass(frozen=True, slots=True)
class Board:
    """What the picture says: two headings, one sentence on what just happened, and rows.

    `is_broken` says that Git cannot be read at this moment: the rows are of what was applied last,
    and the sentence tells what is wrong.
    """

    desired_heading: str
    actual_heading: str
    sentence: str
    rows: tuple[BoardRow, ...]
    is_broken: bool = False

    @property
    def differing(self) -> int:
        """How many rows are not in sync."""
        return sum(row.sync != "Synced" for row in self.rows)

    @property
    def summary(self) -> str:
        """The verdict over all rows: `5 of 8 differ` or `everything in sync`."""
        if self.is_broken:
            return "Git cannot be built"
        if not self.rows:
            return "nothing declared"
        if not self.differing:
            return "everything in sync"
        verb = "differs" if self.differing == 1 else "differ"
        return f"{self.differing} of {len(self.rows)} {verb}"

    def first(self, most: int) -> Board:
        """Return the board cut to `most` rows, those that differ before the others."""
        if len(self.rows) <= most:
            return self
        kept = sorted(range(len(self.rows)), key=lambda i: (self.rows[i].sync == "Synced", i))
        rows = tuple(self.rows[i] for i in sorted(kept[:most]))
        hidden = len(self.rows) - most
        return replace(self, rows=rows, sentence=f"{self.sentence} ({hidden} more rows not drawn)")


def draw_header(board: Board) -> str:
    """Draw headings, the pill with the summary, and the sentence."""
    is_well = not board.differing and not board.is_broken
    ink = SYNC_STATES["Synced" if is_well else "OutOfSync"].ink
    desired = clipped(board.desired_heading, 17, 290)
    actual = clipped(board.actual_heading, 17, 290)
    return "".join(
        (
            text(_LEFT, 34, "DESIRED", size=22, weight=700),
            text(_LEFT + 116, 34, desired, size=17, ink=MUTED),
            text(_RIGHT, 34, "ACTUAL", size=22, weight=700),
            text(_RIGHT + 104, 34, actual, size=17, ink=MUTED),
            box(445, 10, 230, 36, fill=ink, radius=18),
            text(560, 34, board.summary, size=18, ink=PAPER, anchor="middle", weight=700),
            text(_LEFT, 72, clipped(board.sentence, 16, 1080), ink=MUTED),
            line(8, 86, 1112, 86, stroke=LINE),
        )
    )


def draw_row(row: BoardRow) -> str:
    """Draw one row with its top at 0."""
    look = SYNC_STATES[row.sync]
    tint = box(8, 2, 1104, 54, fill=look.tint, radius=8) if look.tint else ""
    verdict_y = 23 if row.who else 31
    ink = look.ink if row.sync != "Unknown" else INK
    parts = [
        tint,
        _card(row, _LEFT, row.desired, absent="not in Git", room=_CARD_WIDTH),
        _card(row, _RIGHT, row.actual, absent="not in cluster", room=_CARD_WIDTH - 34),
        sync_glyph(row.sync, _MIDDLE, 29),
        text(492, verdict_y + 4, clipped(row.words, 18, 200), size=18, ink=ink, weight=600),
    ]
    if row.who:
        parts.append(text(492, 49, clipped(f"by {row.who}", 15, 204), size=15, ink=MUTED))
    if row.actual is not None and row.health:
        parts.append(health_glyph(row.health, 1078, 29))
    health = f", health {row.health}" if row.health else ""
    who = f" by {row.who}" if row.who else ""
    title = f"{_told_name(row)}: {row.words}{who}{health}"
    return group("".join(parts), title=title, kind="gs-row")


def _card(row: BoardRow, x: float, field: str | None, *, absent: str, room: float) -> str:
    look = SYNC_STATES[row.sync]
    if field is None:
        frame = box(x, 7, _CARD_WIDTH, 44, stroke=look.ink, stroke_width=2, dashed=True)
        return frame + text(x + 200, 35, absent, size=17, ink=MUTED, anchor="middle", italic=True)
    calm = row.sync == "Synced"
    frame = box(
        x,
        7,
        _CARD_WIDTH,
        44,
        fill=PAPER,
        stroke=LINE if calm else look.ink,
        stroke_width=1.2 if calm else 2.5,
    )
    shown = clipped(field, 17, 210, face="mono")
    taken = width_of(shown, 17, face="mono") + 40 if shown else 14
    name_room = room - taken - 14
    parts = [
        frame,
        text(x + 14, 24, clipped(_kind_and_namespace(row), 15, name_room), size=15, ink=MUTED),
        text(x + 14, 45, clipped(row.key.name, 18, name_room, face="bold"), size=18, weight=600),
    ]
    right = x + room - 19
    if shown and row.differs:
        width = width_of(shown, 17, face="mono") + 18
        parts.append(box(right + 9 - width, 16, width, 26, fill=look.ink, radius=4))
        parts.append(
            text(right, 35, shown, size=17, ink=PAPER, anchor="end", weight=700, mono=True)
        )
    elif shown:
        parts.append(text(right, 35, shown, size=17, anchor="end", mono=True))
    return "".join(parts)


def _kind_and_namespace(row: BoardRow) -> str:
    if row.key.namespace in ("", "default"):
        return row.key.kind
    return f"{row.key.kind} · {row.key.namespace}"


def _told_name(row: BoardRow) -> str:
    return f"{row.key.kind} {row.key.name}"


def board_label(board: Board) -> str:
    """Say the whole picture in words: its `aria-label`."""
    told = "; ".join(f"{_told_name(row)} {row.words}" for row in board.rows)
    return f"Desired versus actual, {board.summary}: {told or 'no objects'}"


def draw_board(board: Board) -> str:
    """Draw the whole picture as one SVG document."""
    rows = "".join(
        group(draw_row(row), y=HEADER_HEIGHT + ROW_HEIGHT * index)
        for index, row in enumerate(board.rows)
    )
    height = HEADER_HEIGHT + ROW_HEIGHT * len(board.rows) + 12
    content = draw_header(board) + rows
    return document(content, width=WIDTH, height=height, label=board_label(board))


def board_text(board: Board) -> str:
    """Print the board as a table for terminals: at most 100 columns, ASCII marks per verdict."""
    heading = f"{board.desired_heading}  |  {board.actual_heading}  |  {board.summary}"
    lines = [heading, board.sentence] if board.sentence else [heading]
    cells = [("OBJECT", "DESIRED", "", "ACTUAL", "HEALTH")]
    for row in board.rows:
        who = f" (by {row.who})" if row.who else ""
        verdict = f"{SYNC_STATES[row.sync].mark} {row.words}{who}"
        desired = "(not in Git)" if row.desired is None else row.desired or "-"
        actual = "(not in cluster)" if row.actual is None else row.actual or "-"
        name = str(row.key)
        cells.append((name, desired, verdict, actual, row.health or "-"))
    widths = [max(len(cell[column]) for cell in cells) for column in range(5)]
    for cell in cells:
        padded = (part.ljust(width) for part, width in zip(cell, widths, strict=True))
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)
