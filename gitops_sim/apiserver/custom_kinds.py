"""CustomResourceDefinitions: a kind is served from the moment that its definition is stored.

Source: k8s.io/apiextensions-apiserver.
Differs: names are accepted and the definition established right after the write, not a moment
later by controllers, and objects go with their definition at once.
"""

from __future__ import annotations

from math import inf
from typing import Any

from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apimachinery.schemas import Schema, from_crd
from gitops_sim.apimachinery.status_errors import forbidden
from gitops_sim.apiserver.definition_names import is_established, names_status
from gitops_sim.apiserver.definitions import DEFINITIONS
from gitops_sim.apiserver.deleting import delete
from gitops_sim.apiserver.server import ApiServer, Write, storage_kind
from gitops_sim.apiserver.store import Kind
from gitops_sim.apiserver.writing import patch
from gitops_sim.types import Manifest

__all__ = ["begin_definition", "follow_definitions"]

_MANAGER = "kube-apiserver"
_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")


def begin_definition(server: ApiServer, write: Write, manifest: Manifest) -> None:
    """Registry strategy: a new definition knows from the start in which version it stores.

    Raises:
        ForbiddenError: A new custom object comes while its definition goes.
    """
    if write.before is None and write.resource_type.group:
        _refuse_late(server, write, manifest)
    if storage_kind(write.resource_type) == DEFINITIONS and write.before is None:
        versions = (manifest.get("spec") or {}).get("versions") or ()
        stored = [v["name"] for v in versions if v.get("storage")][:1]
        manifest["status"] = (manifest.get("status") or {}) | {"storedVersions": stored}


def _refuse_late(server: ApiServer, write: Write, manifest: Manifest) -> None:
    kind = write.resource_type
    definition = server.store.get(DEFINITIONS, "", f"{kind.plural}.{kind.group}")
    if definition is not None and "deletionTimestamp" in definition["metadata"]:
        text = "create not allowed while custom resource definition is terminating"
        raise forbidden(kind, manifest["metadata"].get("name", ""), text)


def follow_definitions(server: ApiServer, write: Write, after: Manifest | None) -> None:
    """After each write: serve new definitions, and clean up after those that go."""
    resource_type = write.resource_type
    if storage_kind(resource_type) == DEFINITIONS:
        _follow_definition(server, write.before, after)
    elif after is None:
        for definition in server.store.objects(DEFINITIONS):
            spec = definition["spec"]
            if (spec["group"], spec["names"]["kind"]) == storage_kind(resource_type):
                _release_if_empty(server, definition)


def _follow_definition(server: ApiServer, before: Manifest | None, after: Manifest | None) -> None:
    was: dict[str, _Compiled] = {}
    if before is not None and is_established(before):
        was = _unserve(server, before)
        server.custom.follow(_kind(before), None)
    if after is None:
        for other in server.store.objects(DEFINITIONS):  # it may have waited for these names
            if before is not None and other["spec"]["group"] == before["spec"]["group"]:
                _accept(server, other)
        return
    if is_established(after):
        server.custom.follow(_kind(after), after)
        _serve(server, after, was)
    if "deletionTimestamp" in after["metadata"]:
        _clean_up(server, after)
    else:
        _accept(server, after)


def _kind(definition: Manifest) -> Kind:
    return Kind(definition["spec"]["group"], definition["spec"]["names"]["kind"])


_Compiled = tuple[dict[str, Any], Schema, float]


def _unserve(server: ApiServer, definition: Manifest) -> dict[str, _Compiled]:
    """Serve a kind no longer; return the schema of each version: raw, compiled, and since when."""
    was: dict[str, _Compiled] = {}
    raw = _raw_schemas(definition)
    for served in _types(definition):
        name = (served.group, served.version, served.kind)
        compiled = server.schemas.schema_for(*name)
        if compiled is not None:
            was[served.version] = (raw[served.version], compiled, server.schemas.since(*name))
        server.kinds.remove(served)
        server.schemas.remove(*name)
    return was


