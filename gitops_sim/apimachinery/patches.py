"""JSON patches and JSON merge patches, as the API server applies them.

No argument is changed. What a patch does not touch is shared between the result and the document,
what it brings is shared with the patch: whoever changes a result in place copies it first.

Source: RFC 6902, RFC 6901, RFC 7386; gopkg.in/evanphx/json-patch.v4, which the server uses: it
lets `replace` add a missing member, takes negative indexes, and drops nulls inside new lists.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apimachinery.go_text import json_kind
from gitops_sim.apimachinery.shapes import same
from gitops_sim.apimachinery.status_errors import bad_request, generic_unprocessable, too_large
from gitops_sim.apimachinery.strategic_merge import strategic_merge
from gitops_sim.errors import BadRequestError

__all__ = ["json_patch", "merge_patch", "strategic_merge"]

MAX_OPERATIONS = 10_000
"""Source: k8s.io/apiserver, pkg/endpoints/handlers/patch.go."""
MAX_COPIED_BYTES = 3 * 1024 * 1024
"""What all copies of a patch may add: a few that copy each other would fill the memory.

Source: k8s.io/apiserver, pkg/server/config.go (JSONPatchMaxCopyBytes).
"""

_ABSENT: Any = object()
_INDEX = re.compile(r"[+-]?[0-9]+\Z")

Change: TypeAlias = Callable[[Any, str], Any]
"""Makes of a container and the last step of a path the container after an operation."""


def json_patch(doc: Any, ops: Any) -> Any:
    """Return a document after the operations of a JSON patch, all of them or none.

    Args:
        doc: Any JSON value; in the server, an object.
        ops: The operations: a list of dicts with op, path, and value or from.

    Raises:
        BadRequestError: `ops` is no list of operations.
        TooLargeError: There are more than 10,000.
        InvalidError: A `test` fails, an operation does not fit the document, or copies grow too
            large; the server does not say which.
    """
    _check_operations(ops)
    copied = 0
    for op in ops or ():
        verb = (op or {}).get("op")
        apply = _OPERATIONS.get(verb)
        if apply is None:
            raise generic_unprocessable()
        if verb == "copy":
            copied += len(json.dumps(_find(doc, _steps(op, "from"))))
            if copied > MAX_COPIED_BYTES:
                raise generic_unprocessable()
        doc = apply(doc, op)
    return doc


def merge_patch(doc: Any, patch: Any) -> Any:
    """Return a document after a JSON merge patch: null takes a member away, lists are replaced.

    Raises:
        BadRequestError: The patch is no object.
    """
    if not isinstance(patch, dict):
        raise _undecodable(patch, "value of type map[string]interface {}")
    return _merge(doc, patch) if isinstance(doc, dict) else _without_nulls(patch)


def _merge(doc: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] | None = None
    for name, want in patch.items():
        have = doc.get(name)
        if want is None:
            new = _ABSENT if name in doc else have
        elif isinstance(want, dict) and isinstance(have, dict):
            new = _merge(have, want)
        else:
            # An object gives way to a list as it is; everywhere else nulls are dropped.
            new = want if isinstance(have, dict) else _without_nulls(want)
        if new is have:
            continue
        merged = dict(doc) if merged is None else merged
        if new is _ABSENT:
            del merged[name]
        else:
            merged[name] = new
    return doc if merged is None else merged


def _without_nulls(value: Any) -> Any:
    """Return a value without null members, at any depth; null items of lists stay."""
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _check_operations(ops: Any) -> None:
    if ops is None:
        return
    if not isinstance(ops, list):
        raise _undecodable(ops, "value of type []handlers.jsonPatchOp")
    for op in ops:
        if op is not None and not isinstance(op, dict):
            raise _undecodable(op, "value of type handlers.jsonPatchOp")
        for name in ("op", "path", "from"):
            given = op.get(name) if op else None
            if given is not None and not isinstance(given, str):
                raise _undecodable(given, f"struct field jsonPatchOp.{name} of type string")
    if len(ops) > MAX_OPERATIONS:
        raise too_large(
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(ops)}"
        )


def _undecodable(value: Any, into: str) -> BadRequestError:
    return bad_request(
        f"error decoding patch: json: cannot unmarshal {json_kind(value)} into Go {into}"
    )


def _add(doc: Any, op: dict[str, Any]) -> Any:
    return _at(doc, _steps(op, "path"), lambda at, step: _added(at, step, op.get("value")))


def _remove(doc: Any, op: dict[str, Any]) -> Any:
    return _at(doc, _steps(op, "path"), _removed)


def _replace(doc: Any, op: dict[str, Any]) -> Any:
    value = op.get("value")
    if op.get("path") == "":
        if not isinstance(value, dict | list):
            raise generic_unprocessable()
        return value
    return _at(doc, _steps(op, "path"), lambda at, step: _replaced(at, step, value))


def _move(doc: Any, op: dict[str, Any]) -> Any:
    source = _steps(op, "from")
    value = _find(doc, source)
    doc = _at(doc, source, _removed)
    return _at(doc, _steps(op, "path"), lambda at, step: _added(at, step, value))


def _copy(doc: Any, op: dict[str, Any]) -> Any:
    value = fresh_copy(_find(doc, _steps(op, "from")))
    return _at(doc, _steps(op, "path"), lambda at, step: _added(at, step, value))


def _test(doc: Any, op: dict[str, Any]) -> Any:
    found = doc if op.get("path") == "" else _find(doc, _steps(op, "path"))
    wanted = op.get("value")
    if not same(found, wanted) or isinstance(found, float) is not isinstance(wanted, float):
        raise generic_unprocessable()
    return doc


_OPERATIONS: dict[Any, Callable[[Any, dict[str, Any]], Any]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}


def _steps(op: dict[str, Any], name: str) -> Sequence[str]:
    """Return the steps of a JSON pointer, unescaped; the whole document has none to change."""
    path = op.get(name)
    if not isinstance(path, str) or "/" not in path:
        raise generic_unprocessable()
    return [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]


def _at(doc: Any, steps: Sequence[str], change: Change) -> Any:
    """Return a document with a change made at a path; containers on the way are new ones."""
    if len(steps) == 1:
        if not isinstance(doc, dict | list):
            raise generic_unprocessable()
        return change(doc, steps[0])
    inner = _child(doc, steps[0])
    if not isinstance(inner, dict | list):
        raise generic_unprocessable()
    return _replaced(doc, steps[0], _at(inner, steps[1:], change))


def _find(doc: Any, steps: Sequence[str]) -> Any:
    """Return what is at a path; None for a missing member of an object that is there."""
    for step in steps[:-1]:
        doc = _child(doc, step)
    if not isinstance(doc, dict | list):
        raise generic_unprocessable()
    return _child(doc, steps[-1])


def _child(container: Any, step: str) -> Any:
    if isinstance(container, dict):
        return container.get(step)
    if not isinstance(container, list):
        raise generic_unprocessable()
    return container[_index(step, len(container))]


def _added(container: Any, step: str, value: Any) -> Any:
    if isinstance(container, dict):
        return {**container, step: value}
    if step == "-":
        return [*container, value]
    place = _index(step, len(container) + 1)
    return [*container[:place], value, *container[place:]]


def _replaced(container: Any, step: str, value: Any) -> Any:
    if isinstance(container, dict):
        return {**container, step: value}
    place = _index(step, len(container))
    return [*container[:place], value, *container[place + 1 :]]


def _removed(container: Any, step: str) -> Any:
    if isinstance(container, dict):
        if step not in container:
            raise generic_unprocessable()
        return {name: value for name, value in container.items() if name != step}
    place = _index(step, len(container))
    return [*container[:place], *container[place + 1 :]]


def _index(step: str, size: int) -> int:
    """Return the index that a step names in a list of that size; negative ones from its end."""
    place = int(step) if _INDEX.match(step) else size
    place = place + size if place < 0 else place
    if not 0 <= place < size:
        raise generic_unprocessable()
    return place
