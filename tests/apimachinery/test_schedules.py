"""Schedules of CronJobs and names of time zones."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gitops_sim.apimachinery.schedules import (
    parse_schedule,
    schedule_problem,
    time_zone_problem,
)


def test_fields_are_numbers_ranges_steps_and_names() -> None:
    schedule = parse_schedule("*/20 8-10,22 1 jan,FEB mon-fri")
    assert schedule.minutes == {0, 20, 40}
    assert schedule.hours == {8, 9, 10, 22}
    assert schedule.days == {1}
    assert schedule.months == {1, 2}
    assert schedule.weekdays == {1, 2, 3, 4, 5}


def test_a_step_from_a_number_goes_to_the_end() -> None:
    assert parse_schedule("50/5 * * * *").minutes == {50, 55}


def test_words_stand_for_schedules() -> None:
    assert parse_schedule("@daily") == parse_schedule("0 0 * * *")
    assert schedule_problem("@sometimes") == "unrecognized descriptor: @sometimes"
    assert schedule_problem("@every 90m") == ""


@pytest.mark.parametrize(
    ("schedule", "after", "due"),
    [
        ("* * * * *", "2026-01-05T09:00:00", "2026-01-05T09:01:00"),
        ("* * * * *", "2026-01-05T09:00:59", "2026-01-05T09:01:00"),
        ("*/15 * * * *", "2026-01-05T09:16:00", "2026-01-05T09:30:00"),
        ("5/20 * * * *", "2026-01-05T09:26:00", "2026-01-05T09:45:00"),
        ("0 3 * * mon-fri", "2026-01-09T04:00:00", "2026-01-12T03:00:00"),
        ("0 0 29 2 *", "2026-01-05T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 13 * 5", "2026-01-05T00:00:00", "2026-01-09T00:00:00"),
        ("0 0 */2 * 5", "2026-01-05T00:00:00", "2026-01-09T00:00:00"),
        ("0 0 1 jan,jul *", "2026-01-05T00:00:00", "2026-07-01T00:00:00"),
        ("@hourly", "2026-01-05T09:00:00", "2026-01-05T10:00:00"),
        ("@weekly", "2026-01-05T09:00:00", "2026-01-11T00:00:00"),
        ("@every 90m", "2026-01-05T09:00:00", "2026-01-05T10:30:00"),
        ("@every 0s", "2026-01-05T09:00:00", "2026-01-05T09:00:01"),
        ("TZ=UTC 0 3 * * *", "2026-01-05T09:00:00", "2026-01-06T03:00:00"),
    ],
)
def test_the_next_time(schedule: str, after: str, due: str) -> None:
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)
    found = parse_schedule(schedule).next(moment, UTC)
    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC)


def test_a_wall_time_that_a_clock_change_skips_is_not_due_that_day() -> None:
    zone = ZoneInfo("Europe/Berlin")
    after = datetime(2026, 3, 28, 12, tzinfo=UTC)
    found = parse_schedule("30 2 * * *").next(after, zone)
    assert found is not None
    assert found.astimezone(zone).isoformat() == "2026-03-30T02:30:00+02:00"


def test_a_day_that_never_comes_is_never_due() -> None:
    after = datetime(2026, 1, 1, tzinfo=UTC)
    assert parse_schedule("0 0 31 2 *").next(after, UTC) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("@every soon", 'failed to parse duration @every soon: time: invalid duration "soon"'),
        ("often", "expected exactly 5 fields, found 1: [often]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("9-5 * * * *", "beginning of range (9) beyond end of range (5): 9-5"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        (
            "x * * * *",
            'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax',
        ),
    ],
)
def test_what_is_wrong_is_told_in_the_words_of_the_server(text: str, problem: str) -> None:
    assert schedule_problem(text) == problem


@pytest.mark.parametrize(
    ("zone", "problem"),
    [
        ("Europe/Berlin", ""),
        ("Etc/UTC", ""),
        ("Nowhere/City", "unknown time zone Nowhere/City"),
        ("../etc/passwd", "unknown time zone ../etc/passwd"),
        ("", "timeZone must be nil or non-empty string"),
        (
            "local",
            "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
        ),
    ],
)
def test_time_zones_are_those_of_iana(zone: str, problem: str) -> None:
    assert time_zone_problem(zone) == problem
