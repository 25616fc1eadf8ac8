"""The writing verbs: create, update, patch, apply.

Source: k8s.io/apiserver, pkg/endpoints/handlers and pkg/registry/generic/registry/store.go.
"""

from __future__ import annotations

from typing import Any

from gitops_sim.apimachinery import managed_fields
from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apimachinery.patches import json_patch, merge_patch, strategic_merge
from gitops_sim.apimachinery.schemas import ANY
from gitops_sim.apimachinery.status_errors import conflict, not_found
from gitops_sim.apiserver.deleting import finish_if_released
from gitops_sim.apiserver.preparing import (
    check,
    decode,
    fill_defaults,
    first_metadata,
    is_custom,
    schema_of,
)
from gitops_sim.apiserver.server import ApiServer, Write, in_version, storage_kind
from gitops_sim.apiserver.strategies import (
    first_status,
    has_generation,
    keep_other_half,
    next_generation,
)
from gitops_sim.errors import BadRequestError, NotFoundError
from gitops_sim.protocols import PatchType
from gitops_sim.types import Manifest

__all__ = ["apply", "create", "patch", "update"]

_KEPT = ("uid", "creationTimestamp", "generation", "deletionTimestamp")
_KEPT_OR_ABSENT = ("deletionTimestamp", "deletionGracePeriodSeconds", "generateName")


def create(
    server: ApiServer,
    resource_type: ResourceType,
    manifest: Manifest,
    *,
    manager: str,
    dry_run: bool = False,
) -> Manifest:
    """Store a new object; `manifest` is taken over. Returns the stored object, shared."""
    if manifest.get("metadata", {}).get("resourceVersion"):
        raise BadRequestError("resourceVersion should not be set on objects to be created")
    decode(server, resource_type, manifest)
    return _create(server, resource_type, manifest, "create", manager, dry_run=dry_run)


def _create(
    server: ApiServer,
    resource_type: ResourceType,
    manifest: Manifest,
    verb: str,
    manager: str,
    *,
    dry_run: bool,
) -> Manifest:
    fields = manifest["metadata"].pop("managedFields", None)
    first_metadata(server, resource_type, manifest)
    first_status(resource_type, manifest)
    if has_generation(resource_type, custom=is_custom(server, resource_type)):
        manifest["metadata"]["generation"] = 1
    else:
        manifest["metadata"].pop("generation", None)
    fill_defaults(server, resource_type, manifest)
    write = Write(verb, resource_type, manager, dry_run=dry_run)
    for hook in server.admission:
        hook(write, manifest)
    check(server, resource_type, manifest, None)
    if verb == "apply":
        manifest["metadata"]["managedFields"] = fields
    else:
        manifest = _tracked(server, write, None, manifest)
    return server.commit(write, manifest)


def update(
    server: ApiServer,
    resource_type: ResourceType,
    manifest: Manifest,
    *,
    manager: str,
    subresource: str = "",
    dry_run: bool = False,
) -> Manifest:
    """Replace an object; `manifest` is taken over.

    Raises:
        ConflictError: metadata.resourceVersion, when given, is not the stored one, or the uid.
    """
    decode(server, resource_type, manifest)
    metadata = manifest["metadata"]
    name, namespace = str(metadata.get("name", "")), _namespace(resource_type, metadata)
    before = server.store.get(storage_kind(resource_type), namespace, name)
    if before is None:
        raise not_found(resource_type, name)
    write = Write("update", resource_type, manager, subresource, dry_run, before)
    return _replace(server, write, manifest)


def patch(
    server: ApiServer,
    resource_type: ResourceType,
    namespace: str,
    name: str,
    body: Any,
    *,
    kind: PatchType,
    manager: str,
    subresource: str = "",
    dry_run: bool = False,
) -> Manifest:
    """Change an object by a JSON patch, a merge patch or a strategic merge patch."""
    before = server.store.get(storage_kind(resource_type), namespace, name)
    if before is None:
        raise not_found(resource_type, name)
    live = in_version(resource_type, before)
    if kind == "json":
        changed = json_patch(live, body)
    elif kind == "merge":
        changed = merge_patch(live, body)
    else:
        schema = schema_of(server, resource_type)
        custom = schema is ANY or is_custom(server, resource_type)
        changed = strategic_merge(live, body, None if custom else schema)
    if changed is live:
        return before
    manifest = fresh_copy(changed)
    decode(server, resource_type, manifest)
    write = Write("patch", resource_type, manager, subresource, dry_run, before)
    return _replace(server, write, manifest)


