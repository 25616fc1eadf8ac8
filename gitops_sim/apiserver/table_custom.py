"""Rows of custom resources: the printer columns of their definition.

Source: k8s.io/apiextensions-apiserver, pkg/registry/customresource/tableconvertor.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gitops_sim.apimachinery.go_text import compact_json
from gitops_sim.apiserver.table_cells import CREATED, Ages
from gitops_sim.types import Manifest

__all__ = ["CustomColumn", "custom_columns", "custom_row", "find_path"]

_STEP = re.compile(
    r"""\.?(?:(?P<name>[\w\-/]+)|\[['"](?P<quoted>[^'"]*)['"]\]|\[(?P<index>-?\d+)\]|\[(?P<all>\*)\]"""
    r"""|\[\?\(@\.(?P<key>[\w.\-]+)\s*==\s*['"](?P<value>[^'"]*)['"]\)\])"""
)
_AGE = {
    "name": "Age",
    "type": "date",
    "jsonPath": ".metadata.creationTimestamp",
    "description": CREATED,
}


@dataclass(frozen=True, slots=True)
class CustomColumn:
    """One printer column: how it is told, and where its value is."""

    definition: dict[str, Any]
    path: str


def custom_columns(declared: Sequence[Manifest]) -> list[CustomColumn]:
    """Return the columns after the name; just the age where none are declared.

    Args:
        declared: `additionalPrinterColumns` of a version of the definition.
    """
    return [_column(entry) for entry in declared or [_AGE]]


def custom_row(manifest: Manifest, columns: list[CustomColumn], ages: Ages) -> list[Any]:
    """Return the cells of one object."""
    cells = [manifest["metadata"]["name"]]
    for column in columns:
        found = find_path(manifest, column.path)
        cells.append(_cell(column.definition["type"], found[0], ages) if found else None)
    return cells


def find_path(value: Any, path: str) -> list[Any]:
    """Return what a simple JSON path (`.spec.ports[0].name`, a filter by equality) leads to."""
    found, at = [value], 0
    path = path.strip().removeprefix("$")
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None or step.end() == at:
            return []
        found = [child for item in found for child in _children(item, step)]
        at = step.end()
    return found


def _children(item: Any, step: re.Match[str]) -> list[Any]:
    name = step["name"] if step["name"] is not None else step["quoted"]
    if name is not None:
        return [item[name]] if isinstance(item, dict) and name in item else []
    if not isinstance(item, list):
        return []
    if step["all"]:
        return list(item)
    if step["index"]:
        place = int(step["index"])
        return [item[place]] if -len(item) <= place < len(item) else []
    return [child for child in item if step["value"] in find_path(child, step["key"])]


def _column(entry: dict[str, Any]) -> CustomColumn:
    path = str(entry["jsonPath"])
    told = f"Custom resource definition column (in JSONPath format): {path}"
    definition = {
        "name": entry["name"],
        "type": entry["type"],
        "format": entry.get("format", ""),
        "description": entry.get("description") or told,
        "priority": entry.get("priority", 0),
    }
    return CustomColumn(definition, path)


def _cell(kind: str, value: Any, ages: Ages) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match kind:
        case "string":
            return _text(value)
        case "integer":
            return int(value) if is_number else None
        case "number":
            return float(value) if is_number else None
        case "boolean":
            return value if isinstance(value, bool) else None
        case "date" if isinstance(value, str):
            try:
                return ages(value)
            except ValueError:
                return "<invalid>"
    return None


def _text(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return compact_json(value)
    return str(value)
