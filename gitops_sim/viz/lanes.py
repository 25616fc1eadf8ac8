"""Two lanes and the gap: what Git says, what the cluster does, and how far they are apart.

The upper lane has the commits, the lower one what was applied and what was changed by hand; the
band between is as high as the number of objects that differ. Its area is the drift exposure.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal, TypeAlias

from gitops_sim.viz.glyphs import cross, diamond, triangle
from gitops_sim.viz.palette import ACCENT, INK, LINE, MUTED, SYNC_STATES
from gitops_sim.viz.picture import Picture
from gitops_sim.viz.svg import clipped, document, group, line, number, path, text, width_of

__all__ = ["LaneMark", "Lanes", "draw_lanes"]

MarkName: TypeAlias = Literal["commit", "applied", "by hand"]

_WIDTH, _HEIGHT = 1120, 330
_LEFT, _RIGHT = 120, 1090
_GIT_Y, _BAND_Y, _CLUSTER_Y = 70, 190, 252
_BAND_HEIGHT = 84


@dataclass(frozen=True, slots=True)
class LaneMark:
    """Something that happened at `time` (seconds since the epoch): a commit, an apply, an edit."""

    time: float
    name: MarkName
    label: str


@dataclass(frozen=True, slots=True)
class Lanes:
    """What the picture needs.

    `gap` is a step function: (seconds, number of objects that differ from then on), oldest first;
    `start` and `end` bound the time axis; `clock_texts` name both ends for people.
    """

    marks: tuple[LaneMark, ...]
    gap: tuple[tuple[float, int], ...]
    start: float
    end: float
    clock_texts: tuple[str, str]

    @property
    def exposure(self) -> float:
        """The area of the band: object-seconds in which an object differed."""
        steps = [*self.gap, (self.end, 0)]
        return sum(
            count * (min(until, self.end) - time)
            for (time, count), (until, _) in itertools.pairwise(steps)
        )


def draw_lanes(lanes: Lanes) -> Picture:
    """Draw the lanes and the gap; the words list the same marks and the exposure."""
    content = "".join((*_axes(lanes), _band(lanes), *_marks(lanes)))
    label = f"Two lanes and the gap: {_exposure_text(lanes)}"
    svg = document(content, width=_WIDTH, height=_HEIGHT, label=label)
    return Picture(svg, _words(lanes))


def _x(lanes: Lanes, time: float) -> float:
    span = max(lanes.end - lanes.start, 1e-9)
    return _LEFT + (_RIGHT - _LEFT) * (time - lanes.start) / span


def _axes(lanes: Lanes) -> list[str]:
    return [
        text(20, _GIT_Y + 6, "Git", size=18, weight=700),
        text(20, _CLUSTER_Y + 6, "cluster", size=18, weight=700),
        text(20, _BAND_Y - 18, "gap", size=18, weight=700, ink=SYNC_STATES["OutOfSync"].ink),
        line(_LEFT, _GIT_Y, _RIGHT, _GIT_Y, stroke=LINE, stroke_width=2),
        line(_LEFT, _CLUSTER_Y, _RIGHT, _CLUSTER_Y, stroke=LINE, stroke_width=2),
        line(_LEFT, _BAND_Y, _RIGHT, _BAND_Y, stroke=LINE),
        text(_LEFT, _HEIGHT - 14, lanes.clock_texts[0], ink=MUTED),
        text(_RIGHT, _HEIGHT - 14, lanes.clock_texts[1], ink=MUTED, anchor="end"),
        text((_LEFT + _RIGHT) / 2, _HEIGHT - 14, _exposure_text(lanes), anchor="middle"),
        diamond(_LEFT + 8, 22, 8, INK),
        text(_LEFT + 24, 28, "commit"),
        triangle(_LEFT + 118, 22, 8, ACCENT),
        text(_LEFT + 134, 28, "applied"),
        cross(_LEFT + 228, 22, 6, SYNC_STATES["Drifted"].ink),
        text(_LEFT + 244, 28, "changed by hand"),
    ]


def _band(lanes: Lanes) -> str:
    most = max((count for _, count in lanes.gap), default=0)
    if not most:
        return text(_LEFT + 8, _BAND_Y - 10, "no object differs", ink=MUTED)
    height = _BAND_HEIGHT / most
    d = f"M{number(_x(lanes, lanes.gap[0][0]))} {_BAND_Y}"
    labels = []
    steps = [*lanes.gap, (lanes.end, 0)]
    for (time, count), (until, _) in itertools.pairwise(steps):
        top = _BAND_Y - count * height
        left, right = _x(lanes, time), _x(lanes, until)
        d += f"V{number(top)}H{number(right)}"
        if count and right - left >= 10 * len(str(count)):
            middle = (left + right) / 2
            y = top + 18 if count * height > 24 else top - 5
            labels.append(text(middle, y, str(count), size=15, ink=MUTED, anchor="middle"))
    look = SYNC_STATES["OutOfSync"]
    band = path(d + f"V{_BAND_Y}Z", fill=look.tint, stroke=look.ink, stroke_width=2)
    return band + "".join(labels)


def _marks(lanes: Lanes) -> list[str]:
    drawn = []
    free = {"commit": 0.0, "applied": 0.0, "by hand": 0.0}
    for place, mark in enumerate(lanes.marks):
        x = _x(lanes, mark.time)
        later = (_x(lanes, m.time) for m in lanes.marks[place + 1 :] if m.name == mark.name)
        least = width_of("4f2a9c1…", 15)  # a mark that is nearer than this has no label of its own
        room = next((other - x for other in later if other - x >= least), _WIDTH)
        if mark.name == "commit":
            sign, y = diamond(x, _GIT_Y, 10, INK), _GIT_Y + 26.0
        elif mark.name == "applied":
            sign, y = triangle(x, _CLUSTER_Y, 10, ACCENT), _CLUSTER_Y + 28.0
        else:
            sign, y = cross(x, _CLUSTER_Y, 8, SYNC_STATES["Drifted"].ink), _CLUSTER_Y - 16.0
        label = ""
        if x >= free[mark.name] and x < _RIGHT - 20:
            shown = clipped(mark.label, 15, min(280, _RIGHT - x + 12, room))
            label = text(x - 4, y, shown, size=15, ink=MUTED)
            free[mark.name] = x + width_of(shown, 15)
        drawn.append(group(sign + label, title=f"{mark.name}: {mark.label}"))
    return drawn


def _exposure_text(lanes: Lanes) -> str:
    return f"drift exposure {lanes.exposure / 60:.1f} object-minutes"


def _words(lanes: Lanes) -> str:
    lines = [f"{lanes.clock_texts[0]} to {lanes.clock_texts[1]}: {_exposure_text(lanes)}"]
    events = [(mark.time, f"{mark.name:8} {mark.label}") for mark in lanes.marks]
    events += [(time, f"gap      {count} objects differ") for time, count in lanes.gap]
    for time, told in sorted(events, key=lambda event: event[0]):
        lines.append(f"  +{time - lanes.start:7.1f}s  {told}")
    return "\n".join(lines)