def apply(
    server: ApiServer,
    resource_type: ResourceType,
    manifest: Manifest,
    *,
    manager: str,
    force: bool = False,
    subresource: str = "",
    dry_run: bool = False,
) -> Manifest:
    """Server-side apply; `manifest` is taken over.

    Raises:
        ConflictError: Another manager owns a field with another value, and not `force`.
    """
    decode(server, resource_type, manifest)
    metadata = manifest["metadata"]
    name, namespace = str(metadata.get("name", "")), _namespace(resource_type, metadata)
    if resource_type.namespaced:
        metadata["namespace"] = namespace
    before = server.store.get(storage_kind(resource_type), namespace, name)
    if before is None and subresource:
        raise not_found(resource_type, name)
    live = None if before is None else in_version(resource_type, before)
    _refuse_other_version(resource_type, metadata, before)
    schema = schema_of(server, resource_type)
    merged = managed_fields.apply(
        live,
        manifest,
        manager=manager,
        force=force,
        schema=None if schema is ANY else schema,
        time=server.clock.timestamp(),
        api_version=resource_type.api_version,
        subresource=subresource,
    )
    if before is None:
        fresh = fresh_copy(merged)
        return _create(server, resource_type, fresh, "apply", manager, dry_run=dry_run)
    if merged is live:
        return before
    write = Write("apply", resource_type, manager, subresource, dry_run, before)
    return _replace(server, write, fresh_copy(merged), tracked=True)


def _replace(
    server: ApiServer, write: Write, manifest: Manifest, *, tracked: bool = False
) -> Manifest:
    """Put a new version of an object, if it differs from the stored one."""
    before, resource_type = write.before, write.resource_type
    if before is None:
        raise NotFoundError("nothing to replace")
    if not tracked:
        _refuse_other_version(resource_type, manifest["metadata"], before)
    fields = manifest["metadata"].get("managedFields")
    keep_other_half(resource_type, in_version(resource_type, before), manifest, write.subresource)
    if fields is None:
        manifest["metadata"].pop("managedFields", None)
    else:
        manifest["metadata"]["managedFields"] = fields
    _keep_metadata(before["metadata"], manifest["metadata"])
    fill_defaults(server, resource_type, manifest)
    if "generation" in before["metadata"]:
        manifest["metadata"]["generation"] = next_generation(before, manifest, resource_type)
    for hook in server.admission:
        hook(write, manifest)
    check(server, resource_type, manifest, before)
    if not tracked:
        manifest = _tracked(server, write, before, manifest)
    manifest["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"]
    if managed_fields.without_idle_times(before, manifest) is before or manifest == before:
        return before
    done = finish_if_released(server, write, manifest)
    return server.commit(write, manifest) if done is None else done


def _tracked(
    server: ApiServer, write: Write, before: Manifest | None, manifest: Manifest
) -> Manifest:
    resource_type = write.resource_type
    schema = schema_of(server, resource_type)
    return managed_fields.after_update(
        None if before is None else in_version(resource_type, before),
        manifest,
        manager=write.manager,
        schema=None if schema is ANY else schema,
        time=server.clock.timestamp(),
        api_version=resource_type.api_version,
        subresource=write.subresource,
    )


def _refuse_other_version(
    resource_type: ResourceType, metadata: dict[str, Any], before: Manifest | None
) -> None:
    stored = {} if before is None else before["metadata"]
    asked = metadata.get("resourceVersion")
    name = str(metadata.get("name", ""))
    if asked and asked != stored.get("resourceVersion"):
        raise conflict(resource_type, name)
    uid = metadata.get("uid")
    if uid and stored.get("uid") and uid != stored["uid"]:
        detail = f"Precondition failed: UID in precondition: {uid}, UID in object meta: "
        raise conflict(resource_type, name, f"{detail}{stored['uid']}")


def _keep_metadata(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Set back what no update changes."""
    for member in _KEPT:
        if member in old:
            new[member] = old[member]
    for member in _KEPT_OR_ABSENT:
        if member in old:
            new[member] = old[member]
        else:
            new.pop(member, None)
    if "namespace" in old:
        new["namespace"] = old["namespace"]
    new["name"] = old["name"]


def _namespace(resource_type: ResourceType, metadata: dict[str, Any]) -> str:
    return str(metadata.get("namespace") or "default") if resource_type.namespaced else ""
