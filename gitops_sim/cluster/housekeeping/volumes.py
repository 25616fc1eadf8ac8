"""Claims and volumes: bound to each other, provisioned when none fits, reclaimed afterwards.

A claim gets the smallest volume that fits, or waits until its first pod has a node, if its class
says so. Where none does and its class has a provisioner, the
claim is annotated, and the provisioner makes a volume for it. Binding is four writes: the volume
names the claim, turns Bound, the claim names the volume, turns Bound; whatever of it is done, the
next reconcile goes on from there.

Source: k8s.io/kubernetes, pkg/controller/volume/persistentvolume/pv_controller.go;
kubernetes-csi/external-provisioner, controller.
Differs: one provisioner serves every class whose provisioner is not kubernetes.io/no-provisioner.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gitops_sim.cluster.controlling import (
    Context,
    ControllerSpec,
    Reconciling,
    Steps,
    step,
)
from gitops_sim.cluster.nodes.volume_binding import SELECTED_NODE
from gitops_sim.cluster.ownership import is_being_deleted
from gitops_sim.cluster.volume_matching import (
    BY_CONTROLLER,
    NO_PROVISIONER,
    best_volume,
    claim_reference,
    claims_of,
    class_of,
    default_class,
    fresh_volume,
    is_for,
    reserved_volume,
    used_claims,
    waits_for_consumer,
)
from gitops_sim.errors import AlreadyExistsError, NotFoundError
from gitops_sim.runtime import Caches, ReconcileFunction, Request, Watched
from gitops_sim.types import Manifest, Result, Step

__all__ = ["PROVISIONER", "STANDARD_CLASS", "VOLUME_BINDER"]

STANDARD_CLASS: Manifest = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {
        "name": "standard",
        "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
    },
    "provisioner": "lab.gitops-sim.io/disk",
    "reclaimPolicy": "Delete",
    "volumeBindingMode": "Immediate",
}
"""The default class of a simulated cluster."""

_CLAIMS, _VOLUMES = "v1/PersistentVolumeClaim", "v1/PersistentVolume"
_CLASSES, _PODS = "storage.k8s.io/v1/StorageClass", "v1/Pod"
_USERS = "users"
_OLD_PROVISIONER_KEY = "volume.beta.kubernetes.io/storage-provisioner"
_PROVISIONER_KEY = "volume.kubernetes.io/storage-provisioner"
_COMPLETED = "pv.kubernetes.io/bind-completed"
_PROVISION_SECONDS = 1.0
_SYNC_SECONDS = 15.0
"""Until a claim is looked at again that a pod waits for. Source: --pvclaimbinder-sync-period."""


def _make_binder(context: Context) -> ReconcileFunction:
    context.caches[_PODS].add_index(_USERS, used_claims)
    return _Binder(context).reconcile


class _Binder:
    """Binds claims and volumes; a request with a namespace is a claim, one without a volume."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._client = context.client
        self._claims = context.caches[_CLAIMS]
        self._volumes = context.caches[_VOLUMES]

    def reconcile(self, request: Request) -> Reconciling:
        """Look at one claim or one volume."""
        if request.namespace:
            claim = self._claims.get(request.name, request.namespace)
            if claim is not None and not is_being_deleted(claim):
                yield from self._see_to_claim(claim)
            return None
        volume = self._volumes.get(request.name)
        if volume is not None:
            yield from self._see_to_volume(volume)
        return None

    def _see_to_claim(self, claim: Manifest) -> Steps:
        annotations = claim["metadata"].get("annotations") or {}
        name = claim["spec"].get("volumeName")
        if not name:
            yield from self._find_volume(claim)
            return
        volume = self._volumes.get(name)
        if volume is None:
            if annotations.get(_COMPLETED):
                yield from self._lose(claim)
            else:
                yield from self._write_phase(claim, "Pending")
        elif volume["spec"].get("claimRef") and not is_for(volume, claim):
            message = f'volume "{name}" already bound to a different claim.'
            self._tell(claim, "Warning", "FailedBinding", message)
            yield from self._write_phase(claim, "Pending")
        else:
            yield from self._bind(claim, volume)

    def _find_volume(self, claim: Manifest) -> Steps:
        if class_of(claim) is None:
            found = default_class(self._context.caches[_CLASSES].list())
            if found is not None:
                yield step("update", claim)
                spec = {**claim["spec"], "storageClassName": found["metadata"]["name"]}
                claim = self._client.update(claim | {"spec": spec})
        class_name = class_of(claim) or ""
        storage_class = self._context.caches[_CLASSES].get(class_name) if class_name else None
        waits = waits_for_consumer(storage_class)
        find = reserved_volume if waits else best_volume
        volume = find(claim, self._volumes.list())
        if volume is not None:
            yield from self._bind(claim, volume)
            return
        yield from self._write_phase(claim, "Pending")
        if waits and SELECTED_NODE not in (claim["metadata"].get("annotations") or {}):
            self._tell(claim, "Normal", *self._awaited(claim))
        elif not class_name:
            message = "no persistent volumes available for this claim and no storage class is set"
            self._tell(claim, "Normal", "FailedBinding", message)
        elif storage_class is None:
            message = f'storageclass.storage.k8s.io "{class_name}" not found'
            self._tell(claim, "Warning", "ProvisioningFailed", message)
        elif storage_class["provisioner"] == NO_PROVISIONER:
            message = "no volume plugin matched"
            self._tell(claim, "Warning", "ProvisioningFailed", message)
        else:
            yield from self._ask_provisioner(claim, storage_class["provisioner"])

    def _awaited(self, claim: Manifest) -> tuple[str, str]:
        """Return for what a claim waits that is bound with its first pod: reason and message."""
        key = f"{claim['metadata']['namespace']}/{claim['metadata']['name']}"
        names = [
            pod["metadata"]["name"]
            for pod in self._context.caches[_PODS].by_index(_USERS, key)
            if not pod["spec"].get("nodeName")
        ]
        if not names:
            return "WaitForFirstConsumer", "waiting for first consumer to be created before binding"
        subject = f"pods {','.join(names)}" if len(names) > 1 else f"pod {names[0]}"
        return "WaitForPodScheduled", f"waiting for {subject} to be scheduled"

    def _ask_provisioner(self, claim: Manifest, provisioner: str) -> Steps:
        current = self._claims.get(claim["metadata"]["name"], claim["metadata"]["namespace"])
        annotations = ((current or claim)["metadata"].get("annotations")) or {}
        if annotations.get(_PROVISIONER_KEY) != provisioner:
            keys = (_OLD_PROVISIONER_KEY, _PROVISIONER_KEY)
            yield from self._annotate(current or claim, dict.fromkeys(keys, provisioner))
        message = (
            "Waiting for a volume to be created either by the external provisioner "
            f"'{provisioner}' or manually by the system administrator. If volume creation is "
            "delayed, please verify that the provisioner is running and correctly registered."
        )
        self._tell(claim, "Normal", "ExternalProvisioning", message)

    def _bind(self, claim: Manifest, volume: Manifest) -> Steps:
        """Bring claim and volume to name each other, step by step; what is done stays done."""
        reference = volume["spec"].get("claimRef") or {}
        if reference.get("uid") != claim["metadata"]["uid"]:
            annotations = {**(volume["metadata"].get("annotations") or {})}
            if not reference:
                annotations[BY_CONTROLLER] = "yes"
            yield step("bind", volume)
            volume = self._client.update(
                volume
                | {"metadata": {**volume["metadata"], "annotations": annotations}}
                | {"spec": {**volume["spec"], "claimRef": claim_reference(claim)}}
            )
        yield from self._write_volume_phase(volume, "Bound")
        name = volume["metadata"]["name"]
        annotations = dict(claim["metadata"].get("annotations") or {})
        if claim["spec"].get("volumeName") != name or _COMPLETED not in annotations:
            if claim["spec"].get("volumeName") != name:
                annotations[BY_CONTROLLER] = "yes"
            annotations[_COMPLETED] = "yes"
            yield step("bind", claim)
            claim = self._client.update(
                claim
                | {"metadata": {**claim["metadata"], "annotations": annotations}}
                | {"spec": {**claim["spec"], "volumeName": name}}
            )
        before = claim.get("status") or {}
        is_bound = before.get("phase") == "Bound"  # its file system may be smaller than the volume
        status = (before if is_bound else {}) | {
            "phase": "Bound",
            "accessModes": volume["spec"]["accessModes"],
            "capacity": before["capacity"] if is_bound else volume["spec"]["capacity"],
        }
        yield from self._write_status(claim, status)

    def _lose(self, claim: Manifest) -> Steps:
        if (claim.get("status") or {}).get("phase") == "Lost":
            return
        message = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
        self._tell(claim, "Warning", "ClaimLost", message)
        yield from self._write_status(claim, {"phase": "Lost"})

    def _see_to_volume(self, volume: Manifest) -> Steps:
        reference = volume["spec"].get("claimRef")
        if not reference:
            yield from self._write_volume_phase(volume, "Available")
            return
        claim = self._claims.get(reference["name"], reference["namespace"])
        if not reference.get("uid"):
            yield from self._write_volume_phase(volume, "Available")
        elif claim is not None and claim["metadata"]["uid"] == reference["uid"]:
            name = volume["metadata"]["name"]
            if claim["spec"].get("volumeName") in (None, "", name):
                yield from self._bind(claim, volume)
        else:
            yield from self._reclaim(volume)

    def _reclaim(self, volume: Manifest) -> Steps:
        """The claim is gone: a volume to keep stays Released, another one is deleted."""
        volume = yield from self._write_volume_phase(volume, "Released")
        if volume["spec"].get("persistentVolumeReclaimPolicy") != "Delete":
            return
        if is_being_deleted(volume):
            return
        yield step("delete", volume)
        try:
            self._client.delete(_VOLUMES, volume["metadata"]["name"])
        except NotFoundError:
            return

    def _annotate(self, claim: Manifest, added: dict[str, str]) -> Steps:
        metadata = claim["metadata"]
        annotations = {**(metadata.get("annotations") or {}), **added}
        yield step("annotate", claim)
        self._client.update(claim | {"metadata": {**metadata, "annotations": annotations}})

    def _write_phase(self, claim: Manifest, phase: str) -> Steps:
        if (claim.get("status") or {}).get("phase") != phase:
            yield from self._write_status(claim, {"phase": phase})

    def _write_status(self, claim: Manifest, status: Manifest) -> Steps:
        before = claim.get("status") or {}
        if "conditions" in before:  # another controller's
            status = status | {"conditions": before["conditions"]}
        if status == before:
            return
        yield step("update status of", claim)
        self._client.update(claim | {"status": status}, subresource="status")

    def _write_volume_phase(self, volume: Manifest, phase: str) -> Any:
        status = volume.get("status") or {}
        if status.get("phase") == phase:
            return volume
        yield step("update status of", volume)
        fresh = {"phase": phase, "lastPhaseTransitionTime": self._context.clock.timestamp()}
        return self._client.update(volume | {"status": fresh}, subresource="status")

    def _tell(self, claim: Manifest, type_: str, reason: str, message: str) -> None:
        self._context.events.event(claim, type_, reason, message)


