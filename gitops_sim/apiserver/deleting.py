"""Deletion: preconditions, propagation, grace, finalizers; what holds an object, and what frees it.

Source: k8s.io/apiserver, pkg/registry/rest/delete.go and pkg/registry/generic/registry/store.go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apimachinery.status_errors import conflict, not_found
from gitops_sim.apiserver.admission import refuse_deletion
from gitops_sim.apiserver.admission_webhooks import admit
from gitops_sim.apiserver.definitions import CLEANUP, DEFINITIONS
from gitops_sim.apiserver.server import ApiServer, OvertakenError, Write, storage_kind, tried_again
from gitops_sim.apiserver.store import Kind
from gitops_sim.errors import ConflictError
from gitops_sim.protocols import Propagation
from gitops_sim.types import Manifest

__all__ = ["delete", "finish_if_released"]

_PODS = Kind("", "Pod")
_BY_PROPAGATION = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}


@tried_again
def delete(
    server: ApiServer,
    resource_type: ResourceType,
    namespace: str,
    name: str,
    *,
    manager: str,
    propagation: Propagation = "Background",
    resource_version: str | None = None,
    uid: str | None = None,
    grace_period: int | None = None,
    dry_run: bool = False,
) -> Manifest:
    """Delete an object, or mark it as deleting while finalizers or grace hold it.

    Returns:
        The object as it is now, or as it was last.

    Raises:
        NotFoundError: There is none.
        ConflictError: A precondition does not hold.
    """
    before = server.store.get(storage_kind(resource_type), namespace, name)
    if before is None:
        raise not_found(resource_type, name)
    write = Write("delete", resource_type, manager, "", dry_run, before)
    refuse_deletion(write, name)
    _check_preconditions(resource_type, before["metadata"], resource_version, uid)
    live = server.in_version(resource_type, before)
    admit(server, write, live | {"metadata": dict(live["metadata"])})
    for judge in server.judges:
        judge(write, live)
    if server.store.get(storage_kind(resource_type), namespace, name) is not before:
        raise OvertakenError(*conflict(resource_type, name).args)
    metadata = dict(before["metadata"])
    finalizers = list(metadata.get("finalizers", ()))
    _set_propagation(finalizers, propagation)
    kind = storage_kind(resource_type)
    if kind == DEFINITIONS and CLEANUP not in finalizers:
        finalizers.append(CLEANUP)
    _set_or_drop(metadata, "finalizers", finalizers)
    grace = _grace(before, grace_period)
    marked = before | {"metadata": metadata}
    if _is_held(resource_type, marked) or grace:
        if kind in _MARKED_BY_STATUS:
            metadata.setdefault("deletionTimestamp", server.clock.timestamp())
            marked["status"] = _MARKED_BY_STATUS[kind](server, before.get("status") or {})
        else:
            _mark(server, metadata, grace)
        if marked == before:
            return before
        return server.commit(write, marked)
    if kind == _PODS and "deletionTimestamp" not in metadata:
        _mark(server, metadata, 0)  # even a pod that goes at once is marked first
        before = server.commit(write, marked)
    return server.remove(write, before)


def finish_if_released(server: ApiServer, write: Write, manifest: Manifest) -> Manifest | None:
    """Remove an object that is being deleted and that nothing holds any more.

    Returns:
        Its last state; None when it stays.
    """
    metadata = manifest["metadata"]
    if "deletionTimestamp" not in metadata or metadata.get("deletionGracePeriodSeconds"):
        return None
    if _is_held(write.resource_type, manifest):
        return None
    server.remove(replace(write, verb="delete"), manifest)
    return manifest


def _is_held(resource_type: ResourceType, manifest: Manifest) -> bool:
    if manifest["metadata"].get("finalizers"):
        return True
    is_namespace = resource_type.kind == "Namespace" and not resource_type.group
    return is_namespace and bool((manifest.get("spec") or {}).get("finalizers"))


def _terminating_namespace(server: ApiServer, status: dict[str, Any]) -> dict[str, Any]:
    del server
    return status | {"phase": "Terminating"}


def _terminating_definition(server: ApiServer, status: dict[str, Any]) -> dict[str, Any]:
    conditions = status.get("conditions") or []
    if any(condition["type"] == "Terminating" for condition in conditions):
        return status
    told = {
        "type": "Terminating",
        "status": "True",
        "lastTransitionTime": server.clock.timestamp(),
        "reason": "InstanceDeletionPending",
        "message": (
            "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
        ),
    }
    return status | {"conditions": [*conditions, told]}


_MARKED_BY_STATUS: dict[Kind, Callable[[ApiServer, dict[str, Any]], dict[str, Any]]] = {
    Kind("", "Namespace"): _terminating_namespace,
    DEFINITIONS: _terminating_definition,
}
"""Kinds whose own storage marks them: without a grace period or another generation."""


def _mark(server: ApiServer, metadata: dict[str, Any], grace: int) -> None:
    if "deletionTimestamp" in metadata:
        shorter = min(grace, int(metadata.get("deletionGracePeriodSeconds", grace)))
        metadata["deletionGracePeriodSeconds"] = shorter
        return
    metadata["deletionTimestamp"] = server.clock.timestamp(server.clock.now() + grace)
    metadata["deletionGracePeriodSeconds"] = grace
    if "generation" in metadata:
        metadata["generation"] += 1


def _set_propagation(finalizers: list[str], propagation: Propagation) -> None:
    for word in _BY_PROPAGATION.values():
        if word in finalizers:
            finalizers.remove(word)
    if propagation in _BY_PROPAGATION:
        finalizers.append(_BY_PROPAGATION[propagation])


def _set_or_drop(metadata: dict[str, Any], member: str, value: list[str]) -> None:
    if value:
        metadata[member] = value
    else:
        metadata.pop(member, None)


def _grace(manifest: Manifest, asked: int | None) -> int:
    """Return the seconds that a pod has to stop; 0 for all else, and for pods that do not run."""
    if manifest["kind"] != "Pod" or manifest["apiVersion"] != "v1":
        return 0
    spec = manifest.get("spec") or {}
    phase = (manifest.get("status") or {}).get("phase")
    if not spec.get("nodeName") or phase in ("Succeeded", "Failed"):
        return 0
    seconds = int(spec.get("terminationGracePeriodSeconds", 30) if asked is None else asked)
    return 1 if seconds < 0 else seconds


def _check_preconditions(
    resource_type: ResourceType,
    metadata: dict[str, Any],
    resource_version: str | None,
    uid: str | None,
) -> None:
    for word, asked, stored, hint in (
        ("UID", uid, metadata["uid"], "deleted and then recreated"),
        ("ResourceVersion", resource_version, metadata["resourceVersion"], "modified"),
    ):
        if asked is None or asked == stored:
            continue
        kind, name = resource_type.kind, metadata["name"]
        raise ConflictError(
            f'Operation cannot be fulfilled on {kind} "{name}": the {word} in the precondition '
            f"({asked}) does not match the {word} in record ({stored}). The object might have been "
            f"{hint}",
            {"name": name, "kind": kind},
        )
