"""Desired beside actual, now and in the past: what `lab.compare` returns."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from gitops_sim.clock import VirtualClock
from gitops_sim.journal import Journal, facts
from gitops_sim.lab.boards import BoardMaker, View
from gitops_sim.lab.messages import messages_of
from gitops_sim.viz import (
    Board,
    Frame,
    Grid,
    GridRow,
    LaneMark,
    Lanes,
    Picture,
    draw_grid,
    draw_ladder,
    draw_lanes,
    draw_tree,
    play,
)

__all__ = ["Comparison"]

MOST_MOMENTS = 300
"""Moments of a history that are looked at; of more, an even choice."""
MOST_ROWS = 60
"""Rows that are drawn; those that differ come first."""


class Comparison:
    """Desired and actual state of one cluster: a picture in a notebook, text in a terminal.

    Args:
        view: The cluster, and what Git declares for it.
        journal: Says when something changed.
        clock: Names moments.
        start: Where the history begins, in seconds since the epoch.
        end: The moment that is compared.
    """

    def __init__(
        self, view: View, journal: Journal, clock: VirtualClock, *, start: float, end: float
    ) -> None:
        self._view = view
        self._journal = journal
        self._clock = clock
        self._start, self._end = start, end
        self._maker = BoardMaker(view, journal, clock)

    @property
    def cluster(self) -> str:
        """The name of the cluster that is compared."""
        return self._view.name

    @cached_property
    def board(self) -> Board:
        """The board of the moment: its rows are what checks and tests look at."""
        return self._maker.board(self._end)

    @property
    def in_sync(self) -> bool:
        """True when every object lives as Git declares it, and nothing else does."""
        board = self.board
        return bool(board.rows) and not board.differing and not board.is_broken

    def gap(self) -> list[tuple[float, int]]:
        """Return how many objects differed: (seconds, number from then on), oldest first."""
        found: list[tuple[float, int]] = []
        for time, board in self._history:
            if not found or found[-1][1] != board.differing:
                found.append((time, board.differing))
        return found

    def lanes(self) -> Picture:
        """Return two lanes and the gap: commits, what was applied, edits, and what differed."""
        names = tuple(self._clock.timestamp(at)[11:16] for at in (self._start, self._end))
        marks = tuple(self._marks())
        ends = (names[0], names[1])
        return draw_lanes(Lanes(marks, tuple(self.gap()), self._start, self._end, ends))

    def tree(self) -> Picture:
        """Return the resource tree: from what delivers down to the pods, with health."""
        return draw_tree(self._maker.nodes(self._end))

    def beside(self, *others: Comparison) -> Picture:
        """Return the grid of several clusters: a row an object, a column a cluster."""
        columns = (self, *others)
        boards = [{row.key: row.sync for row in c.board.rows} for c in columns]
        keys = dict.fromkeys(key for board in boards for key in board)
        rows = tuple(GridRow(key, tuple(board.get(key) for board in boards)) for key in keys)
        return draw_grid(Grid(tuple(c.cluster for c in columns), rows))

    def ladder(self) -> Picture:
        """Return who told whom what: writes to the API server, and the news that led to them."""
        span = (self._start, self._end)
        watched = self._view.watched
        return draw_ladder(messages_of(self._view.name, self._journal, self._clock, watched, span))

    def __str__(self) -> str:
        """Return the board as text."""
        return self._picture.words

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return self._picture._repr_mimebundle_()

    @property
    def svg(self) -> str:
        """The board of the moment alone, an SVG document."""
        return self._picture.svg

    @property
    def html(self) -> str:
        """The picture with its player, as HTML without outside parts."""
        return self._picture.html

    @cached_property
    def _picture(self) -> Picture:
        frames = [
            Frame(self._clock.timestamp(time)[11:19], board.first(MOST_ROWS))
            for time, board in self._history
        ]
        return play(frames)

    @cached_property
    def _history(self) -> list[tuple[float, Board]]:
        times = self._moments()
        boards = [(time, self._maker.board(time)) for time in times]
        return [*boards, (self._end, self.board)]

    def _moments(self) -> list[float]:
        """Return when something changed that the board may show, the end left out."""
        kinds = (facts.BranchMoved, facts.RevisionApplied, facts.ObjectChanged)
        found: dict[float, bool] = {}
        for entry in self._journal.entries(*kinds, since=self._start, until=self._end):
            fact = entry.fact
            if isinstance(fact, facts.ObjectChanged):
                if not self._maker.is_shown(fact):
                    continue
                matters = any(not path.startswith("status") for path in fact.paths)
            else:
                matters = True
            found[entry.time] = found.get(entry.time, False) or matters
        found.pop(self._end, None)
        certain = [time for time, matters in found.items() if matters]
        rest = [time for time, matters in found.items() if not matters]
        room = max(MOST_MOMENTS - len(certain), 0)
        return sorted(_evenly(certain, MOST_MOMENTS) + _evenly(rest, room))

    def _marks(self) -> list[LaneMark]:
        declared = self._maker.declarations(self._end)
        branches = {(d.repository.name, d.branch) for d in declared}
        shown = {row.key for row in self.board.rows}
        subjects = {
            fact.commit: fact.message.partition("\n")[0]
            for fact in self._journal.facts(facts.CommitMade)
        }
        marks: list[LaneMark] = []
        kinds = (facts.BranchMoved, facts.RevisionApplied, facts.ObjectChanged)
        for entry in self._journal.entries(*kinds, since=self._start, until=self._end):
            fact = entry.fact
            if isinstance(fact, facts.BranchMoved):
                if (fact.repository, fact.branch) in branches and fact.new:
                    label = f"{fact.new[:7]} {subjects.get(fact.new, '')}".rstrip()
                    marks.append(LaneMark(entry.time, "commit", label))
            elif isinstance(fact, facts.RevisionApplied):
                if fact.cluster == self._view.name and _did_something(fact):
                    marks.append(LaneMark(entry.time, "applied", fact.commit[:7]))
            elif isinstance(fact, facts.ObjectChanged) and self._maker.is_edit(fact, shown):
                marks.append(LaneMark(entry.time, "by hand", f"{fact.kind} {fact.name}"))
        return marks


def _did_something(fact: facts.RevisionApplied) -> bool:
    return bool(fact.created or fact.configured or fact.pruned)


def _evenly(times: list[float], most: int) -> list[float]:
    if len(times) <= most:
        return times
    return [times[index * len(times) // most] for index in range(most)]
