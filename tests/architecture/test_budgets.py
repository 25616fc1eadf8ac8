"""Deterministic ceilings: what a virtual hour costs, counted and not timed.

The hour is the first of `benchmarks/one_day.py`: a commit every ten minutes, drift every thirty,
pushed and pulled side by side. A count above its ceiling says that something got costlier: find out
what, or raise the ceiling in the same commit with the reason. Figures: measured, and about a tenth.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from gitops_sim.journal import facts
from gitops_sim.lab import Lab

FILE = Path(__file__).parents[2] / "benchmarks" / "one_day.py"


@pytest.fixture(scope="module")
def scenario() -> ModuleType:
    spec = importlib.util.spec_from_file_location("one_day", FILE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def hour(scenario: ModuleType) -> Lab:
    return scenario.day(hours=1)


def history_bytes(lab: Lab) -> int:
    return len(lab.journal.to_jsonl())


def test_the_hour_did_what_it_is_for(hour: Lab) -> None:
    assert len(hour.journal.facts(facts.CommitMade)) == 7
    assert hour.journal.facts(facts.DriftRepaired)
    for name in ("staging", "pushed"):
        found = hour.cluster(name).get("ConfigMap", "flags", "shop")
        assert found["data"]["currency"] == "E5"


@pytest.mark.parametrize(
    ("what", "count", "ceiling"),
    [
        ("API writes", lambda lab: len(lab.journal.facts(facts.ObjectChanged)), 750),
        ("clock events", lambda lab: lab.clock.events, 3_400),
        ("journal bytes", history_bytes, 760_000),
        ("renders", lambda lab: lab._parts.renderer.builds, 14),
        ("kubectl processes", lambda lab: lab._parts.renderer.processes, 0),
        ("YAML files parsed", lambda lab: lab._parts.renderer.parses, 16),
    ],
)
def test_hour_stays_below_its_ceiling(what: str, count: object, ceiling: int, hour: Lab) -> None:
    assert count(hour) <= ceiling, what
