"""Deterministic ceilings: what a pod costs a cluster, counted and not timed.

The work is that of `benchmarks/cluster.py`, small. A count above its ceiling says that something
got costlier: find out what, or raise the ceiling in the same commit with the reason. Figures:
measured, and about a tenth.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, NamedTuple

import pytest

from gitops_sim.journal.facts import EventSeen, ReconcileDone

FILE = Path(__file__).parents[2] / "benchmarks" / "cluster.py"
DEPLOYMENTS, REPLICAS = 5, 3
PODS = DEPLOYMENTS * REPLICAS


class Cost(NamedTuple):
    """What happened meanwhile, per pod; events in the API are writes too."""

    writes: float
    events: float
    reconciles: float
    clock_events: float


@pytest.fixture(scope="module")
def scenario() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cluster_benchmark", FILE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cost(bench: Any, work: Any) -> Cost:
    def counts() -> tuple[int, ...]:
        told = (len(bench.journal.facts(kind)) for kind in (EventSeen, ReconcileDone))
        return (bench.cluster.server.writes, *told, bench.clock.events)

    before = counts()
    work()
    return Cost(*((now - then) / PODS for now, then in zip(counts(), before, strict=True)))


def below(found: Cost, ceiling: Cost) -> bool:
    return all(count <= most for count, most in zip(found, ceiling, strict=True))


def test_what_a_pod_costs_stays_below_its_ceiling(scenario: ModuleType) -> None:
    bench = scenario.Bench(nodes=3)
    up = cost(bench, lambda: bench.bring_up(DEPLOYMENTS, REPLICAS))
    assert below(up, Cost(writes=17, events=7.5, reconciles=8, clock_events=37)), up
    rolled = cost(bench, lambda: bench.roll_out(DEPLOYMENTS))
    assert below(rolled, Cost(writes=35, events=10, reconciles=19, clock_events=84)), rolled


def test_a_working_cluster_at_rest_takes_hardly_an_event(scenario: ModuleType) -> None:
    bench = scenario.Bench(nodes=3)
    bench.bring_up(DEPLOYMENTS, REPLICAS)
    bench.run(3600)
    before = bench.clock.events
    bench.run(86_400)
    assert bench.clock.events == before


def test_a_roll_out_costs_no_more_calls_for_what_else_is_in_the_cluster(
    scenario: ModuleType,
) -> None:
    empty, full = scenario.Bench(nodes=3), scenario.Bench(nodes=3)
    full.fill(1000)
    calls = [_calls_of_a_roll_out(bench) for bench in (empty, full)]
    assert calls[1] <= calls[0] * 1.03, calls


def _calls_of_a_roll_out(bench: Any) -> int:
    """Return how many Python functions are called while two Deployments roll out."""
    bench.bring_up(2, REPLICAS)
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        bench.roll_out(2)
    finally:
        sys.setprofile(before)
    return calls
