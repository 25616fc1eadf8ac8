"""What a command of the shell gets: arguments, streams, and the shell that calls it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from gitops_sim.push.shell import Shell

__all__ = ["Call", "EndOfScript", "Job", "Running", "Sink", "Streams", "Tool"]

Running: TypeAlias = Generator[Any, Any, int]
"""Something at work: yields steps, returns an exit status."""


@dataclass(frozen=True, slots=True)
class Streams:
    """What a command reads and where it writes."""

    stdin: str
    out: Callable[[str], None]
    err: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a command: its arguments, its streams, and the shell that calls."""

    name: str
    args: list[str]
    streams: Streams
    shell: Shell

    def say(self, text: str) -> None:
        """Write to the standard output."""
        self.streams.out(text)

    def complain(self, text: str) -> None:
        """Write one line to the standard error, with the command's name before it."""
        self.streams.err(f"{self.name}: {text}\n")

    def path(self, path: str) -> str | None:
        """Return a path as one in the workspace; None when it is outside."""
        return self.shell.workspace.resolve(self.shell.directory, path)


Tool: TypeAlias = Callable[[Call], int]
"""A command that is done at once."""
Job: TypeAlias = Callable[[Call], Running]
"""A command that takes time."""


class EndOfScript(Exception):  # noqa: N818 - no error: `exit`, or a failure under `set -e`
    """The script ends here with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Sink:
    """Where a redirected stream goes: a file of the workspace, or nowhere."""

    def __init__(self, path: str | None, *, append: bool) -> None:
        self.path = path
        self.append = append
        self.parts: list[str] = []

    def write(self, text: str) -> None:
        """Take more text; the file is written when the command is done."""
        self.parts.append(text)
