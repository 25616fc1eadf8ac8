"""Checking whole API objects inside of a custom one (x-kubernetes-embedded-resource).

Source: k8s.io/apiextensions-apiserver, pkg/apiserver/schema/objectmeta/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from gitops_sim.apimachinery import causes, names
from gitops_sim.apimachinery.builtin_schemas import object_meta
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.decoding import decode_problem
from gitops_sim.apimachinery.schema_nodes import Schema
from gitops_sim.apimachinery.validation_metadata import embedded_metadata_causes
from gitops_sim.types import Manifest

__all__ = ["embedded_causes", "embedded_metadata_last", "embedded_type_problem"]


def embedded_causes(value: Any, schema: Schema, path: str) -> Iterator[Cause]:
    """Yield what is wrong with the apiVersion, kind and metadata of objects inside a value.

    Args:
        value: A custom resource, or a part of one.
        schema: Of the value.
        path: Where it stands; empty for a whole resource.
    """
    for where, found in _embedded(value, schema, path):
        yield from _object_causes(found, where)


def embedded_type_problem(manifest: Manifest, schema: Schema) -> str:
    """Return why the objects inside a custom resource cannot be read as such; empty: they can."""
    for where, found in _embedded(manifest, schema, ""):
        for member in ("apiVersion", "kind"):
            if not isinstance(found.get(member, ""), str):
                told = causes.invalid(f"{where}.{member}", found[member], "must be a string")
                return str(told)
        metadata = found.get("metadata")
        problem = None if metadata is None else decode_problem(metadata, object_meta())
        if problem:
            return str(causes.invalid(f"{where}.metadata", metadata, problem))
    return ""


def embedded_metadata_last(paths: list[str], manifest: Manifest, schema: Schema) -> list[str]:
    """Return the paths of unknown fields in the server's order.

    Those of the metadata come first, those of the metadata of objects inside last.
    """
    inside = tuple(f"{where}.metadata." for where, _ in _embedded(manifest, schema, ""))

    def place(path: str) -> tuple[int, str]:
        last = path.startswith(inside)
        return (0 if path.startswith("metadata.") else 2 if last else 1, path)

    return sorted(paths, key=place)


def _embedded(value: Any, schema: Schema, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield path and content of each object inside."""
    if isinstance(value, list):
        if schema.items is not None:
            for place, item in enumerate(value):
                yield from _embedded(item, schema.items, f"{path}[{place}]")
    elif isinstance(value, dict):
        if schema.embedded:
            yield path, value
        for key, member in value.items():
            below = schema.member(key)
            if below is None or below.name or not isinstance(member, dict | list):
                continue
            if key in schema.properties:
                where = f"{path}.{key}" if path else key
            else:
                where = f"{path}[{key}]"
            yield from _embedded(member, below, where)


def _object_causes(value: dict[str, Any], path: str) -> Iterator[Cause]:
    for member in ("apiVersion", "kind"):
        found, where = value.get(member), f"{path}.{member}"
        if member not in value:
            yield causes.required(where)
        elif not isinstance(found, str):
            yield causes.invalid(where, found, "must be a string")
        elif not found:
            yield causes.invalid(where, found, "must not be empty")
        elif member == "apiVersion" and found.count("/") > 1:
            yield causes.invalid(where, found, f"unexpected GroupVersion string: {found}")
        elif member == "kind":
            problems = names.validate_service_name(found.lower())
            if problems:
                text = f"may have mixed case, but should otherwise match: {','.join(problems)}"
                yield causes.invalid(where, found, text)
    metadata = value.get("metadata")
    if isinstance(metadata, dict):
        for cause in embedded_metadata_causes(metadata):
            yield replace(cause, field=f"{path}.{cause.field}")
