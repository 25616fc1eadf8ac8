"""The scale subresource: a workload seen as a Scale, and its replicas changed through it.

Source: k8s.io/kubernetes, pkg/registry/apps/deployment/storage (ScaleREST); k8s.io/apimachinery,
pkg/util/managedfields/scalehandler.go; k8s.io/apiextensions-apiserver, pkg/registry/customresource.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gitops_sim.apimachinery import causes, managed_fields
from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apimachinery.decoding import decode_problem
from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apimachinery.labels import from_label_selector, from_set
from gitops_sim.apimachinery.patch_problems import patched_text_problem, strategic_problem
from gitops_sim.apimachinery.patches import json_patch, merge_patch, strategic_merge
from gitops_sim.apimachinery.status_errors import conflict, generic_invalid, not_found
from gitops_sim.apiserver.definitions import version_of
from gitops_sim.apiserver.preparing import decode
from gitops_sim.apiserver.server import ApiServer, Write, storage_kind
from gitops_sim.apiserver.writing import replace_stored
from gitops_sim.protocols import PatchType
from gitops_sim.types import Manifest

__all__ = ["SCALE", "ScaleWriter", "change_scale", "patched_scale", "scale_of"]

SCALE = "autoscaling/v1"
_SCALES = ResourceType("autoscaling", "v1", "Scale", "")
_KEPT = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
_PATHS = {
    "specReplicasPath": ".spec.replicas",
    "statusReplicasPath": ".status.replicas",
    "labelSelectorPath": "",
}


@dataclass(frozen=True, slots=True)
class ScaleWriter:
    """How a Scale is written; `is_apply` and `force` are those of a server-side apply."""

    manager: str
    dry_run: bool = False
    is_apply: bool = False
    force: bool = False


def scale_of(server: ApiServer, resource_type: ResourceType, manifest: Manifest) -> Manifest:
    """Return the Scale of an object."""
    metadata = manifest["metadata"]
    paths = _paths(server, resource_type)
    status = {"replicas": _at(manifest, paths["statusReplicasPath"]) or 0}
    selector = _selector(manifest, paths)
    if selector:
        status["selector"] = selector
    return {
        "kind": "Scale",
        "apiVersion": SCALE,
        "metadata": {key: metadata[key] for key in _KEPT if key in metadata},
        "spec": {"replicas": _at(manifest, paths["specReplicasPath"]) or 0},
        "status": status,
    }


def change_scale(
    server: ApiServer,
    resource_type: ResourceType,
    place: tuple[str, str],
    change: Callable[[Manifest], Manifest],
    writer: ScaleWriter,
) -> Manifest:
    """Change an object through its Scale; return the new Scale.

    Args:
        server: Stores it.
        resource_type: Of the object.
        place: Its namespace and name.
        change: From the present Scale (a copy) to the wanted one; what is applied, for an apply.
        writer: Who writes, and how.

    Raises:
        ApiError: The object is not there, the Scale is invalid, or there is a conflict.
    """
    namespace, name = place
    before = server.store.get(storage_kind(resource_type), namespace, name)
    if before is None:
        raise not_found(resource_type, name)
    live = server.in_version(resource_type, before)
    present = scale_of(server, resource_type, live)
    path = _paths(server, resource_type)["specReplicasPath"]
    told = change(fresh_copy(present))
    owners = _owners(live, path)
    if owners:
        present["metadata"]["managedFields"] = owners
    has_status = "status" in told
    changed = decode(server, _SCALES, told)
    if writer.is_apply and not has_status:
        changed.pop("status", None)  # the zeros of what was not applied are nobody's
    wanted = _tracked(server, present, changed, writer)
    _check(resource_type, name, present, wanted)
    manifest = fresh_copy(live)
    _set(manifest, path, wanted["spec"]["replicas"])
    _give_back(manifest, wanted, resource_type.api_version, path)
    verb = "apply" if writer.is_apply else "update"
    write = Write(verb, resource_type, writer.manager, "scale", writer.dry_run, before)
    stored = replace_stored(server, write, manifest, tracked=True)
    return scale_of(server, resource_type, stored)


def patched_scale(server: ApiServer, scale: Manifest, patch: Any, kind: PatchType) -> Manifest:
    """Return a Scale as a JSON, merge or strategic merge patch makes it.

    Raises:
        InvalidError: It is no Scale any more.
    """
    changed: Manifest
    schema = server.schemas.schema_for("autoscaling", "v1", "Scale")
    assert schema is not None
    if kind == "json":
        changed = json_patch(scale, patch)
    elif kind == "merge":
        changed = merge_patch(scale, patch)
    else:
        changed = strategic_merge(scale, patch, schema)
    problem = decode_problem(changed, schema)
    if problem and kind == "strategic":
        raise strategic_problem(patch, changed, schema)
    if problem:
        raise patched_text_problem(patch, changed, schema, problem)
    return changed


def _check(resource_type: ResourceType, name: str, present: Manifest, wanted: Manifest) -> None:
    version = wanted["metadata"].get("resourceVersion")
    if version and version != present["metadata"]["resourceVersion"]:
        raise conflict(resource_type, name)
    replicas = (wanted.get("spec") or {}).get("replicas") or 0
    if replicas < 0:
        cause = causes.invalid("spec.replicas", replicas, "must be greater than or equal to 0")
        raise generic_invalid("autoscaling", "Scale", name, [cause])


def _tracked(
    server: ApiServer, present: Manifest, wanted: Manifest, writer: ScaleWriter
) -> Manifest:
    """Return the wanted Scale with the ownership of its replicas."""
    schema = server.schemas.schema_for("autoscaling", "v1", "Scale")
    if writer.is_apply:
        return managed_fields.apply(
            present,
            wanted,
            manager=writer.manager,
            force=writer.force,
            schema=schema,
            time=server.clock.timestamp(),
            api_version=SCALE,
            subresource="scale",
        )
    spec = wanted.get("spec") or {}
    wanted["spec"] = spec | {"replicas": spec.get("replicas") or 0}
    if "managedFields" not in present["metadata"]:
        return wanted  # nobody owns the replicas: nor does who scales
    wanted["metadata"] = dict(wanted["metadata"]) | {
        "managedFields": present["metadata"]["managedFields"]
    }
    return managed_fields.after_update(
        present,
        wanted,
        manager=writer.manager,
        schema=schema,
        time=server.clock.timestamp(),
        api_version=SCALE,
        subresource="scale",
    )


def _owners(manifest: Manifest, path: str) -> list[dict[str, Any]]:
    """Return the entries of who owns the replicas, as entries of a Scale."""
    return [
        {key: value for key, value in entry.items() if key != "fieldsV1"}
        | {"apiVersion": SCALE, "fieldsV1": {"f:spec": {"f:replicas": {}}}}
        for entry in manifest["metadata"].get("managedFields") or ()
        if _owns(entry, path)
    ]


def _give_back(manifest: Manifest, scale: Manifest, api_version: str, path: str) -> None:
    """Put the ownership of the replicas back into the object's own entries."""
    told = scale["metadata"].get("managedFields") or []
    owning = {_identity(entry) for entry in told}
    entries = []
    known = set()
    for entry in manifest["metadata"].get("managedFields") or ():
        known.add(_identity(entry))
        if _owns(entry, path) and _identity(entry) not in owning:
            _disown(entry["fieldsV1"], [f"f:{step}" for step in _steps(path)])
            if not entry["fieldsV1"]:
                continue
        entries.append(entry)
    entries += [
        {
            "manager": entry["manager"],
            "operation": entry["operation"],
            "apiVersion": api_version,
            "fieldsType": "FieldsV1",
            "fieldsV1": _fields(path),
            "subresource": "scale",
        }
        for entry in told
        if _identity(entry) not in known
    ]
    if entries:
        manifest["metadata"]["managedFields"] = entries


