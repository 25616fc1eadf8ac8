"""A history of boards as one self-contained piece of HTML: the still picture and its player.

Python draws each distinct state of a row once; a few lines of JavaScript swap what changed. A
saved notebook plays without a kernel; where scripts are not trusted, the still picture stays.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from gitops_sim.types import ResourceKey
from gitops_sim.viz.board import (
    HEADER_HEIGHT,
    ROW_HEIGHT,
    WIDTH,
    Board,
    BoardRow,
    board_label,
    board_text,
    draw_board,
    draw_header,
    draw_row,
)
from gitops_sim.viz.palette import SANS
from gitops_sim.viz.picture import STILL, Picture

__all__ = ["Frame", "play"]


@dataclass(frozen=True, slots=True)
class Frame:
    """The board at one moment; `time` is what the player writes beside the slider."""

    time: str
    board: Board


def play(frames: Sequence[Frame]) -> Picture:
    """Return the history as a picture that plays; it rests on the last frame.

    Rows keep their place over the whole history: an object that came later leaves its row empty
    before. Frames that look like the one before are left out.

    Args:
        frames: Oldest first, at least one.
    """
    if not frames:
        raise ValueError("a history needs at least one frame")
    moments = _without_repeats(frames)
    keys = _rows_of(moments)
    last = moments[-1].board
    player = STILL if len(moments) == 1 else _player(moments, keys)
    words = board_text(last)
    if len(moments) > 1:
        words += f"\n(the last of {len(moments)} moments, from {moments[0].time})"
    return Picture(draw_board(last), words, player=player)


def _without_repeats(frames: Sequence[Frame]) -> list[Frame]:
    kept = [frames[0]]
    for frame in frames[1:]:
        if frame.board.rows == kept[-1].board.rows and (
            frame.board.desired_heading == kept[-1].board.desired_heading
        ):
            continue
        kept.append(frame)
    if frames[-1].board != kept[-1].board:
        kept.append(frames[-1])
    return kept


def _rows_of(frames: Sequence[Frame]) -> list[ResourceKey]:
    keys = [row.key for row in frames[-1].board.rows]
    known = set(keys)
    for frame in reversed(frames):
        gone = [row.key for row in frame.board.rows if row.key not in known]
        known.update(gone)
        keys.extend(gone)
    return keys


def _player(frames: Sequence[Frame], keys: Sequence[ResourceKey]) -> str:
    fragments: dict[str, int] = {"": 0}
    drawn: dict[BoardRow, int] = {}

    def number_of(row: BoardRow | None) -> int:
        if row is None:
            return 0
        if row not in drawn:
            drawn[row] = fragments.setdefault(draw_row(row), len(fragments))
        return drawn[row]

    header = _states(
        [fragments.setdefault(draw_header(frame.board), len(fragments)) for frame in frames]
    )
    by_key = [{row.key: row for row in frame.board.rows} for frame in frames]
    parts: list[dict[str, Any]] = [{"y": 0, "states": header}]
    for index, key in enumerate(keys):
        states = _states([number_of(rows.get(key)) for rows in by_key])
        parts.append({"y": HEADER_HEIGHT + ROW_HEIGHT * index, "states": states})
    history = {
        "width": WIDTH,
        "height": HEADER_HEIGHT + ROW_HEIGHT * len(keys) + 12,
        "font": SANS,
        "times": [frame.time for frame in frames],
        "labels": [board_label(frame.board) for frame in frames],
        "parts": parts,
        "fragments": list(fragments),
    }
    text = json.dumps(history, separators=(",", ":"), ensure_ascii=False)
    return _page(text, len(frames) - 1)


def _states(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Return (frame, fragment) where the fragment changes."""
    return [
        (frame, fragment)
        for frame, fragment in enumerate(numbers)
        if frame == 0 or fragment != numbers[frame - 1]
    ]


@cache
def _script_source() -> str:
    return files("gitops_sim.viz").joinpath("player.js").read_text(encoding="utf-8")


def _page(history: str, last: int) -> str:
    # mtime=0: equal histories are equal bytes.
    packed = base64.b64encode(gzip.compress(history.encode(), 9, mtime=0)).decode()
    name = "gs-" + hashlib.sha256(packed.encode()).hexdigest()[:12]
    # JupyterLab takes arrow keys from a focused slider unless the control itself says no.
    controls = (
        '<div class="gs-bar" style="display:none;gap:8px;align-items:center;'
        'font:16px sans-serif;padding:6px 0;max-width:1120px">'
        '<button type="button" aria-label="one step back">back</button>'
        '<button type="button" aria-label="play or pause">play</button>'
        '<button type="button" aria-label="one step on">next</button>'
        f'<input type="range" min="0" max="{last}" value="{last}" aria-label="moment" '
        'data-lm-suppress-shortcuts="true" style="flex:1"><output></output></div>'
    )
    start = (
        f"document.querySelectorAll('.gs-player[data-gs=\"{name}\"]:not([data-on])')"
        f".forEach((root) => {{ root.dataset.on = 1; ({_script_source().strip()})(root); }});"
    )
    return (
        f'<div class="gs-player" data-gs="{name}">{STILL}{controls}'
        f'<script type="application/x-gs-history">{packed}</script></div>'
        f"<script>{start}</script>"
    )
