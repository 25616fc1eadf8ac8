"""The object grid: a letter and a sign for each object in each world."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from gitops_sim.types import ResourceKey
from gitops_sim.viz import Grid, GridRow, draw_grid

GRID = Grid(
    ("empty", "half done", "scaled"),
    (
        GridRow(ResourceKey("", "Namespace", "", "shop"), ("Synced", "Synced", "Synced")),
        GridRow(ResourceKey("apps", "Deployment", "shop", "web"), ("Synced", "Missing", "Drifted")),
        GridRow(ResourceKey("", "ConfigMap", "shop", "old"), (None, None, "Extra")),
    ),
)


def test_words_are_the_table_in_letters() -> None:
    assert str(draw_grid(GRID)).splitlines() == [
        "                     empty  half done  scaled",
        "Namespace/shop       S      S          S",
        "Deployment/shop/web  S      M          D",
        "ConfigMap/shop/old   -      -          X",
    ]


def test_every_cell_has_a_title_and_an_empty_one_is_not_drawn() -> None:
    root = ET.fromstring(draw_grid(GRID).svg)
    titles = [e.text for e in root.iter() if e.tag.endswith("title")]
    assert len(titles) == 7
    assert "Deployment/shop/web in half done: missing" in titles
    assert "X" in root.attrib["aria-label"]


def test_letters_stand_beside_the_colours() -> None:
    texts = [e.text for e in ET.fromstring(draw_grid(GRID).svg).iter() if e.tag.endswith("text")]
    assert [t for t in texts if t in ("S", "D", "M", "X")] == ["S", "S", "S", "S", "M", "D", "X"]


def test_grid_without_rows_is_an_empty_picture() -> None:
    picture = draw_grid(Grid(("a",), ()))
    titles = [e for e in ET.fromstring(picture.svg).iter() if e.tag.endswith("title")]
    assert not titles
    assert str(picture).split() == ["a"]
