"""Rules of the schema of one version of a custom kind.

Source: k8s.io/apiextensions-apiserver, pkg/apis/apiextensions/validation, pkg/apiserver/schema
(defaulting/validation.go).
Differs: rules of CEL are not asked about defaults.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from gitops_sim.apimachinery import causes
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.crd_schemas import from_part
from gitops_sim.apimachinery.custom_rules import rule_problems
from gitops_sim.apimachinery.decoding import prune
from gitops_sim.apimachinery.definition_forms import internal_schema
from gitops_sim.apimachinery.embedded_objects import embedded_causes
from gitops_sim.apimachinery.schema_checks import part_causes
from gitops_sim.apimachinery.schema_nodes import Schema
from gitops_sim.apimachinery.validation_list_types import list_type_causes
from gitops_sim.apimachinery.validation_paths import path_problem
from gitops_sim.apimachinery.validation_structural import is_convertible, structural_causes

__all__ = ["schema_causes"]

_Raw = dict[str, Any]
_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_REASONS = tuple(f"FieldValue{end}" for end in ("Duplicate", "Forbidden", "Invalid", "Required"))
_META = frozenset({"apiVersion", "kind", "metadata"})
_NOT_SUPPORTED = (
    "id",
    "additionalItems",
    "patternProperties",
    "definitions",
    "dependencies",
    "$ref",
)
_ROOT_MEMBERS = (
    *("Description", "Type", "Format", "Title", "Maximum", "ExclusiveMaximum", "Minimum"),
    *("ExclusiveMinimum", "MaxLength", "MinLength", "Pattern", "MaxItems", "MinItems"),
    *("UniqueItems", "MultipleOf", "Required", "Items", "Properties", "ExternalDocs", "Example"),
    *("XPreserveUnknownFields", "XValidations"),
)
"""What may stand at the root of a schema with a status subresource, by Go's names."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in a schema: what is forbidden there, and whether rules are asked."""

    path: str
    no_defaults: str = ""
    in_meta: bool = False
    is_root: bool = False
    asks_rules: bool = False
    uncorrelated: str = ""

    def below(self, where: str) -> _Place:
        return replace(self, path=self.path + where, is_root=False)


@dataclass(slots=True)
class _Found:
    """What is wrong with a part of a schema: rules are looked at only when nothing else is."""

    schema: list[Cause] = field(default_factory=list)
    rules: list[Cause] = field(default_factory=list)


def schema_causes(schema: _Raw, path: str, *, has_status: bool) -> list[Cause]:
    """Return what is wrong with a schema.

    Args:
        schema: `openAPIV3Schema`.
        path: Where it stands.
        has_status: The status of such objects is a subresource.
    """
    found = list(_root_causes(schema, path, has_status=has_status))
    asks_rules = False
    if is_convertible(schema):
        structural = structural_causes(schema, path)
        structural = structural or list(_default_causes(schema, path))
        found += structural
        asks_rules = not structural
    below = _Found()
    _check(schema, _Place(path, is_root=True, asks_rules=asks_rules), below)
    return found + below.schema + below.rules


def _root_causes(schema: _Raw, path: str, *, has_status: bool) -> Iterator[Cause]:
    shown = internal_schema(schema) if has_status else {}
    for name, value in shown.items():
        if (not value and value != 0) or value in (False, ""):
            continue
        if name == "Type" and value != "object":
            text = 'only "object" is allowed as the type at the root of the schema if the status '
            yield causes.invalid(f"{path}.type", value, f"{text}subresource is enabled")
            break
        if name not in _ROOT_MEMBERS:
            text = f"only [{' '.join(_ROOT_MEMBERS)}] fields are allowed at the root of the schema"
            yield causes.invalid(path, shown, f"{text} if the status subresource is enabled")
            break
    if schema.get("nullable"):
        yield causes.forbidden(f"{path}.nullable", "nullable cannot be true at the root")


def _default_causes(schema: _Raw, path: str) -> Iterator[Cause]:
    """Check that defaults are valid, and have no unknown fields."""
    default = schema.get("default")
    if default is not None:
        node, where = from_part(schema), f"{path}.default"
        holder = Schema("map", properties={"default": node})
        if prune({"default": default}, holder)["default"] != default:
            yield causes.invalid(where, default, "must not have unknown fields")
        yield from list(embedded_causes(default, node, where)) or part_causes(default, node, where)
    if isinstance(schema.get("items"), dict):
        yield from _default_causes(schema["items"], f"{path}.items")
    for name, below in (schema.get("properties") or {}).items():
        yield from _default_causes(below, f"{path}.properties[{name}]")


def _check(schema: _Raw, place: _Place, found: _Found) -> None:
    mine = _Found()
    mine.schema += _own_causes(schema, place)
    for below, where in _below(schema, place):
        _check(below, where, mine)
    mine.schema += list_type_causes(schema, place.path)
    rules = schema.get("x-kubernetes-validations") or ()
    for number, rule in enumerate(rules):
        path = f"{place.path}.x-kubernetes-validations[{number}]"
        mine.schema += _rule_causes(rule, schema, path)
    if rules and place.asks_rules and not mine.schema:
        mine.rules += rule_problems(schema, place.path)
        mine.rules += _change_causes(rules, place)
    found.schema += mine.schema
    found.rules += mine.rules


