"""What a ResourceQuota may count, and in which scopes."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.apimachinery.validation import validate_create, validate_update


def quota(**spec: Any) -> dict[str, Any]:
    metadata = {"name": "q", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": spec}


def wanted(scope: str, operator: str = "Exists", *values: str) -> dict[str, Any]:
    entry = {"scopeName": scope, "operator": operator} | ({"values": [*values]} if values else {})
    return quota(hard={"pods": "1"}, scopeSelector={"matchExpressions": [entry]})


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        (quota(hard={"pods": "1.5"}), "spec.hard[pods]: Invalid value: "),
        (quota(hard={"bananas": "1"}), "must be a standard resource for quota"),
        (quota(hard={"cpu": "-1"}), "must be greater than or equal to 0"),
        (quota(hard={"services": "1"}, scopes=["BestEffort"]), "unsupported scope applied"),
        (quota(hard={"cpu": "1"}, scopes=["VolumeAttributesClass"]), "applied to resource"),
        (quota(hard={"pods": "1"}, scopes=["Best"]), "unsupported scope"),
        (quota(scopes=["Terminating", "NotTerminating"]), "conflicting scopes"),
        (wanted("Best"), "matchExpressions.scopeName: Invalid value"),
        (wanted("BestEffort", "In", "a"), "must be 'Exists' when scope is any of"),
        (wanted("PriorityClass", "In"), "must be at least one value"),
        (wanted("PriorityClass", "Exists", "a"), "must be no value"),
        (wanted("PriorityClass", "Is"), "not a valid selector operator"),
    ],
)
def test_a_quota_that_counts_what_it_cannot_is_refused(
    manifest: dict[str, Any], problem: str
) -> None:
    assert any(problem in str(cause) for cause in validate_create(manifest))


@pytest.mark.parametrize(
    "manifest",
    [
        quota(hard={"cpu": "2", "pods": "4"}, scopes=["NotBestEffort", "Terminating"]),
        quota(hard={"requests.hugepages-2Mi": "1", "count/deployments.apps": "3"}),
        wanted("PriorityClass", "In", "high"),
    ],
)
def test_a_quota_that_counts_what_it_can_is_taken(manifest: dict[str, Any]) -> None:
    assert validate_create(manifest) == []


def test_the_scopes_of_a_quota_stay() -> None:
    (cause,) = validate_update(quota(scopes=["BestEffort"]), quota())
    assert str(cause) == 'spec.scopes: Invalid value: ["BestEffort"]: field is immutable'
