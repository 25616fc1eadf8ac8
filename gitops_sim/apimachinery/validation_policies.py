"""Rules of ValidatingAdmissionPolicies: their expressions must compile.

Source: k8s.io/kubernetes, pkg/apis/admissionregistration/validation.
Differs: of the other rules only those are checked without which a policy means nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery import causes
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.cel import POLICY_VARIABLES, CelError, compile_expression
from gitops_sim.types import Manifest

__all__ = ["binding_causes", "policy_causes"]

_ACTIONS = ("Audit", "Deny", "Warn")


def policy_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a policy."""
    spec = manifest.get("spec") or {}
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        detail = (
            "validations or auditAnnotations must contain at least one item"
            if not spec.get("validations")
            else ""
        )
        yield causes.required("spec.validations", detail)
    rules = (spec.get("matchConstraints") or {}).get("resourceRules")
    if not spec.get("matchConstraints"):
        yield causes.required("spec.matchConstraints")
    elif not rules:
        yield causes.required("spec.matchConstraints.resourceRules")
    for place, variable in enumerate(spec.get("variables") or ()):
        yield from _expression(variable, "expression", f"spec.variables[{place}]")
    for place, condition in enumerate(spec.get("matchConditions") or ()):
        yield from _expression(condition, "expression", f"spec.matchConditions[{place}]")
    for place, validation in enumerate(spec.get("validations") or ()):
        where = f"spec.validations[{place}]"
        yield from _expression(validation, "expression", where)
        if validation.get("messageExpression"):
            yield from _expression(validation, "messageExpression", where)


def binding_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a binding of a policy."""
    spec = manifest.get("spec") or {}
    if not spec.get("policyName"):
        yield causes.required("spec.policyName")
    actions = spec.get("validationActions") or []
    if not actions:
        yield causes.required(
            "spec.validationActions", "at least one validation action is required"
        )
    for place, action in enumerate(actions):
        where = f"spec.validationActions[{place}]"
        if action not in _ACTIONS:
            yield causes.not_supported(where, action, _ACTIONS)
        elif action in actions[:place]:
            yield causes.duplicate(where, action)
    if "Deny" in actions and "Warn" in actions:
        detail = "must not contain both Deny and Warn (repeating the same validation failure)"
        yield causes.invalid("spec.validationActions", actions, f"{detail} information")


def _expression(holder: dict[str, Any], member: str, where: str) -> Iterator[Cause]:
    text = str(holder.get(member) or "")
    if not text.strip():
        yield causes.required(f"{where}.{member}", f"{member} is not specified")
        return
    try:
        compile_expression(text, POLICY_VARIABLES)
    except CelError as error:
        yield causes.invalid(f"{where}.{member}", text, str(error))
