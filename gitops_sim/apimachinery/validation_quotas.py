"""Rules of ResourceQuotas: which resources they may count, and in which scopes.

Source: k8s.io/kubernetes, pkg/apis/core/validation/validation.go (ValidateResourceQuotaSpec),
pkg/apis/core/helper/helpers.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery import causes, names, quantities
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.validation_parts import COUNTED, FIXED, named
from gitops_sim.types import Manifest

__all__ = ["quota_causes", "quota_update_causes"]

_COMPUTE = frozenset(
    (
        "cpu",
        "memory",
        "limits.cpu",
        "limits.memory",
        "requests.cpu",
        "requests.memory",
    )
)
_WHOLE = frozenset(COUNTED)
_STORAGE = frozenset(
    (
        "ephemeral-storage",
        "limits.ephemeral-storage",
        "requests.ephemeral-storage",
        "requests.storage",
    )
)
_KNOWN = _COMPUTE | _WHOLE | _STORAGE
_OF_PODS = _COMPUTE | {"pods"}
_SCOPES = {
    "BestEffort": frozenset({"pods"}),
    "CrossNamespacePodAffinity": _OF_PODS,
    "NotBestEffort": _OF_PODS,
    "NotTerminating": _OF_PODS,
    "PriorityClass": _OF_PODS,
    "Terminating": _OF_PODS,
    "VolumeAttributesClass": frozenset({"persistentvolumeclaims", "requests.storage"}),
}
"""What can be counted in each scope."""

_PAIRS = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))
_ONLY_EXISTS = (
    "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, "
    "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
    "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
)


def quota_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a ResourceQuota."""
    spec = manifest.get("spec") or {}
    hard = spec.get("hard") or {}
    for name, value in hard.items():
        path = f"spec.hard[{name}]"
        yield from named(name, path, names.validate_label_key)
        if "/" not in name and not _is_known(name):
            yield causes.invalid(path, name, "must be a standard resource for quota")
        amount = quantities.parse(value)
        if amount < 0:
            yield causes.invalid(path, value, "must be greater than or equal to 0")
        if name in _WHOLE and amount.denominator != 1:
            yield causes.invalid(path, value, "must be an integer")
    yield from _scope_causes(spec.get("scopes") or [], sorted(filter(_is_known, hard)))
    selector = spec.get("scopeSelector")
    if selector is not None:
        yield from _selector_causes(selector, sorted(filter(_is_known, hard)))


def quota_update_causes(manifest: Manifest, before: Manifest) -> Iterator[Cause]:
    """Yield what an update of a ResourceQuota may not change: its scopes."""
    new, old = ((m.get("spec") or {}).get("scopes") or [] for m in (manifest, before))
    if {*new} != {*old}:
        yield causes.invalid("spec.scopes", new, FIXED)


def _is_known(name: str) -> bool:
    return name in _KNOWN or name.removeprefix("requests.").startswith("hugepages-")


def _scope_causes(scopes: list[str], counted: list[str]) -> Iterator[Cause]:
    path = "spec.scopes"
    for scope in scopes:
        if scope not in _SCOPES:
            yield causes.invalid(path, scopes, "unsupported scope")
        for name in counted:
            if name not in _SCOPES.get(scope, counted):
                yield causes.invalid(path, scopes, "unsupported scope applied to resource")
    for pair in _PAIRS:
        if {*pair} <= {*scopes}:
            yield causes.invalid(path, scopes, "conflicting scopes")


def _selector_causes(selector: dict[str, Any], counted: list[str]) -> Iterator[Cause]:
    path = "spec.scopeSelector.matchExpressions"
    for wanted in selector.get("matchExpressions") or ():
        scope, operator = wanted.get("scopeName", ""), wanted.get("operator", "")
        values = wanted.get("values") or []
        if scope not in _SCOPES:
            yield causes.invalid(f"{path}.scopeName", scope, "unsupported scope")
        for name in counted:
            if name not in _SCOPES.get(scope, counted):
                yield causes.invalid(path, selector, "unsupported scope applied to resource")
        if scope in _SCOPES and not scope.endswith("Class") and operator != "Exists":
            yield causes.invalid(f"{path}.operator", operator, _ONLY_EXISTS)
        if operator in ("In", "NotIn"):
            if not values:
                text = "must be at least one value when `operator` is 'In' or 'NotIn'"
                yield causes.required(f"{path}.values", f"{text} for scope selector")
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                text = "must be no value when `operator` is 'Exist' or 'DoesNotExist'"
                yield causes.invalid(f"{path}.values", values, f"{text} for scope selector")
        else:
            yield causes.invalid(f"{path}.operator", operator, "not a valid selector operator")
