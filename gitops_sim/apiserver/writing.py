"""The writing verbs: create, update, patch, apply.

Source: k8s.io/apiserver, pkg/endpoints/handlers and pkg/registry/generic/registry/store.go.
"""

from __future__ import annotations

from typing import Any

from gitops_sim.apimachinery import causes, managed_fields
from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apimachinery.patch_problems import (
    patched_text_problem,
    strategic_problem,
    wrong_identity,
)
from gitops_sim.apimachinery.patches import json_patch, merge_patch, strategic_merge
from gitops_sim.apimachinery.schemas import ANY, decode_problem
from gitops_sim.apimachinery.sharing import copy_sharing, shared
from gitops_sim.apimachinery.status_errors import conflict, invalid, not_found
from gitops_sim.apiserver.admission_webhooks import admit
from gitops_sim.apiserver.deleting import finish_if_released
from gitops_sim.apiserver.preparing import (
    check,
    decode,
    fill_defaults,
    first_metadata,
    is_custom,
    schema_of,
)
from gitops_sim.apiserver.server import ApiServer, Write, storage_kind, tried_again
from gitops_sim.apiserver.strategies import (
    has_generation,
    has_status,
    keep_other_half,
    next_generation,
    refuse_blind_update,
    reset_of,
)
from gitops_sim.errors import BadRequestError, NotFoundError, UnknownError
from gitops_sim.protocols import PatchType
from gitops_sim.types import Manifest

__all__ = ["apply", "create", "patch", "replace_stored", "update"]

