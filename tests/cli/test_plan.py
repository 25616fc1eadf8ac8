"""Plans of `gitops-sim run`: from options and from scenario files."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_sim.cli.plan import Happening, from_file
from gitops_sim.errors import InputError, SpecError

GOOD = """\
repository: samples/shop
path: overlays/staging
deliver: flux
until: 1h
"""


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "scenario.yaml"
    file.write_text(text)
    return file


def test_scenario_without_timeline(tmp_path: Path) -> None:
    plan = from_file(written(tmp_path, GOOD))
    assert (plan.repository, plan.path, plan.deliver) == (
        "samples/shop",
        "overlays/staging",
        "flux",
    )
    assert (plan.until, plan.seed, plan.nodes, plan.timeline) == (3600.0, 0, 3, ())


def test_timeline_is_in_order_of_time(tmp_path: Path) -> None:
    text = GOOD + (
        "seed: 7\ntimeline:\n"
        "- {at: 20m, kubectl: get pods}\n"
        "- {at: 90s, commit: Less, files: {a.yaml: null, b.yaml: 'x: 1'}}\n"
        "- {at: 5m, commit: More, replace: {b.yaml: {x: y}}}\n"
    )
    plan = from_file(written(tmp_path, text))
    assert plan.seed == 7
    assert [(h.at, h.action, h.what) for h in plan.timeline] == [
        (90.0, "commit", "Less"),
        (300.0, "commit", "More"),
        (1200.0, "kubectl", "get pods"),
    ]
    first, second, _ = plan.timeline
    assert dict(first.files) == {"a.yaml": None, "b.yaml": "x: 1"}
    assert dict(second.replace["b.yaml"]) == {"x": "y"}
    assert isinstance(first, Happening)


def test_folder_beside_the_scenario_is_meant_first(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    plan = from_file(written(tmp_path, GOOD.replace("samples/shop", "shop")))
    assert plan.repository == str(tmp_path / "shop")


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("repository: x\npath: y\ndeliver: flux\n", 1, "until is missing"),
        (GOOD.replace("flux", "carrier-pigeon"), 3, "no way to deliver: 'carrier-pigeon'"),
        (GOOD.replace("1h", "10 parsecs"), 4, "is no duration"),
        (GOOD.replace("1h", "10"), 4, "has no unit"),
        (GOOD + "seed: many\n", 5, "want a whole number"),
        (GOOD + "tempo: 3\n", 5, "unexpected key 'tempo'"),
        (GOOD + "timeline:\n- {at: 5m}\n", 6, "one action"),
        (GOOD + "timeline:\n- {at: 5m, kill: a, start: b}\n", 6, "one action"),
        (GOOD + "timeline:\n- {kubectl: get pods}\n", 6, "want `at`"),
        (GOOD + "timeline:\n- {at: 2h, kubectl: get pods}\n", 6, "after the end"),
        (GOOD + "timeline:\n- {at: 5m, take-down: dns}\n", 6, "no such service: 'dns'"),
        (GOOD + "timeline:\n- {at: 5m, commit: x}\n", 6, "`files` or `replace`"),
        (GOOD + "timeline:\n- {at: 5m, kubectl: x, files: {a: b}}\n", 6, "nothing else has"),
    ],
)
def test_wrong_scenario_is_told_with_file_and_line(
    tmp_path: Path, text: str, line: int, problem: str
) -> None:
    with pytest.raises(SpecError, match=problem) as raised:
        from_file(written(tmp_path, text))
    assert raised.value.line == line
    assert raised.value.file.endswith("scenario.yaml")


@pytest.mark.parametrize("text", ["{", "- a\n- b\n", "a: *nothing\n", "\0"])
def test_what_is_no_scenario_at_all_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError):
        from_file(written(tmp_path, text))
