"""Faults of a whole lab: people, the registry, and their replay."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_sim.errors import LabError
from gitops_sim.journal.facts import FaultEnded, FaultStarted
from gitops_sim.lab import ClusterHandle, Lab


def test_a_person_runs_kubectl_at_a_moment(lab: Lab, staging: ClusterHandle) -> None:
    staging.faults.schedule("09:04", "kubectl", "scale deployment/web --replicas=9 -n shop")
    lab.run(until="09:03:59")
    assert staging.get("Deployment", "web", "shop")["spec"]["replicas"] == 2
    lab.run("2s")
    assert staging.get("Deployment", "web", "shop")["spec"]["replicas"] == 9
    (start,) = lab.journal.entries(FaultStarted)
    (end,) = lab.journal.facts(FaultEnded)
    assert start.time == 240
    assert start.fact.description == "kubectl scale deployment/web --replicas=9 -n shop"  # type: ignore[attr-defined]
    assert end == FaultEnded("kubectl by hand", "staging", "deployment.apps/web scaled")
    lab.run("5m")
    assert staging.get("Deployment", "web", "shop")["spec"]["replicas"] == 2  # Flux was there


def test_the_registry_is_away_for_a_while(lab: Lab, staging: ClusterHandle) -> None:
    staging.faults.schedule("09:10", "registry_down", "5m")
    lab.run(until="09:10:30")
    staging.kubectl("create deployment new --image=shop/new:1")
    lab.run("2m")
    (pod,) = staging.list("v1/Pod", "default")
    assert "waiting" in pod["status"]["containerStatuses"][0]["state"]
    lab.run("10m")
    (pod,) = staging.list("v1/Pod", "default")
    assert pod["status"]["phase"] == "Running"
    assert [fact.name for fact in lab.journal.facts(FaultEnded)] == ["registry down"]


def test_an_outage_of_the_registry_that_began_anew_is_not_ended_by_the_first(lab: Lab) -> None:
    lab.registry.take_down("1m")
    lab.run("10s")
    lab.registry.bring_back()
    lab.registry.take_down()
    lab.run("5m")
    with pytest.raises(LabError, match="registry is down"):
        lab.registry.push("shop/web:9")


def test_what_was_scheduled_is_replayed_to_the_byte(
    lab: Lab, staging: ClusterHandle, tmp_path: Path
) -> None:
    staging.faults.schedule("09:20", "kubectl", "delete deployment/cart -n shop")
    staging.faults.at_random(3, "09:05", "09:30", "node_down", "node-1", "1m")
    staging.faults.at_random(2, "09:05", "09:30", "registry_down", "20s")
    lab.run("40m")
    lab.save(tmp_path / "lab.json.gz")
    again = Lab.load(tmp_path / "lab.json.gz")
    assert again.journal.to_jsonl() == lab.journal.to_jsonl()
    assert len(lab.journal.facts(FaultStarted)) == len(lab.journal.facts(FaultEnded)) == 6


def test_a_webhook_changes_what_flux_applies_until_it_is_removed(
    lab: Lab, staging: ClusterHandle
) -> None:
    patch = [{"op": "replace", "path": "/spec/replicas", "value": 1}]
    staging.faults.webhook_installed("deployments", patch, "10m")
    staging.kubectl("label deployment/web touched=yes -n shop")
    assert staging.get("Deployment", "web", "shop")["spec"]["replicas"] == 1
    lab.run("9m")
    assert staging.get("Deployment", "web", "shop")["spec"]["replicas"] == 1
    lab.run("6m")
    assert staging.get("Deployment", "web", "shop")["spec"]["replicas"] == 2
    assert [fact.name for fact in lab.journal.facts(FaultEnded)] == ["webhook on deployments"]
    assert lab.fork().journal.to_jsonl() == lab.journal.to_jsonl()
