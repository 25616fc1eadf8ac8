"""The message ladder: who told whom what, in order; a column each, an arrow a message.

Arrows go down as time does, one row each: what happens within milliseconds stays readable, and the
left edge says when. A message that was lost is dashed and ends in a cross.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from gitops_sim.viz.glyphs import cross
from gitops_sim.viz.palette import ACCENT, INK, LINE, MUTED, PAPER, SYNC_STATES
from gitops_sim.viz.picture import Picture
from gitops_sim.viz.svg import box, clipped, document, group, line, number, path, text, width_of

__all__ = ["Ladder", "Message", "draw_ladder"]

MessageName: TypeAlias = Literal["request", "news"]

_WIDTH = 1120
_LEFT, _RIGHT = 176, 1032
_HEAD_Y, _FIRST_Y, _ROW, _FALL = 52, 124, 38, 12
_LOST_INK = SYNC_STATES["Drifted"].ink
_LABEL = 15
_NARROWEST_LABEL = 172.0


@dataclass(frozen=True, slots=True)
class Message:
    """One arrow.

    Attributes:
        time: When it was sent, in seconds since the epoch.
        source: The column that sends it.
        target: The column that it is meant for.
        label: A few words, such as `create Pod`.
        name: `request`: someone asks for a change; `news`: a watch tells of one.
        lost: True when it did not arrive.
        detail: More than the picture has room for, such as an object's whole name.
    """

    time: float
    source: str
    target: str
    label: str
    name: MessageName = "request"
    lost: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Messages, oldest first, and the columns they go between, left to right.

    `start_text` names the moment of the first message for people, such as `09:01:00`; `left_out`
    is how many messages after the last one are not shown.
    """

    columns: tuple[str, ...]
    messages: tuple[Message, ...]
    start_text: str = ""
    left_out: int = 0


def draw_ladder(ladder: Ladder) -> Picture:
    """Draw the ladder; the words are one line a message.

    Raises:
        ValueError: A message names a column that is not there.
    """
    for message in ladder.messages:
        for column in (message.source, message.target):
            if column not in ladder.columns:
                raise ValueError(f"{column!r} is no column of this ladder")
    rows = len(ladder.messages) + bool(ladder.left_out)
    bottom = _FIRST_Y + _ROW * max(rows, 1)
    parts = [*_legend(ladder), *_columns(ladder, bottom)]
    before = ""
    for row, message in enumerate(ladder.messages):
        parts.append(_message(ladder, message, row))
        told = _told_time(ladder, message)
        if told != before:
            parts.append(text(20, _y(row) + 8, told, size=_LABEL, ink=MUTED, mono=True))
        before = told
    if ladder.left_out:
        more = f"and {ladder.left_out} more"
        parts.append(text(20, _y(rows - 1) + 8, more, size=_LABEL, ink=MUTED))
    words = _words(ladder)
    label = f"Message ladder, {len(ladder.messages)} messages: " + "; ".join(words)
    svg = document("".join(parts), width=_WIDTH, height=bottom + 14, label=label)
    return Picture(svg, "\n".join(words))


def _y(row: int) -> float:
    return _FIRST_Y + _ROW * row


def _x(ladder: Ladder, column: str) -> float:
    last = max(len(ladder.columns) - 1, 1)
    return _LEFT + (_RIGHT - _LEFT) * ladder.columns.index(column) / last


def _legend(ladder: Ladder) -> Iterator[str]:
    yield text(20, 26, ladder.start_text, weight=700)
    yield _arrow(176, 21, 226, 21, ACCENT) + text(236, 26, "asks for a change")
    yield _arrow(406, 21, 456, 21, MUTED) + text(466, 26, "a watch tells of one")
    if any(message.lost for message in ladder.messages):
        yield line(656, 21, 696, 21, stroke=_LOST_INK, stroke_width=2.5, dashed=True)
        yield cross(702, 21, 5, _LOST_INK) + text(716, 26, "lost")


def _columns(ladder: Ladder, bottom: float) -> Iterator[str]:
    room = (_RIGHT - _LEFT) / max(len(ladder.columns) - 1, 1) - 12
    width = min(room, 168.0)
    for column in ladder.columns:
        x = _x(ladder, column)
        yield line(x, _HEAD_Y + 44, x, bottom, stroke=LINE)
        yield box(x - width / 2, _HEAD_Y, width, 44, fill=PAPER, stroke=LINE, radius=8)
        words = _two_lines(column, width - 8)
        top = _HEAD_Y + (27 if len(words) == 1 else 19)
        for index, word in enumerate(words):
            shown = clipped(word, 15, width - 6, face="bold")
            yield text(x, top + 17 * index, shown, size=15, weight=700, anchor="middle")


def _two_lines(name: str, room: float) -> tuple[str, ...]:
    """Return the name, broken at its last space or hyphen if one line is too narrow for it."""
    if width_of(name, 15, face="bold") <= room:
        return (name,)
    for sign in (" ", "-"):
        first, found, second = name.rpartition(sign)
        if found:
            return (first + found.strip(), second)
    return (name,)


def _message(ladder: Ladder, message: Message, row: int) -> str:
    x1, x2, y = _x(ladder, message.source), _x(ladder, message.target), _y(row)
    ink = ACCENT if message.name == "request" else MUTED
    if message.lost:
        ink = _LOST_INK
        end = x1 + (x2 - x1) * 0.62
        drop = y + _FALL * 0.62
        drawn = line(x1, y, end, drop, stroke=ink, stroke_width=2.5, dashed=True)
        drawn += cross(end, drop, 6, ink)
    else:
        drawn = _arrow(x1, y, x2, y + _FALL, ink)
    told = message.label + (": lost" if message.lost else "")
    shown = clipped(told, _LABEL, max(abs(x2 - x1) - 24, _NARROWEST_LABEL))
    width, middle = width_of(shown, _LABEL), (x1 + x2) / 2
    strip = box(middle - width / 2, y - 17, width, 17, fill=PAPER, radius=0)  # hides the columns
    label_ink = ink if message.lost else INK
    label = text(middle, y - 3, shown, size=_LABEL, anchor="middle", ink=label_ink)
    return group(strip + drawn + label, title=_told(message))


def _arrow(x1: float, y1: float, x2: float, y2: float, ink: str) -> str:
    ahead = 1 if x2 >= x1 else -1
    shaft = line(x1, y1, x2 - 8 * ahead, y2 - (y2 > y1), stroke=ink, stroke_width=2.5)
    head = f"M{number(x2)} {number(y2)}l{-11 * ahead} -7l0 12Z"
    return shaft + path(head, fill=ink)


def _told_time(ladder: Ladder, message: Message) -> str:
    return f"+{message.time - ladder.messages[0].time:.3f} s"


def _told(message: Message) -> str:
    detail = f" {message.detail}" if message.detail else ""
    lost = ", lost on the way" if message.lost else ""
    return f"{message.source} to {message.target}: {message.label}{detail}{lost}"


def _words(ladder: Ladder) -> list[str]:
    lines = [f"{_told_time(ladder, message):>10}  {_told(message)}" for message in ladder.messages]
    if ladder.left_out:
        lines.append(f"            and {ladder.left_out} more")
    return lines or ["nobody told anybody anything"]
