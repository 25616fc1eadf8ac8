"""Schedules: what is due next, and what is no schedule."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gitops_sim.cluster.workloads.cron_schedule import parse_schedule


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
    ("schedule", "problem"),
    [
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'),
        ("@never", "unrecognized descriptor: @never"),
    ],
)
def test_what_is_wrong_with_a_schedule(schedule: str, problem: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - compared whole below
        parse_schedule(schedule)
    assert str(caught.value) == problem
