"""Command lines, read as kubectl reads them: flags anywhere, `--flag=value` or `--flag value`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gitops_sim.clock import parse_duration
from gitops_sim.errors import DurationError, LabError

__all__ = ["COMMON", "Arguments", "Flag", "parse"]


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag of a command.

    Attributes:
        short: One letter; empty: none.
        takes_value: False for a switch, which may still be given as `--flag=false`.
    """

    short: str = ""
    takes_value: bool = True


COMMON: Mapping[str, Flag] = {
    "namespace": Flag("n"),
    "context": Flag(),
    "cluster": Flag(),
    "user": Flag(),
    "kubeconfig": Flag(),
    "request-timeout": Flag(),
    "v": Flag("v"),
}
"""Flags of every command. A runner has one cluster: those that choose another are passed over."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """A command line that was read.

    Attributes:
        words: What is no flag, in order.
        values: Flag -> the values given for it, in order; switches have "true" or "false".
        rest: What stood after `--`.
    """

    words: list[str]
    values: dict[str, list[str]] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)

    def text(self, flag: str, default: str = "") -> str:
        """Return the last value of a flag."""
        return self.values.get(flag, [default])[-1]

    def all(self, flag: str) -> list[str]:
        """Return every value of a flag; commas separate several in one."""
        return [part for value in self.values.get(flag, []) for part in value.split(",") if part]

    def on(self, flag: str, *, default: bool = False) -> bool:
        """Return whether a switch is set."""
        value = self.text(flag, "true" if default else "false").lower()
        if value not in ("true", "false", "1", "0", "t", "f"):
            problem = f'invalid argument "{value}" for "--{flag}" flag: want true or false'
            raise LabError(problem)
        return value in ("true", "1", "t")

    def number(self, flag: str, default: int) -> int:
        """Return a flag's whole number."""
        value = self.text(flag, str(default))
        try:
            return int(value)
        except ValueError:
            problem = f'invalid argument "{value}" for "--{flag}" flag: want a whole number'
            raise LabError(problem) from None

    def seconds(self, flag: str, default: float) -> float:
        """Return a flag's duration, such as `60s`; a bare number counts as seconds."""
        value = self.text(flag)
        if not value:
            return default
        try:
            return float(value) if value.lstrip("-").isdigit() else parse_duration(value)
        except DurationError as wrong:
            problem = f'invalid argument "{value}" for "--{flag}" flag: {wrong.problem}'
            raise LabError(problem) from None

    @property
    def dry_run(self) -> str:
        """Return `none`, `client` or `server`."""
        value = self.text("dry-run", "none")
        if value not in ("none", "client", "server"):
            problem = f'Invalid dry-run value ({value}). Must be "none", "server", or "client".'
            raise LabError(problem)
        return value


def parse(command: str, words: Sequence[str], flags: Mapping[str, Flag]) -> Arguments:
    """Read the words after a command.

    Args:
        command: Its name, for messages, such as `kubectl apply`.
        words: What follows it.
        flags: The flags it knows besides `COMMON`.

    Raises:
        LabError: A flag is unknown or lacks its value.
    """
    known = {**COMMON, **flags}
    shorts = {flag.short: name for name, flag in known.items() if flag.short}
    usage = f"See '{command} --help' for usage."
    read = Arguments([])
    pending = list(words)
    while pending:
        word = pending.pop(0)
        if word == "--":
            read.rest.extend(pending)
            break
        if word == "-" or not word.startswith("-"):
            read.words.append(word)
            continue
        if word.startswith("--"):
            name, given, value = word[2:].partition("=")
            if name not in known:
                raise LabError(f"unknown flag: --{name}\n{usage}")
        else:
            name = shorts.get(word[1], "")
            if not name:
                raise LabError(f"unknown shorthand flag: {word[1]!r} in {word}\n{usage}")
            value = word[2:]
            given = value
            value = value.removeprefix("=")
        if not known[name].takes_value:
            value = value if given else "true"
        elif not given:
            if not pending:
                raise LabError(f"flag needs an argument: --{name}\n{usage}")
            value = pending.pop(0)
        read.values.setdefault(name, []).append(value)
    return read
