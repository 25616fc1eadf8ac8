"""What users saw, drawn."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

from gitops_sim.viz import OutageSpan, RolloutSpan, UsersChart, UsersStep, draw_users
from gitops_sim.viz.palette import PAPER, VERSION_LOOKS

CHART = UsersChart(
    "Service/shop/web",
    (
        UsersStep(0, (("1", 1.0),), 0.0, 0.02),
        UsersStep(100, (("1", 0.5), ("2", 0.5)), 0.0, 0.02),
        UsersStep(150, (), 1.0, 0.0, "no endpoints are ready"),
        UsersStep(200, (("2", 1.0),), 0.0, 0.03),
    ),
    ((0, 1.0), (100, 1.0), (150, 1.0), (200, -1.0), (300, -1.0)),
    (OutageSpan(150, 200, "outage 50s"),),
    "83.33% of 3,000 requests answered",
    0,
    300,
    ("09:00", "09:05"),
)


ROLLOUTS = replace(
    CHART,
    rollouts=(
        RolloutSpan(0, 90, "1", done=10),
        RolloutSpan(90, 160, "3", stuck=150),
        RolloutSpan(160, 220, "4"),
        RolloutSpan(220, 300, "2", done=230),
    ),
)


def texts(svg: str) -> list[str]:
    return [e.text or "" for e in ET.fromstring(svg).iter() if e.tag.endswith("text")]


def titles(svg: str) -> list[str]:
    return [e.text or "" for e in ET.fromstring(svg).iter() if e.tag.endswith("title")]


def test_words_tell_every_step_and_outage() -> None:
    assert str(draw_users(CHART)).splitlines() == [
        "Service/shop/web, 09:00 to 09:05: 83.33% of 3,000 requests answered",
        "  +    0.0s  1 100% in 20 ms",
        "  +  100.0s  1 50%, 2 50% in 20 ms",
        "  +  150.0s  failed 100% (no endpoints are ready)",
        "  +  150.0s  outage 50s",
        "  +  200.0s  2 100% in 30 ms",
    ]


def test_each_version_has_a_band_for_each_time_that_it_was_seen() -> None:
    assert titles(draw_users(CHART).svg) == [
        "1: from +0s, 150s",
        "2: from +100s, 50s",
        "2: from +200s, 100s",
        "failed: from +150s, 50s",
        "outage 50s",
    ]


def test_versions_outages_and_the_budget_are_named_in_the_drawing() -> None:
    shown = texts(draw_users(CHART).svg)
    assert {"1", "2", "failed", "outage 50s", "spent 2.0 times"} <= set(shown)


def test_the_budget_is_empty_when_it_is_spent_and_not_later() -> None:
    svg = draw_users(CHART).svg
    budget = re.findall(r'd="(M[^"]*)" fill="none" stroke="#1B1F24"', svg)[0]
    assert budget.count("L") == 5  # half-way through the outage it meets the bottom
    assert "685.83 346" in budget


def test_the_label_says_it_all_to_those_who_cannot_see() -> None:
    label = ET.fromstring(draw_users(CHART).svg).get("aria-label")
    assert label == "What users of Service/shop/web saw: 83.33% of 3,000 requests answered"


def test_a_route_without_answers_is_drawn_as_such() -> None:
    empty = replace(CHART, steps=(), budget=(), outages=())
    assert "nobody was ever answered" in texts(draw_users(empty).svg)


def _light(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_names_of_versions_are_readable_on_their_bands() -> None:
    for tint, ink in VERSION_LOOKS:
        for paper in (tint, PAPER):
            assert (_light(paper) + 0.05) / (_light(ink) + 0.05) >= 4.5


def test_the_lane_of_roll_outs_tells_which_came_to_their_end() -> None:
    picture = draw_users(ROLLOUTS)
    assert titles(picture.svg)[-4:] == [
        "roll-out of 1: rolled out in 10s",
        "roll-out of 3: stuck, never rolled out",
        "roll-out of 4: not rolled out by then",
        "roll-out of 2: rolled out in 10s",
    ]
    assert "  +  150.0s  roll-out of 3 is stuck" in picture.words.splitlines()
    assert "  +  230.0s  roll-out of 2 is done" in picture.words.splitlines()


def test_a_version_that_users_never_saw_does_not_change_the_looks_of_the_others() -> None:
    assert list(ROLLOUTS.looks) == ["1", "2", "3", "4"]
    assert ROLLOUTS.looks | CHART.looks == ROLLOUTS.looks


def _end_of(words: str, svg: str) -> float:
    found = next(e for e in ET.fromstring(svg).iter() if e.text == words)
    return float(found.get("x") or 0)


def test_what_is_left_of_the_budget_stands_where_the_line_is_not() -> None:
    early = replace(CHART, budget=((0, 1.0), (10, -1.0), (300, -1.0)))
    late = replace(CHART, budget=((0, 1.0), (270, 1.0), (290, -1.0), (300, -1.0)))
    assert _end_of("spent 2.0 times", draw_users(early).svg) == 1086
    falls_at = CHART.x(270)
    assert _end_of("spent 2.0 times", draw_users(late).svg) < falls_at