def _claim_of_volume(volume: Manifest, caches: Caches) -> Iterable[Request]:
    """Ask for a volume, for its claim, and for claims that wait when it is free."""
    yield Request("", volume["metadata"]["name"])
    reference = volume["spec"].get("claimRef")
    if reference:
        yield Request(reference["namespace"], reference["name"])
        return
    for claim in caches[_CLAIMS].list():
        if not claim["spec"].get("volumeName"):
            yield Request(claim["metadata"]["namespace"], claim["metadata"]["name"])


def _volume_of_claim(claim: Manifest, caches: Caches) -> Iterable[Request]:
    metadata = claim["metadata"]
    yield Request(metadata["namespace"], metadata["name"])
    if claim["spec"].get("volumeName"):
        yield Request("", claim["spec"]["volumeName"])


def _claims_of_pod(pod: Manifest, caches: Caches) -> Iterable[Request]:
    """Ask for claims that may wait for their first consumer."""
    namespace = pod["metadata"]["namespace"]
    for name in claims_of(pod):
        claim = caches[_CLAIMS].get(name, namespace)
        if claim is not None and not claim["spec"].get("volumeName"):
            yield Request(namespace, name)


def _waiting_claims(manifest: Manifest, caches: Caches) -> Iterable[Request]:
    """A class that comes may serve any claim that waits."""
    for claim in caches[_CLAIMS].list():
        if not claim["spec"].get("volumeName"):
            yield Request(claim["metadata"]["namespace"], claim["metadata"]["name"])


