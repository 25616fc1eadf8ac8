"""How the server words it when a patched object is no object of its kind any more.

JSON and merge patches work on JSON text, which is shown, and decoded again; strategic merge
patches work on values, and the patch is shown as Go prints a map.

Source: k8s.io/apiserver, pkg/endpoints/handlers/patch.go; k8s.io/apimachinery,
pkg/runtime/converter.go.
"""

from __future__ import annotations

import json
from typing import Any

from gitops_sim.apimachinery import causes
from gitops_sim.apimachinery.decoding import decode_problem
from gitops_sim.apimachinery.go_text import plain
from gitops_sim.apimachinery.member_order import in_struct_order
from gitops_sim.apimachinery.schema_nodes import Schema
from gitops_sim.apimachinery.status_errors import generic_invalid
from gitops_sim.errors import InvalidError
from gitops_sim.types import Manifest

__all__ = ["patched_text_problem", "strategic_problem", "wrong_identity"]


def patched_text_problem(
    patch: Any, patched: Manifest, schema: Schema, problem: str
) -> InvalidError:
    """Return the 422 for an object that does not decode after a JSON or merge patch.

    Args:
        patch: JSON; of a JSON patch, its operations.
        patched: The object after it.
        schema: Of its kind.
        problem: Why it does not decode.
    """
    touched = _paths(patch) if isinstance(patch, list) else patch
    custom = not schema.name
    shown = patched if custom else _arranged(patched, schema, touched)
    text = json.dumps(shown, ensure_ascii=False, separators=(",", ":"), sort_keys=custom)
    return _invalid(causes.invalid("patch", text, problem))


def strategic_problem(
    patch: Any, patched: Manifest, schema: Schema, strict: str = ""
) -> InvalidError:
    """Return the 422 for an object that a strategic merge patch made wrong.

    Args:
        patch: It.
        patched: The object after it.
        schema: Of its kind.
        strict: What a strict decoder says of it.
    """
    problem = _restore_problem(patched, schema) or decode_problem(patched, schema) or strict
    return _invalid(causes.invalid("patch", plain(patch), problem))


def wrong_identity(live: Manifest, patched: Manifest) -> str:
    """Return what is wrong with the name or namespace of a patched object; empty: nothing."""
    old, new = live["metadata"], patched.get("metadata")
    if new is None:
        new = {}
    if not isinstance(new, dict):
        return ""
    name, namespace = new.get("name"), new.get("namespace")
    if not name:
        return (
            f"the name of the object ({old['name']} based on URL) was undeterminable: name must be "
            "provided"
        )
    if name != old["name"]:
        return f"the name of the object ({name}) does not match the name on the URL ({old['name']})"
    if namespace and namespace != old.get("namespace", ""):
        return (
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    return ""


def _invalid(cause: causes.Cause) -> InvalidError:
    error = generic_invalid("", "", "", [cause])
    return InvalidError(error.message, {"causes": error.details["causes"]})


def _paths(operations: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the containers that the operations of a JSON patch went through, as nested maps."""
    touched: dict[str, Any] = {}
    for operation in operations:
        for member in ("path", "from"):
            inside = touched
            for step in str(operation.get(member) or "").split("/")[1:-1]:
                inside = inside.setdefault(step.replace("~1", "/").replace("~0", "~"), {})
    return touched


def _arranged(value: Any, schema: Schema | None, touched: Any) -> Any:
    """Return a value with its members as the patch library writes them.

    What the patch went through was read into maps, whose members are sorted; the rest of the text
    stayed as it was: in the order of the structs.
    """
    if isinstance(value, list) and isinstance(touched, dict):
        items = None if schema is None else schema.items
        return [_arranged(item, items, touched.get(str(i))) for i, item in enumerate(value)]
    if not isinstance(value, dict) or not isinstance(touched, dict):
        return value if schema is None else in_struct_order(value, schema)
    return {
        key: _arranged(value[key], schema and schema.member(key), touched.get(key))
        for key in sorted(value)
    }


def _restore_problem(value: Any, schema: Schema) -> str:
    """Return the first value that cannot be put into its Go field, in the converter's words."""
    if value is None or schema.type == "any":
        return ""
    if schema.type == "scalar":
        if schema.format in ("quantity", "date-time", "byte") or schema.int_or_string:
            return ""
        wanted = {"integer": (int,), "number": (int, float), "boolean": (bool,)}
        if type(value) in wanted.get(schema.scalar, (str,)):
            return ""
        kind = schema.format if schema.scalar == "integer" else schema.scalar
        return f"unrecognized type: {_GO.get(kind, kind)}"
    if not isinstance(value, list if schema.type == "list" else dict):
        if schema.type == "list":
            return f"cannot restore slice from {_kind(value)}"
        what = "struct" if schema.properties else "map"
        return f"cannot restore {what} from{':' if schema.properties else ''} {_kind(value)}"
    inside = enumerate(value) if isinstance(value, list) else sorted(value.items())
    for key, member in inside:
        below = schema.items if schema.type == "list" else schema.member(str(key))
        problem = "" if below is None else _restore_problem(member, below)
        if problem:
            return problem
    return ""


_GO = {"boolean": "bool", "number": "float64", "": "int64"}


def _kind(value: Any) -> str:
    kinds = {str: "string", bool: "bool", int: "int64", float: "float64", list: "slice"}
    return kinds.get(type(value), "map")
