"""Two histories in one drawing."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

from gitops_sim.viz import Overlay, OverlayPanel, draw_overlay

GAP = OverlayPanel("objects that differ", (((0, 2), (10, 0)), ((0, 2), (40, 0))))
USERS = OverlayPanel("failed for users", (((5, 0),), ((5, 0), (60, 0))), " %")
OVERLAY = Overlay(
    ("this lab", "the other lab"),
    (GAP, USERS),
    8,
    ("the same until 09:00:08; then", "this lab: a", "the other lab: b"),
    0,
    100,
    ("09:00", "09:02"),
)


def test_words_tell_where_and_how_the_figures_part() -> None:
    assert str(draw_overlay(OVERLAY)).splitlines() == [
        "this lab and the other lab, 09:00 to 09:02",
        "the same until 09:00:08; then",
        "this lab: a",
        "the other lab: b",
        "objects that differ: not the same from +10.0s on",
        "  +    0.0s  2 | 2",
        "  +   10.0s  0 | 2",
        "  +   40.0s  0 | 0",
        "failed for users: the same in both",
    ]


def test_each_figure_has_a_solid_and_a_dashed_line_on_one_time_axis() -> None:
    svg = draw_overlay(OVERLAY).svg
    groups = [e for e in ET.fromstring(svg).iter() if e.tag.endswith("}g")]
    assert [g[0].text for g in groups] == [
        "objects that differ: not the same from +10.0s on",
        "failed for users: the same in both",
    ]
    lines = [e for e in groups[0] if e.get("stroke-width") == "3"]
    assert [e.get("stroke-dasharray") is not None for e in lines] == [False, True]
    assert "H280" in (lines[0].get("d") or "")  # 10 of 100 seconds on 900 pixels
    assert "H550" in (lines[1].get("d") or "")


def test_equal_histories_have_no_parting() -> None:
    same = replace(OVERLAY, parting=None, words=("both histories are the same",))
    assert "here they part" not in draw_overlay(same).svg
    assert 'aria-label="both histories are the same"' in draw_overlay(same).svg


def test_a_figure_begins_with_nothing() -> None:
    assert OverlayPanel("x", (((5, 1),), ((7, 1),))).parts_at == 5
    assert OverlayPanel("x", ((), ((7, 0),))).parts_at is None
