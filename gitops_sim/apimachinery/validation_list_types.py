"""Rules of lists and maps in the schema of a custom kind: how their items are told apart.

Source: k8s.io/apiextensions-apiserver, pkg/apis/apiextensions/validation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery import causes
from gitops_sim.apimachinery.causes import Cause

__all__ = ["list_type_causes"]

_Raw = dict[str, Any]
_LIST_TYPE = "x-kubernetes-list-type"
_MAP_TYPE = "x-kubernetes-map-type"
_KEYS = "x-kubernetes-list-map-keys"


def list_type_causes(schema: _Raw, path: str) -> Iterator[Cause]:
    """Yield what is wrong with x-kubernetes-map-type, -list-type and -list-map-keys."""
    list_type = schema.get(_LIST_TYPE)
    yield from _kind_causes(schema, path, _MAP_TYPE, "object")
    yield from _choice_causes(schema, path, _MAP_TYPE, ("atomic", "granular"))
    wrong = list(_kind_causes(schema, path, _LIST_TYPE, "array"))
    yield from wrong
    items = schema.get("items")
    if not wrong and list_type == "set" and isinstance(items, dict):
        yield from _set_causes(items, f"{path}.items")
    yield from _choice_causes(schema, path, _LIST_TYPE, ("atomic", "set", "map"))
    if schema.get(_KEYS) and list_type != "map":
        text, where = f"must be map if {_KEYS} is non-empty", f"{path}.{_LIST_TYPE}"
        missing = list_type is None
        yield causes.required(where, text) if missing else causes.invalid(where, list_type, text)
    if list_type == "map":
        yield from _map_causes(schema, path)
    if list_type in ("set", "map") and isinstance(items, dict):
        yield from _nullable_causes(schema, f"{path}.items")


def _kind_causes(schema: _Raw, path: str, member: str, wanted: str) -> Iterator[Cause]:
    kind = schema.get("type") or ""
    if schema.get(member) is None or kind == wanted:
        return
    text = f"must be {wanted} if {member} is specified"
    where = f"{path}.type"
    yield causes.invalid(where, kind, text) if kind else causes.required(where, text)


def _choice_causes(
    schema: _Raw, path: str, member: str, choices: tuple[str, ...]
) -> Iterator[Cause]:
    found = schema.get(member)
    if found is not None and found not in choices:
        yield causes.not_supported(f"{path}.{member}", found, choices)


def _set_causes(items: _Raw, path: str) -> Iterator[Cause]:
    """Check that an item of a set is one value; what is shown is the list type in both cases."""
    text = "must be atomic as item of a list with x-kubernetes-list-type=set"
    shown = items.get(_LIST_TYPE)
    if items.get("type") == "array" and shown not in (None, "atomic"):
        yield causes.invalid(f"{path}.{_LIST_TYPE}", shown, text)
    if items.get("type") == "object" and items.get(_MAP_TYPE) != "atomic":
        yield causes.invalid(f"{path}.{_MAP_TYPE}", shown, text)


def _map_causes(schema: _Raw, path: str) -> Iterator[Cause]:
    keys, items = schema.get(_KEYS) or [], schema.get("items")
    if not keys:
        yield causes.required(f"{path}.{_KEYS}", f"must not be empty if {_LIST_TYPE} is map")
    if items is None:
        yield causes.required(f"{path}.items", f"must have a schema if {_LIST_TYPE} is map")
    if not isinstance(items, dict):
        return
    kind = items.get("type") or ""
    if kind != "object":
        text = f"must be object if parent array's {_LIST_TYPE} is map"
        yield causes.invalid(f"{path}.items.type", kind, text)
        return
    properties = items.get("properties") or {}
    for place, key in enumerate(keys):
        if key not in properties:
            text = "entries must all be names of item properties"
            yield causes.invalid(f"{path}.{_KEYS}", keys, text)
        elif properties[key].get("type") in ("array", "object"):
            text = f"must be a scalar type if parent array's {_LIST_TYPE} is map"
            yield causes.invalid(f"{path}.items.properties[{key}].type", kind, text)
        if key in keys[:place]:
            yield causes.invalid(f"{path}.{_KEYS}", keys, "must not contain duplicate entries")


def _nullable_causes(schema: _Raw, path: str) -> Iterator[Cause]:
    """Check that items and their keys are always there."""
    items, list_type = schema["items"], schema[_LIST_TYPE]
    if items.get("nullable"):
        text = f"cannot be nullable when {_LIST_TYPE} is {list_type}"
        yield causes.forbidden(f"{path}.nullable", text)
    if list_type == "set":
        return
    said = f"this property is in {_KEYS}, so it"
    for key in schema.get(_KEYS) or ():
        member = (items.get("properties") or {}).get(key)
        if member is None:
            continue
        where = f"{path}.properties[{key}]"
        if key not in (items.get("required") or ()) and member.get("default") is None:
            text = f"{said} must have a default or be a required property"
            yield causes.required(f"{where}.default", text)
        if member.get("nullable"):
            yield causes.forbidden(f"{where}.nullable", f"{said} cannot be nullable")