def _serve(server: ApiServer, definition: Manifest, was: dict[str, _Compiled]) -> None:
    """Serve the versions of a kind; a schema that stayed as it `was` is not compiled again."""
    raw = _raw_schemas(definition)
    # What another version's schema let in may be unknown to this one.
    since = server.store.revision if len(raw) == 1 else inf
    for served in _types(definition):
        wanted = raw[served.version]
        name = (served.group, served.version, served.kind)
        before = was.get(served.version)
        if before is not None and before[0] == wanted:
            settled = before[2] if before[2] < inf else since
            server.schemas.add(*name, before[1], since=settled if len(raw) == 1 else inf)
        else:
            server.schemas.add(*name, from_crd(wanted), since=since)
        server.kinds.add(served)


def _raw_schemas(definition: Manifest) -> dict[str, dict[str, Any]]:
    versions = definition["spec"]["versions"]
    return {v["name"]: (v.get("schema") or {}).get("openAPIV3Schema") or {} for v in versions}


def _accept(server: ApiServer, definition: Manifest) -> None:
    """Write the status that says that the kind is served, if it does not say so yet."""
    spec, status = definition["spec"], definition.get("status") or {}
    stored = list(status.get("storedVersions") or ())
    stored += [v["name"] for v in spec["versions"] if v.get("storage") and v["name"] not in stored]
    wanted = {
        **names_status(server, definition),
        "storedVersions": stored,
    }
    if all(status.get(part) == value for part, value in wanted.items()):
        return
    _write_status(server, definition["metadata"]["name"], wanted)


def _write_status(server: ApiServer, name: str, status: dict[str, Any]) -> None:
    patch(
        server,
        server.kinds.lookup("apiextensions.k8s.io/v1/CustomResourceDefinition"),
        "",
        name,
        {"status": fresh_copy(status)},
        kind="merge",
        manager=_MANAGER,
        subresource="status",
    )


def _types(definition: Manifest) -> list[ResourceType]:
    spec = definition["spec"]
    names = spec["names"]
    served = [v for v in spec["versions"] if v.get("served")]
    # The storage version comes first: it is the one that a bare word means.
    served.sort(key=lambda version: not version.get("storage"))
    return [
        ResourceType(
            spec["group"],
            version["name"],
            names["kind"],
            names["plural"],
            names.get("singular", names["kind"].lower()),
            tuple(names.get("shortNames", ())),
            spec.get("scope") == "Namespaced",
            _VERBS,
            tuple(names.get("categories", ())),
            tuple(version.get("subresources") or ()),
            tuple(f["jsonPath"].lstrip(".") for f in version.get("selectableFields") or ()),
        )
        for version in served
    ]


def _clean_up(server: ApiServer, definition: Manifest) -> None:
    kind = _kind(definition)
    served = _types(definition)
    for manifest in server.store.objects(kind) if is_established(definition) else ():
        metadata = manifest["metadata"]
        if "deletionTimestamp" not in metadata and served:
            namespace = metadata.get("namespace", "")
            delete(server, served[0], namespace, metadata["name"], manager=_MANAGER)
    _release_if_empty(server, definition)
    _tell_progress(server, definition["metadata"]["name"])


def _tell_progress(server: ApiServer, name: str) -> None:
    """Write into the status of a definition that goes that its objects are being deleted."""
    definition = server.store.get(DEFINITIONS, "", name)
    conditions = (definition or {}).get("status", {}).get("conditions") or []
    pending = [c for c in conditions if c.get("reason") == "InstanceDeletionPending"]
    if not pending:
        return
    told = {
        "reason": "InstanceDeletionInProgress",
        "message": "CustomResource deletion is in progress",
    }
    changed = [c | told if c in pending else c for c in conditions]
    _write_status(server, name, {"conditions": changed})


def _release_if_empty(server: ApiServer, definition: Manifest) -> None:
    kind = _kind(definition)
    current = server.store.get(DEFINITIONS, "", definition["metadata"]["name"])
    if current is None or "deletionTimestamp" not in current["metadata"]:
        return
    if is_established(definition) and server.store.objects(kind):
        return
    resource_type = server.kinds.lookup("apiextensions.k8s.io/v1/CustomResourceDefinition")
    server.remove(Write("delete", resource_type, _MANAGER, before=current), current)
