"""Rules of ValidatingAdmissionPolicies and their bindings.

Source: k8s.io/kubernetes, pkg/apis/admissionregistration/validation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery import causes, names
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.validation_expressions import expression_causes, is_identifier
from gitops_sim.apimachinery.validation_parts import label_selector, named, supported
from gitops_sim.apimachinery.validation_webhooks import condition_causes, rule_causes
from gitops_sim.types import Manifest

__all__ = ["binding_causes", "policy_causes"]

_ACTIONS = ("Audit", "Deny", "Warn")
_NOTHING = "validations or auditAnnotations must contain at least one item"
_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_TWICE = (
    "must not contain both Deny and Warn (repeating the same validation failure information in the "
    "API response and headers serves no purpose)"
)


def policy_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a policy."""
    spec = manifest.get("spec") or {}
    yield from supported(spec.get("failurePolicy"), "spec.failurePolicy", ("Fail", "Ignore"))
    if spec.get("paramKind") is not None:
        yield from _kind_causes(spec["paramKind"], "spec.paramKind")
    constraints = spec.get("matchConstraints")
    if constraints is None:
        yield causes.required("spec.matchConstraints")
    else:
        yield from _match_causes(constraints, "spec.matchConstraints", required=True)
    for place, condition in enumerate(spec.get("matchConditions") or ()):
        yield from condition_causes(condition, f"spec.matchConditions[{place}]")
    declared: list[str] = []
    for place, variable in enumerate(spec.get("variables") or ()):
        yield from _variable_causes(variable, f"spec.variables[{place}]", declared)
        declared.append(variable.get("name", ""))
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        yield causes.required("spec.validations", _NOTHING)
        yield causes.required("spec.auditAnnotations", _NOTHING)
    for place, validation in enumerate(spec.get("validations") or ()):
        yield from _validation_causes(validation, f"spec.validations[{place}]", declared)
    for place, annotation in enumerate(spec.get("auditAnnotations") or ()):
        path, key = f"spec.auditAnnotations[{place}]", annotation.get("key", "")
        full = f"{manifest['metadata'].get('name', '')}/{key}"
        yield from named(full, f"{path}.key", names.validate_label_key)
        path = f"{path}.valueExpression"
        given = "string null_type"
        yield from expression_causes(annotation, path, required="", result=given)


def _kind_causes(kind: dict[str, Any], path: str) -> Iterator[Cause]:
    version = kind.get("apiVersion", "")
    if not version:
        yield causes.required(f"{path}.apiVersion")
    elif version.count("/") > 1:
        text = f"unexpected GroupVersion string: {version}"
        yield causes.invalid(f"{path}.apiVersion", version, text)
    if not kind.get("kind"):
        yield causes.required(f"{path}.kind")


def _match_causes(match: dict[str, Any], path: str, *, required: bool) -> Iterator[Cause]:
    rules = match.get("resourceRules") or []
    if required and not rules:
        yield causes.required(f"{path}.resourceRules")
    for member in ("resourceRules", "excludeResourceRules"):
        for place, rule in enumerate(match.get(member) or ()):
            yield from rule_causes(rule, f"{path}.{member}[{place}]")
    for member in ("namespaceSelector", "objectSelector"):
        yield from label_selector(match.get(member), f"{path}.{member}")
    words = ("Equivalent", "Exact")
    yield from supported(match.get("matchPolicy"), f"{path}.matchPolicy", words)


def _variable_causes(variable: dict[str, Any], path: str, declared: list[str]) -> Iterator[Cause]:
    """Yield what is wrong with a variable; it may use those declared before it."""
    name = variable.get("name", "")
    if not name:
        yield causes.required(f"{path}.name", "name is not specified")
    elif not is_identifier(name):
        yield causes.invalid(f"{path}.name", name, "must be a valid CEL identifier")
    place = f"{path}.expression"
    missing = "expression is not specified"
    yield from expression_causes(variable, place, required=missing, declared=tuple(declared))


def _validation_causes(
    validation: dict[str, Any], path: str, declared: list[str]
) -> Iterator[Cause]:
    known = tuple(declared)
    yield from expression_causes(
        validation,
        f"{path}.expression",
        required="expression is not specified",
        result="bool",
        declared=known,
    )
    if validation.get("messageExpression"):
        yield from expression_causes(
            validation,
            f"{path}.messageExpression",
            required="",
            result="string",
            declared=known,
        )
    if "\n" in (validation.get("message") or "").strip():
        text = "must not contain line breaks"
        yield causes.invalid(f"{path}.message", validation["message"], text)
    if validation.get("reason") is not None:
        yield from supported(validation["reason"], f"{path}.reason", _REASONS)


def binding_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a binding of a policy."""
    spec = manifest.get("spec") or {}
    if not spec.get("policyName"):
        yield causes.required("spec.policyName")
    parameters = spec.get("paramRef")
    if parameters is not None:
        yield from _parameter_causes(parameters, "spec.paramRef")
    if spec.get("matchResources") is not None:
        yield from _match_causes(spec["matchResources"], "spec.matchResources", required=False)
    actions = spec.get("validationActions") or []
    if not actions:
        yield causes.required("spec.validationActions")
    for place, action in enumerate(actions):
        where = f"spec.validationActions[{place}]"
        if action not in _ACTIONS:
            yield causes.not_supported(where, action, _ACTIONS)
        elif action in actions[:place]:
            yield causes.duplicate(where, action)
    if "Deny" in actions and "Warn" in actions:
        yield causes.invalid("spec.validationActions", actions, _TWICE)


def _parameter_causes(reference: dict[str, Any], path: str) -> Iterator[Cause]:
    name, selector = reference.get("name"), reference.get("selector")
    if not name and selector is None:
        yield causes.required(path, "one of name or selector must be specified")
    elif name and selector is not None:
        text = "name and selector are mutually exclusive"
        yield causes.forbidden(f"{path}.name", text)
    if reference.get("parameterNotFoundAction") is None:
        yield causes.required(f"{path}.parameterNotFoundAction")
    else:
        words = ("Allow", "Deny")
        action = reference["parameterNotFoundAction"]
        yield from supported(action, f"{path}.parameterNotFoundAction", words)
