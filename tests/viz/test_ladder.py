"""The message ladder: arrows in order, what was lost, words for those who do not see it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from gitops_sim.viz import Ladder, Message, draw_ladder

LADDER = Ladder(
    ("kubectl", "API server", "deployment-controller"),
    (
        Message(60.0, "kubectl", "API server", "create Deployment", detail="shop/web"),
        Message(60.004, "API server", "deployment-controller", "Deployment ADDED", "news"),
        Message(60.004, "deployment-controller", "API server", "create ReplicaSet"),
    ),
    "09:01:00",
)


def elements(ladder: Ladder, name: str) -> list[ET.Element]:
    return [e for e in ET.fromstring(draw_ladder(ladder).svg).iter() if e.tag.endswith(name)]


def test_words_tell_every_message_with_its_time() -> None:
    assert str(draw_ladder(LADDER)).splitlines() == [
        "  +0.000 s  kubectl to API server: create Deployment shop/web",
        "  +0.004 s  API server to deployment-controller: Deployment ADDED",
        "  +0.004 s  deployment-controller to API server: create ReplicaSet",
    ]


def test_every_message_has_a_title_and_the_picture_a_label() -> None:
    titles = [title.text for title in elements(LADDER, "title")]
    assert titles[0] == "kubectl to API server: create Deployment shop/web"
    assert len(titles) == 3
    root = ET.fromstring(draw_ladder(LADDER).svg)
    assert "create ReplicaSet" in root.attrib["aria-label"]


def test_a_time_is_written_once() -> None:
    times = [e.text for e in elements(LADDER, "text") if (e.text or "").startswith("+")]
    assert times == ["+0.000 s", "+0.004 s"]


def test_lost_message_is_dashed_and_said_to_be_lost() -> None:
    lost = replace(LADDER.messages[1], lost=True)
    ladder = replace(LADDER, messages=(LADDER.messages[0], lost))
    dashed = [e for e in elements(ladder, "path") if e.attrib.get("stroke-dasharray")]
    assert len(dashed) == 2, "the arrow, and its entry in the legend"
    assert "Deployment ADDED, lost on the way" in str(draw_ladder(ladder))
    assert [e.text for e in elements(ladder, "text") if ": lost" in (e.text or "")]
    assert not [e for e in elements(LADDER, "path") if e.attrib.get("stroke-dasharray")]


def test_later_messages_are_lower() -> None:
    starts = [
        float(e.attrib["d"].partition(" ")[2].partition("L")[0])
        for e in elements(LADDER, "path")
        if e.attrib.get("stroke-width") == "2.5" and "L" in e.attrib["d"]
    ]
    assert starts == sorted(starts)


def test_what_is_not_shown_is_counted() -> None:
    assert str(draw_ladder(replace(LADDER, left_out=5))).endswith("and 5 more")


def test_long_name_takes_two_lines() -> None:
    many = replace(LADDER, columns=(*LADDER.columns, "a", "b", "c"))
    heads = [e.text for e in elements(many, "text")]
    assert "deployment-" in heads
    assert "controller" in heads


def test_message_to_nobody_is_refused() -> None:
    stray = Message(1.0, "kubectl", "nobody", "hello")
    with pytest.raises(ValueError, match="'nobody' is no column"):
        draw_ladder(replace(LADDER, messages=(stray,)))


def test_ladder_without_messages_says_so() -> None:
    assert str(draw_ladder(Ladder(("a", "b"), ()))) == "nobody told anybody anything"
