"""Which nodes suit the volumes of a pod, and volumes that wait for a node to be bound.

A claim whose class has `volumeBindingMode: WaitForFirstConsumer` is bound when its first pod has
found a node: a volume that is there and may be used from that node is reserved for it, or the
claim is annotated with the node, so that the provisioner makes one. The pod goes to the node when
all its claims are bound.

Source: k8s.io/kubernetes, pkg/scheduler/framework/plugins/volumebinding (binder.go,
volume_binding.go).
Differs: allowedTopologies and the capacity of storage are not looked at; a pod whose volume is not
made within 10 minutes keeps its node.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gitops_sim.cluster.nodes.filters import Misfit, matches_node_terms
from gitops_sim.cluster.volume_matching import (
    NO_PROVISIONER,
    best_volume,
    claims_of,
    class_of,
    waits_for_consumer,
)
from gitops_sim.runtime import Caches, Informer
from gitops_sim.types import Manifest

__all__ = ["SELECTED_NODE", "Bindings", "Volumes"]

SELECTED_NODE = "volume.kubernetes.io/selected-node"
"""Tells a provisioner where the first pod of a claim will run."""


@dataclass(frozen=True, slots=True)
class Bindings:
    """What has to be bound before a pod may go to a node.

    Attributes:
        reserved: Claims, each with the volume to reserve for it.
        provisioned: Claims for which volumes have to be made.
    """

    reserved: Sequence[tuple[Manifest, Manifest]]
    provisioned: Sequence[Manifest]


class Volumes:
    """The claims and volumes of a cluster, as the scheduler looks at them."""

    def __init__(self, caches: Caches) -> None:
        self._claims: Informer = caches["v1/PersistentVolumeClaim"]
        self._volumes: Informer = caches["v1/PersistentVolume"]
        self._classes: Informer = caches["storage.k8s.io/v1/StorageClass"]

    def problem(self, pod: Manifest) -> str:
        """Return why a pod can go nowhere, whatever the node; empty when nodes decide."""
        namespace = pod["metadata"]["namespace"]
        for name in claims_of(pod):
            claim = self._claims.get(name, namespace)
            if claim is None:
                return f'persistentvolumeclaim "{name}" not found'
            if "deletionTimestamp" in claim["metadata"]:
                return f'persistentvolumeclaim "{name}" is being deleted'
            if not _is_bound(claim) and not self._waits(claim):
                return "pod has unbound immediate PersistentVolumeClaims"
        return ""

    def misfit(self, pod: Manifest, node: Manifest) -> Misfit | None:
        """Return why the volumes of a pod cannot be used from a node; None when they can."""
        for claim in self._claims_of(pod):
            if _is_bound(claim):
                volume = self._volumes.get(claim["spec"].get("volumeName", ""))
                if volume is not None and not _is_reachable(volume, node):
                    text = "node(s) didn't match PersistentVolume's node affinity"
                    return Misfit(text, helps_preemption=False)
            elif not self._may_be_bound(claim, node):
                text = "node(s) didn't find available persistent volumes to bind"
                return Misfit(text, helps_preemption=False)
        return None

    def unbound(self, pod: Manifest, node: Manifest) -> Bindings | None:
        """Return what is still to be bound for a pod on a node; None when all is."""
        reserved: list[tuple[Manifest, Manifest]] = []
        provisioned = []
        claims = [claim for claim in self._claims_of(pod) if not _is_bound(claim)]
        taken: set[str] = set()
        for claim in claims:
            volume = self._volume_for(claim, node, taken)
            if volume is None:
                provisioned.append(claim)
            else:
                taken.add(volume["metadata"]["name"])
                reserved.append((claim, volume))
        return Bindings(reserved, provisioned) if claims else None

    def _claims_of(self, pod: Manifest) -> Sequence[Manifest]:
        namespace = pod["metadata"]["namespace"]
        found = (self._claims.get(name, namespace) for name in claims_of(pod))
        return [claim for claim in found if claim is not None]

    def _waits(self, claim: Manifest) -> bool:
        return waits_for_consumer(self._classes.get(class_of(claim) or ""))

    def _may_be_bound(self, claim: Manifest, node: Manifest) -> bool:
        chosen = (claim["metadata"].get("annotations") or {}).get(SELECTED_NODE)
        if chosen:
            return bool(chosen == node["metadata"]["name"])
        storage_class = self._classes.get(class_of(claim) or "")
        if storage_class is not None and storage_class["provisioner"] != NO_PROVISIONER:
            return True
        return self._volume_for(claim, node, set()) is not None

    def _volume_for(self, claim: Manifest, node: Manifest, taken: set[str]) -> Manifest | None:
        reachable = [
            volume
            for volume in self._volumes.list()
            if volume["metadata"]["name"] not in taken and _is_reachable(volume, node)
        ]
        return best_volume(claim, reachable)


def _is_bound(claim: Manifest) -> bool:
    return bool((claim.get("status") or {}).get("phase") == "Bound")


def _is_reachable(volume: Manifest, node: Manifest) -> bool:
    required = (volume["spec"].get("nodeAffinity") or {}).get("required")
    return required is None or matches_node_terms(node, required.get("nodeSelectorTerms") or ())
