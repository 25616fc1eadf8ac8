"""What a command of the shell gets: arguments, streams, and the shell that calls it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from gitops_sim.errors import LabError

if TYPE_CHECKING:
    from gitops_sim.push.shell import Shell

__all__ = ["Allowance", "Call", "EndOfScript", "Job", "Running", "Sink", "Streams", "Tool"]

MAX_COMMANDS = 100_000
"""Commands that one script may run: loops within loops are soon more than anyone waits for."""
MAX_TEXT = 16 * 1024 * 1024
"""Characters that one script may make of variables, print and pass on."""

Running: TypeAlias = Generator[Any, Any, int]
"""Something at work: yields steps, returns an exit status."""


@dataclass(frozen=True, slots=True)
class Streams:
    """What a command reads and where it writes."""

    stdin: str
    out: Callable[[str], None]
    err: Callable[[str], None]


@dataclass(slots=True)
class Allowance:
    """What one script may still use up: repositories are untrusted, and it runs in this process.

    Differs: a real runner stops a job by the clock (`timeout-minutes`), whatever it does meanwhile.
    """

    commands: int = MAX_COMMANDS
    text: int = MAX_TEXT

    def run_command(self, line: int) -> None:
        """Count a command; LabError when there were too many."""
        self.commands -= 1
        if self.commands < 0:
            raise LabError(f"line {line}: the script runs more than {MAX_COMMANDS:,} commands")

    def make_text(self, length: int) -> None:
        """Count characters; LabError when there were too many."""
        self.text -= length
        if self.text < 0:
            raise LabError(f"the script makes more than {MAX_TEXT // 1024**2} MiB of text")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a command: its arguments, its streams, and the shell that calls."""

    name: str
    args: list[str]
    streams: Streams
    shell: Shell

    def say(self, text: str) -> None:
        """Write to the standard output; LabError when the script has printed too much."""
        self.shell.allowance.make_text(len(text))
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
