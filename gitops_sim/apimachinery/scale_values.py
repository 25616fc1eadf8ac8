"""Checking what the scale subresource of a custom kind reads in an object.

Source: k8s.io/apiextensions-apiserver, pkg/registry/customresource/validator.go; k8s.io/
apimachinery, pkg/apis/meta/v1/unstructured/helpers.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery import causes, go_text
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.types import Manifest

__all__ = ["scale_value_causes"]

_MOST = 2**31 - 1
_GO_TYPES = {
    bool: "bool",
    str: "string",
    int: "int64",
    float: "float64",
    list: "[]interface {}",
    dict: "map[string]interface {}",
    type(None): "<nil>",
}


def scale_value_causes(
    manifest: Manifest, scale: dict[str, Any], *, only_status: bool
) -> Iterator[Cause]:
    """Yield what is wrong with replicas and selector at the paths of a scale subresource.

    Args:
        manifest: A custom resource.
        scale: `subresources.scale` of its version.
        only_status: The replicas of the spec are not looked at.
    """
    members = ("statusReplicasPath",) if only_status else ("specReplicasPath", "statusReplicasPath")
    for member in members:
        path = scale[member]
        found, problem = _at(manifest, path, int)
        if problem:
            yield causes.invalid(path, 0, problem)
        elif found < 0:
            yield causes.invalid(path, found, "should be a non-negative integer")
        elif found > _MOST:
            yield causes.invalid(path, found, f"should be less than or equal to {_MOST}")
    path = scale.get("labelSelectorPath")
    if path:
        _, problem = _at(manifest, path, str)
        if problem:
            yield causes.invalid(path, "", problem)


def _at(manifest: Manifest, path: str, wanted: type) -> tuple[Any, str]:
    """Return what a path leads to, its zero when there is nothing, and why it cannot be read."""
    steps = path.removeprefix(".").split(".")
    value: Any = manifest
    for place, step in enumerate(steps):
        if value is None:
            return wanted(), ""
        if not isinstance(value, dict):
            return wanted(), _refused(steps[: place + 1], value, "map[string]interface{}")
        if step not in value:
            return wanted(), ""
        value = value[step]
    if type(value) is not wanted:
        return wanted(), _refused(steps, value, "int64" if wanted is int else "string")
    return value, ""


def _refused(steps: list[str], value: Any, wanted: str) -> str:
    kind = _GO_TYPES[type(value)]
    read = f".{'.'.join(steps)} accessor error: {go_text.plain(value)}"
    return f"{read} is of the type {kind}, expected {wanted}"