def _make_provisioner(context: Context) -> ReconcileFunction:
    return lambda request: _provision(context, request)


def _provision(context: Context, request: Request) -> Reconciling:
    """Make a volume for a claim that asks for one."""
    claim = context.caches[_CLAIMS].get(request.name, request.namespace)
    if claim is None or claim["spec"].get("volumeName") or is_being_deleted(claim):
        return None
    wanted = (claim["metadata"].get("annotations") or {}).get(_PROVISIONER_KEY)
    storage_class = context.caches[_CLASSES].get(class_of(claim) or "")
    if storage_class is None or wanted != storage_class["provisioner"]:
        return None
    volume = fresh_volume(claim, storage_class)
    if context.caches[_VOLUMES].get(volume["metadata"]["name"]) is not None:
        return None
    subject = f"{request.namespace}/{request.name}"
    message = f'External provisioner is provisioning volume for claim "{subject}"'
    context.events.event(claim, "Normal", "Provisioning", message)
    yield Step("provision volume", _PROVISION_SECONDS, f"PersistentVolumeClaim/{subject}")
    yield step("create", volume)
    try:
        context.client.create(volume)
    except AlreadyExistsError:
        return None
    message = f"Successfully provisioned volume {volume['metadata']['name']}"
    context.events.event(claim, "Normal", "ProvisioningSucceeded", message)
    return Result()


VOLUME_BINDER = ControllerSpec(
    "persistentvolume-binder-controller",
    (
        Watched(_CLAIMS, requests=_volume_of_claim),
        Watched(_VOLUMES, requests=_claim_of_volume),
        Watched(_CLASSES, requests=_waiting_claims),
        Watched(_PODS, requests=_claims_of_pod, delay=_SYNC_SECONDS),
    ),
    _make_binder,
    component="persistentvolume-controller",
)

PROVISIONER = ControllerSpec(
    "volume-provisioner",
    (
        Watched(_CLAIMS),
        Watched(_VOLUMES, requests=lambda manifest, caches: ()),
        Watched(_CLASSES, requests=_waiting_claims),
    ),
    _make_provisioner,
    component="lab.gitops-sim.io/disk",
    workers=10,
)
