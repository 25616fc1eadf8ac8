"""What kubectl decodes of every object before it looks further: kind, apiVersion, metadata.

Source: k8s.io/apimachinery, pkg/apis/meta/v1/unstructured (metadataOnlyObject) and types.go.
Differs: members of owner references and managed fields are left to the server, and times too.
"""

from __future__ import annotations

from typing import Any

from gitops_sim.apimachinery.go_text import json_kind

__all__ = ["undecodable"]

_MEMBERS: dict[str, tuple[str, str, type]] = {
    **dict.fromkeys(
        ("name", "generateName", "namespace", "resourceVersion", "selfLink"), ("", "string", str)
    ),
    "uid": ("", "types.UID", str),
    "generation": ("", "int64", int),
    "labels": ("map[string]", "string", str),
    "annotations": ("map[string]", "string", str),
    "finalizers": ("[]", "string", str),
    "ownerReferences": ("[]", "v1.OwnerReference", dict),
    "managedFields": ("[]", "v1.ManagedFieldsEntry", dict),
}
"""What the members of ObjectMeta are: a container of Go, what is in it, and that in JSON."""


def undecodable(manifest: dict[str, Any]) -> str:
    """Return Go's words for the first part of an object that is of another type; "" for none."""
    for name in ("apiVersion", "kind"):
        if not isinstance(manifest.get(name) or "", str):
            return _problem(manifest[name], f"metadataOnlyObject.{name}", "string")
    metadata = manifest.get("metadata")
    if metadata is None:
        return ""
    if not isinstance(metadata, dict):
        return _problem(metadata, "metadataOnlyObject.metadata", "v1.ObjectMeta")
    problems = (_member_problem(name, metadata[name]) for name in sorted(map(str, metadata)))
    return next(filter(None, problems), "")


def _member_problem(name: str, value: Any) -> str:
    if value is None or name not in _MEMBERS:
        return ""
    container, item, wanted = _MEMBERS[name]
    place = f"ObjectMeta.metadata.{name}"
    if container and not isinstance(value, dict if container.startswith("map") else list):
        return _problem(value, place, f"{container}{item}")
    items = [value] if not container else value.values() if isinstance(value, dict) else value
    odd = [each for each in items if each is not None and type(each) is not wanted]
    return _problem(odd[0], place, item) if odd else ""


def _problem(value: Any, place: str, kind: str) -> str:
    return f"json: cannot unmarshal {json_kind(value)} into Go struct field {place} of type {kind}"
