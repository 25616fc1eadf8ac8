"""Durations as people and Go write them: `90s`, `1h30m`, `1.5h`, `250ms`, `1d`."""

from __future__ import annotations

import re

from gitops_sim.errors import DurationError

__all__ = ["format_duration", "parse_duration"]

_UNITS = {
    "d": 86400.0,
    "h": 3600.0,
    "m": 60.0,
    "s": 1.0,
    "ms": 1e-3,
    "us": 1e-6,
    "µs": 1e-6,
    "ns": 1e-9,
}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)([a-zµ]+)")
_NEXT_STEP = 'write a number with a unit, such as "90s", "10m", "1h30m" or "1d"'


def parse_duration(text: str) -> float:
    """Return the seconds that a duration means.

    Args:
        text: One or more numbers with units d, h, m, s, ms, us or ns, such as `1h30m`; `0` may
            stand alone, as in Go.

    Raises:
        DurationError: It is no duration, is negative, or is a bare number.

    Source: Go, time.ParseDuration; `d` is an addition of ours.
    """
    if not isinstance(text, str):
        raise DurationError(f"{text!r} is a bare number: which unit is meant?", _NEXT_STEP)
    stripped = text.strip()
    if stripped == "0":
        return 0.0
    if re.fullmatch(r"-?\d+(\.\d+)?", stripped):
        raise DurationError(f"{text!r} has no unit", _NEXT_STEP)
    if stripped.startswith("-"):
        raise DurationError(f"{text!r} is negative: time only runs forward", _NEXT_STEP)
    seconds, end = 0.0, 0
    for part in _PART.finditer(stripped):
        number, unit = part.groups()
        if part.start() != end or unit not in _UNITS:
            break
        seconds += float(number) * _UNITS[unit]
        end = part.end()
    if not stripped or end != len(stripped):
        raise DurationError(f"{text!r} is no duration", _NEXT_STEP)
    return round(seconds, 9)


def format_duration(seconds: float) -> str:
    """Return a duration as Go prints it: `1h30m0s`, `1m30s`, `1.5s`, `250ms`, `0s`.

    Source: Go, time.Duration.String, down to microseconds.
    """
    micros = round(seconds * 1e6)
    sign = "-" if micros < 0 else ""
    micros = abs(micros)
    if micros == 0:
        return "0s"
    if micros < 1000:
        return f"{sign}{micros}µs"
    if micros < 1_000_000:
        return f"{sign}{_decimal(micros, 1000)}ms"
    minutes, rest = divmod(micros, 60_000_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(rest, 1_000_000)}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{text}"
    return f"{sign}{minutes}m{text}" if minutes else f"{sign}{text}"


def _decimal(value: int, unit: int) -> str:
    whole, part = divmod(value, unit)
    if not part:
        return str(whole)
    return f"{whole}.{str(part).zfill(len(str(unit)) - 1).rstrip('0')}"
