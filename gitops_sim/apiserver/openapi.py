"""OpenAPI documents of the kinds served, put together from schemas and the rules of paths.

Which paths a kind has follows from its verbs, its scope and its subresources, so the documents
are made, not stored.

Source: k8s.io/apiserver, pkg/endpoints/installer.go; k8s.io/kube-openapi.
Differs: operations have the parameters that clients look for (dryRun, fieldManager,
fieldValidation, force …), without descriptions.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from gitops_sim.apimachinery import builtin_data
from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apiserver.definitions import version_of
from gitops_sim.apiserver.discovery import groups_in_order
from gitops_sim.apiserver.openapi_components import META, REFERENCE, described_component
from gitops_sim.apiserver.openapi_custom import custom_schemas
from gitops_sim.apiserver.server import ApiServer

__all__ = ["document_names", "document_v2", "document_v3"]

_JSON = "application/json"
_GVK = "x-kubernetes-group-version-kind"
_PATCHES = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)
_ROOTS = {
    ".well-known/openid-configuration": None,
    "api": f"{META}APIVersions",
    "apis": f"{META}APIGroupList",
    "openid/v1/jwks": None,
    "version": "io.k8s.apimachinery.pkg.version.Info",
}
"""What the documents that are no groups answer with."""

_WRITTEN = ("dryRun", "fieldManager", "fieldValidation")
_LISTED = (
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
    "watch",
)
_DELETED = (
    "dryRun",
    "gracePeriodSeconds",
    "ignoreStoreReadErrorWithClusterBreakingPotential",
    "orphanDependents",
    "propagationPolicy",
)
_TYPES = {
    "allowWatchBookmarks": "boolean",
    "force": "boolean",
    "gracePeriodSeconds": "integer",
    "limit": "integer",
    "orphanDependents": "boolean",
    "sendInitialEvents": "boolean",
    "timeoutSeconds": "integer",
    "watch": "boolean",
    "ignoreStoreReadErrorWithClusterBreakingPotential": "boolean",
}


def document_names(server: ApiServer) -> list[str]:
    """Return the names of all v3 documents, such as `api/v1` and `apis/apps/v1`, in order."""
    found = [".well-known/openid-configuration", "api", "api/v1", "apis", "openid/v1/jwks"]
    for group, versions in groups_in_order(server).items():
        if _is_builtin(group):
            found.append(f"apis/{group}")
        found += [f"apis/{group}/{version}" for version in versions]
    return sorted([*found, "version"])


def document_v3(server: ApiServer, name: str) -> dict[str, Any] | None:
    """Return one v3 document; None when there is none of that name."""
    if name not in document_names(server):
        return None
    steps = name.split("/")
    group, version = _group_version(steps)
    if version is None:
        answered = _ROOTS.get(name, f"{META}APIGroup" if len(steps) == 2 else None)
        paths = {f"/{name}/": {"get": {"responses": _responses(answered)}}}
        return _document(paths, _closure(paths, {}))
    types = [t for t in server.kinds if (t.group, t.version) == (group, version)]
    is_custom = any(server.schemas.is_custom(t.group, t.version, t.kind) for t in types)
    paths = {}
    if not is_custom:
        paths[f"/{name}/"] = {"get": {"responses": _responses(f"{META}APIResourceList")}}
    schemas: dict[str, Any] = {}
    for resource_type in types:
        paths |= _paths(name, resource_type, watches=not is_custom)
        if is_custom:
            name_of_kind = _schema_name(group, str(version), resource_type.kind)
            declared = version_of(server, resource_type).get("schema") or {}
            schemas |= custom_schemas(resource_type, declared, name_of_kind)
    return _document(dict(sorted(paths.items())), schemas | _closure(paths, schemas))


def document_v2(server: ApiServer) -> dict[str, Any]:
    """Return the v2 document: all groups in one, references and bodies in the older form."""
    paths: dict[str, Any] = {}
    definitions: dict[str, Any] = {}
    for name in document_names(server):
        document = document_v3(server, name)
        assert document is not None
        paths |= document["paths"]
        definitions |= document["components"]["schemas"]
    info = {"title": "Kubernetes", "version": builtin_data.KUBERNETES_VERSION}
    definitions = dict(sorted(definitions.items()))
    return {
        "swagger": "2.0",
        "info": info,
        "paths": {path: _older_item(item) for path, item in sorted(paths.items())},
        "definitions": _older_references(definitions),
        "parameters": {},
        "securityDefinitions": {
            "BearerToken": {"in": "header", "name": "authorization", "type": "apiKey"}
        },
        "security": [{"BearerToken": []}],
    }


def _is_builtin(group: str) -> bool:
    return any(known["metadata"].get("name", "") == group for known in builtin_data.groups())


def _group_version(steps: list[str]) -> tuple[str, str | None]:
    if steps[0] == "api" and len(steps) == 2:
        return "", steps[1]
    if steps[0] == "apis" and len(steps) == 3:
        return steps[1], steps[2]
    return "", None


def _document(paths: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    info = {"title": "Kubernetes", "version": builtin_data.KUBERNETES_VERSION}
    scheme = {"in": "header", "name": "authorization", "type": "apiKey"}
    components = {"schemas": schemas, "securitySchemes": {"BearerToken": scheme}}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": components}


def _paths(prefix: str, resource_type: ResourceType, *, watches: bool) -> dict[str, Any]:
    plural, verbs = resource_type.plural, resource_type.verbs
    inside = "namespaces/{namespace}/" if resource_type.namespaced else ""
    collection = f"/{prefix}/{inside}{plural}"
    one = f"{collection}/{{name}}" if plural != "namespaces" else f"/{prefix}/namespaces/{{name}}"
    paths: dict[str, Any] = {}
    if resource_type.namespaced and "list" in verbs:
        paths[f"/{prefix}/{plural}"] = {"get": _operation(resource_type, "list")}
    for path, kinds in ((collection, _COLLECTION), (one, _ONE)):
        item = {
            method: _operation(resource_type, verb)
            for verb, method in kinds.items()
            if verb in verbs
        }
        if item:
            paths[path] = item
    for part in resource_type.subresources:
        paths[f"{one}/{part}"] = _part(resource_type, part)
        if part == "proxy":
            paths[f"{one}/proxy/{{path}}"] = paths[f"{one}/proxy"]
    if watches and "watch" in verbs:
        for path in [path for path in (f"/{prefix}/{plural}", collection, one) if path in paths]:
            watched = path.replace(f"/{prefix}/", f"/{prefix}/watch/", 1)
            paths[watched] = {"get": _operation(resource_type, "watch")}
    return paths


_COLLECTION = {"list": "get", "create": "post", "deletecollection": "delete"}
_ONE = {"get": "get", "update": "put", "patch": "patch", "delete": "delete"}
_PART_METHODS = ("get", "put", "patch")
_POSTED = {
    "attach": ("get", "post"),
    "binding": ("post",),
    "eviction": ("post",),
    "exec": ("get", "post"),
    "finalize": ("put",),
    "log": ("get",),
    "portforward": ("get", "post"),
    "proxy": ("delete", "get", "head", "options", "patch", "post", "put"),
    "token": ("post",),
}
_PART_VERBS = {"get": "get", "put": "update", "patch": "patch", "post": "create"}


def _part(resource_type: ResourceType, part: str) -> dict[str, Any]:
    return {
        method: _operation(resource_type, _PART_VERBS.get(method, "get"), part)
        for method in _POSTED.get(part, _PART_METHODS)
    }


def _operation(resource_type: ResourceType, verb: str, part: str = "") -> dict[str, Any]:
    group, version, kind = _answered(resource_type, part)
    schema = _schema_name(group, version, kind)
    answered = {"list": f"{schema}List", "watch": f"{META}WatchEvent"}.get(verb, schema)
    if verb in ("delete", "deletecollection"):
        answered = f"{META}Status"
    names = {
        "list": _LISTED,
        "watch": _LISTED,
        "delete": _DELETED,
        "deletecollection": (*_LISTED[1:], *_DELETED),
        "create": _WRITTEN,
        "update": _WRITTEN,
        "patch": (*_WRITTEN, "force"),
    }.get(verb, ())
    action = {"create": "post", "update": "put", "watch": "watchlist"}.get(verb, verb)
    told: dict[str, Any] = {
        "parameters": [_parameter(name) for name in names],
        "responses": _responses(answered),
        "x-kubernetes-action": action,
        _GVK: {"group": group, "kind": kind, "version": version},
    }
    if verb in ("create", "update"):
        told["requestBody"] = {"content": {"*/*": {"schema": {"$ref": REFERENCE + schema}}}}
    if verb in ("delete", "deletecollection"):
        options = {"schema": {"$ref": f"{REFERENCE}{META}DeleteOptions"}}
        told["requestBody"] = {"content": {"*/*": options}}
    if verb == "patch":
        patch = {"schema": {"$ref": f"{REFERENCE}{META}Patch"}}
        is_known = _is_builtin(resource_type.group)
        kinds = _PATCHES if is_known else [kind for kind in _PATCHES if "strategic" not in kind]
        told["requestBody"] = {"content": dict.fromkeys(kinds, patch)}
    return told


def _answered(resource_type: ResourceType, part: str) -> tuple[str, str, str]:
    """Return group, version and kind of what a resource, or a part of it, answers with."""
    own = (resource_type.group, resource_type.version, resource_type.kind)
    if not part:
        return own
    if part == "scale":
        return "autoscaling", "v1", "Scale"
    return _part_kinds().get((*own[:2], resource_type.plural, part), own)


@cache
def _part_kinds() -> dict[tuple[str, str, str, str], tuple[str, str, str]]:
    """Return what the parts of built-in resources answer with, where it is a kind of its own."""
    found = {}
    for group in builtin_data.groups():
        for version in group["versions"]:
            for resource in version["resources"]:
                where = (group["metadata"].get("name", ""), version["version"])
                for part in resource.get("subresources", ()):
                    kind = part["responseKind"]
                    if kind.get("version"):
                        key = (*where, resource["resource"], part["subresource"])
                        found[key] = (kind.get("group", ""), kind["version"], kind["kind"])
    return found


def _parameter(name: str) -> dict[str, Any]:
    schema = {"type": _TYPES.get(name, "string"), "uniqueItems": True}
    return {"name": name, "in": "query", "schema": schema}


def _responses(schema: str | None) -> dict[str, Any]:
    told: dict[str, Any] = {"description": "OK"}
    if schema is not None:
        told["content"] = {_JSON: {"schema": {"$ref": REFERENCE + schema}}}
    return {"200": told, "401": {"description": "Unauthorized"}}


def _schema_name(group: str, version: str, kind: str) -> str:
    found = builtin_data.component_of(group, version, kind)
    if found is not None:
        return found
    return f"{'.'.join(reversed(group.split('.')))}.{version}.{kind}"


def _closure(*roots: Any) -> dict[str, Any]:
    """Return the built-in schemas that the roots refer to, and those that these refer to."""
    known, found = builtin_data.components(), {}
    waiting = [name for root in roots for name in _references(root)]
    while waiting:
        name = waiting.pop()
        if name in found or name not in known:
            continue
        found[name] = described_component(name)
        waiting += _references(known[name])
    return dict(sorted(found.items()))


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str):
            yield reference.removeprefix(REFERENCE)
        for member in value.values():
            yield from _references(member)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _older_references(value: Any) -> Any:
    if isinstance(value, list):
        return [_older_references(item) for item in value]
    if not isinstance(value, dict):
        return value
    older = {key: _older_references(member) for key, member in value.items() if key != "allOf"}
    reference = older.get("$ref")
    if isinstance(reference, str):
        older["$ref"] = reference.replace(REFERENCE, "#/definitions/")
    if len(value.get("allOf") or ()) == 1:
        older |= _older_references(value["allOf"][0])
    return older


def _older_item(item: dict[str, Any]) -> dict[str, Any]:
    return {method: _older_operation(operation) for method, operation in item.items()}


def _older_operation(operation: dict[str, Any]) -> dict[str, Any]:
    told = {key: value for key, value in operation.items() if key != "requestBody"}
    parameters = [
        {"name": p["name"], "in": p["in"], **p["schema"]} for p in operation.get("parameters", ())
    ]
    body = operation.get("requestBody")
    if body is not None:
        if operation["x-kubernetes-action"] == "patch":
            told["consumes"] = list(body["content"])
        schema = _older_references(next(iter(body["content"].values()))["schema"])
        parameters.append({"name": "body", "in": "body", "required": True, "schema": schema})
    told["parameters"] = parameters
    told["responses"] = {
        code: _older_response(response) for code, response in operation["responses"].items()
    }
    return told


def _older_response(response: dict[str, Any]) -> dict[str, Any]:
    content = response.get("content")
    told = {"description": response["description"]}
    if content is None:
        return told
    return told | {"schema": _older_references(content[_JSON]["schema"])}
