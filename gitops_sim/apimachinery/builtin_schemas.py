"""OpenAPI schemas of built-in kinds, compiled into `Schema` nodes.

A type is compiled once, when first needed, and shared by all that refer to it. A type that
contains itself (JSONSchemaProps) works because its node is known before its members are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gitops_sim.apimachinery import builtin_data
from gitops_sim.apimachinery.schema_nodes import ANY, Schema

__all__ = ["compiled", "json_schema", "object_meta"]

_OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_JSON_SCHEMA = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
_API = "io.k8s.apimachinery.pkg."
_SPECIAL = {
    f"{_API}api.resource.Quantity": Schema("scalar", scalar="string", format="quantity"),
    f"{_API}util.intstr.IntOrString": Schema(
        "scalar", scalar="string", format="int-or-string", int_or_string=True
    ),
    f"{_API}apis.meta.v1.FieldsV1": Schema("map", preserve_unknown=True, map_type="atomic"),
    f"{_API}runtime.RawExtension": Schema("map", preserve_unknown=True, map_type="atomic"),
}
_nodes: dict[str, Schema] = {}


def compiled(group: str, version: str, kind: str) -> Schema | None:
    """Return the schema of a built-in kind; None when there is no such kind."""
    name = builtin_data.component_of(group, version, kind)
    return None if name is None else _component(name)


def object_meta() -> Schema:
    """Return the schema of `metadata`."""
    return _component(_OBJECT_META)


def json_schema() -> Schema:
    """Return the schema of a schema in a CustomResourceDefinition."""
    return _component(_JSON_SCHEMA)


def _component(name: str) -> Schema:
    node = _nodes.get(name)
    if node is not None:
        return node
    if name in _SPECIAL:
        node = _nodes[name] = replace(_SPECIAL[name], name=name)
        return node
    raw = builtin_data.components()[name]
    if "properties" not in raw:
        node = _nodes[name] = replace(_node(raw), name=name)
        return node
    form = builtin_data.go_form_of(name)
    node = _nodes[name] = replace(
        _attributes(raw, Schema("map")),
        name=name,
        zeros=frozenset(form.get("zero", ())),
        always=form.get("always", {}),
    )
    for key, member in raw["properties"].items():
        node.properties[key] = _node(member)
    return node


def _node(raw: dict[str, Any]) -> Schema:
    reference = _reference(raw)
    if reference is not None:
        return _attributes(raw, _component(reference))
    match raw.get("type"):
        case "object":
            additional = raw.get("additionalProperties")
            values = None if additional is None else _node(additional)
            return _attributes(raw, Schema("map", additional=values))
        case "array":
            return _attributes(raw, Schema("list", items=_node(raw["items"])))
        case None:
            return replace(ANY)
        case scalar:
            return _attributes(raw, Schema("scalar", scalar=scalar))


def _reference(raw: dict[str, Any]) -> str | None:
    if "$ref" in raw:
        return str(raw["$ref"])
    if len(raw.get("allOf", ())) == 1:
        return str(raw["allOf"][0]["$ref"])
    return None


def _attributes(raw: dict[str, Any], node: Schema) -> Schema:
    """Return the node with what the use of a type adds: default, list type, merge key, ..."""
    found: dict[str, Any] = {}
    for key, name in (
        ("x-kubernetes-list-type", "list_type"),
        ("x-kubernetes-map-type", "map_type"),
        ("x-kubernetes-patch-merge-key", "patch_merge_key"),
        ("x-kubernetes-patch-strategy", "patch_strategy"),
        ("format", "format"),
    ):
        if key in raw:
            found[name] = raw[key]
    for key, name in (
        ("x-kubernetes-list-map-keys", "list_map_keys"),
        ("required", "required"),
        ("enum", "enum"),
    ):
        if key in raw:
            found[name] = tuple(raw[key])
    if "default" in raw:
        found |= {"default": raw["default"], "has_default": True}
    return replace(node, **found) if found else node
