"""The ReplicaSets of a Deployment: which is the new one, their revisions, annotations and sizes.

Source: k8s.io/kubernetes, pkg/controller/deployment/util/deployment_util.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gitops_sim.cluster.ownership import owner_reference
from gitops_sim.cluster.workloads.fenceposts import fenceposts
from gitops_sim.cluster.workloads.template_hash import template_hash
from gitops_sim.types import Manifest

__all__ = [
    "DESIRED",
    "HASH_LABEL",
    "REVISION",
    "active_sets",
    "actual_replicas",
    "available_replicas",
    "by_creation",
    "desired_replicas",
    "find_new_set",
    "max_revision",
    "new_set",
    "new_set_size",
    "revision_of",
    "same_template",
    "wanted_replicas",
    "with_new_revision",
    "with_size",
]

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
_HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAX = "deployment.kubernetes.io/max-replicas"
_NOT_COPIED = {
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    _HISTORY,
    DESIRED,
    MAX,
    "deprecated.deployment.rollback.to",
}
_MAX_HISTORY_LENGTH = 2000


def wanted_replicas(sets: Iterable[Manifest]) -> int:
    """Return the sum of `spec.replicas`."""
    return sum(replica_set["spec"]["replicas"] for replica_set in sets)


def actual_replicas(sets: Iterable[Manifest]) -> int:
    """Return the sum of `status.replicas`: pods that are there."""
    return sum((replica_set.get("status") or {}).get("replicas", 0) for replica_set in sets)


def available_replicas(sets: Iterable[Manifest]) -> int:
    """Return the sum of `status.availableReplicas`."""
    return sum(
        (replica_set.get("status") or {}).get("availableReplicas", 0) for replica_set in sets
    )


def active_sets(sets: Iterable[Manifest]) -> list[Manifest]:
    """Return those that want pods."""
    return [replica_set for replica_set in sets if replica_set["spec"]["replicas"] > 0]


def by_creation(sets: Iterable[Manifest]) -> list[Manifest]:
    """Return them oldest first."""
    return sorted(sets, key=lambda s: (s["metadata"]["creationTimestamp"], s["metadata"]["name"]))


def revision_of(replica_set: Manifest) -> int:
    """Return the number in the revision annotation; 0 when there is none."""
    text = (replica_set["metadata"].get("annotations") or {}).get(REVISION, "")
    return int(text) if text.isdigit() else 0


def max_revision(sets: Iterable[Manifest]) -> int:
    """Return the highest revision; 0 for none."""
    return max((revision_of(replica_set) for replica_set in sets), default=0)


def desired_replicas(replica_set: Manifest) -> int | None:
    """Return for how many replicas of the Deployment this set was last scaled."""
    text = (replica_set["metadata"].get("annotations") or {}).get(DESIRED, "")
    return int(text) if text.isdigit() else None


def max_replicas(replica_set: Manifest) -> int | None:
    """Return how many pods the Deployment might have had when this set was last scaled."""
    text = (replica_set["metadata"].get("annotations") or {}).get(MAX, "")
    return int(text) if text.isdigit() else None


def same_template(template: Manifest, other: Manifest) -> bool:
    """True when two pod templates are equal but for the hash label."""
    return template["spec"] == other["spec"] and _metadata(template) == _metadata(other)


def find_new_set(deployment: Manifest, sets: Iterable[Manifest]) -> Manifest | None:
    """Return the oldest set that has the Deployment's template."""
    template = deployment["spec"]["template"]
    for replica_set in by_creation(sets):
        if same_template(replica_set["spec"]["template"], template):
            return replica_set
    return None


def new_set(deployment: Manifest, sets: Sequence[Manifest], revision: int) -> Manifest:
    """Return the ReplicaSet for the Deployment's template, sized for a first step.

    Args:
        deployment: Which.
        sets: The ReplicaSets that it has.
        revision: Of the new one.
    """
    spec, metadata = deployment["spec"], deployment["metadata"]
    template = spec["template"]
    word = template_hash(template, (deployment.get("status") or {}).get("collisionCount"))
    labels = {**((template.get("metadata") or {}).get("labels") or {}), HASH_LABEL: word}
    selector = spec["selector"]
    made: Manifest = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{metadata['name']}-{word}",
            "namespace": metadata["namespace"],
            "labels": labels,
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": {
            "replicas": 0,
            "selector": selector
            | {"matchLabels": {**(selector.get("matchLabels") or {}), HASH_LABEL: word}},
            "template": template
            | {"metadata": {**(template.get("metadata") or {}), "labels": labels}},
        },
    }
    if spec.get("minReadySeconds"):
        made["spec"]["minReadySeconds"] = spec["minReadySeconds"]
    size = new_set_size(deployment, [*sets, made], made)
    made["spec"]["replicas"] = size
    return with_size(with_new_revision(made, deployment, revision), deployment, size)