def _own_causes(schema: _Raw, place: _Place) -> Iterator[Cause]:
    path, kind = place.path, schema.get("type")
    if kind and kind not in _TYPES:
        yield causes.not_supported(f"{path}.type", kind, _TYPES)
    if schema.get("default") is not None and place.no_defaults:
        yield causes.forbidden(f"{path}.default", f"must not be set {place.no_defaults}")
    for member in _NOT_SUPPORTED:
        if schema.get(member) or (member == "$ref" and member in schema):
            yield causes.forbidden(f"{path}.{member}", f"{member} is not supported")
    if kind == "null":
        text = "type cannot be set to null, use nullable as an alternative"
        yield causes.forbidden(f"{path}.type", text)
    if isinstance(schema.get("items"), list):
        text = "items must be a schema object and not an array"
        yield causes.forbidden(f"{path}.items", text)
    if place.in_meta and schema.get("x-kubernetes-embedded-resource"):
        where = f"{path}.x-kubernetes-embedded-resource"
        yield causes.forbidden(where, "must not be used inside of resource meta")
    if schema.get("uniqueItems"):
        text = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield causes.forbidden(f"{path}.uniqueItems", text)
    additional = schema.get("additionalProperties")
    if schema.get("properties") and additional not in (None, True):
        text = "additionalProperties and properties are mutual exclusive"
        yield causes.forbidden(f"{path}.additionalProperties", text)
    keeps = schema.get("x-kubernetes-preserve-unknown-fields")
    if keeps is False:
        where = f"{path}.x-kubernetes-preserve-unknown-fields"
        yield causes.invalid(where, keeps, "must be true or undefined")


def _below(schema: _Raw, place: _Place) -> Iterator[tuple[_Raw, _Place]]:
    """Yield what is below a schema, with what is forbidden there."""
    additional = schema.get("additionalProperties")
    if isinstance(additional, dict):
        where = place.below(".additionalProperties")
        if place.in_meta:
            text = "inside additionalProperties applying to object metadata"
            where = replace(where, no_defaults=text)
        yield additional, where
    is_object = place.is_root or schema.get("x-kubernetes-embedded-resource")
    for name, member in (schema.get("properties") or {}).items():
        where = place.below(f".properties[{name}]")
        if schema.get("x-kubernetes-map-type") == "atomic":
            where = replace(where, uncorrelated=place.uncorrelated or place.path)
        if is_object and name in _META:
            reason = f"in top-level {name}" if place.is_root else where.no_defaults
            where = replace(where, in_meta=True, no_defaults=reason)
        yield member, where
    unasked = replace(place, asks_rules=False)
    if isinstance(schema.get("not"), dict):
        yield schema["not"], unasked.below(".not")
    for member in ("allOf", "oneOf", "anyOf"):
        for number, branch in enumerate(schema.get(member) or ()):
            yield branch, unasked.below(f".{member}[{number}]")
    if schema.get("x-kubernetes-list-type") != "map":
        place = replace(place, uncorrelated=place.uncorrelated or place.path)
    items = schema.get("items")
    if isinstance(items, dict):
        yield items, place.below(".items")
    for number, item in enumerate(items if isinstance(items, list) else ()):
        yield item, place.below(f".items[{number}]")


def _rule_causes(rule: _Raw, schema: _Raw, path: str) -> Iterator[Cause]:
    """Check a rule of CEL without compiling it."""
    text, message = rule.get("rule") or "", rule.get("message") or ""
    if not text.strip():
        yield causes.required(f"{path}.rule", "rule is not specified")
    elif message and not message.strip():
        yield causes.invalid(f"{path}.message", message, "must be non-empty if specified")
    elif _has_lines(message.strip()):
        yield causes.invalid(f"{path}.message", message, "must not contain line breaks")
    elif _has_lines(text.strip()) and not message:
        told = "message must be specified if rule contains line breaks"
        yield causes.required(f"{path}.message", told)
    expression = rule.get("messageExpression") or ""
    if expression and not expression.strip():
        told = "messageExpression must be non-empty if specified"
        yield causes.required(f"{path}.messageExpression", told)
    reason = rule.get("reason")
    if reason is not None and reason not in _REASONS:
        yield causes.not_supported(f"{path}.reason", reason, _REASONS)
    about = rule.get("fieldPath") or ""
    if about and not about.strip():
        yield causes.invalid(f"{path}.fieldPath", about, "must be non-empty if specified")
    if _has_lines(about):
        yield causes.invalid(f"{path}.fieldPath", about, "must not contain line breaks")
    if about and is_convertible(schema) and path_problem(about, schema)[0]:
        yield causes.invalid(f"{path}.fieldPath", about, "must be a valid path")


def _has_lines(text: str) -> bool:
    return "\n" in text or "\r" in text


def _change_causes(rules: Any, place: _Place) -> Iterator[Cause]:
    """Check what rules say of the value before."""
    for number, rule in enumerate(rules):
        path = f"{place.path}.x-kubernetes-validations[{number}]"
        text, optional = rule["rule"], rule.get("optionalOldSelf")
        if re.search(r"\boldSelf\b", text):
            if place.uncorrelated:
                told = "oldSelf cannot be used on the uncorrelatable portion of the schema within "
                yield causes.invalid(f"{path}.rule", text, f"{told}{place.uncorrelated}")
        elif optional is not None:
            told = "may not be set if oldSelf is not used in rule"
            yield causes.invalid(f"{path}.optionalOldSelf", optional, told)
