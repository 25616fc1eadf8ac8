"""Write the objects that an API server makes at its start: roles, priority classes, flow schemas.

    python tools/generate_bootstrap.py [--check]

Reads the recorded policy of the Go module `k8s.io/kubernetes` in Go's module cache
(`plugin/pkg/auth/authorizer/rbac/bootstrappolicy/testdata`); flow schemas and priority levels are
those of `k8s.io/apiserver`, `pkg/apis/flowcontrol/bootstrap/default.go`, as tables here. It adds
the managedFields that the server's own field manager gives them, so that a new server need not
track 160 objects. `--check` writes nothing and fails when the file differs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import packed_data
import yaml

from gitops_sim.apimachinery import managed_fields
from gitops_sim.apimachinery.schemas import Schemas

POLICY = "k8s.io/kubernetes@v1.37.2/plugin/pkg/auth/authorizer/rbac/bootstrappolicy/testdata"
TARGET = Path(__file__).resolve().parent.parent / "gitops_sim/apiserver/data/bootstrap.json.xz"
FILES = (
    "cluster-roles",
    "controller-roles",
    "cluster-role-bindings",
    "controller-role-bindings",
    "namespace-roles",
    "namespace-role-bindings",
)
PRIORITIES = (
    (
        "system-node-critical",
        2000001000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
    (
        "system-cluster-critical",
        2000000000,
        (
            "Used for system critical pods that must run in the cluster, but can be moved to "
            "another node if necessary."
        ),
    ),
)

FLOW_API = "flowcontrol.apiserver.k8s.io/v1"
LEVELS = (
    ("catch-all", 5, 0, None),
    ("system", 30, 33, (64, 6)),
    ("node-high", 40, 25, (64, 6)),
    ("leader-election", 10, 0, (16, 4)),
    ("workload-high", 40, 50, (128, 6)),
    ("workload-low", 100, 90, (128, 6)),
    ("global-default", 20, 50, (128, 6)),
)
"""Names of priority levels, their shares, what they lend; queues and the hand size of a flow."""

EVERYONE = ["Group system:unauthenticated", "Group system:authenticated"]
MANAGER, SCHEDULER = "User system:kube-controller-manager", "User system:kube-scheduler"
SYSTEM_ACCOUNTS = "ServiceAccount kube-system/*"
WHOLE = {"clusterScope": True}
ALL_RESOURCES = (["*"], ["*"], ["*"], WHOLE)
LEASES: Any = (["coordination.k8s.io"], ["leases"], {})
ALL = ([ALL_RESOURCES], [(["*"], ["*"])])
FLOWS: tuple[tuple[str, str, int, str, list[str], Any], ...] = (
    ("exempt", "exempt", 1, "", ["Group system:masters"], ALL),
    ("catch-all", "catch-all", 10000, "ByUser", EVERYONE, ALL),
    ("system-nodes", "system", 500, "ByUser", ["Group system:nodes"], ALL),
    (
        "system-node-high",
        "node-high",
        400,
        "ByUser",
        ["Group system:nodes"],
        ([(["*"], [""], ["nodes", "nodes/status"], WHOLE), (["*"], *LEASES)], []),
    ),
    ("probes", "exempt", 2, "", EVERYONE, ([], [(["get"], ["/healthz", "/readyz", "/livez"])])),
    (
        "system-leader-election",
        "leader-election",
        100,
        "ByUser",
        [MANAGER, SCHEDULER, SYSTEM_ACCOUNTS],
        ([(["get", "create", "update"], *LEASES)], []),
    ),
    ("kube-controller-manager", "workload-high", 800, "ByNamespace", [MANAGER], ALL),
    ("kube-scheduler", "workload-high", 800, "ByNamespace", [SCHEDULER], ALL),
    ("kube-system-service-accounts", "workload-high", 900, "ByNamespace", [SYSTEM_ACCOUNTS], ALL),
    ("service-accounts", "workload-low", 9000, "ByUser", ["Group system:serviceaccounts"], ALL),
    ("global-default", "global-default", 9900, "ByUser", EVERYONE, ALL),
)
"""Names of flow schemas, their levels and ranks, what makes a flow, whose requests, and which."""


def objects(cache: Path) -> list[dict[str, Any]]:
    """Return the objects in the order in which the server makes them."""
    found = [
        {
            "kind": "PriorityClass",
            "apiVersion": "scheduling.k8s.io/v1",
            "metadata": {"name": name, "generation": 1},
            "value": value,
            "description": description,
            "preemptionPolicy": "PreemptLowerPriority",
        }
        for name, value, description in PRIORITIES
    ]
    for name in FILES:
        listed = yaml.safe_load((cache / POLICY / f"{name}.yaml").read_text())
        found += listed["items"]
    made = [tracked(manifest, "kube-apiserver") for manifest in found]
    producer = "api-priority-and-fairness-config-producer-v1"
    made += [tracked(manifest, producer) for manifest in priority_levels()]
    return made + [judged(tracked(manifest, producer)) for manifest in flow_schemas()]


def priority_levels() -> list[dict[str, Any]]:
    """Return the PriorityLevelConfigurations."""
    exempt = {"nominalConcurrencyShares": 0, "lendablePercent": 0}
    found = [flow_object("PriorityLevelConfiguration", "exempt", type="Exempt", exempt=exempt)]
    for name, shares, lent, queues in LEVELS:
        response: dict[str, Any] = {"type": "Reject"}
        if queues is not None:
            queuing = {"queues": queues[0], "handSize": queues[1], "queueLengthLimit": 50}
            response = {"type": "Queue", "queuing": queuing}
        limited = {
            "nominalConcurrencyShares": shares,
            "limitResponse": response,
            "lendablePercent": lent,
        }
        kind = "PriorityLevelConfiguration"
        found.append(flow_object(kind, name, type="Limited", limited=limited))
    return found


def flow_schemas() -> list[dict[str, Any]]:
    """Return the FlowSchemas."""
    found = []
    for name, level, rank, method, whose, (resources, others) in FLOWS:
        rules: dict[str, Any] = {"subjects": [subject(text) for text in whose]}
        if resources:
            rules["resourceRules"] = [resource_rule(*rule) for rule in resources]
        if others:
            rules["nonResourceRules"] = [
                {"verbs": verbs, "nonResourceURLs": urls} for verbs, urls in others
            ]
        spec: dict[str, Any] = {
            "priorityLevelConfiguration": {"name": level},
            "matchingPrecedence": rank,
        }
        if method:
            spec["distinguisherMethod"] = {"type": method}
        found.append(flow_object("FlowSchema", name, **spec, rules=[rules]))
    return found


def flow_object(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    """Return one object of the group, which the server keeps as it is."""
    annotations = {"apf.kubernetes.io/autoupdate-spec": "true"}
    metadata = {"name": name, "generation": 1, "annotations": annotations}
    return {"kind": kind, "apiVersion": FLOW_API, "metadata": metadata, "spec": spec, "status": {}}


def subject(text: str) -> dict[str, Any]:
    """Return a subject written as `Kind name`."""
    kind, _, name = text.partition(" ")
    if kind == "ServiceAccount":
        namespace, _, name = name.partition("/")
        return {"kind": kind, "serviceAccount": {"namespace": namespace, "name": name}}
    return {"kind": kind, kind.lower(): {"name": name}}


def resource_rule(
    verbs: list[str], groups: list[str], resources: list[str], scope: dict[str, bool]
) -> dict[str, Any]:
    """Return a rule about resources in every namespace, and perhaps those outside of any."""
    rule: dict[str, Any] = {"verbs": verbs, "apiGroups": groups, "resources": resources}
    return rule | scope | {"namespaces": ["*"]}


def judged(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return a FlowSchema with the condition that its level exists; its times come later."""
    level = manifest["spec"]["priorityLevelConfiguration"]["name"]
    condition = {
        "type": "Dangling",
        "status": "False",
        "lastTransitionTime": "",
        "reason": "Found",
        "message": (
            f'This FlowSchema references the PriorityLevelConfiguration object named "{level}" '
            "and it exists"
        ),
    }
    applied = {key: manifest[key] for key in ("kind", "apiVersion")} | {
        "metadata": {"name": manifest["metadata"]["name"]},
        "status": {"conditions": [condition]},
    }
    return managed_fields.apply(
        manifest,
        applied,
        manager="api-priority-and-fairness-config-consumer-v1",
        force=True,
        schema=Schemas().schema_for("flowcontrol.apiserver.k8s.io", "v1", "FlowSchema"),
        time="",
        api_version=FLOW_API,
        subresource="status",
    )


def tracked(manifest: dict[str, Any], manager: str) -> dict[str, Any]:
    """Return an object with the managedFields of its creation; their time is filled in later."""
    group, _, version = manifest["apiVersion"].rpartition("/")
    schema = Schemas().schema_for(group, version, manifest["kind"])
    return managed_fields.after_update(
        None,
        manifest,
        manager=manager,
        schema=schema,
        time="",
        api_version=manifest["apiVersion"],
        subresource="",
    )


def generate(cache: Path) -> bytes:
    """Return the content of the data file."""
    return json.dumps(objects(cache), separators=(",", ":")).encode()


if __name__ == "__main__":
    sys.exit(packed_data.run("generate the objects of a new server", TARGET, generate))
