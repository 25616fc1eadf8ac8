"""Client-side apply: the annotation that remembers, and the patch made of three documents.

`kubectl apply` writes what it sent into an annotation of the object. At the next apply it knows
three things: what it sent last time (original), what it is to send now (modified) and what is
there (current). Fields that it sent before and no longer sends are taken away, fields that differ
are set, and all others, whoever wrote them, stay.

Source: k8s.io/apimachinery pkg/util/strategicpatch/patch.go, CreateThreeWayMergePatch;
pkg/util/jsonmergepatch/patch.go; k8s.io/kubectl pkg/util/apply.go.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from gitops_sim.apimachinery.schemas import Schema
from gitops_sim.types import Manifest

__all__ = ["ANNOTATION", "annotated", "original_of", "three_way_patch"]

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"


def annotated(manifest: Manifest) -> Manifest:
    """Return a manifest with the annotation that holds the manifest itself.

    The result shares everything but metadata with the argument.
    """
    metadata = manifest.get("metadata") or {}
    annotations = dict(metadata.get("annotations") or {})
    annotations.pop(ANNOTATION, None)
    remembered = manifest | {"metadata": metadata | {"annotations": annotations}}
    annotations = annotations | {ANNOTATION: _go_text(remembered) + "\n"}
    return manifest | {"metadata": metadata | {"annotations": annotations}}


def original_of(live: Manifest) -> Manifest:
    """Return what was applied last to a live object; empty when nobody did, or it is unreadable."""
    annotations = (live.get("metadata") or {}).get("annotations") or {}
    try:
        original = json.loads(annotations.get(ANNOTATION) or "{}")
    except (ValueError, TypeError):
        return {}
    return original if isinstance(original, dict) else {}


def three_way_patch(
    original: Manifest, modified: Manifest, current: Manifest, schema: Schema | None
) -> dict[str, Any]:
    """Return the patch that brings `current` to `modified`; empty when nothing is to be done.

    Args:
        original: What was applied last, from `original_of`.
        modified: What is to be applied, `annotated`.
        current: The live object.
        schema: The kind's schema: the result is a strategic merge patch. None, for a custom
            resource: the result is a JSON merge patch.

    Returns:
        The patch; parts of it are shared with `modified`.
    """
    patch: dict[str, Any] = {}
    for key, want in modified.items():
        if key not in current:
            patch[key] = want
            continue
        before, have = original.get(key), current[key]
        child = schema.member(key) if schema is not None else None
        strategy = child.patch_strategy if child is not None else ""
        if isinstance(want, dict) and isinstance(have, dict):
            before = before if isinstance(before, dict) else {}
            inner = three_way_patch(before, want, have, child)
            if "retainKeys" in strategy and (inner or have.keys() - want.keys()):
                inner["$retainKeys"] = sorted(want)
            if inner:
                patch[key] = inner
        elif isinstance(want, list) and isinstance(have, list) and "merge" in strategy:
            before = before if isinstance(before, list) else []
            assert child is not None
            patch |= _list_patch(key, before, want, have, child)
        elif not _equal(want, have):
            patch[key] = want
    for key in original:
        if key not in modified:
            patch[key] = None
    return patch


def _list_patch(
    key: str,
    original: Sequence[Any],
    modified: Sequence[Any],
    current: Sequence[Any],
    schema: Schema,
) -> dict[str, Any]:
    """Return the members of a patch that bring a merged list up to date."""
    if schema.patch_merge_key:
        return _list_of_maps_patch(key, original, modified, current, schema)
    patch: dict[str, Any] = {}
    added = [item for item in modified if item not in current]
    dropped = [item for item in original if item not in modified]
    if added:
        patch[key] = added
    if dropped:
        patch[f"$deleteFromPrimitiveList/{key}"] = dropped
    if current and (dropped or list(modified) != list(current)):
        patch[f"$setElementOrder/{key}"] = list(modified)
    return patch


def _list_of_maps_patch(
    key: str,
    original: Sequence[Any],
    modified: Sequence[Any],
    current: Sequence[Any],
    schema: Schema,
) -> dict[str, Any]:
    """Return the members of a patch for a list whose items are told apart by a merge key."""
    merge_key = schema.patch_merge_key
    before = {item.get(merge_key): item for item in original}
    have = {item.get(merge_key): item for item in current}
    want = {item.get(merge_key): item for item in modified}
    items: list[Any] = []
    for name, item in want.items():
        if name not in have:
            items.append(item)
            continue
        change = three_way_patch(before.get(name, {}), item, have[name], schema.items)
        if "retainKeys" in schema.patch_strategy and (change or have[name].keys() - item.keys()):
            change["$retainKeys"] = sorted(item)
        if change:
            items.append(change | {merge_key: name})
    items += [{merge_key: name, "$patch": "delete"} for name in before if name not in want]
    patch: dict[str, Any] = {}
    if items:
        patch[key] = items
    # Nothing to order in a list that is new; otherwise the order is part of what is applied.
    if current and (items or list(have) != list(want)):
        patch[f"$setElementOrder/{key}"] = [{merge_key: name} for name in want]
    return patch


def _equal(one: Any, other: Any) -> bool:
    """Compare as JSON: true is not 1, but 1.0 is 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)


def _go_text(value: Any) -> str:
    """Return JSON as Go's encoder writes it: keys sorted, compact, HTML characters escaped."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
