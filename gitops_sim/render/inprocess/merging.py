"""Strategic merge as kustomize does it, which differs from the API server's in the order of lists.

Items that a patch names come first, in the patch's order, also when they were there; what it does
not name follows. What the two could read differently (directives inside, lists with several keys,
null in new parts) is left to kubectl.

Source: kustomize kyaml/yaml/merge2, kyaml/yaml/walk.
"""

from __future__ import annotations

from typing import Any

from gitops_sim.apimachinery.builtin_schemas import compiled
from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apimachinery.schemas import ANY, Schema
from gitops_sim.apimachinery.yaml_scalars import is_text
from gitops_sim.render.inprocess.items import Id, NotInProcessError
from gitops_sim.types import Manifest

__all__ = ["merge"]

KNOWN_TYPES = frozenset(
    {
        ("", "v1"),
        ("apps", "v1"),
        ("batch", "v1"),
        ("networking.k8s.io", "v1"),
        ("rbac.authorization.k8s.io", "v1"),
        ("storage.k8s.io", "v1"),
    }
)
"""Types whose schema kustomize has, in a version that gives the same merge keys."""
KEYED_LISTS = {
    "containers": "name",
    "initContainers": "name",
    "volumes": "name",
    "env": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "imagePullSecrets": "name",
}
IDENTITY = ("apiVersion", "kind")


def merge(manifest: Manifest, patch: Manifest, this: Id) -> Manifest:
    """Return a manifest after a patch, of which name, namespace and type do not count.

    Args:
        manifest: Not changed, but shared with the result.
        patch: With its own apiVersion, kind and metadata.
        this: The id of the resource, which says what its lists are merged by.
    """
    wanted = {key: value for key, value in patch.items() if key not in IDENTITY}
    metadata = {
        key: value
        for key, value in (patch.get("metadata") or {}).items()
        if key not in ("name", "namespace")
    }
    wanted.pop("metadata", None)
    if metadata:
        wanted["metadata"] = metadata
    if _has_null(manifest):
        raise NotInProcessError("null in a resource to merge")
    return _merge_map(manifest, fresh_copy(wanted), _schema(this))


def _schema(this: Id) -> Schema:
    if (this.group, this.version) in KNOWN_TYPES:
        found = compiled(this.group, this.version, this.kind)
        if found is not None:
            return found
    if "." not in this.group or this.group.endswith("k8s.io"):
        raise NotInProcessError(f"merge of {this.group}/{this.version} {this.kind}")
    return ANY


def _merge_map(have: dict[str, Any], want: dict[str, Any], schema: Schema) -> dict[str, Any]:
    merged = dict(have)
    for name, value in want.items():
        if name.startswith("$"):
            raise NotInProcessError(f"{name} in a patch")
        if value is None:
            merged.pop(name, None)
        elif name in have:
            merged[name] = _merge_value(have[name], value, name, schema.member(name) or ANY)
        else:
            merged[name] = _new(value)
    if not all(is_text(name) for name in merged):  # kustomize takes the quotes off keys
        raise NotInProcessError("a key that is no text without quotes")
    if have and not merged:
        raise NotInProcessError("a mapping that a patch empties")
    return merged


def _merge_value(have: Any, want: Any, name: str, schema: Schema) -> Any:
    if isinstance(have, dict) and isinstance(want, dict):
        if schema.patch_strategy == "replace":
            raise NotInProcessError(f"{name} is replaced")
        return _merge_map(have, want, schema)
    if isinstance(have, list) and isinstance(want, list):
        if not want:
            raise NotInProcessError(f"empty list {name} in a patch")
        if "merge" in schema.patch_strategy and have:
            return _merge_list(have, want, name, schema)
        return _new(want)
    if isinstance(have, dict | list) or isinstance(want, dict | list):
        raise NotInProcessError(f"{name} of another type in a patch")
    return want


def _merge_list(have: list[Any], want: list[Any], name: str, schema: Schema) -> list[Any]:
    key = schema.patch_merge_key
    if KEYED_LISTS.get(name) != key or schema.items is None:
        raise NotInProcessError(f"merge of {name}")
    present, named = _by_key(have, key), _by_key(want, key)
    merged = [
        _merge_map(present[value], item, schema.items) if value in present else _new(item)
        for value, item in named.items()
    ]
    return merged + [item for value, item in present.items() if value not in named]


def _by_key(items: list[Any], key: str) -> dict[str, dict[str, Any]]:
    """Return items by their key; one without, or two with the same, are odd."""
    found: dict[str, dict[str, Any]] = {}
    for item in items:
        value = item.get(key) if isinstance(item, dict) else None
        if not isinstance(value, str) or not value or value in found:
            raise NotInProcessError(f"a list item without a {key} of its own")
        found[value] = item
    return found


def _new(value: Any) -> Any:
    """Return what a patch brings; nulls and directives in it are odd."""
    if isinstance(value, dict):
        if any(name.startswith("$") for name in value):
            raise NotInProcessError("a directive in a patch")
        for item in value.values():
            _new(item)
    elif isinstance(value, list):
        for item in value:
            _new(item)
    elif value is None:
        raise NotInProcessError("null in a patch")
    return value


def _has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_null(item) for item in value.values())
    if isinstance(value, list):
        return any(_has_null(item) for item in value)
    return value is None
