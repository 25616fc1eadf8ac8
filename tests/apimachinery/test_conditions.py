"""Conditions of a status."""

from __future__ import annotations

from typing import Any

from gitops_sim.apimachinery import conditions
from gitops_sim.types import Condition

READY = Condition("Ready", "True", "Done", "all is well", "2026-01-05T09:00:00Z", 3)


def test_a_condition_is_read_as_it_was_set() -> None:
    manifest: dict[str, Any] = {"metadata": {}}
    assert conditions.get(manifest, "Ready") is None
    assert conditions.set(manifest, READY)
    assert conditions.get(manifest, "Ready") == READY
    assert conditions.is_true(manifest, "Ready")
    assert not conditions.is_true(manifest, "Stalled")


def test_setting_the_same_again_changes_nothing() -> None:
    manifest: dict[str, Any] = {}
    conditions.set(manifest, READY)
    later = Condition("Ready", "True", "Done", "all is well", "2026-01-05T10:00:00Z", 3)
    assert not conditions.set(manifest, later)
    assert conditions.get(manifest, "Ready") == READY


def test_the_time_of_transition_moves_only_with_the_status() -> None:
    manifest: dict[str, Any] = {}
    conditions.set(manifest, READY)
    assert conditions.set(
        manifest, Condition("Ready", "True", "Other", "", "2026-01-05T10:00:00Z", 4)
    )
    found = conditions.get(manifest, "Ready")
    assert found is not None
    assert (found.reason, found.last_transition_time) == ("Other", "2026-01-05T09:00:00Z")
    assert conditions.set(manifest, Condition("Ready", "False", "No", "", "2026-01-05T11:00:00Z"))
    found = conditions.get(manifest, "Ready")
    assert found is not None
    assert (found.status, found.last_transition_time) == ("False", "2026-01-05T11:00:00Z")
