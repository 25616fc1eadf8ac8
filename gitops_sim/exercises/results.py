"""What a learner is shown: a verdict, and a hint. Data first; showing it only reads it."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gitops_sim.viz.palette import INK, PAPER, SYNC_STATES

__all__ = ["CheckResult", "Hint", "Verdict"]

STEPS = ("a nudge", "where to look", "the idea", "a worked solution")
"""What the four hints are, from the first to the last."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check function found out.

    Attributes:
        passed: True when the task is done.
        expected: The state that the task asks for, in words.
        found: What there is.
        look_here: Where the difference is first seen: an object, a moment, a command.
        mistake: Id of a known wrong answer that this is; "" for none.
    """

    passed: bool
    expected: str
    found: str
    look_here: str = ""
    mistake: str = ""


@dataclass(frozen=True, slots=True)
class Hint:
    """One step of help, in Markdown; `step` counts from 1, `steps` is how many there are."""

    exercise: str
    step: int
    steps: int
    text: str

    @property
    def heading(self) -> str:
        """Which hint of how many it is, and what kind of help."""
        return f"{self.exercise}, hint {self.step} of {self.steps}: {STEPS[self.step - 1]}"

    def __repr__(self) -> str:
        """Return heading and text, for a terminal."""
        return f"{self.heading}\n{self.text}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": repr(self), "text/markdown": f"**{self.heading}**\n\n{self.text}"}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How an exercise stands; shows itself in a notebook and in a terminal.

    Attributes:
        exercise: Its name, such as `E00.1`.
        title: Its title; "" when there is no such exercise.
        passed: True when the task is done.
        expected: The state that the task asks for, in words.
        found: What there is.
        look_here: Where the difference is first seen.
        message: What a known wrong answer is told, in Markdown; "" when none was recognised.
    """

    exercise: str
    title: str
    passed: bool
    expected: str
    found: str
    look_here: str = ""
    message: str = ""
    _next_hint: Callable[[], Hint | None] = field(
        default=lambda: None, repr=False, compare=False, kw_only=True
    )

    def hint(self) -> Hint | None:
        """Return the next step of help, the last one again once all were given.

        Asking costs nothing; it is counted. An exercise that does not exist has no help: None.
        """
        return self._next_hint()

    def __bool__(self) -> bool:
        """Return True when passed."""
        return self.passed

    def __repr__(self) -> str:
        """Return the result as text, for a terminal."""
        return "\n".join(
            [f"{self._verdict}: {self.exercise} {self.title}".rstrip()]
            + [f"  {name + ':':16} {text}" for name, text in self._lines]
        )

    @property
    def _verdict(self) -> str:
        if not self.title:
            return "No such exercise"
        return "Passed" if self.passed else "Not yet"

    @property
    def _lines(self) -> list[tuple[str, str]]:
        if self.passed:
            return [("Found", self.found)]
        if not self.title:
            return [("Expected", self.expected)]
        lines = [
            ("Expected", self.expected),
            ("Found", self.found),
            ("Look here first", self.look_here),
            ("What happened", self.message),
        ]
        told = [(name, text) for name, text in lines if text]
        return [*told, ("Stuck?", f'`lab.check("{self.exercise}").hint()`')]

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._html()}

    def _html(self) -> str:
        look = SYNC_STATES["Synced" if self.passed else "Drifted"]
        glyph = "✓" if self.passed else "✗"
        rows = "".join(
            '<tr style="background:none">'
            f'<th scope="row" style="text-align:left;vertical-align:top;white-space:nowrap;'
            f'padding:2px 16px 2px 0;color:{INK}">{name}</th>'
            f'<td style="text-align:left;padding:2px 0;color:{INK}">{_marked_up(text)}</td></tr>'
            for name, text in self._lines
        )
        return (
            f'<div class="gs-check" role="status" style="background:{look.tint or PAPER};'
            f"border:2px solid {look.ink};border-radius:8px;padding:10px 16px;max-width:1086px;"
            f'font:15px/1.45 sans-serif;color:{INK}">'
            f'<strong style="color:{look.ink};font-size:17px">{glyph} {self._verdict}: '
            f"{html.escape(self.exercise)} {html.escape(self.title)}</strong>"
            f'<table style="border:0;margin:6px 0 0;font-size:15px">{rows}</table></div>'
        )


def _marked_up(text: str) -> str:
    """Return text as HTML: `code` between backticks, nothing else is special."""
    parts = text.split("`")
    return "".join(
        f"<code>{html.escape(part)}</code>" if number % 2 else html.escape(part)
        for number, part in enumerate(parts)
    )
