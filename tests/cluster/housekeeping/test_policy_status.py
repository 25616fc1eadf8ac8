"""A policy's status says that the policy was seen."""

from __future__ import annotations

from typing import Any

from gitops_sim.cluster.housekeeping import HOUSEKEEPING


def test_a_policy_is_observed_with_each_change(make_world: Any) -> None:
    world = make_world([HOUSEKEEPING["validatingadmissionpolicy-status-controller"]])
    rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"]}
    spec = {
        "matchConstraints": {"resourceRules": [rule | {"operations": ["CREATE"]}]},
        "validations": [{"expression": "object.spec.replicas > 1"}],
    }
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "company"},
        "spec": spec,
    }
    world.user.create(policy)
    world.run(5)
    kind = "ValidatingAdmissionPolicy"
    found = world.user.get(kind, "company")
    assert found["status"] == {"observedGeneration": 1, "typeChecking": {}}
    world.user.patch(kind, "company", {"spec": {"failurePolicy": "Ignore"}})
    world.run(5)
    assert world.user.get(kind, "company")["status"]["observedGeneration"] == 2
