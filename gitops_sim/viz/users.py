"""What users saw: the versions that answered them, what failed, and what is left of the budget.

The band is all requests: each version has its part of it, what failed lies on top. Outages are
framed with their length. The lane below says which version was rolled out, and whether that came to
its end. The line at the bottom is the error budget: it falls while requests fail.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitops_sim.viz.palette import INK, LINE, MUTED, PAPER, SYNC_STATES, VERSION_LOOKS
from gitops_sim.viz.picture import Picture
from gitops_sim.viz.svg import box, clipped, document, group, line, number, path, text, width_of

__all__ = ["OutageSpan", "RolloutSpan", "UsersChart", "UsersStep", "draw_users"]

_WIDTH, _HEIGHT = 1120, 400
_LEFT, _RIGHT = 120, 1090
_TOP, _BOTTOM = 74, 244
_FULL_Y, _EMPTY_Y = 276, 346
_LANE_Y, _LANE_HEIGHT, _LANE_ROOM = 264, 34, 52
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
class RolloutSpan:
    """A version that was wanted from `start` to `end`; times in seconds since the epoch.

    Attributes:
        start: When its roll-out began.
        end: When another version was wanted, or the picture ends.
        version: What was rolled out.
        done: When all pods ran it; None: they never did.
        stuck: When it hung for longer than its deadline; None: it did not.
    """

    start: float
    end: float
    version: str
    done: float | None = None
    stuck: float | None = None

    @property
    def words(self) -> str:
        """How it went, in words."""
        if self.done is not None:
            return f"{self.version}: rolled out in {self.done - self.start:.0f}s"
        if self.stuck is not None:
            return f"{self.version}: stuck, never rolled out"
        return f"{self.version}: not rolled out by then"


@dataclass(frozen=True, slots=True)
class UsersChart:
    """What the picture needs.

    `steps` are oldest first; `budget` is (seconds, part of the error budget that is left);
    `summary` says the whole in a line; `start` and `end` bound the time axis; `clock_texts` name
    both ends for people; `rollouts` are oldest first, and may be none.
    """

    route: str
    steps: tuple[UsersStep, ...]
    budget: tuple[tuple[float, float], ...]
    outages: tuple[OutageSpan, ...]
    summary: str
    start: float
    end: float
    clock_texts: tuple[str, str]
    rollouts: tuple[RolloutSpan, ...] = ()

    @property
    def looks(self) -> dict[str, tuple[str, str]]:
        """Tint and ink of each version: in the order in which users saw them, then the others."""
        names = [name for step in self.steps for name, _ in step.parts]
        names += [rollout.version for rollout in self.rollouts]
        return dict(zip(dict.fromkeys(names), itertools.cycle(VERSION_LOOKS), strict=False))

    @property
    def lower(self) -> float:
        """How far the budget is moved down, for the lane of the roll-outs."""
        return _LANE_ROOM if self.rollouts else 0

    def x(self, time: float) -> float:
        """Return where a moment stands on the time axis."""
        span = max(self.end - self.start, 1e-9)
        return _LEFT + (_RIGHT - _LEFT) * (time - self.start) / span


def draw_users(chart: UsersChart) -> Picture:
    """Draw what users saw; the words list the same steps, outages and the budget."""
    above = "".join((*_axes(chart), *_bands(chart), *_outages(chart), *_lane(chart)))
    below = "".join((*_foot(chart), *_budget(chart)))
    content = above + group(below, y=chart.lower)
    label = f"What users of {chart.route} saw: {chart.summary}"
    svg = document(content, width=_WIDTH, height=_HEIGHT + chart.lower, label=label)
    return Picture(svg, _words(chart))


def _axes(chart: UsersChart) -> list[str]:
    name = clipped(chart.route, 18, _RIGHT - _LEFT, face="bold")
    return [
        text(_LEFT, 34, name, size=18, weight=700),
        text(20, (_TOP + _BOTTOM) / 2, "users", size=18, weight=700),
        text(20, (_TOP + _BOTTOM) / 2 + 22, "see", size=18, weight=700),
        line(_LEFT, _TOP, _RIGHT, _TOP, stroke=LINE),
        line(_LEFT, _BOTTOM, _RIGHT, _BOTTOM, stroke=LINE, stroke_width=2),
        text(_LEFT - 8, _TOP + 5, "100 %", size=15, ink=MUTED, anchor="end"),
        text(_LEFT - 8, _BOTTOM + 5, "0 %", size=15, ink=MUTED, anchor="end"),
    ]


def _foot(chart: UsersChart) -> list[str]:
    return [
        text(20, _FULL_Y + 18, "error", size=18, weight=700),
        text(20, _FULL_Y + 40, "budget", size=18, weight=700),
        line(_LEFT, _EMPTY_Y, _RIGHT, _EMPTY_Y, stroke=LINE, stroke_width=2),
        line(_LEFT, _FULL_Y, _RIGHT, _FULL_Y, stroke=LINE, dashed=True),
        text(_LEFT, _HEIGHT - 16, chart.clock_texts[0], ink=MUTED),
        text(_RIGHT, _HEIGHT - 16, chart.clock_texts[1], ink=MUTED, anchor="end"),
        text((_LEFT + _RIGHT) / 2, _HEIGHT - 16, chart.summary, anchor="middle"),
    ]


def _bands(chart: UsersChart) -> list[str]:
    """Return the stacked parts, from the bottom up, what failed last."""
    drawn = []
    if not chart.steps:
        return [text(_LEFT + 8, _BOTTOM - 10, "nobody was ever answered", size=15, ink=MUTED)]
    below = [0.0] * len(chart.steps)
    for name, (tint, ink) in [*chart.looks.items(), (_FAILED, _FAILED_LOOK)]:
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
    if parts[widest] * (_BOTTOM - _TOP) > 18 and room > width_of(name, 16):
        middle = (chart.x(times[widest]) + chart.x(times[widest + 1])) / 2
        y = _y(below[widest] + parts[widest] / 2) + 5
        drawn += text(middle, y, name, ink=ink, anchor="middle", weight=700)
    seconds = times[run[-1] + 1] - times[run[0]]
    return group(drawn, title=f"{name}: from +{times[run[0]] - chart.start:.0f}s, {seconds:.0f}s")


def _y(part: float) -> float:
    return _BOTTOM - part * (_BOTTOM - _TOP)


def _outages(chart: UsersChart) -> list[str]:
    drawn, free = [], 0.0
    tint, ink = _FAILED_LOOK
    for outage in chart.outages:
        left, right = chart.x(outage.start), max(chart.x(outage.end), chart.x(outage.start) + 3)
        frame = box(
            left, _TOP - 8, right - left, _EMPTY_Y + chart.lower - _TOP + 8, stroke=ink, dashed=True
        )
        below = box(
            left, _BOTTOM, right - left, _EMPTY_Y + chart.lower - _BOTTOM, fill=tint, radius=0
        )
        shown = ""
        width = width_of(outage.words, 15)
        x = min(left, _RIGHT - width)
        if x >= free:
            shown = text(x, _TOP - 14, outage.words, size=15, ink=ink, weight=700)
            free = x + width + 12
        drawn.append(group(below + frame + shown, title=outage.words))
    return drawn


def _lane(chart: UsersChart) -> list[str]:
    if not chart.rollouts:
        return []
    looks = chart.looks
    drawn = [text(20, _LANE_Y + 23, "roll-out", size=18, weight=700)]
    return drawn + [_rollout(chart, rollout, looks[rollout.version]) for rollout in chart.rollouts]


def _rollout(chart: UsersChart, rollout: RolloutSpan, look: tuple[str, str]) -> str:
    """Draw one roll-out: on white while it goes on, tinted once it is done, red once it hangs."""
    is_stuck = rollout.done is None and rollout.stuck is not None
    turn = rollout.stuck if is_stuck else rollout.done
    tint, ink = _FAILED_LOOK if is_stuck else look
    left, right = chart.x(rollout.start), chart.x(rollout.end)
    middle = right if turn is None else chart.x(turn)
    drawn = box(left, _LANE_Y, middle - left, _LANE_HEIGHT, fill=PAPER, stroke=ink, dashed=True)
    drawn += box(middle, _LANE_Y, right - middle, _LANE_HEIGHT, fill=tint, stroke=ink, radius=2)
    going, after = (rollout.version, "stuck") if is_stuck else ("", rollout.version)
    if turn is None:
        going = rollout.version
    for words, start, end in ((going, left, middle), (after, middle, right)):
        if words and end - start > width_of(words, 16, face="bold") + 6:
            x = (start + end) / 2
            drawn += text(x, _LANE_Y + 23, words, ink=ink, anchor="middle", weight=700)
    return group(drawn, title=f"roll-out of {rollout.words}")


def _budget(chart: UsersChart) -> list[str]:
    if not chart.budget:
        return []
    points = [(chart.x(time), _budget_y(left)) for time, left in _down_to_nothing(chart.budget)]
    d = "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points)
    left = chart.budget[-1][1]
    words = f"{left:.0%} left" if left > 0 else f"spent {1 - left:.1f} times"
    ink = INK if left > 0 else _FAILED_LOOK[1]
    x, y = _place_below(points, width_of(words, 16, face="bold"))
    return [
        path(d, stroke=INK, stroke_width=2.4),
        text(x, y, words, ink=ink, anchor="end", weight=700),
    ]


def _place_below(points: Sequence[tuple[float, float]], width: float) -> tuple[float, float]:
    """Return where words of that width end that no part of a falling line runs through."""
    end_y = points[-1][1]
    if end_y < _EMPTY_Y - 30:
        return _RIGHT - 4, end_y + 22
    fallen = next(x for x, y in points if y >= end_y - 4)
    if fallen + 12 + width <= _RIGHT - 4:
        return _RIGHT - 4, end_y - 10
    falls = max((x for x, y in points if y <= _FULL_Y + 4), default=_LEFT)
    return max(falls - 12, _LEFT + 12 + width), _EMPTY_Y - 10


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
    events += [event for rollout in chart.rollouts for event in _rollout_words(rollout)]
    for time, words in sorted(events, key=lambda event: event[0]):
        lines.append(f"  +{time - chart.start:7.1f}s  {words}")
    return "\n".join(lines)


def _rollout_words(rollout: RolloutSpan) -> Iterator[tuple[float, str]]:
    yield rollout.start, f"roll-out of {rollout.version} begins"
    if rollout.stuck is not None:
        yield rollout.stuck, f"roll-out of {rollout.version} is stuck"
    if rollout.done is not None:
        yield rollout.done, f"roll-out of {rollout.version} is done"


def _step_words(step: UsersStep) -> str:
    shares = [f"{name} {part:.0%}" for name, part in step.parts]
    if step.failed:
        reason = f" ({step.problem})" if step.problem else ""
        shares.append(f"{_FAILED} {step.failed:.0%}{reason}")
    answered = f" in {step.latency * 1000:.0f} ms" if step.parts else ""
    return ", ".join(shares) + answered
