"""What users saw: the versions that answered them, what failed, and what is left of the budget.

The band is all requests: each version has its part of it, what failed lies on top. Outages are
framed with their length. The line below is the error budget: it falls while requests fail.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitops_sim.viz.palette import INK, LINE, MUTED, SYNC_STATES, VERSION_LOOKS
from gitops_sim.viz.picture import Picture
from gitops_sim.viz.svg import box, clipped, document, group, line, number, path, text, width_of

__all__ = ["OutageSpan", "UsersChart", "UsersStep", "draw_users"]

_WIDTH, _HEIGHT = 1120, 400
_LEFT, _RIGHT = 120, 1090
_TOP, _BOTTOM = 74, 244
_FULL_Y, _EMPTY_Y = 276, 346
_FAILED = "failed"
_FAILED_LOOK = (SYNC_STATES["Drifted"].tint, SYNC_STATES["Drifted"].ink)


@dataclass(frozen=True, slots=True)
class UsersStep:
    """What users got from `time` on (seconds since the epoch).

    Attributes:
        time: When it began.
        parts: Versions and the part of all requests that each answered, 0 to 1.
        failed: The part that failed.
        latency: Mean time of an answer, in seconds.
        problem: Why everything failed, if it did.
    """

    time: float
    parts: tuple[tuple[str, float], ...]
    failed: float
    latency: float = 0.0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class OutageSpan:
    """An outage, in seconds since the epoch, and in words: `outage 45s`."""

    start: float
    end: float
    words: str


@dataclass(frozen=True, slots=True)
class UsersChart:
    """What the picture needs.

    `steps` are oldest first; `budget` is (seconds, part of the error budget that is left);
    `summary` says the whole in a line; `start` and `end` bound the time axis; `clock_texts` name
    both ends for people.
    """

    route: str
    steps: tuple[UsersStep, ...]
    budget: tuple[tuple[float, float], ...]
    outages: tuple[OutageSpan, ...]
    summary: str
    start: float
    end: float
    clock_texts: tuple[str, str]

    @property
    def versions(self) -> list[str]:
        """Versions in the order in which users first saw them."""
        return list({name: None for step in self.steps for name, _ in step.parts})

    def x(self, time: float) -> float:
        """Return where a moment stands on the time axis."""
        span = max(self.end - self.start, 1e-9)
        return _LEFT + (_RIGHT - _LEFT) * (time - self.start) / span


def draw_users(chart: UsersChart) -> Picture:
    """Draw what users saw; the words list the same steps, outages and the budget."""
    content = "".join((*_axes(chart), *_bands(chart), *_outages(chart), *_budget(chart)))
    label = f"What users of {chart.route} saw: {chart.summary}"
    svg = document(content, width=_WIDTH, height=_HEIGHT, label=label)
    return Picture(svg, _words(chart))


def _axes(chart: UsersChart) -> list[str]:
    name = clipped(chart.route, 18, _RIGHT - _LEFT, face="bold")
    return [
        text(_LEFT, 34, name, size=18, weight=700),
        text(20, (_TOP + _BOTTOM) / 2, "users", size=18, weight=700),
        text(20, (_TOP + _BOTTOM) / 2 + 22, "see", size=18, weight=700),
        text(20, _FULL_Y + 18, "error", size=18, weight=700),
        text(20, _FULL_Y + 40, "budget", size=18, weight=700),
        line(_LEFT, _TOP, _RIGHT, _TOP, stroke=LINE),
        line(_LEFT, _BOTTOM, _RIGHT, _BOTTOM, stroke=LINE, stroke_width=2),
        text(_LEFT - 8, _TOP + 5, "100 %", size=13, ink=MUTED, anchor="end"),
        text(_LEFT - 8, _BOTTOM + 5, "0 %", size=13, ink=MUTED, anchor="end"),
        line(_LEFT, _EMPTY_Y, _RIGHT, _EMPTY_Y, stroke=LINE, stroke_width=2),
        line(_LEFT, _FULL_Y, _RIGHT, _FULL_Y, stroke=LINE, dashed=True),
        text(_LEFT, _HEIGHT - 16, chart.clock_texts[0], ink=MUTED),
        text(_RIGHT, _HEIGHT - 16, chart.clock_texts[1], ink=MUTED, anchor="end"),
        text((_LEFT + _RIGHT) / 2, _HEIGHT - 16, chart.summary, size=15, anchor="middle"),
    ]


def _bands(chart: UsersChart) -> list[str]:
    """Return the stacked parts, from the bottom up, what failed last."""
    drawn = []
    if not chart.steps:
        return [text(_LEFT + 8, _BOTTOM - 10, "nobody was ever answered", size=15, ink=MUTED)]
    looks = dict(zip(chart.versions, itertools.cycle(VERSION_LOOKS), strict=False))
    below = [0.0] * len(chart.steps)
    for name, (tint, ink) in [*looks.items(), (_FAILED, _FAILED_LOOK)]:
        parts = [_part(step, name) for step in chart.steps]
        heights = (below, parts)
        drawn += [_band(chart, (name, tint, ink), run, heights) for run in _runs(parts)]
        below = [low + part for low, part in zip(below, parts, strict=True)]
    return drawn


def _part(step: UsersStep, name: str) -> float:
    return step.failed if name == _FAILED else dict(step.parts).get(name, 0.0)


def _runs(parts: Sequence[float]) -> Iterator[range]:
    """Yield the ranges of steps in which there is something of it."""
    for there, places in itertools.groupby(range(len(parts)), key=lambda place: parts[place] > 0):
        if there:
            found = list(places)
            yield range(found[0], found[-1] + 1)


def _band(
    chart: UsersChart,
    look: tuple[str, str, str],
    run: range,
    heights: tuple[Sequence[float], Sequence[float]],
) -> str:
    name, tint, ink = look
    below, parts = heights
    times = [step.time for step in chart.steps] + [chart.end]
    over = under = ""
    for place in run:
        top, bottom = _y(below[place] + parts[place]), _y(below[place])
        left, right = number(chart.x(times[place])), number(chart.x(times[place + 1]))
        over += f"{'L' if over else 'M'}{left} {number(top)}H{right}"
        under = f"L{right} {number(bottom)}H{left}{under}"
    drawn = path(f"{over}{under}Z", fill=tint, stroke=ink, stroke_width=1.4)
    widest = max(run, key=lambda place: (times[place + 1] - times[place]) * parts[place])
    room = chart.x(times[widest + 1]) - chart.x(times[widest])
    if parts[widest] * (_BOTTOM - _TOP) > 18 and room > width_of(name, 14):
        middle = (chart.x(times[widest]) + chart.x(times[widest + 1])) / 2
        y = _y(below[widest] + parts[widest] / 2) + 5
        drawn += text(middle, y, name, size=14, ink=ink, anchor="middle", weight=700)
    seconds = times[run[-1] + 1] - times[run[0]]
    return group(drawn, title=f"{name}: from +{times[run[0]] - chart.start:.0f}s, {seconds:.0f}s")


def _y(part: float) -> float:
    return _BOTTOM - part * (_BOTTOM - _TOP)


def _outages(chart: UsersChart) -> list[str]:
    drawn, free = [], 0.0
    tint, ink = _FAILED_LOOK
    for outage in chart.outages:
        left, right = chart.x(outage.start), max(chart.x(outage.end), chart.x(outage.start) + 3)
        frame = box(left, _TOP - 8, right - left, _EMPTY_Y - _TOP + 8, stroke=ink, dashed=True)
        below = box(left, _BOTTOM, right - left, _EMPTY_Y - _BOTTOM, fill=tint, radius=0)
        shown = ""
        width = width_of(outage.words, 13)
        x = min(left, _RIGHT - width)
        if x >= free:
            shown = text(x, _TOP - 14, outage.words, size=13, ink=ink, weight=700)
            free = x + width + 12
        drawn.append(group(below + frame + shown, title=outage.words))
    return drawn


def _budget(chart: UsersChart) -> list[str]:
    if not chart.budget:
        return []
    points = [(chart.x(time), _budget_y(left)) for time, left in _down_to_nothing(chart.budget)]
    d = "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points)
    left = chart.budget[-1][1]
    words = f"{left:.0%} left" if left > 0 else f"spent {1 - left:.1f} times"
    ink = INK if left > 0 else _FAILED_LOOK[1]
    y = _budget_y(left)
    y = y + 20 if y < _EMPTY_Y - 30 else y - 8
    return [
        path(d, stroke=INK, stroke_width=2.4),
        text(_RIGHT - 4, y, words, size=14, ink=ink, anchor="end", weight=700),
    ]


def _budget_y(left: float) -> float:
    return _EMPTY_Y - max(left, 0.0) * (_EMPTY_Y - _FULL_Y)


def _down_to_nothing(budget: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Yield the points, with one more where nothing is left."""
    yield budget[0]
    for (start, before), (end, after) in itertools.pairwise(budget):
        if before > 0 > after:
            yield start + (end - start) * before / (before - after), 0.0
        yield end, after


def _words(chart: UsersChart) -> str:
    between = f"{chart.clock_texts[0]} to {chart.clock_texts[1]}"
    lines = [f"{chart.route}, {between}: {chart.summary}"]
    told = [(step.time, _step_words(step)) for step in chart.steps]
    events = [next(same) for _, same in itertools.groupby(told, key=lambda event: event[1])]
    events += [(outage.start, outage.words) for outage in chart.outages]
    for time, words in sorted(events, key=lambda event: event[0]):
        lines.append(f"  +{time - chart.start:7.1f}s  {words}")
    return "\n".join(lines)


def _step_words(step: UsersStep) -> str:
    shares = [f"{name} {part:.0%}" for name, part in step.parts]
    if step.failed:
        reason = f" ({step.problem})" if step.problem else ""
        shares.append(f"{_FAILED} {step.failed:.0%}{reason}")
    answered = f" in {step.latency * 1000:.0f} ms" if step.parts else ""
    return ", ".join(shares) + answered