def new_set_size(deployment: Manifest, sets: Iterable[Manifest], new: Manifest) -> int:
    """Return how many replicas the new set may have now, beside what the others have."""
    spec = deployment["spec"]
    wanted: int = spec["replicas"]
    has: int = new["spec"]["replicas"]
    if spec["strategy"]["type"] == "Recreate":
        return wanted
    room = wanted + fenceposts(deployment).surge - wanted_replicas(sets)
    return has if room <= 0 else has + min(room, wanted - has)


def with_new_revision(replica_set: Manifest, deployment: Manifest, revision: int) -> Manifest:
    """Return the new set with the Deployment's annotations and a revision no lower than this."""
    annotations = dict(replica_set["metadata"].get("annotations") or {})
    copied = deployment["metadata"].get("annotations") or {}
    annotations |= {key: value for key, value in copied.items() if key not in _NOT_COPIED}
    old = annotations.get(REVISION)
    if old is None or revision_of(replica_set) < revision:
        annotations[REVISION] = str(revision)
        if old is not None:
            annotations[_HISTORY] = _history(annotations.get(_HISTORY, ""), old)
    return _with_annotations(replica_set, annotations)


def with_size(replica_set: Manifest, deployment: Manifest, size: int) -> Manifest:
    """Return a set with that size, and the annotations that say what it was scaled for."""
    wanted = deployment["spec"]["replicas"]
    annotations = dict(replica_set["metadata"].get("annotations") or {})
    annotations[DESIRED] = str(wanted)
    annotations[MAX] = str(wanted + fenceposts(deployment).surge)
    annotated = _with_annotations(replica_set, annotations)
    if replica_set["spec"]["replicas"] == size:
        return annotated
    return annotated | {"spec": replica_set["spec"] | {"replicas": size}}


def share_of_scaling(replica_set: Manifest, deployment: Manifest, to_add: int, added: int) -> int:
    """Return by how much a set grows when a Deployment is scaled in the middle of a roll-out.

    Args:
        replica_set: One of several that have pods.
        deployment: Theirs.
        to_add: How many replicas are to be added (below 0: removed) over all sets.
        added: How many of them the sets before this one got.
    """
    has: int = replica_set["spec"]["replicas"]
    if not has or not to_add or to_add == added:
        return 0
    wanted = deployment["spec"]["replicas"]
    if not wanted:
        fraction = -has
    else:
        whole = wanted + fenceposts(deployment).surge
        before = max_replicas(replica_set) or (deployment.get("status") or {}).get("replicas", 0)
        fraction = _rounded(has * whole, before) - has if before else 0
    return min(fraction, to_add - added) if to_add > 0 else max(fraction, to_add - added)


def _rounded(numerator: int, denominator: int) -> int:
    """Round to the nearest, halves up."""
    return (2 * numerator + denominator) // (2 * denominator)


def _with_annotations(manifest: Manifest, annotations: dict[str, str]) -> Manifest:
    metadata = manifest["metadata"]
    if annotations == (metadata.get("annotations") or {}):
        return manifest
    return manifest | {"metadata": metadata | {"annotations": annotations}}


def _history(history: str, old: str) -> str:
    """Append to the revisions that a set had before, dropping the oldest when it gets long."""
    parts = [*(part for part in history.split(",") if part), old]
    while len(",".join(parts)) > _MAX_HISTORY_LENGTH:
        parts.pop(0)
    return ",".join(parts)


def _metadata(template: Manifest) -> dict[str, Any]:
    metadata = dict(template.get("metadata") or {})
    labels = {k: v for k, v in (metadata.get("labels") or {}).items() if k != HASH_LABEL}
    metadata.pop("labels", None)
    metadata.pop("creationTimestamp", None)
    return metadata | {"labels": labels}
