"""What keeps volumes and claims while they are used, and the claims of ephemeral volumes.

A claim that is deleted stays until no pod uses it, a volume until no claim does: each has a
finalizer from its creation, which these controllers take off. A bound claim says whether a pod
uses it.

Source: k8s.io/kubernetes, pkg/controller/volume (pvcprotection, pvprotection, ephemeral).
"""

from __future__ import annotations

from collections.abc import Iterable

from gitops_sim.cluster.controlling import (
    Context,
    ControllerSpec,
    Reconciling,
    Steps,
    step,
)
from gitops_sim.cluster.ownership import exact_kind, is_being_deleted, owner_reference
from gitops_sim.cluster.volume_matching import claims_of, used_claims
from gitops_sim.errors import AlreadyExistsError, ApiError, NotFoundError
from gitops_sim.runtime import Caches, ReconcileFunction, Request, Watched
from gitops_sim.types import Manifest

__all__ = ["CLAIM_PROTECTION", "EPHEMERAL_VOLUMES", "VOLUME_PROTECTION"]

_CLAIMS, _VOLUMES, _PODS = "v1/PersistentVolumeClaim", "v1/PersistentVolume", "v1/Pod"
_CLAIM_FINALIZER = "kubernetes.io/pvc-protection"
_VOLUME_FINALIZER = "kubernetes.io/pv-protection"
_USERS, _UNUSED = "users", "Unused"


def _make_claim_protection(context: Context) -> ReconcileFunction:
    context.caches[_PODS].add_index(_USERS, used_claims)
    return lambda request: _protect_claim(context, request)


def _protect_claim(context: Context, request: Request) -> Reconciling:
    claim = context.caches[_CLAIMS].get(request.name, request.namespace)
    if claim is None:
        return None
    is_used = bool(context.caches[_PODS].by_index(_USERS, f"{request.namespace}/{request.name}"))
    if not is_being_deleted(claim):
        yield from _tell_use(context, claim, is_used=is_used)
    elif not is_used:
        yield from _release(context, claim, _CLAIM_FINALIZER)
    return None


def _tell_use(context: Context, claim: Manifest, *, is_used: bool) -> Steps:
    """Keep the condition `Unused` of a bound claim up to date."""
    status = claim.get("status") or {}
    conditions = status.get("conditions") or []
    told = "False" if is_used else "True"
    if status.get("phase") != "Bound" or (_UNUSED, told) in [
        (found["type"], found["status"]) for found in conditions
    ]:
        return
    words = ("PodUsingPVC", "A pod is") if is_used else ("NoPodsUsingPVC", "No pods are")
    fresh = {
        "type": _UNUSED,
        "status": told,
        "lastTransitionTime": context.clock.timestamp(),
        "reason": words[0],
        "message": f"{words[1]} currently referencing this PVC",
    }
    others = [found for found in conditions if found["type"] != _UNUSED]
    yield step("update status of", claim)
    try:
        context.client.update(
            claim | {"status": {**status, "conditions": [*others, fresh]}}, subresource="status"
        )
    except NotFoundError:
        return


def _protect_volume(context: Context, request: Request) -> Reconciling:
    volume = context.caches[_VOLUMES].get(request.name)
    if volume is None or not is_being_deleted(volume):
        return None
    if (volume.get("status") or {}).get("phase") != "Bound":
        yield from _release(context, volume, _VOLUME_FINALIZER)
    return None


def _release(context: Context, manifest: Manifest, finalizer: str) -> Steps:
    metadata = manifest["metadata"]
    kept = [found for found in metadata.get("finalizers") or () if found != finalizer]
    if len(kept) == len(metadata.get("finalizers") or ()):
        return
    yield step("release", manifest)
    try:
        context.client.patch(
            exact_kind(manifest),
            metadata["name"],
            {"metadata": {"uid": metadata["uid"], "finalizers": kept or None}},
            metadata.get("namespace"),
        )
    except NotFoundError:
        return


def _bring_claims(context: Context, request: Request) -> Reconciling:
    """Create the claims of a pod's ephemeral volumes; they go with the pod."""
    pod = context.caches[_PODS].get(request.name, request.namespace)
    if pod is None or is_being_deleted(pod):
        return None
    for volume in pod["spec"].get("volumes") or ():
        template = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
        if template is None:
            continue
        name = f"{request.name}-{volume['name']}"
        if context.caches[_CLAIMS].get(name, request.namespace) is not None:
            continue
        metadata = {
            **(template.get("metadata") or {}),
            "name": name,
            "namespace": request.namespace,
            "ownerReferences": [owner_reference(pod)],
        }
        claim: Manifest = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": metadata,
            "spec": template["spec"],
        }
        yield step("create", claim)
        try:
            context.client.create(claim)
        except AlreadyExistsError:
            continue
        except ApiError as error:
            message = f"ephemeral volume {volume['name']}: create PVC {name}: {error}"
            context.events.event(pod, "Warning", "FailedMount", message)
            raise
    return None


def _claims_of_pod(pod: Manifest, caches: Caches) -> Iterable[Request]:
    """Ask for the claims of a pod: it begins or ceases to use them."""
    namespace = pod["metadata"]["namespace"]
    for name in claims_of(pod):
        if caches[_CLAIMS].get(name, namespace) is not None:
            yield Request(namespace, name)


def _has_ephemeral(before: Manifest | None, after: Manifest | None) -> bool:
    if before is not None or after is None:
        return False
    return any(volume.get("ephemeral") for volume in after["spec"].get("volumes") or ())


CLAIM_PROTECTION = ControllerSpec(
    "persistentvolumeclaim-protection-controller",
    (Watched(_CLAIMS), Watched(_PODS, requests=_claims_of_pod)),
    _make_claim_protection,
)
VOLUME_PROTECTION = ControllerSpec(
    "persistentvolume-protection-controller",
    (Watched(_VOLUMES),),
    lambda context: lambda request: _protect_volume(context, request),
)
EPHEMERAL_VOLUMES = ControllerSpec(
    "ephemeral-volume-controller",
    (
        Watched(_PODS, predicate=_has_ephemeral),
        Watched(_CLAIMS, requests=lambda manifest, caches: ()),
    ),
    lambda context: lambda request: _bring_claims(context, request),
)
