"""A bar on stderr for work that takes a while, when a person is looking."""

from __future__ import annotations

import sys
from typing import TextIO

__all__ = ["Progress"]

_WIDTH = 30


class Progress:
    """A bar from 0 to `total`; nothing is written where stderr is not a terminal.

    Used as a context: leaving it wipes the bar, so that results stand alone.

    Args:
        what: Words before the bar.
        total: What counts as done, in any unit.
        stream: Where it goes; by default stderr.
    """

    def __init__(self, what: str, total: float, *, stream: TextIO | None = None) -> None:
        self._what = what
        self._total = max(total, 1e-9)
        self._stream = sys.stderr if stream is None else stream
        self._shown = ""
        self._seen = self._stream.isatty()

    def __enter__(self) -> Progress:
        """Show the empty bar."""
        self.show(0, "")
        return self

    def show(self, done: float, note: str) -> None:
        """Draw the bar at `done` of `total` with a note behind it, if that looks different."""
        if not self._seen:
            return
        part = min(max(done / self._total, 0.0), 1.0)
        full = round(part * _WIDTH)
        line = f"{self._what} [{'#' * full}{'.' * (_WIDTH - full)}] {part:4.0%} {note}".rstrip()
        if line != self._shown:
            self._write(line)

    def __exit__(self, *_: object) -> None:
        """Wipe the bar."""
        if self._seen:
            self._write("")

    def _write(self, line: str) -> None:
        self._stream.write("\r" + line.ljust(len(self._shown)) + ("" if line else "\r"))
        self._stream.flush()
        self._shown = line
