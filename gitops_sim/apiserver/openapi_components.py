"""Schemas of the built-in types as OpenAPI documents have them: with descriptions and words.

Source: k8s.io/kubernetes, api/openapi-spec/v3 and pkg/generated/openapi.
"""

from __future__ import annotations

from typing import Any

from gitops_sim.apimachinery import builtin_data

__all__ = ["META", "REFERENCE", "described_component"]

META = "io.k8s.apimachinery.pkg.apis.meta.v1."
REFERENCE = "#/components/schemas/"


def described_component(name: str) -> dict[str, Any]:
    """Return the schema of a built-in type: a fresh one, with what it and its members are for."""
    schema: dict[str, Any] = _with_references(builtin_data.components()[name])
    texts = builtin_data.descriptions().get(name, {})
    if "" in texts:
        schema["description"] = texts[""]
    enums = builtin_data.enums().get(name, {})
    for member, told in (schema.get("properties") or {}).items():
        if member in enums:
            told["enum"] = enums[member]
        if f"{member}[]" in enums:
            inside = told.get("items") or told["additionalProperties"]
            inside["enum"] = enums[f"{member}[]"]
        if member in texts:
            if told.keys() == {"$ref"}:
                told["allOf"] = [{"$ref": told.pop("$ref")}]
            told["description"] = texts[member]
    return schema


def _with_references(value: Any) -> Any:
    """Return a stored schema with its references written in full, members by name."""
    if isinstance(value, list):
        return [_with_references(item) for item in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref")
    if isinstance(reference, str) and not reference.startswith("#"):
        return value | {"$ref": REFERENCE + reference}
    return {key: _with_references(member) for key, member in sorted(value.items())}
