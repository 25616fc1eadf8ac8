"""Measures of delivery on small histories that one can check by eye."""

from __future__ import annotations

import pytest

from gitops_sim.clock import VirtualClock
from gitops_sim.journal import Journal
from gitops_sim.journal.facts import (
    BranchMoved,
    CommitMade,
    DriftFound,
    DriftRepaired,
    Fact,
    ReadyRevision,
    RevisionApplied,
)
from gitops_sim.journal.measures import (
    convergence,
    deployment_frequency,
    drift_exposure,
    lead_times,
)


def history(*facts: tuple[float, Fact]) -> Journal:
    clock = VirtualClock(seed=1)
    journal = Journal(clock)
    for time, fact in facts:
        if time > clock.now():
            clock.run(time)
        journal.record(fact)
    return journal


def commit(name: str) -> CommitMade:
    return CommitMade("shop", "feature", name, "ann", f"message of {name}", ("a.yaml",))


def merged(name: str) -> BranchMoved:
    return BranchMoved("shop", "main", "", name, "ann")


def applied(name: str, agent: str = "flux", configured: int = 1) -> RevisionApplied:
    return RevisionApplied(agent, "staging", f"main@sha1:{name}", name, 0, configured, 0, 0)


def ready(name: str, agent: str = "flux") -> ReadyRevision:
    return ReadyRevision(agent, "staging", f"main@sha1:{name}", name)


def test_convergence_counts_from_the_merge_to_ready() -> None:
    journal = history(
        (10, commit("c1")), (40, merged("c1")), (70, applied("c1")), (90, ready("c1"))
    )
    (delivered,) = convergence(journal)
    assert (delivered.committed, delivered.merged) == (10, 40)
    assert (delivered.applied, delivered.ready) == (70, 90)
    assert delivered.convergence == 50
    assert lead_times(journal) == [80]


def test_each_agent_has_its_own_line_and_only_the_first_time_counts() -> None:
    journal = history(
        (0, commit("c1")),
        (1, merged("c1")),
        (5, applied("c1", "push")),
        (6, ready("c1", "push")),
        (60, applied("c1")),
        (61, ready("c1")),
        (120, applied("c1")),
        (121, ready("c1")),
    )
    found = convergence(journal)
    assert [(d.agent, d.applied, d.ready) for d in found] == [
        ("flux", 60, 61),
        ("push", 5, 6),
    ]


def test_a_commit_that_nobody_applied_is_there_without_an_agent() -> None:
    (delivered,) = convergence(history((3, commit("c1"))))
    assert (delivered.agent, delivered.convergence) == ("", None)


def test_drift_is_object_seconds_and_open_drift_counts_to_the_end() -> None:
    def found(subject: str) -> DriftFound:
        return DriftFound("flux", "staging", subject, ("spec.replicas",), "kubectl-edit")

    def repaired(subject: str) -> DriftRepaired:
        return DriftRepaired("flux", "staging", subject)

    journal = history((10, found("a")), (15, found("b")), (20, found("a")), (40, repaired("a")))
    assert drift_exposure(journal, until=100) == 30 + 85
    assert drift_exposure(journal, until=30) == 20 + 15
    assert drift_exposure(journal, until=100, cluster="other") == 0


def test_frequency_counts_only_revisions_that_changed_something() -> None:
    day = 86400.0
    journal = history((0, applied("c1")), (10, applied("c1", configured=0)), (day, applied("c2")))
    assert deployment_frequency(journal, since=0, until=2 * day) == pytest.approx(1.0)
    assert deployment_frequency(journal, since=5, until=5) == 0
