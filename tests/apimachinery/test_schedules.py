"""Schedules of CronJobs and names of time zones."""

from __future__ import annotations

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


def test_either_day_matches_unless_one_is_any() -> None:
    both = parse_schedule("0 0 13 * 5")
    assert both.on_day(13, 1)
    assert both.on_day(2, 5)
    assert not both.on_day(2, 1)
    fridays = parse_schedule("0 0 * * 5")
    assert fridays.on_day(2, 5)
    assert not fridays.on_day(13, 1)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
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