_KEPT = ("uid", "creationTimestamp", "resourceVersion")
_KEPT_OR_ABSENT = ("generation", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink")


def create(
    server: ApiServer,
    resource_type: ResourceType,
    manifest: Manifest,
    *,
    manager: str,
    dry_run: bool = False,
) -> Manifest:
    """Store a new object; `manifest` is taken over. Returns the stored object, shared.

    Raises:
        UnknownError: It has a resourceVersion (the server answers 500).
        AlreadyExistsError: The name is taken.
        InvalidError: It breaks rules.
    """
    manifest = decode(server, resource_type, manifest)
    if manifest["metadata"].get("resourceVersion"):
        raise UnknownError("resourceVersion should not be set on objects to be created")
    write = Write("create", resource_type, manager, dry_run=dry_run)
    return _create(server, write, manifest)


def _create(server: ApiServer, write: Write, manifest: Manifest) -> Manifest:
    resource_type = write.resource_type
    custom = is_custom(server, resource_type)
    fields = manifest["metadata"].pop("managedFields", None)
    first_metadata(server, resource_type, manifest)
    if has_status(resource_type):
        manifest.pop("status", None)
        manifest = decode(server, resource_type, manifest)
    fill_defaults(server, resource_type, manifest)
    if write.verb == "apply":
        manifest["metadata"]["managedFields"] = fields
    else:
        manifest = _tracked(server, write, None, manifest)
    admit(server, write, manifest)
    if has_generation(resource_type, custom=custom):
        manifest["metadata"]["generation"] = 1
    for strategy in server.strategies:
        strategy(write, manifest)
    check(server, resource_type, manifest, None)
    for judge in server.judges:
        judge(write, manifest)
    return server.commit(write, manifest)


@tried_again
def update(
    server: ApiServer,
    resource_type: ResourceType,
    manifest: Manifest,
    *,
    manager: str,
    subresource: str = "",
    dry_run: bool = False,
) -> Manifest:
    """Replace an object; `manifest` is copied as far as it differs from the stored one.

    Raises:
        ConflictError: metadata.resourceVersion, when given, is not the stored one, or the uid.
    """
    manifest = _decode_update(server, resource_type, manifest)
    metadata = manifest["metadata"]
    name, namespace = str(metadata.get("name", "")), _namespace(resource_type, metadata)
    before = server.store.get(storage_kind(resource_type), namespace, name)
    if before is None:
        raise not_found(resource_type, name)
    write = Write("update", resource_type, manager, subresource, dry_run, before)
    refuse_blind_update(write, metadata, custom=is_custom(server, resource_type))
    return replace_stored(server, write, manifest)


def _decode_update(server: ApiServer, resource_type: ResourceType, manifest: Manifest) -> Manifest:
    """Decode an object; what is as it is stored is decoded already."""
    metadata = manifest.get("metadata")
    if not isinstance(metadata, dict):
        return decode(server, resource_type, manifest)
    place = (_namespace(resource_type, metadata), str(metadata.get("name", "")))
    stored = server.store.get(storage_kind(resource_type), *place)
    if stored is None:
        return decode(server, resource_type, manifest)
    live = server.in_version(resource_type, stored)
    return decode(server, resource_type, copy_sharing(live, manifest), live)


@tried_again
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
    live = server.in_version(resource_type, before)
    changed: Manifest
    if kind == "json":
        changed = json_patch(live, body)
    elif kind == "merge":
        changed = merge_patch(live, body)
    else:
        schema = schema_of(server, resource_type)
        custom = schema is ANY or is_custom(server, resource_type)
        changed = strategic_merge(live, body, None if custom else schema)
    if changed is live:
        return live
    problem = wrong_identity(live, changed)
    if problem:
        raise BadRequestError(problem)
    manifest = _decode_patched(server, resource_type, live, changed, body, kind)
    write = Write("patch", resource_type, manager, subresource, dry_run, before)
    return replace_stored(server, write, manifest)


def _decode_patched(
    server: ApiServer,
    resource_type: ResourceType,
    live: Manifest,
    changed: Manifest,
    body: Any,
    kind: PatchType,
) -> Manifest:
    """Decode a patched object; what cannot be decoded is told otherwise than for other writes."""
    schema = schema_of(server, resource_type)
    try:
        manifest = decode(server, resource_type, changed, live, is_patched=True)
    except BadRequestError as error:
        _, _, problem = error.message.partition(f"handled as a {resource_type.kind}: ")
        if kind == "strategic":
            raise strategic_problem(body, changed, schema, problem) from None
        raise patched_text_problem(body, changed, schema, problem) from None
    found = (manifest.get("apiVersion"), manifest.get("kind"))
    if found != (resource_type.api_version, resource_type.kind):
        told = _other_kind_problem(server, changed)
        raise patched_text_problem(body, changed, schema, told)
    return manifest


def _other_kind_problem(server: ApiServer, changed: Manifest) -> str:
    """Say why an object is not of the kind that a patch made it; it is decoded as that one."""
    api_version, kind = str(changed.get("apiVersion")), str(changed.get("kind"))
    group, _, version = api_version.rpartition("/")
    schema = server.schemas.schema_for(group, version, kind)
    problem = None if schema is None else decode_problem(changed, schema)
    return problem or f'no kind "{kind}" is registered for version "{api_version}"'


@tried_again
def apply(
    server: ApiServer,
    resource_type: ResourceType,
    manifest: Manifest,
    *,
    manager: str,
    force: bool = False,
    subresource: str = "",
    dry_run: bool = False,
    place: tuple[str, str] | None = None,
) -> Manifest:
    """Server-side apply; `manifest` is taken over.

    `place` is the namespace and name of the path, where the manifest need not tell them.

    Raises:
        BadRequestError: It tells others than the path.
        ConflictError: Another manager owns a field with another value, and not `force`.
    """
    metadata = _applied_metadata(manifest, place)
    name, namespace = str(metadata.get("name", "")), _namespace(resource_type, metadata)
    if place is not None:
        namespace = place[0]
    before = server.store.get(storage_kind(resource_type), namespace, name)
    if before is None and subresource:
        raise not_found(resource_type, name)
    live = None if before is None else server.in_version(resource_type, before)
    if before is not None:
        _refuse_other_version(resource_type, metadata, before, is_patch=True)
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
    if merged is live and before is not None:
        return live
    if resource_type.namespaced and merged["metadata"].get("namespace") != namespace:
        merged = merged | {"metadata": merged["metadata"] | {"namespace": namespace}}
    if before is None:
        merged["metadata"].pop("resourceVersion", None)
        merged = decode(server, resource_type, fresh_copy(merged))
        return _create(server, Write("apply", resource_type, manager, dry_run=dry_run), merged)
    merged = decode(server, resource_type, merged, live)
    write = Write("apply", resource_type, manager, subresource, dry_run, before)
    return replace_stored(server, write, merged, tracked=True)


def _applied_metadata(manifest: Manifest, place: tuple[str, str] | None) -> dict[str, Any]:
    metadata = manifest.setdefault("metadata", {})
    if not isinstance(metadata, dict):
        raise BadRequestError("metadata must be an object")
    if place is not None:
        metadata.setdefault("name", place[1])
        problem = wrong_identity({"metadata": {"namespace": place[0], "name": place[1]}}, manifest)
        if problem:
            raise BadRequestError(problem)
    return metadata


def replace_stored(
    server: ApiServer, write: Write, manifest: Manifest, *, tracked: bool = False
) -> Manifest:
    """Put a new version of an object, if it differs from the stored one."""
    before, resource_type = write.before, write.resource_type
    if before is None:
        raise NotFoundError("nothing to replace")
    if not tracked:
        _refuse_other_version(
            resource_type, manifest["metadata"], before, is_patch=write.verb == "patch"
        )
    live = server.in_version(resource_type, before)
    custom = is_custom(server, resource_type)
    manifest = keep_other_half(live, manifest, write.subresource, reset_of(write, custom=custom))
    _keep_metadata(before["metadata"], manifest["metadata"])
    manifest = shared(live, manifest)
    if manifest is live:
        return live
    manifest = manifest | {"metadata": dict(manifest["metadata"])}
    fill_defaults(server, resource_type, manifest, live)
    if not tracked and write.subresource != "binding":  # which is no update of the pod
        manifest = _tracked(server, write, live, manifest)
        manifest["metadata"] = dict(manifest["metadata"])
    admit(server, write, manifest)
    if has_generation(resource_type, custom=custom) and write.subresource != "binding":
        manifest["metadata"]["generation"] = next_generation(live, manifest, write)
    for strategy in server.strategies:
        strategy(write, manifest)
    check(server, resource_type, manifest, live, subresource=write.subresource)
    manifest = managed_fields.without_idle_times(live, shared(live, manifest))
    if manifest is live:
        return live
    for judge in server.judges:
        judge(write, manifest)
    done = finish_if_released(server, write, manifest)
    return server.commit(write, manifest, shares=live is before) if done is None else done


def _tracked(
    server: ApiServer, write: Write, before: Manifest | None, manifest: Manifest
) -> Manifest:
    resource_type = write.resource_type
    schema = schema_of(server, resource_type)
    return managed_fields.after_update(
        before,
        manifest,
        manager=write.manager,
        schema=None if schema is ANY else schema,
        time=server.clock.timestamp(),
        api_version=resource_type.api_version,
        subresource=write.subresource,
    )


def _refuse_other_version(
    resource_type: ResourceType,
    metadata: dict[str, Any],
    before: Manifest | None,
    *,
    is_patch: bool = False,
) -> None:
    """Refuse a change of what is no longer there; `is_patch`: by a patch, or an apply."""
    stored = {} if before is None else before["metadata"]
    name = str(metadata.get("name", ""))
    uid = metadata.get("uid")
    if uid and stored.get("uid") and uid != stored["uid"]:
        if is_patch:
            problem = causes.invalid("metadata.uid", uid, "field is immutable")
            raise invalid(resource_type, name, [problem])
        place = f"{stored['namespace']}/{name}" if "namespace" in stored else name
        detail = (
            f"StorageError: invalid object, Code: 4, Key: /registry/{resource_type.plural}/{place}"
            f", ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: "
            f"{uid}, UID in object meta: {stored['uid']}"
        )
        raise conflict(resource_type, name, detail)
    asked = metadata.get("resourceVersion")
    if asked and not asked.isdigit():
        raise UnknownError(f'strconv.ParseUint: parsing "{asked}": invalid syntax')
    if asked and asked != "0" and asked != stored.get("resourceVersion"):
        raise conflict(resource_type, name)


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
