"""Two lanes, the reconcile loop and the resource tree."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

from gitops_sim.types import ResourceKey
from gitops_sim.viz import (
    LaneMark,
    Lanes,
    LoopStage,
    ReconcileLoop,
    TreeNode,
    draw_lanes,
    draw_loop,
    draw_tree,
)

SVG = "http://www.w3.org/2000/svg"


def key(kind: str, name: str) -> ResourceKey:
    return ResourceKey("", kind, "shop", name)


def drawn(svg: str, tag: str) -> list[str | None]:
    """Return what the elements of one kind in a picture say."""
    return [e.text for e in ET.fromstring(svg).iter() if e.tag == f"{{{SVG}}}{tag}"]


LANES = Lanes(
    marks=(
        LaneMark(10, "commit", "4f2a9c1 web 1.2"),
        LaneMark(70, "applied", "main@4f2a9c1"),
        LaneMark(200, "by hand", "Deployment/web"),
    ),
    gap=((0, 0), (10, 2), (70, 0), (200, 1)),
    start=0,
    end=300,
    clock_texts=("09:00", "09:05"),
)


def test_drift_exposure_is_the_area_of_the_gap() -> None:
    assert LANES.exposure == 2 * 60 + 1 * 100


def test_lanes_tell_marks_and_exposure_in_words() -> None:
    words = str(draw_lanes(LANES))
    assert "drift exposure 3.7 object-minutes" in words
    assert "by hand  Deployment/web" in words


def test_every_mark_of_the_lanes_is_drawn_with_its_title() -> None:
    titles = drawn(draw_lanes(LANES).svg, "title")
    assert titles == ["commit: 4f2a9c1 web 1.2", "applied: main@4f2a9c1", "by hand: Deployment/web"]


def test_tree_puts_owners_before_what_they_own() -> None:
    nodes = [
        TreeNode(key("Pod", "web-1-a"), key("ReplicaSet", "web-1"), "Failed"),
        TreeNode(key("ReplicaSet", "web-1"), key("Deployment", "web"), "Current"),
        TreeNode(key("Deployment", "web"), None, "InProgress", "1/2 ready"),
        TreeNode(key("Pod", "web-1-b"), key("ReplicaSet", "web-1"), "Current"),
    ]
    assert str(draw_tree(nodes)).splitlines() == [
        "Deployment/shop/web  InProgress  1/2 ready",
        "  ReplicaSet/shop/web-1  Current",
        "    Pod/shop/web-1-a  Failed",
        "    Pod/shop/web-1-b  Current",
    ]
    assert str(draw_tree(nodes)) == str(draw_tree(list(reversed(nodes))))


def test_node_whose_owner_is_not_shown_becomes_a_root() -> None:
    picture = draw_tree([TreeNode(key("Pod", "a"), key("ReplicaSet", "gone"), "Current")])
    assert str(picture) == "Pod/shop/a  Current"


def test_empty_tree_is_an_empty_picture() -> None:
    picture = draw_tree([])
    assert str(picture) == ""
    assert not drawn(picture.svg, "text")


def test_loop_marks_the_station_that_acted_last() -> None:
    loop = ReconcileLoop(
        "kustomize-controller",
        (
            LoopStage("watch", "main@4f2a9c1"),
            LoopStage("compare", "1 of 8 differs", "Deployment/web"),
            LoopStage("apply", "1 configured"),
            LoopStage("check", "all Current"),
        ),
        active=1,
        rounds=14,
        back="again in 52s",
    )
    picture = draw_loop(loop)
    assert "2  compare" in drawn(picture.svg, "text")
    assert "> compare  1 of 8 differs (Deployment/web)" in str(picture)
    assert "kustomize-controller: 14 rounds;" in str(picture)
    assert "kustomize-controller: 1 round;" in str(draw_loop(replace(loop, rounds=1)))


def test_number_of_a_step_too_narrow_for_it_is_not_drawn() -> None:
    """Several steps within seconds of an hour would print one number over the other."""
    gap = ((0.0, 8), (1.0, 7), (2.0, 6), (1800.0, 0))
    lanes = Lanes((), gap, 0.0, 3600.0, ("09:00", "10:00"))
    svg = draw_lanes(lanes).svg
    assert ">6<" in svg
    assert ">7<" not in svg
    assert "7 objects differ" in draw_lanes(lanes).words


def test_names_of_pods_keep_the_end_that_tells_them_apart() -> None:
    name = "catalog-6cf98c6d6f-8k2xf"
    shown = drawn(draw_tree([TreeNode(key("Pod", name), None, "Current")]).svg, "text")
    assert shown[-1] is not None
    assert shown[-1] != name
    assert shown[-1].startswith("catalog-")
    assert shown[-1].endswith("…-8k2xf")


def test_label_leaves_room_for_the_next_one() -> None:
    marks = (
        LaneMark(0, "commit", "4f2a9c1 a subject that is long"),
        LaneMark(400, "commit", "9fee85f Deliver web 2.0.0"),
        LaneMark(410, "commit", "77aa11b crowded out"),
    )
    shown = drawn(draw_lanes(Lanes(marks, (), 0, 3600, ("09:00", "10:00"))).svg, "text")
    labels = [text for text in shown if text and text[:7] in ("4f2a9c1", "9fee85f", "77aa11b")]
    assert labels == ["4f2a9c1 a …", "9fee85f Deliver web 2.0.0"]
