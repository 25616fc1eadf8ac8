"""From client-side to server-side apply: what the server does for the manager `kubectl` alone.

Fields that `kubectl apply` set belong to its Update; applying them server-side would conflict with
oneself. So conflicts on fields that the last-applied annotation holds, with the value that the
object has, are no conflicts; and the annotation, once there, follows each server-side apply.

Source: k8s.io/apimachinery, pkg/util/managedfields/internal/lastappliedmanager.go and
lastappliedupdater.go.
"""

from __future__ import annotations

import json

from gitops_sim.apimachinery.comparing import compare
from gitops_sim.apimachinery.field_sets import Tree, difference
from gitops_sim.apimachinery.go_text import compact_json
from gitops_sim.apimachinery.last_applied import ANNOTATION
from gitops_sim.apimachinery.shapes import Shape
from gitops_sim.apimachinery.typed_values import TypeMismatchError, field_tree
from gitops_sim.types import Manifest

__all__ = ["KUBECTL", "allowed_by_last_applied", "with_synced_annotation"]

KUBECTL = "kubectl"
"""The field manager of `kubectl apply --server-side`."""

MAX_ANNOTATIONS_BYTES = 256 * 1024
"""Annotations of one object, keys and values together."""


def allowed_by_last_applied(live: Manifest, shape: Shape, api_version: str) -> Tree:
    """Return the fields that `kubectl apply` set and nobody changed since; empty if unknown."""
    annotations = live["metadata"].get("annotations") or {}
    try:
        remembered = json.loads(annotations.get(ANNOTATION) or "null")
        if not isinstance(remembered, dict) or remembered.get("apiVersion") != api_version:
            return {}
        tree = field_tree(remembered, shape, strict=True)
    except (ValueError, TypeMismatchError):
        return {}
    changed, removed = compare(remembered, live, shape)
    return difference(difference(tree, changed), removed)


def with_synced_annotation(merged: Manifest, applied: Manifest) -> Manifest:
    """Return an object whose last-applied annotation, if it has one, is what was applied."""
    metadata = merged.get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    if not annotations.get(ANNOTATION):
        return merged
    text = compact_json(_without_annotation(applied)) + "\n"
    if annotations[ANNOTATION] == text:
        return merged
    annotations = annotations | {ANNOTATION: text}
    if sum(len(name.encode()) + len(annotations[name].encode()) for name in annotations) > (
        MAX_ANNOTATIONS_BYTES
    ):
        del annotations[ANNOTATION]
    return merged | {"metadata": metadata | {"annotations": annotations}}


def _without_annotation(applied: Manifest) -> Manifest:
    metadata = applied.get("metadata") or {}
    annotations = metadata.get("annotations")
    if not annotations or ANNOTATION not in annotations:
        return applied
    kept = {name: text for name, text in annotations.items() if name != ANNOTATION}
    return applied | {"metadata": metadata | {"annotations": kept}}
