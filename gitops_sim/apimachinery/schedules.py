"""Schedules of CronJobs: `*/5 * * * *`, `@daily`, `@every 90m`; and names of time zones.

Five fields: minute, hour, day of month, month, day of week; each `*`, numbers, names, ranges,
lists and steps. When both days are restricted, one of them is enough.

Source: github.com/robfig/cron/v3, ParseStandard and SpecSchedule.Next, whose messages these are.
Differs: a wall time that a clock change repeats is taken once.
"""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from gitops_sim.apimachinery.go_text import quoted
from gitops_sim.clock import parse_duration
from gitops_sim.errors import DurationError

__all__ = ["Schedule", "parse_schedule", "schedule_problem", "time_zone_problem"]

_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTH_NAMES = "janfebmaraprmayjunjulaugsepoctnovdec"
_DAY_NAMES = "sunmontuewedthufrisat"
_YEARS_TO_SEARCH = 5
_LEAST_SECONDS = 1.0
"""What `@every` waits at least."""


@dataclass(frozen=True, slots=True)
class _Field:
    low: int
    high: int
    names: str = ""  # three letters each, the first one for `low`


_FIELDS = (
    _Field(0, 59),
    _Field(0, 23),
    _Field(1, 31),
    _Field(1, 12, _MONTH_NAMES),
    _Field(0, 6, _DAY_NAMES),
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something is due; `every` is set instead for `@every`."""

    minutes: frozenset[int] = frozenset()
    hours: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    any_day: bool = False
    any_weekday: bool = False
    every: timedelta | None = None

    def next(self, after: datetime, zone: tzinfo) -> datetime | None:
        """Return the first time after a moment; None when there is none in five years.

        Args:
            after: With its zone.
            zone: Where the schedule's times are meant.
        """
        if self.every is not None:
            return (after + self.every).replace(microsecond=0)
        local = after.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)
        day = local.date()
        for offset in range(_YEARS_TO_SEARCH * 366):
            date = day + timedelta(days=offset)
            if date.month not in self.months or not self._is_on(date.day, date.isoweekday() % 7):
                continue
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    wall = datetime(date.year, date.month, date.day, hour, minute)  # noqa: DTZ001
                    if wall < local:
                        continue
                    due = wall.replace(tzinfo=zone).astimezone(UTC)
                    exists = due.astimezone(zone).replace(tzinfo=None) == wall
                    if exists and due > after:
                        return due
        return None

    def _is_on(self, day: int, weekday: int) -> bool:
        if self.any_day or self.any_weekday:
            return day in self.days and weekday in self.weekdays
        return day in self.days or weekday in self.weekdays


def parse_schedule(text: str) -> Schedule:
    """Read a schedule; a leading `TZ=…` is passed over.

    Raises:
        ValueError: Worded as the library that CronJobs use does.
    """
    if text.startswith(("TZ=", "CRON_TZ=")):
        text = text.partition(" ")[2].strip()
    if text.startswith("@every "):
        duration = text.removeprefix("@every ")
        try:
            seconds = max(parse_duration(duration), _LEAST_SECONDS)
        except DurationError:
            problem = f"time: invalid duration {quoted(duration)}"
            raise ValueError(f"failed to parse duration {text}: {problem}") from None
        return Schedule(every=timedelta(seconds=seconds))
    if text.startswith("@"):
        if text not in _MACROS:
            raise ValueError(f"unrecognized descriptor: {text}")
        text = _MACROS[text]
    words = text.split()
    if len(words) != len(_FIELDS):
        raise ValueError(f"expected exactly 5 fields, found {len(words)}: [{' '.join(words)}]")
    parsed = [_parse_field(word, field) for word, field in zip(words, _FIELDS, strict=True)]
    minutes, hours, days, months, weekdays = (frozenset(values) for values in parsed)
    return Schedule(
        minutes,
        hours,
        days,
        months,
        weekdays,
        any_day=_is_star(words[2]),
        any_weekday=_is_star(words[4]),
    )


def schedule_problem(text: str) -> str:
    """Return what is wrong with a schedule; empty: nothing."""
    try:
        parse_schedule(text)
    except ValueError as problem:
        return str(problem)
    return ""


def time_zone_problem(zone: str) -> str:
    """Return what is wrong with the name of a time zone; empty: nothing."""
    if not zone:
        return "timeZone must be nil or non-empty string"
    if zone.lower() == "local":
        return (
            "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        )
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return f"unknown time zone {zone}"
    return ""


def _is_star(word: str) -> bool:
    """True when one part of a field is a star, with a step or without."""
    return any(part[:1] in ("*", "?") for part in word.split(","))


def _parse_field(word: str, field: _Field) -> set[int]:
    found: set[int] = set()
    for part in word.split(","):
        found |= _parse_part(part, field)
    return found


def _parse_part(part: str, field: _Field) -> set[int]:
    span, slash, step_text = part.partition("/")
    first, dash, last = span.partition("-")
    if first in ("*", "?"):
        low, high = field.low, field.high
    else:
        low = _number(first, field)
        high = _number(last, field) if dash else low
        if slash and not dash:  # 5/15 means from 5 on
            high = field.high
    step = _number(step_text, field) if slash else 1
    if low < field.low:
        raise ValueError(f"beginning of range ({low}) below minimum ({field.low}): {part}")
    if high > field.high:
        raise ValueError(f"end of range ({high}) above maximum ({field.high}): {part}")
    if low > high:
        raise ValueError(f"beginning of range ({low}) beyond end of range ({high}): {part}")
    if step == 0:
        raise ValueError(f"step of range should be a positive number: {part}")
    return set(range(low, high + 1, step))


def _number(text: str, field: _Field) -> int:
    place = field.names.find(text.lower()) if len(text) == 3 else -1
    if place >= 0 and place % 3 == 0:
        return field.low + place // 3
    if not (text.isascii() and text.isdigit()):
        raise ValueError(
            f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax'
        )
    return int(text)
