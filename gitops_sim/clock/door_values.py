"""What the door keeps of a call's arguments: JSON, with marks for what JSON does not know.

A mark is a mapping with one key: `$bytes`, `$object` (a façade object, by its address), `$function`
(of a module, as `module:name`), and `$plain` around a mapping of the caller's that looks like one.
"""

from __future__ import annotations

import base64
import importlib
import math
from collections.abc import Mapping, Sequence
from types import FunctionType
from typing import Any

from gitops_sim.errors import LabError

__all__ = ["decoded", "encoded", "not_kept"]

_MARKS = ("$plain", "$bytes", "$object", "$function")


def encoded(value: Any, objects: Mapping[str, Any], told: str) -> Any:
    """Return a value as JSON: bytes, façade objects and functions marked, tuples as lists.

    Args:
        value: Plain, or made of what has a mark.
        objects: The façade objects by address.
        told: Which call it is for, for messages.

    Raises:
        LabError: Something in it cannot be kept.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise not_kept(told, repr(value))
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        odd = next((name for name in value if not isinstance(name, str)), None)
        if odd is not None:
            raise not_kept(told, f"the key {odd!r}, which is no text,")
        members = {name: encoded(item, objects, told) for name, item in value.items()}
        return {"$plain": members} if _is_mark(value) else members
    if isinstance(value, list | tuple):
        return [encoded(item, objects, told) for item in value]
    address = getattr(value, "_address", None)
    if isinstance(address, str) and address in objects:
        return {"$object": address}
    name = getattr(value, "__qualname__", "")
    if isinstance(value, FunctionType) and "<" not in name:
        return {"$function": f"{value.__module__}:{name}"}
    raise not_kept(told, repr(value))


def decoded(value: Any, objects: Mapping[str, Any], modules: Sequence[str] | None) -> Any:
    """Return what `encoded` was given; tuples stay lists.

    Args:
        value: JSON of a log.
        objects: The façade objects by address.
        modules: The packages and modules whose functions may be named; None: any.

    Raises:
        LabError: It names a function that it may not name, or that is none.
    """
    if isinstance(value, list):
        return [decoded(item, objects, modules) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"$bytes"}:
        return base64.b64decode(value["$bytes"])
    if value.keys() == {"$object"}:
        return objects[value["$object"]]
    if value.keys() == {"$function"}:
        return _function(value["$function"], modules)
    members = value["$plain"] if value.keys() == {"$plain"} else value
    return {name: decoded(item, objects, modules) for name, item in members.items()}


def not_kept(told: str, what: str) -> LabError:
    """Return the error for an argument that no log can hold."""
    return LabError(
        f"{told}: {what} cannot be kept in the lab's log",
        "give plain values, or a function that is defined in a module",
    )


def _function(told: str, modules: Sequence[str] | None) -> Any:
    """Return the function that a log names as `module:name`."""
    module, _, name = told.partition(":")
    if modules is not None and not any(f"{module}.".startswith(f"{m}.") for m in modules):
        raise LabError(
            f"the saved lab names {told}, a function outside of {', '.join(modules)}",
            f"if you trust that file: Lab.load(path, functions_of=[{module!r}])",
        )
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    if not isinstance(found, FunctionType) or found.__module__ != module:
        raise LabError(f"the saved lab names {told}, which is no function of that module")
    return found


def _is_mark(value: dict[str, Any]) -> bool:
    """True for a mapping of the caller's that looks like one of our own marks."""
    return len(value) == 1 and next(iter(value)) in _MARKS
