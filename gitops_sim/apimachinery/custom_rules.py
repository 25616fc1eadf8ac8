"""Rules of custom resources (x-kubernetes-validations): which of them an object breaks.

Source: k8s.io/apiextensions-apiserver, pkg/apiserver/schema/cel/validation.go.
Differs: costs are not counted; `oldSelf` of a rule with optionalOldSelf is not an optional value,
such rules run only when there is an old one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery import causes
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.cel import CelError, compile_expression, moment_or_span
from gitops_sim.apimachinery.schema_nodes import Schema
from gitops_sim.types import Manifest

__all__ = ["broken_rules", "rule_problems"]

_REASONS = {
    "": "FieldValueInvalid",
    "FieldValueInvalid": "FieldValueInvalid",
    "FieldValueForbidden": "FieldValueForbidden",
    "FieldValueRequired": "FieldValueRequired",
    "FieldValueDuplicate": "FieldValueDuplicate",
}
_WORDS = frozenset(
    {
        *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for"),
        *("function", "if", "import", "let", "loop", "package", "namespace", "return", "var"),
        *("void", "while"),
    }
)
"""Names that CEL reserves."""

_VARIABLES = ("self", "oldSelf")
_RESULTS = (
    ("rule", ("bool", "dyn"), "cel expression must evaluate to a bool"),
    ("messageExpression", ("string", "dyn"), "messageExpression must evaluate to a string"),
)


def broken_rules(manifest: Manifest, schema: Schema, before: Manifest | None) -> list[Cause]:
    """Return a cause for each rule that an object breaks.

    Args:
        manifest: A custom resource that is valid otherwise.
        schema: Of its version.
        before: The stored object, for rules about changes; None for a new one.
    """
    return list(_broken(manifest, schema, before, ""))


def rule_problems(raw: dict[str, Any], path: str) -> Iterator[Cause]:
    """Yield a cause for each rule of one node of an OpenAPI schema that does not compile.

    Args:
        raw: The node as it stands in the definition; its rules are not empty.
        path: Where, such as `spec.validation.openAPIV3Schema`.
    """
    for place, rule in enumerate(raw.get("x-kubernetes-validations") or ()):
        where = f"{path}.x-kubernetes-validations[{place}]"
        for member, results, wrong in _RESULTS:
            text = rule.get(member)
            if not text:
                continue
            try:
                if compile_expression(text, _VARIABLES).result not in results:
                    yield causes.invalid(f"{where}.{member}", _told(rule), wrong)
            except CelError as error:
                yield causes.invalid(f"{where}.{member}", _told(rule), str(error))


def _told(rule: dict[str, Any]) -> dict[str, Any]:
    """Return a rule as the server prints its own form of it."""
    return {
        "Rule": rule.get("rule", ""),
        "Message": rule.get("message", ""),
        "MessageExpression": rule.get("messageExpression", ""),
        "Reason": rule.get("reason"),
        "FieldPath": rule.get("fieldPath", ""),
        "OptionalOldSelf": rule.get("optionalOldSelf"),
    }


def _broken(value: Any, schema: Schema, before: Any, path: str) -> Iterator[Cause]:
    if value is None or (before is not None and value == before):
        return  # what is as it was is not judged again
    if schema.rules:
        seen = _as_seen(value, schema)
        old = None if before is None else _as_seen(before, schema)
        for rule in schema.rules:
            cause = _judge(rule, value, seen, old, path)
            if cause is not None:
                yield cause
    if isinstance(value, dict):
        olds = before if isinstance(before, dict) else {}
        for name, member in value.items():
            below = schema.member(name)
            if below is not None:
                where = f"{path}.{name}" if path else name
                if schema.properties.get(name) is None:
                    where = f"{path}[{name}]"
                yield from _broken(member, below, olds.get(name), where)
    elif isinstance(value, list) and schema.items is not None:
        for place, item in enumerate(value):
            old = _same_item(item, before, schema)
            yield from _broken(item, schema.items, old, f"{path}[{place}]")


def _same_item(item: Any, before: Any, schema: Schema) -> Any:
    """Return the old item with the same keys; only lists of maps with keys have such."""
    if schema.list_type != "map" or not isinstance(before, list) or not isinstance(item, dict):
        return None
    keys = schema.list_map_keys
    wanted = [item.get(key) for key in keys]
    return next((old for old in before if [old.get(key) for key in keys] == wanted), None)


def _judge(rule: dict[str, Any], value: Any, seen: Any, old: Any, path: str) -> Cause | None:
    text = str(rule.get("rule", ""))
    is_about_change = re.search(r"\boldSelf\b", text) is not None
    if is_about_change and old is None:
        return None
    variables = {"self": seen, "oldSelf": old}
    reason = _REASONS.get(str(rule.get("reason") or ""), "FieldValueInvalid")
    where = path + str(rule.get("fieldPath") or "") or "<nil>"
    shown = "" if isinstance(value, dict | list) else f"{causes.go_json(value)}: "
    try:
        if compile_expression(text, _VARIABLES).evaluate(variables) is True:
            return None
    except CelError as error:
        told = f"rule evaluation error: {error}" if "compilation" not in str(error) else str(error)
        return Cause("FieldValueInvalid", f"Invalid value: {shown}{told}", where)
    message = _message(rule, variables)
    if reason == "FieldValueForbidden":
        return Cause(reason, f"Forbidden: {message}", where)
    if reason == "FieldValueRequired":
        return Cause(reason, f"Required value: {message}", where)
    if reason == "FieldValueDuplicate":
        return Cause(reason, f"Duplicate value: {causes.go_json(value)}", where)
    return Cause(reason, f"Invalid value: {shown}{message}", where)


def _message(rule: dict[str, Any], variables: dict[str, Any]) -> str:
    expression = rule.get("messageExpression")
    if expression:
        try:
            found = compile_expression(expression, _VARIABLES).evaluate(variables)
        except CelError:
            found = None
        if isinstance(found, str) and found.strip() and "\n" not in found:
            return found.strip()
    text = " ".join(str(rule.get("rule", "")).split())
    return str(rule.get("message") or "").strip() or f"failed rule: {text}"


def _as_seen(value: Any, schema: Schema) -> Any:
    """Return a value as rules see it: names escaped, times as times."""
    if isinstance(value, dict):
        seen = {}
        for name, member in value.items():
            below = schema.member(name)
            if member is None and below is not None and not below.nullable:
                continue
            declared = name in schema.properties
            key = _escaped(name) if declared else name
            seen[key] = member if below is None else _as_seen(member, below)
        return seen
    if isinstance(value, list) and schema.items is not None:
        return [_as_seen(item, schema.items) for item in value]
    if isinstance(value, str) and schema.format in ("date-time", "duration"):
        return moment_or_span(value, schema.format)
    return value


def _escaped(name: str) -> str:
    """Return the name by which CEL reaches a property that is no identifier."""
    if name in _WORDS:
        return f"__{name}__"
    return (
        name.replace("__", "__underscores__")
        .replace(".", "__dot__")
        .replace("-", "__dash__")
        .replace("/", "__slash__")
    )
