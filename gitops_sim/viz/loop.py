"""The reconcile loop of one agent: watch, compare, apply, come back, with what each did last."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_sim.viz.palette import ACCENT, INK, LINE, MUTED, PAPER
from gitops_sim.viz.picture import Picture
from gitops_sim.viz.svg import box, clipped, document, group, number, path, text, width_of

__all__ = ["LoopStage", "ReconcileLoop", "draw_loop"]

_WIDTH, _HEIGHT = 1120, 292
_BOX_WIDTH, _BOX_HEIGHT, _GAP = 246, 128, 32


@dataclass(frozen=True, slots=True)
class LoopStage:
    """One station of the loop: what it does, and in one or two lines what it did last."""

    name: str
    last: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ReconcileLoop:
    """A loop: its agent, four stations in order, which one acted last, how often it went round.

    `back` says when and why it starts again, such as `again in 52s, or when Git changes`.
    """

    agent: str
    stages: tuple[LoopStage, LoopStage, LoopStage, LoopStage]
    active: int
    rounds: int
    back: str


def _times(rounds: int) -> str:
    return f"{rounds} {'round' if rounds == 1 else 'rounds'}"


def draw_loop(loop: ReconcileLoop) -> Picture:
    """Draw the four stations left to right, with the way back below them."""
    parts = [
        text(20, 36, loop.agent, size=20, weight=700),
        text(1100, 36, _times(loop.rounds), size=16, ink=MUTED, anchor="end"),
    ]
    for index, stage in enumerate(loop.stages):
        parts.append(_station(stage, index, active=index == loop.active))
        if index:
            x = _x(index) - _GAP
            parts.append(_arrow(f"M{number(x + 4)} 132H{number(x + 22)}", x + 29, 132))
    back = "M977 202V256H143V214"
    parts.append(path(back, stroke=INK, stroke_width=2.5))
    parts.append(path("M143 202l-7 14h14Z", fill=INK))
    parts.append(box(370, 240, 380, 34, fill=PAPER, stroke=LINE, radius=17))
    parts.append(text(560, 262, clipped(loop.back, 16, 364), anchor="middle"))
    words = [f"{loop.agent}: {_times(loop.rounds)}; {loop.back}"]
    for index, stage in enumerate(loop.stages):
        mark = ">" if index == loop.active else " "
        detail = f" ({stage.detail})" if stage.detail else ""
        words.append(f"{mark} {stage.name:8} {stage.last}{detail}")
    label = "Reconcile loop of " + "; ".join(words)
    svg = document("".join(parts), width=_WIDTH, height=_HEIGHT, label=label)
    return Picture(svg, "\n".join(words))


def _station(stage: LoopStage, index: int, *, active: bool) -> str:
    x = _x(index)
    frame = box(
        x,
        68,
        _BOX_WIDTH,
        _BOX_HEIGHT,
        fill="#DDF4FF" if active else PAPER,
        stroke=ACCENT if active else LINE,
        stroke_width=2.5 if active else 1.2,
        radius=10,
    )
    lines = (
        text(x + 14, 96, f"{index + 1}  {stage.name}", size=18, weight=700),
        text(x + 14, 126, clipped(stage.last, 16, _BOX_WIDTH - 22)),
        *(
            text(x + 14, 152 + 20 * row, clipped(words, 15, _BOX_WIDTH - 22), size=15, ink=MUTED)
            for row, words in enumerate(_two_lines(stage.detail))
        ),
    )
    return group(frame + "".join(lines), title=f"{stage.name}: {stage.last}")


def _arrow(d: str, x: float, y: float) -> str:
    head = f"M{number(x)} {number(y)}l-12 -7v14Z"
    return path(d, stroke=INK, stroke_width=2.5) + path(head, fill=INK)


def _x(index: int) -> float:
    return 20 + index * (_BOX_WIDTH + _GAP)


def _two_lines(words: str) -> list[str]:
    """Return the words in one line, or in two where one is too narrow for them."""
    first = second = ""
    for word in words.split():
        longer = f"{first} {word}".strip()
        if second or width_of(longer, 15) > _BOX_WIDTH - 22:
            second = f"{second} {word}".strip()
        else:
            first = longer
    return [line for line in (first, second) if line]
