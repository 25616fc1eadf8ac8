"""Where a configuration that was applied is not of its type, in the server's words.

Source: sigs.k8s.io/structured-merge-diff v6, typed/validate.go and helpers.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery.go_text import plain, quoted, syntax
from gitops_sim.apimachinery.path_elements import printed
from gitops_sim.apimachinery.shapes import Shape
from gitops_sim.apimachinery.typed_values import TypeMismatchError, item_element

__all__ = ["type_problems"]


def type_problems(value: Any, shape: Shape) -> str:
    """Return what is wrong with a value, one `path: problem` or a list of them; empty: nothing."""
    found = [f"{path}: {problem}" if path else problem for path, problem in _problems(value, shape)]
    if len(found) <= 1:
        return "".join(found)
    return "\n".join(["errors:", *(f"  {line}" for line in found)])


def _problems(value: Any, shape: Shape, path: str = "") -> Iterator[tuple[str, str]]:
    if type(value) is dict and shape.is_map:
        yield from _map_problems(value, shape, path)
    elif type(value) is list and shape.list_kind:
        yield from _list_problems(value, shape, path)
    elif type(value) not in shape.accepts:
        yield path, _mismatch(value, shape)


def _map_problems(value: dict[str, Any], shape: Shape, path: str) -> Iterator[tuple[str, str]]:
    for name, inner in value.items():
        declared = shape.fields.get(name)
        member = shape.element if declared is None else declared[1]
        if member is None:
            yield f"{path}.{name}", "field not declared in schema"
            return
        yield from _problems(inner, member, f"{path}.{name}")


def _list_problems(value: list[Any], shape: Shape, path: str) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for index, item in enumerate(value):
        if shape.list_kind == "atomic":
            yield from _problems(item, shape.item, f"{path}[{index}]")
            continue
        try:
            element = item_element(item, shape)
        except TypeMismatchError:
            yield path, f"element {index}: {_no_element(item, shape)}"
            return
        if element in seen:
            yield path, f"duplicate entries for key {printed(element)}"
        seen.add(element)
        yield from _problems(item, shape.item, path + printed(element))


def _no_element(item: Any, shape: Shape) -> str:
    """Say why nothing tells an item from others."""
    if shape.list_kind == "set":
        if isinstance(item, dict):
            return "associative list without keys has an element that's a map type"
        if isinstance(item, list):
            return "not supported: associative list with lists as elements"
        return "associative list without keys has an element that's an explicit null"
    if item is None:
        return "associative list with keys may not have a null element"
    if not isinstance(item, dict):
        return "associative list with keys may not have non-map elements"
    names = " ".join(map(quoted, shape.schema.list_map_keys))
    return (
        f"associative list with keys has an element that omits all key fields [{names}] "
        "(and doesn't have default values for any key fields)"
    )


def _mismatch(value: Any, shape: Shape) -> str:
    if shape.is_map:
        return f"expected map, got &{{{plain(value)}}}"
    if shape.list_kind:
        return f"expected list, got &{{{plain(value)}}}"
    if shape.scalar == "numeric":
        return f"expected numeric (int or float), got {_go_type(value)}"
    if shape.scalar == "string":
        return f"expected string, got &value.valueUnstructured{{Value:{syntax(value)}}}"
    words = {"boolean": "boolean", "untyped": "any scalar"}
    return f"expected {words[shape.scalar]}, got &{{{plain(value)}}}"


def _go_type(value: Any) -> str:
    names = {dict: "map[string]interface {}", list: "[]interface {}", str: "string", bool: "bool"}
    return names.get(type(value), "interface {}")
