"""Rules of `metadata`: names, labels, annotations, owners, finalizers, and what no update changes.

Source: k8s.io/apimachinery, pkg/api/validation/objectmeta.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from gitops_sim.apimachinery import causes, names
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.validation_parts import label_causes, named
from gitops_sim.types import Manifest

__all__ = [
    "embedded_metadata_causes",
    "finalizer_causes",
    "metadata_causes",
    "metadata_update_causes",
    "name_rule",
    "path_segment_causes",
]

_ANNOTATIONS_BYTES = 256 * 1024
_STANDARD_FINALIZERS = frozenset({"kubernetes", "foregroundDeletion", "orphan"})
_Rule = Callable[[str], list[str]]


def _path_segment(name: str) -> list[str]:
    """Check a name that only has to fit into a URL's path."""
    if name in (".", ".."):
        return [f"may not be '{name}'"]
    return [f"may not contain '{char}'" for char in "/%" if char in name]


def path_segment_causes(name: str, path: str) -> Iterator[Cause]:
    """Refuse a name that does not fit into a URL's path."""
    yield from named(name, path, _path_segment)


_RULES: dict[tuple[str, str], _Rule] = {
    ("", "Namespace"): names.validate_label,
    ("", "Service"): names.validate_label,
    ("apps", "StatefulSet"): names.validate_label,
    ("rbac.authorization.k8s.io", "ClusterRole"): _path_segment,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _path_segment,
    ("rbac.authorization.k8s.io", "Role"): _path_segment,
    ("rbac.authorization.k8s.io", "RoleBinding"): _path_segment,
}


def name_rule(group: str, kind: str) -> _Rule:
    """Return what the names of a kind must be: DNS subdomains, with few exceptions."""
    return _RULES.get((group, kind), names.validate_subdomain)


def metadata_causes(manifest: Manifest, rule: _Rule, *, core: bool = True) -> Iterator[Cause]:
    """Yield what is wrong with the metadata of an object, its name by the rule of its kind.

    `core` is false for custom resources and their definitions, whose finalizers may be any
    qualified name.
    """
    metadata = manifest["metadata"]
    if metadata.get("generateName"):
        prefix = metadata["generateName"]
        masked = prefix[:-1] + "a" if prefix.endswith("-") else prefix
        for problem in rule(masked):
            yield causes.invalid("metadata.generateName", prefix, problem)
    if metadata.get("name"):
        yield from named(metadata["name"], "metadata.name", rule)
    else:
        yield causes.required("metadata.name", "name or generateName is required")
    yield from _common_causes(metadata, core=core)


def embedded_metadata_causes(metadata: dict[str, Any]) -> Iterator[Cause]:
    """Yield what is wrong with the metadata of an object inside of another; it needs no name."""
    named_so = metadata if metadata.get("name") else metadata | {"name": "unnamed"}
    yield from metadata_causes({"metadata": named_so}, _path_segment, core=False)


def metadata_update_causes(
    manifest: Manifest, before: Manifest, *, core: bool = True
) -> Iterator[Cause]:
    """Yield what is wrong with the metadata of an updated object."""
    new, old = manifest["metadata"], before["metadata"]
    if "deletionTimestamp" in old:
        extra = sorted(set(new.get("finalizers") or ()) - set(old.get("finalizers") or ()))
        if extra:
            listed = ", ".join(causes.go_json(name) for name in extra)
            text = "no new finalizers can be added if the object is being deleted, found new "
            yield causes.forbidden("metadata.finalizers", f"{text}finalizers []string{{{listed}}}")
    parts = ("labels", "annotations", "ownerReferences", "finalizers")
    if any(new.get(part) is not old.get(part) for part in parts):
        yield from _common_causes(new, core=core)


def _common_causes(metadata: dict[str, Any], *, core: bool) -> Iterator[Cause]:
    yield from label_causes(metadata.get("labels"), "metadata.labels")
    annotations = metadata.get("annotations") or {}
    for key in annotations:
        for problem in names.validate_label_key(key.lower()):
            yield causes.invalid("metadata.annotations", key, problem)
    size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    if size > _ANNOTATIONS_BYTES:
        yield causes.too_long("metadata.annotations", _ANNOTATIONS_BYTES)
    yield from _owner_causes(metadata.get("ownerReferences") or [])
    yield from _finalizer_causes(metadata.get("finalizers") or [], core=core)


def _owner_causes(owners: list[dict[str, Any]]) -> Iterator[Cause]:
    controller = ""
    for index, owner in enumerate(owners):
        path = f"metadata.ownerReferences[{index}]"
        for member in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(member):
                yield causes.required(f"{path}.{member}", "must not be empty")
        version = owner.get("apiVersion") or ""
        if version.count("/") > 1:
            text = "must be <group>/<version> or <version>"
            yield causes.invalid(f"{path}.apiVersion", version, text)
        if owner.get("kind") == "Event" and owner.get("apiVersion") == "v1":
            yield causes.invalid(path, owner, "/v1, Kind=Event is disallowed from being an owner")
        if not owner.get("controller"):
            continue
        name = f"{owner.get('kind', '')}/{owner.get('name', '')}"
        if controller:
            yield causes.invalid(
                "metadata.ownerReferences",
                owners,
                'Only one reference can have Controller set to true. Found "true" in references '
                f"for {controller} and {name}",
            )
        controller = controller or name


def finalizer_causes(finalizers: Iterable[str], path: str) -> Iterator[Cause]:
    """Refuse finalizers that are neither the server's own nor of some domain."""
    for name in finalizers:
        problems = names.validate_label_key(name)
        yield from (causes.invalid(path, name, problem) for problem in problems)
        if not problems and "/" not in name and name not in _STANDARD_FINALIZERS:
            text = "name is neither a standard finalizer name nor is it fully qualified"
            yield causes.invalid(path, name, text)


def _finalizer_causes(finalizers: list[str], *, core: bool) -> Iterator[Cause]:
    for index, name in enumerate(finalizers):
        yield from named(name, "metadata.finalizers", names.validate_label_key)
        if core and "/" not in name and name not in _STANDARD_FINALIZERS:
            yield causes.invalid(
                f"metadata.finalizers[{index}]",
                name,
                "name is neither a standard finalizer name nor is it fully qualified",
            )
    if {"orphan", "foregroundDeletion"} <= set(finalizers):
        text = "finalizer orphan and foregroundDeletion cannot be both set"
        yield causes.invalid("metadata.finalizers", finalizers, text)
