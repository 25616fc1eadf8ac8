"""Cron schedules: `*/5 * * * *`, `@daily`, `@every 90m`.

Five fields: minute, hour, day of month, month, day of week; each `*`, numbers, names, ranges,
lists and steps. When both days are restricted, one of them is enough.

Source: github.com/robfig/cron/v3, ParseStandard and SpecSchedule.Next, which CronJobs use.
Differs: a wall time that a clock change repeats is taken once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from gitops_sim.clock.durations import parse_duration
from gitops_sim.errors import DurationError

__all__ = ["CronSchedule", "parse_schedule"]

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
class CronSchedule:
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


def parse_schedule(text: str) -> CronSchedule:
    """Read a schedule.

    Raises:
        ValueError: Worded as the library that CronJobs use does.
    """
    if text.startswith(("TZ=", "CRON_TZ=")):
        raise ValueError("cannot use TZ or CRON_TZ in schedule, use timeZone field instead")
    if text.startswith("@every "):
        try:
            return CronSchedule(every=timedelta(seconds=parse_duration(text[len("@every ") :])))
        except DurationError as error:
            raise ValueError(f"failed to parse duration {text}: {error.problem}") from None
    if text.startswith("@"):
        if text not in _MACROS:
            raise ValueError(f"unrecognized descriptor: {text}")
        text = _MACROS[text]
    words = text.split()
    if len(words) != len(_FIELDS):
        raise ValueError(f"expected exactly 5 fields, found {len(words)}: [{' '.join(words)}]")
    parsed = [_parse_field(word, field) for word, field in zip(words, _FIELDS, strict=True)]
    minutes, hours, days, months, weekdays = (frozenset(values) for values in parsed)
    return CronSchedule(
        minutes,
        hours,
        days,
        months,
        weekdays,
        any_day=_is_star(words[2]),
        any_weekday=_is_star(words[4]),
    )


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
