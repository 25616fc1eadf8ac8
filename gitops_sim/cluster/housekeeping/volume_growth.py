"""Claims that ask for more: the volume grows, then the file system on it.

A bound claim whose class has `allowVolumeExpansion` may ask for a larger volume. The expand
controller says that someone else sees to it; the resizer makes the volume larger and says that the
file system is still to grow, which the kubelet does where a pod uses it.

Source: k8s.io/kubernetes, pkg/controller/volume/expand; kubernetes-csi/external-resizer,
controller.go; pkg/volume/util/operationexecutor (MountVolume.NodeExpandVolume).
Differs: growing never fails, and takes a second; the file system grows by the resizer's hand.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from gitops_sim.apimachinery.quantities import parse
from gitops_sim.cluster.controlling import (
    Context,
    ControllerSpec,
    Reconciling,
    Steps,
    step,
)
from gitops_sim.cluster.ownership import is_being_deleted
from gitops_sim.cluster.volume_matching import claims_of, used_claims
from gitops_sim.cluster.workloads.pods import phase_of
from gitops_sim.errors import NotFoundError
from gitops_sim.runtime import Caches, EventRecorder, ReconcileFunction, Request, Watched
from gitops_sim.types import Manifest, Step

__all__ = ["VOLUME_EXPANDER", "VOLUME_RESIZER"]

_CLAIMS, _VOLUMES, _PODS = "v1/PersistentVolumeClaim", "v1/PersistentVolume", "v1/Pod"
_USERS = "users"
_RESIZING, _PENDING = "Resizing", "FileSystemResizePending"
_RESIZE_SECONDS = 1.0


def _size(holder: Manifest | None) -> Fraction:
    return parse((holder or {}).get("storage", "0"))


def _wanted(claim: Manifest) -> str:
    return str(claim["spec"]["resources"]["requests"]["storage"])


def _wants_more(claim: Manifest) -> bool:
    status = claim.get("status") or {}
    return (
        status.get("phase") == "Bound"
        and not is_being_deleted(claim)
        and parse(_wanted(claim)) > _size(status.get("capacity"))
    )


def _make_expander(context: Context) -> ReconcileFunction:
    def expand(request: Request) -> None:
        """Say that an external controller sees to a claim that asks for more."""
        claim = context.caches[_CLAIMS].get(request.name, request.namespace)
        if claim is None or not _wants_more(claim):
            return
        volume = context.caches[_VOLUMES].get(claim["spec"]["volumeName"])
        if volume is not None and "csi" in volume["spec"]:
            message = "waiting for an external controller to expand this PVC"
            context.events.event(claim, "Normal", "ExternalExpanding", message)

    return expand


def _make_resizer(context: Context) -> ReconcileFunction:
    context.caches[_PODS].add_index(_USERS, used_claims)
    return lambda request: _resize(context, request)


def _resize(context: Context, request: Request) -> Reconciling:
    claim = context.caches[_CLAIMS].get(request.name, request.namespace)
    if claim is None or not _wants_more(claim):
        return None
    volume = context.caches[_VOLUMES].get(claim["spec"]["volumeName"])
    if volume is None or "csi" not in volume["spec"]:
        return None
    if parse(_wanted(claim)) > _size(volume["spec"].get("capacity")):
        claim = yield from _grow_volume(context, claim, volume)
    pod = _user_of(context, claim)
    if pod is not None:
        yield from _grow_file_system(context, claim, pod)
    return None


def _grow_volume(context: Context, claim: Manifest, volume: Manifest) -> Any:
    name, wanted = volume["metadata"]["name"], _wanted(claim)
    message = f"External resizer is resizing volume {name}"
    context.events.event(claim, "Normal", "Resizing", message)
    claim = yield from _tell(context, claim, _RESIZING, "", "ControllerResizeInProgress")
    yield Step("grow volume", _RESIZE_SECONDS, f"PersistentVolume/{name}")
    capacity = {**(volume["spec"].get("capacity") or {}), "storage": wanted}
    yield step("update", volume)
    context.client.update(volume | {"spec": {**volume["spec"], "capacity": capacity}})
    message = "Require file system resize of volume on node"
    context.events.event(claim, "Normal", "FileSystemResizeRequired", message)
    text = "Waiting for user to (re-)start a pod to finish file system resize of volume on node."
    return (yield from _tell(context, claim, _PENDING, text, "NodeResizePending"))


def _tell(context: Context, claim: Manifest, type_: str, message: str, state: str) -> Any:
    """Write how far the growth of a claim is; return the claim as written."""
    status = claim.get("status") or {}
    condition: dict[str, Any] = {
        "type": type_,
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": context.clock.timestamp(),
    }
    if message:
        condition["message"] = message
    status = {
        **status,
        "conditions": [*_others(status), condition],
        "allocatedResources": {"storage": _wanted(claim)},
        "allocatedResourceStatuses": {"storage": state},
    }
    yield step("update status of", claim)
    return context.client.update(claim | {"status": status}, subresource="status")


def _others(status: Manifest) -> list[dict[str, Any]]:
    return [c for c in status.get("conditions") or () if c["type"] not in (_RESIZING, _PENDING)]


def _user_of(context: Context, claim: Manifest) -> Manifest | None:
    metadata = claim["metadata"]
    users = context.caches[_PODS].by_index(_USERS, f"{metadata['namespace']}/{metadata['name']}")
    return next((pod for pod in users if phase_of(pod) == "Running"), None)


def _grow_file_system(context: Context, claim: Manifest, pod: Manifest) -> Steps:
    node, volume = pod["spec"]["nodeName"], claim["spec"]["volumeName"]
    recorder = EventRecorder(context.client, "kubelet", context.clock, host=node)
    message = f'MountVolume.NodeExpandVolume succeeded for volume "{volume}" {node}'
    recorder.event(pod, "Normal", "FileSystemResizeSuccessful", message)
    status = {**(claim.get("status") or {})}
    status.pop("allocatedResourceStatuses", None)
    status["conditions"] = _others(status)
    status["capacity"] = {**status["capacity"], "storage": _wanted(claim)}
    yield step("update status of", claim)
    try:
        context.client.update(claim | {"status": status}, subresource="status")
    except NotFoundError:
        return


def _claims_of_pod(pod: Manifest, caches: Caches) -> Iterable[Request]:
    """Ask for claims that wait until a pod uses them."""
    namespace = pod["metadata"]["namespace"]
    for name in claims_of(pod):
        claim = caches[_CLAIMS].get(name, namespace)
        if claim is not None and _wants_more(claim):
            yield Request(namespace, name)


def _nothing(manifest: Manifest, caches: Caches) -> Iterable[Request]:
    """Volumes are only looked up."""
    return ()


VOLUME_EXPANDER = ControllerSpec(
    "persistentvolume-expander-controller",
    (Watched(_CLAIMS), Watched(_VOLUMES, requests=_nothing)),
    _make_expander,
    component="volume_expand",
)

VOLUME_RESIZER = ControllerSpec(
    "volume-resizer",
    (
        Watched(_CLAIMS),
        Watched(_VOLUMES, requests=_nothing),
        Watched(_PODS, requests=_claims_of_pod),
    ),
    _make_resizer,
    component="external-resizer lab.gitops-sim.io/disk",
)
