"""The history that plays without a kernel."""

from __future__ import annotations

import base64
import gzip
import json
import re
from typing import Any

import pytest

from gitops_sim.types import ResourceKey
from gitops_sim.viz import Board, BoardRow, Frame, play


def row(name: str, sync: Any = "Synced", actual: str | None = "replicas: 3") -> BoardRow:
    key = ResourceKey("apps", "Deployment", "shop", name)
    return BoardRow(key, sync, "words", "replicas: 3", actual)


def board(*rows: BoardRow) -> Board:
    return Board("Git", "cluster", "", rows)


def history_in(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/x-gs-history">(.*?)</script>', html)
    assert found is not None
    return dict(json.loads(gzip.decompress(base64.b64decode(found.group(1)))))


def test_each_state_of_a_row_is_drawn_once() -> None:
    calm, drifted = row("web"), row("web", "Drifted", "replicas: 5")
    frames = [Frame(str(i), board(calm if i % 2 else drifted, row("api"))) for i in range(40)]
    history = history_in(play(frames).html)
    web_fragments = {state for _, state in history["parts"][1]["states"]}
    assert len(web_fragments) == 2
    assert history["parts"][2]["states"] == [[0, history["parts"][2]["states"][0][1]]]


def test_row_that_came_later_is_empty_before() -> None:
    frames = [Frame("a", board(row("web"))), Frame("b", board(row("api"), row("web")))]
    history = history_in(play(frames).html)
    assert history["parts"][1]["states"][0] == [0, 0]
    assert history["fragments"][0] == ""
    assert history["parts"][1]["states"][1][0] == 1


def test_row_that_went_away_keeps_its_place_under_the_others() -> None:
    frames = [Frame("a", board(row("old"), row("web"))), Frame("b", board(row("web")))]
    history = history_in(play(frames).html)
    assert len(history["parts"]) == 3
    assert history["parts"][2]["states"][-1] == [1, 0]


def test_frames_that_look_alike_are_left_out() -> None:
    frames = [Frame(str(i), board(row("web"))) for i in range(9)]
    assert "x-gs-history" not in play(frames).html


def test_still_picture_is_there_before_any_script_runs() -> None:
    html = play([Frame("a", board(row("web"))), Frame("b", board(row("api")))]).html
    assert html.index("<img src=") < html.index("<script")


def test_equal_histories_are_equal_bytes() -> None:
    frames = [Frame("a", board(row("web"))), Frame("b", board(row("api")))]
    assert play(frames).html == play(frames).html


def test_slider_takes_arrow_keys_from_jupyterlab() -> None:
    html = play([Frame("a", board(row("web"))), Frame("b", board(row("api")))]).html
    slider = re.search(r"<input[^>]*>", html)
    assert slider is not None
    assert 'data-lm-suppress-shortcuts="true"' in slider.group(0)


def test_history_without_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one frame"):
        play([])


def test_terminal_gets_words_and_notebook_gets_html() -> None:
    picture = play([Frame("a", board(row("web", "Drifted", "replicas: 5")))])
    bundle = picture._repr_mimebundle_()
    assert "replicas: 5" in bundle["text/plain"]
    assert bundle["text/html"].startswith("<img src=")
