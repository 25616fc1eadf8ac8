"""Schedules of CronJobs: five fields of numbers, or a word such as `@daily`.

Source: github.com/robfig/cron v3, parser.go, whose messages these are.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Schedule", "parse_schedule", "schedule_problem", "time_zone_problem"]

_WORDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_DAYS = {
    name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))
}
_FIELDS: tuple[tuple[int, int, Mapping[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, _MONTHS),
    (0, 6, _DAYS),
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The moments of a schedule: the allowed numbers of each field.

    `any_day` is true when day of the month or day of the week is `*`: then both must match,
    otherwise either does.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool

    def on_day(self, day: int, weekday: int) -> bool:
        """True when the schedule runs on a day; Sunday is weekday 0."""
        if self.any_day:
            return day in self.days and weekday in self.weekdays
        return day in self.days or weekday in self.weekdays


def parse_schedule(text: str) -> Schedule:
    """Return a schedule; a leading `TZ=…` is passed over.

    Raises:
        ValueError: Worded as the API server does.
    """
    if text.startswith(("TZ=", "CRON_TZ=")):
        text = text.partition(" ")[2].strip()
    if text.startswith("@"):
        if text.lower() not in _WORDS:
            raise ValueError(f"unrecognized descriptor: {text}")
        text = _WORDS[text.lower()]
    fields = text.split()
    if len(fields) != len(_FIELDS):
        listed = " ".join(fields)
        raise ValueError(f"expected exactly 5 fields, found {len(fields)}: [{listed}]")
    minutes, hours, days, months, weekdays = (
        _numbers(field, *limits) for field, limits in zip(fields, _FIELDS, strict=True)
    )
    any_day = any(field[0] in "*?" for field in (fields[2], fields[4]))
    return Schedule(minutes, hours, days, months, weekdays, any_day)


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


def _numbers(field: str, low: int, high: int, words: Mapping[str, int]) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        found |= _range(part, low, high, words)
    return frozenset(found)


def _range(part: str, low: int, high: int, words: Mapping[str, int]) -> set[int]:
    span, slash, step_text = part.partition("/")
    step = _number(step_text, {}) if slash else 1
    first_text, dash, last_text = span.partition("-")
    if first_text in ("*", "?"):
        first, last = low, high
    else:
        first = _number(first_text, words)
        last = _number(last_text, words) if dash else high if slash else first
    if first < low:
        raise ValueError(f"beginning of range ({first}) below minimum ({low}): {part}")
    if last > high:
        raise ValueError(f"end of range ({last}) above maximum ({high}): {part}")
    if first > last:
        raise ValueError(f"beginning of range ({first}) beyond end of range ({last}): {part}")
    if step == 0:
        raise ValueError(f"step of range should be a positive number: {part}")
    return set(range(first, last + 1, step))


def _number(text: str, words: Mapping[str, int]) -> int:
    if text.lower() in words:
        return words[text.lower()]
    if not text.isascii() or not text.isdigit():
        reason = f'strconv.Atoi: parsing "{text}": invalid syntax'
        raise ValueError(f"failed to parse int from {text}: {reason}")
    return int(text)
