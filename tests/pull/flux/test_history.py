from typing import Any

from gitops_sim.pull.flux.history import Outcome, with_outcome

EARLY, LATE = "2026-01-05T09:00:00Z", "2026-01-05T09:10:00Z"


def outcome(digest: str, time: str = EARLY, reason: str = "ReconciliationSucceeded") -> Outcome:
    return Outcome(digest, time, 1.5, reason, "main@sha1:abc")


def test_the_same_manifests_with_the_same_end_are_one_entry() -> None:
    history = with_outcome([], outcome("sha256:1"))
    (entry,) = with_outcome(history, outcome("sha256:1", LATE))
    assert entry == {
        "digest": "sha256:1",
        "firstReconciled": EARLY,
        "lastReconciled": LATE,
        "lastReconciledDuration": "1.5s",
        "lastReconciledStatus": "ReconciliationSucceeded",
        "metadata": {"revision": "main@sha1:abc"},
        "totalReconciliations": 2,
    }


def test_another_end_is_another_entry_newest_first() -> None:
    history = with_outcome([], outcome("sha256:1"))
    history = with_outcome(history, outcome("sha256:1", LATE, "HealthCheckFailed"))
    assert [entry["lastReconciledStatus"] for entry in history] == [
        "HealthCheckFailed",
        "ReconciliationSucceeded",
    ]


def test_five_entries_are_kept_and_one_that_comes_back_moves_to_the_front() -> None:
    history: list[dict[str, Any]] = []
    for number in range(7):
        history = with_outcome(history, outcome(f"sha256:{number}"))
    assert [entry["digest"][-1] for entry in history] == ["6", "5", "4", "3", "2"]
    history = with_outcome(history, outcome("sha256:3"))
    assert [entry["digest"][-1] for entry in history] == ["3", "6", "5", "4", "2"]
