"""The desired | actual picture and its text."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from gitops_sim.types import ResourceKey
from gitops_sim.viz import Board, BoardRow, board_text, draw_board
from gitops_sim.viz.palette import SYNC_STATES


def key(kind: str, name: str) -> ResourceKey:
    return ResourceKey("apps", kind, "shop", name)


DRIFTED = BoardRow(
    key("Deployment", "web"),
    "Drifted",
    "edited by hand",
    "replicas: 3",
    "replicas: 5",
    differs=True,
    health="InProgress",
    who="kubectl-scale",
)
SYNCED = BoardRow(key("Service", "web"), "Synced", "in sync", "port: 80", "port: 80")
MISSING = BoardRow(key("ConfigMap", "flags"), "Missing", "missing", "", None)
BOARD = Board("Git · main@4f2a9c1", "staging · 09:12:40", "scaled", (DRIFTED, SYNCED, MISSING))


def test_summary_counts_rows_that_differ() -> None:
    assert BOARD.summary == "2 of 3 differ"
    assert Board("", "", "", (DRIFTED, SYNCED)).summary == "1 of 2 differs"
    assert Board("", "", "", (SYNCED,)).summary == "everything in sync"


def test_only_differing_rows_are_tinted() -> None:
    svg = draw_board(BOARD)
    assert SYNC_STATES["Drifted"].tint in svg
    assert SYNC_STATES["Drifted"].tint not in draw_board(Board("", "", "", (SYNCED,)))


def test_svg_is_well_formed_without_style_or_script() -> None:
    svg = draw_board(BOARD)
    root = ET.fromstring(svg)
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert names <= {"svg", "g", "title", "rect", "path", "circle", "text"}
    assert root.get("role") == "img"
    assert "Deployment web edited by hand" in (root.get("aria-label") or "")


def test_each_row_tells_itself_to_screen_readers() -> None:
    titles = re.findall(r"<title>(.*?)</title>", draw_board(BOARD))
    assert titles[0] == "Deployment web: edited by hand by kubectl-scale, health InProgress"
    assert len(titles) == 3


def test_names_from_a_repository_cannot_break_out_of_the_picture() -> None:
    hostile = BoardRow(key("ConfigMap", '<script>"&'), "Missing", "missing", "<b>", None)
    svg = draw_board(Board("<i>", '"', "&", (hostile,)))
    ET.fromstring(svg)
    assert "<script>" not in svg


def test_absent_side_is_said_in_words() -> None:
    extra = BoardRow(key("Deployment", "debug"), "Extra", "extra: prune", None, "replicas: 1")
    assert "not in Git" in draw_board(Board("", "", "", (extra,)))
    assert "not in cluster" in draw_board(BOARD)


def test_text_names_verdict_and_who_set_it() -> None:
    lines = board_text(BOARD).splitlines()
    row = next(line for line in lines if line.startswith("Deployment/shop/web"))
    assert "! edited by hand (by kubectl-scale)" in row
    assert "replicas: 3" in row
    assert "replicas: 5" in row


def test_long_board_keeps_the_rows_that_differ_and_says_what_is_hidden() -> None:
    calm = tuple(BoardRow(key("Service", f"s{i}"), "Synced", "in sync", "", "") for i in range(20))
    cut = Board("", "", "x", (*calm, DRIFTED)).first(8)
    assert DRIFTED in cut.rows
    assert len(cut.rows) == 8
    assert "13 more rows" in cut.sentence