def _identity(entry: dict[str, Any]) -> tuple[str, str, str]:
    return entry["manager"], entry["operation"], entry.get("subresource", "")


def _owns(entry: dict[str, Any], path: str) -> bool:
    fields: Any = entry.get("fieldsV1")
    for step in _steps(path):
        fields = (fields or {}).get(f"f:{step}")
        if fields is None:
            return False
    return True


def _disown(fields: dict[str, Any], steps: list[str]) -> None:
    first, *rest = steps
    if not rest:
        fields.pop(first, None)
        return
    _disown(fields[first], rest)
    if not fields[first]:
        del fields[first]


def _fields(path: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for step in reversed(_steps(path)):
        fields = {f"f:{step}": fields}
    return fields


def _paths(server: ApiServer, resource_type: ResourceType) -> dict[str, str]:
    declared = (version_of(server, resource_type).get("subresources") or {}).get("scale") or {}
    return _PATHS | declared


def _selector(manifest: Manifest, paths: dict[str, str]) -> str:
    if paths["labelSelectorPath"]:
        found = _at(manifest, paths["labelSelectorPath"])
        return found if isinstance(found, str) else ""
    selector = (manifest.get("spec") or {}).get("selector")
    if not selector:
        return ""
    is_plain = manifest["kind"] == "ReplicationController"
    return str(from_set(selector) if is_plain else from_label_selector(selector))


def _steps(path: str) -> list[str]:
    return path.strip(".").split(".")


def _at(manifest: Any, path: str) -> Any:
    for step in _steps(path):
        manifest = (manifest or {}).get(step)
    return manifest


def _set(manifest: Manifest, path: str, value: int) -> None:
    *above, last = _steps(path)
    for step in above:
        manifest = manifest.setdefault(step, {})
    manifest[last] = value
