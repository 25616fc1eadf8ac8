"""Two histories in one drawing: the same figures of both, and the moment at which they part.

One history is a solid line, the other a dashed one; a panel for each figure, on one time axis.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from gitops_sim.viz.palette import ACCENT, INK, LINE, MUTED, SYNC_STATES
from gitops_sim.viz.picture import Picture
from gitops_sim.viz.svg import clipped, document, group, line, number, path, text

__all__ = ["Overlay", "OverlayPanel", "draw_overlay"]

_WIDTH = 1120
_LEFT, _RIGHT = 190, 1090
_HEAD, _PANEL, _PLOT, _FOOT = 142, 128, 84, 40
_INKS = (ACCENT, SYNC_STATES["OutOfSync"].ink)

_Steps = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class OverlayPanel:
    """One figure of two histories.

    Attributes:
        title: What is drawn, such as `objects that differ`.
        series: Of both: (seconds since the epoch, value from then on), oldest first.
        unit: Behind a value, such as ` %`.
    """

    title: str
    series: tuple[_Steps, _Steps]
    unit: str = ""

    @property
    def parts_at(self) -> float | None:
        """The first moment at which the figures differ; None: they never do."""
        times = sorted({time for steps in self.series for time, _ in steps})
        one, two = self.series
        return next((t for t in times if _value_at(one, t) != _value_at(two, t)), None)


@dataclass(frozen=True, slots=True)
class Overlay:
    """What the picture needs.

    `names` say which history is which; `parting` is when they part (seconds since the epoch), and
    `words` tell it in up to three lines; `start` and `end` bound the time axis;
    `clock_texts` name both ends for people.
    """

    names: tuple[str, str]
    panels: tuple[OverlayPanel, ...]
    parting: float | None
    words: tuple[str, ...]
    start: float
    end: float
    clock_texts: tuple[str, str]

    def x(self, time: float) -> float:
        """Return where a moment stands on the time axis."""
        span = max(self.end - self.start, 1e-9)
        return _LEFT + (_RIGHT - _LEFT) * (time - self.start) / span


def draw_overlay(overlay: Overlay) -> Picture:
    """Draw both histories; the words list where each figure changes in either."""
    height = _HEAD + _PANEL * len(overlay.panels) + _FOOT
    content = "".join(
        (
            *_legend(overlay),
            *_parting(overlay, height - _FOOT),
            *(_panel(overlay, p, _HEAD + n * _PANEL) for n, p in enumerate(overlay.panels)),
            text(_LEFT, height - 14, overlay.clock_texts[0], ink=MUTED),
            text(_RIGHT, height - 14, overlay.clock_texts[1], ink=MUTED, anchor="end"),
        )
    )
    svg = document(content, width=_WIDTH, height=height, label=" ".join(overlay.words))
    return Picture(svg, _told(overlay))


def _value_at(steps: Sequence[tuple[float, float]], time: float) -> float:
    value = 0.0
    for at, level in steps:
        if at > time:
            break
        value = level
    return value


def _legend(overlay: Overlay) -> list[str]:
    drawn = [
        text(20, 58 + 22 * row, clipped(words, 16, _RIGHT - 20))
        for row, words in enumerate(overlay.words)
    ]
    x = 20.0
    for name, ink, dashed in zip(overlay.names, _INKS, (False, True), strict=True):
        shown = clipped(name, 16, 440)
        drawn.append(line(x, 24, x + 44, 24, stroke=ink, stroke_width=3, dashed=dashed))
        drawn.append(text(x + 54, 30, shown, weight=700))
        x += 54 + len(shown) * 11 + 40
    return drawn


def _parting(overlay: Overlay, bottom: float) -> list[str]:
    if overlay.parting is None or overlay.parting < overlay.start:
        return []
    x = overlay.x(overlay.parting)
    side = "end" if x > (_LEFT + _RIGHT) / 2 else "start"
    label = text(
        x + (-6 if side == "end" else 6), _HEAD - 6, "here they part", size=15, anchor=side
    )
    return [line(x, _HEAD - 16, x, bottom, stroke=INK, dashed=True), label]


def _panel(overlay: Overlay, panel: OverlayPanel, top: float) -> str:
    bottom = top + 14 + _PLOT
    most = max((value for steps in panel.series for _, value in steps), default=0.0)
    drawn = [
        line(_LEFT, bottom, _RIGHT, bottom, stroke=LINE, stroke_width=2),
        text(_LEFT - 10, bottom + 5, f"0{panel.unit}", size=15, ink=MUTED, anchor="end"),
        *(
            text(20, top + 40 + 20 * row, words, size=16, weight=700)
            for row, words in enumerate(_wrapped(panel.title))
        ),
    ]
    if most:
        label = f"{most:g}{panel.unit}"
        drawn.append(text(_LEFT - 10, top + 20, label, size=15, ink=MUTED, anchor="end"))
    for steps, ink, dashed in zip(panel.series, _INKS, (False, True), strict=True):
        points = _line(overlay, steps, bottom, _PLOT / most if most else 0.0)
        drawn.append(path(points, stroke=ink, stroke_width=3, dashed=dashed))
    return group("".join(drawn), title=_panel_words(overlay, panel))


def _wrapped(title: str) -> list[str]:
    """Return a title in lines of about a dozen letters."""
    lines = [""]
    for word in title.split():
        if lines[-1] and len(lines[-1]) + len(word) > 11:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _line(
    overlay: Overlay, steps: Sequence[tuple[float, float]], bottom: float, scale: float
) -> str:
    d = f"M{number(_LEFT)} {number(bottom)}"
    ends = [*steps, (overlay.end, 0.0)]
    for (time, value), (until, _) in itertools.pairwise(ends):
        d += f"H{number(overlay.x(max(time, overlay.start)))}V{number(bottom - value * scale)}"
        d += f"H{number(overlay.x(until))}"
    return d if steps else f"{d}H{number(_RIGHT)}"


def _panel_words(overlay: Overlay, panel: OverlayPanel) -> str:
    at = panel.parts_at
    if at is None:
        return f"{panel.title}: the same in both"
    return f"{panel.title}: not the same from +{at - overlay.start:.1f}s on"


def _told(overlay: Overlay) -> str:
    between = f"{overlay.clock_texts[0]} to {overlay.clock_texts[1]}"
    lines = [f"{overlay.names[0]} and {overlay.names[1]}, {between}", *overlay.words]
    for panel in overlay.panels:
        lines.append(_panel_words(overlay, panel))
        if panel.parts_at is None:
            continue
        one, two = panel.series
        for time in sorted({time for steps in panel.series for time, _ in steps}):
            left, right = _value_at(one, time), _value_at(two, time)
            values = f"{left:g}{panel.unit} | {right:g}{panel.unit}"
            lines.append(f"  +{time - overlay.start:7.1f}s  {values}")
    return "\n".join(lines)
