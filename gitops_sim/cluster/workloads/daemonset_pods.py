"""Where the pods of a DaemonSet belong, and how they are made for one node each.

Source: k8s.io/kubernetes, pkg/controller/daemon/daemon_controller.go (NodeShouldRunDaemonPod) and
pkg/controller/daemon/util/daemonset_util.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from gitops_sim.cluster.nodes.filters import matches_node_terms, untolerated
from gitops_sim.cluster.ownership import is_being_deleted
from gitops_sim.cluster.workloads.pods import pod_from_template, template_name_prefix
from gitops_sim.cluster.workloads.revisions import REVISION_LABEL
from gitops_sim.types import Manifest

__all__ = [
    "GENERATION",
    "Eligibility",
    "OldAndNew",
    "daemon_pod",
    "eligibility",
    "node_of",
    "old_and_new",
    "oldest_first",
]

GENERATION = "deprecated.daemonset.template.generation"
_GENERATION_LABEL = "pod-template-generation"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_TOLERATED = (
    ("not-ready", "NoExecute"),
    ("unreachable", "NoExecute"),
    ("disk-pressure", "NoSchedule"),
    ("memory-pressure", "NoSchedule"),
    ("pid-pressure", "NoSchedule"),
    ("unschedulable", "NoSchedule"),
)


class Eligibility(NamedTuple):
    """Whether a node should get a pod, and whether one that is there may stay."""

    runs: bool
    keeps: bool


class OldAndNew(NamedTuple):
    """The pods of a node that are not going: of the present template, and of another one."""

    new: Manifest | None
    old: Manifest | None


def eligibility(daemonset: Manifest, node: Manifest) -> Eligibility:
    """Return what a DaemonSet wants on a node: by name, selector, affinity and taints."""
    template = daemonset["spec"]["template"]
    wanted = template["spec"].get("nodeName")
    name = node["metadata"]["name"]
    pod: Manifest = {"spec": _spec_for(template["spec"], name)}
    if (wanted and wanted != name) or not _selects(template, node):
        return Eligibility(runs=False, keeps=False)
    if untolerated(pod, node, ("NoSchedule", "NoExecute")) is not None:
        stays = untolerated(pod, node, ("NoExecute",)) is None
        return Eligibility(runs=False, keeps=stays)
    return Eligibility(runs=True, keeps=True)


def daemon_pod(daemonset: Manifest, node_name: str, hash_: str) -> Manifest:
    """Return the pod for one node, which only that node's name attracts."""
    metadata, template = daemonset["metadata"], daemonset["spec"]["template"]
    labels = {REVISION_LABEL: hash_}
    generation = (metadata.get("annotations") or {}).get(GENERATION)
    if generation:
        labels[_GENERATION_LABEL] = generation
    prefix = template_name_prefix(metadata["name"])
    pod = pod_from_template(template, daemonset, generateName=prefix, labels=labels)
    return pod | {"spec": _spec_for(template["spec"], node_name)}


def node_of(pod: Manifest) -> str:
    """Return the name of the node that a daemon pod is on, or is made for."""
    spec = pod["spec"]
    if spec.get("nodeName"):
        return str(spec["nodeName"])
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    for term in (affinity.get(_REQUIRED) or {}).get("nodeSelectorTerms") or ():
        for entry in term.get("matchFields") or ():
            if entry["key"] == "metadata.name" and entry["operator"] == "In":
                return str(entry["values"][0])
    return ""


def old_and_new(pods: Iterable[Manifest], hash_: str) -> OldAndNew | None:
    """Return the pods of a node by template; None when there are two of a sort."""
    new: list[Manifest] = []
    old: list[Manifest] = []
    for pod in pods:
        if is_being_deleted(pod):
            continue
        labels = pod["metadata"].get("labels") or {}
        (new if labels.get(REVISION_LABEL) == hash_ else old).append(pod)
    if len(new) > 1 or len(old) > 1:
        return None
    return OldAndNew(new[0] if new else None, old[0] if old else None)


def oldest_first(pods: Iterable[Manifest]) -> list[Manifest]:
    """Order pods of a node: those on it before those made for it, the older before the younger."""
    return sorted(
        pods,
        key=lambda pod: (
            not pod["spec"].get("nodeName"),
            pod["metadata"]["creationTimestamp"],
            pod["metadata"]["name"],
        ),
    )


def _spec_for(spec: Manifest, node_name: str) -> Manifest:
    """Return a pod spec bound to a node by affinity, with what every daemon tolerates."""
    affinity = dict(spec.get("affinity") or {})
    node_affinity = dict(affinity.get("nodeAffinity") or {})
    field: dict[str, Any] = {"key": "metadata.name", "operator": "In", "values": [node_name]}
    node_affinity[_REQUIRED] = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    affinity["nodeAffinity"] = node_affinity
    tolerations = list(spec.get("tolerations") or ())
    for toleration in _daemon_tolerations(spec):
        if toleration not in tolerations:
            tolerations.append(toleration)
    return spec | {"affinity": affinity, "tolerations": tolerations}


def _daemon_tolerations(spec: Manifest) -> Sequence[dict[str, str]]:
    words = list(_TOLERATED)
    if spec.get("hostNetwork"):
        words.append(("network-unavailable", "NoSchedule"))
    return [
        {"key": f"node.kubernetes.io/{word}", "operator": "Exists", "effect": effect}
        for word, effect in words
    ]


def _selects(template: Manifest, node: Manifest) -> bool:
    spec, labels = template["spec"], node["metadata"].get("labels") or {}
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get(_REQUIRED)
    return required is None or matches_node_terms(node, required.get("nodeSelectorTerms") or ())
