"""Patches: strategic merge and JSON, in place or in files, for one resource or for a selector.

Source: kustomize api/internal/builtins/PatchTransformer.go, api/resmap/selector.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apimachinery.patches import json_patch
from gitops_sim.errors import ApiError
from gitops_sim.render.inprocess.items import Id, Item, NotInProcessError, Resources
from gitops_sim.render.inprocess.merging import merge
from gitops_sim.render.kustomization import Kustomization

__all__ = ["json_patches", "merge_patches", "patches"]

SIMPLE_PATTERN = re.compile(r"[A-Za-z0-9_./*|()-]*")
"""Patterns that mean the same to Go and to Python."""
REPEATED_GROUP = re.compile(r"\)[*+{]")
LABELS = re.compile(r"[A-Za-z0-9_./-]+=[A-Za-z0-9_.-]+(,[A-Za-z0-9_./-]+=[A-Za-z0-9_.-]+)*")

Load = Callable[[str | Mapping[str, Any]], Sequence[Any]]
"""Returns the documents of a patch entry: of its text, or of the file that it names."""


def merge_patches(resources: Resources, this: Kustomization, load: Load) -> None:
    """Carry out `patchesStrategicMerge`."""
    for entry in this.entries("patchesStrategicMerge"):
        for document in load(entry):
            _merge_by_id(resources, document)


def patches(resources: Resources, this: Kustomization, load: Load) -> None:
    """Carry out `patches`."""
    for entry in this.entries("patches"):
        documents = load(entry)
        if len(documents) != 1:
            raise NotInProcessError("a patch of several documents")
        patch = documents[0]
        if isinstance(patch, list):
            if "target" not in entry:
                raise NotInProcessError("a JSON patch without a target")
            for item in _select(resources, entry["target"]):
                item.remember()
                _change(item, patch)
        elif entry.get("target") is None:
            _merge_by_id(resources, patch)
        else:
            for item in _select(resources, entry["target"]):
                _merge(resources, item, patch)


def json_patches(resources: Resources, this: Kustomization, load: Load) -> None:
    """Carry out `patchesJson6902`."""
    for entry in this.entries("patchesJson6902"):
        documents = load(entry)
        target = entry.get("target") or {}
        if len(documents) != 1 or not isinstance(documents[0], list) or not target.get("name"):
            raise NotInProcessError("patchesJson6902 of another form")
        found = _select(resources, target)
        if not found:
            raise NotInProcessError("patchesJson6902 without a target")
        for item in found:
            _change(item, documents[0])


def _merge_by_id(resources: Resources, patch: Any) -> None:
    """Merge a patch into the one resource that has or had its id."""
    if not isinstance(patch, dict):
        raise NotInProcessError("a patch of another form")
    metadata = patch.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    kind, api_version = patch.get("kind"), patch.get("apiVersion")
    if not (isinstance(name, str) and isinstance(kind, str) and isinstance(api_version, str)):
        raise NotInProcessError("a patch without a name or type")
    group, _, version = api_version.rpartition("/")
    wanted = Id(group, version, kind, str((metadata or {}).get("namespace") or ""), name)
    _merge(resources, resources.by_any_id(wanted), patch)


def _merge(resources: Resources, item: Item, patch: Any) -> None:
    has_kind = isinstance(patch, dict) and bool(patch.get("kind"))
    if not (has_kind and isinstance(patch.get("metadata"), dict)):
        raise NotInProcessError("a patch without kind or metadata")
    if "$patch" in patch:
        if patch["$patch"] != "delete":
            raise NotInProcessError("$patch")
        resources.items.remove(item)
        return
    if not item.written.keys().isdisjoint(_keys(patch)):
        raise NotInProcessError("a patch of what a transformer wrote")
    item.manifest = merge(item.manifest, patch, item.id)


def _keys(value: Any) -> Iterator[str]:
    """Yield the keys of all mappings in a JSON value."""
    if isinstance(value, dict):
        yield from value
        for item in value.values():
            yield from _keys(item)
    elif isinstance(value, list):
        for item in value:
            yield from _keys(item)


def _change(item: Item, operations: list[Any]) -> None:
    """Carry out a JSON patch; one that touches the identity is left to kubectl."""
    before = item.id
    _check_operations(operations)
    try:
        manifest = json_patch(item.manifest, operations)
    except ApiError as refused:
        raise NotInProcessError(str(refused)) from None
    item.manifest = fresh_copy(manifest)
    metadata = item.manifest.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        raise NotInProcessError("a patch of the identity")
    if item.id != before or metadata.get("annotations", 0) in ({}, None):
        raise NotInProcessError("a patch of the identity, or of all annotations")


def _check_operations(operations: list[Any]) -> None:
    """Leave to kubectl what its JSON patches may understand in another way."""
    for operation in operations:
        if not isinstance(operation, dict) or operation.get("op") not in (
            "add",
            "replace",
            "remove",
        ):
            raise NotInProcessError("an operation of a JSON patch")
        if _holds_null(operation.get("value", 0)) or operation.get("path", "") in ("", "/"):
            raise NotInProcessError("null or the whole object in a JSON patch")
        steps = str(operation["path"]).split("/")
        if any(re.fullmatch(r"[-+]\d+|0\d+", step) for step in steps):
            raise NotInProcessError("an index of another form")


def _holds_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_null(item) for item in value.values())
    return value is None or (isinstance(value, list) and any(_holds_null(item) for item in value))


def _select(resources: Resources, target: Mapping[str, str]) -> list[Item]:
    """Return the resources that a selector names, by what they are or were first called."""
    for name in ("group", "version", "kind", "name", "namespace"):
        if not SIMPLE_PATTERN.fullmatch(target.get(name) or ""):
            raise NotInProcessError("a pattern in a selector")
    found = []
    for item in resources.items:
        now, first = item.id, item.first_id
        spaces = (first.effective_namespace, now.effective_namespace)
        if (
            any(_fits(target.get("namespace"), text) for text in spaces)
            and any(_fits(target.get("name"), text) for text in (first.name, now.name))
            and _fits(target.get("group"), now.group)
            and _fits(target.get("version"), now.version)
            and _fits(target.get("kind"), now.kind)
            and _has_pairs(item, "labels", target.get("labelSelector"))
            and _has_pairs(item, "annotations", target.get("annotationSelector"))
        ):
            found.append(item)
    return found


def _fits(pattern: str | None, text: str) -> bool:
    if not pattern:
        return True
    if REPEATED_GROUP.search(pattern):  # kubectl's engine finds an end to each, Python's may not
        raise NotInProcessError("a repeated group in a selector")
    try:
        return re.fullmatch(pattern, text) is not None
    except re.error as refused:
        raise NotInProcessError("a pattern in a selector") from refused


def _has_pairs(item: Item, field: str, selector: str | None) -> bool:
    if not selector:
        return True
    if not LABELS.fullmatch(selector):
        raise NotInProcessError("a selector of labels")
    have = item.manifest["metadata"].get(field) or {}
    pairs = (pair.partition("=") for pair in selector.split(","))
    return all(have.get(key) == value for key, _, value in pairs)
