"""Rules of where pods may go: affinity, spread over topologies, tolerations.

Source: k8s.io/kubernetes, pkg/apis/core/validation/validation.go (validateAffinity,
validateTopologySpreadConstraints, ValidateTolerations).
Differs: matchLabelKeys and mismatchLabelKeys are taken as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery import causes, names
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.validation_parts import label_selector, named, supported

__all__ = ["node_selector_causes", "placement_causes"]

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_ACTIONS = ("DoNotSchedule", "ScheduleAnyway")
_EMPTY = "can not be empty"


def placement_causes(spec: dict[str, Any], path: str) -> Iterator[Cause]:
    """Yield what is wrong with the affinity, spread and tolerations of a pod spec."""
    affinity, place = spec.get("affinity") or {}, f"{path}.affinity"
    nodes = affinity.get("nodeAffinity")
    if nodes:
        yield from _node_affinity_causes(nodes, f"{place}.nodeAffinity")
    for member in ("podAffinity", "podAntiAffinity"):
        yield from _pod_affinity_causes(affinity.get(member) or {}, f"{place}.{member}")
    for index, toleration in enumerate(spec.get("tolerations") or ()):
        yield from _toleration_causes(toleration, f"{path}.tolerations[{index}]")
    constraints = spec.get("topologySpreadConstraints") or []
    for index, constraint in enumerate(constraints):
        place = f"{path}.topologySpreadConstraints[{index}]"
        yield from _spread_causes(constraint, constraints[index + 1 :], place)


def node_selector_causes(selector: dict[str, Any], path: str) -> Iterator[Cause]:
    """Yield what is wrong with required terms of nodes, of a pod or of a volume."""
    terms = selector.get("nodeSelectorTerms") or []
    if not terms:
        yield causes.required(
            f"{path}.nodeSelectorTerms", "must have at least one node selector term"
        )
    for index, term in enumerate(terms):
        yield from _term_causes(term, f"{path}.nodeSelectorTerms[{index}]", values=True)


def _node_affinity_causes(affinity: dict[str, Any], path: str) -> Iterator[Cause]:
    if affinity.get(_REQUIRED) is not None:
        yield from node_selector_causes(affinity[_REQUIRED], f"{path}.{_REQUIRED}")
    for index, term in enumerate(affinity.get(_PREFERRED) or ()):
        place = f"{path}.{_PREFERRED}[{index}]"
        yield from _weight_causes(term, place)
        yield from _term_causes(term.get("preference") or {}, f"{place}.preference", values=False)


def _weight_causes(term: dict[str, Any], path: str) -> Iterator[Cause]:
    weight = term.get("weight", 0)
    if not 1 <= weight <= 100:
        yield causes.invalid(f"{path}.weight", weight, "must be in the range 1-100")


def _term_causes(term: dict[str, Any], path: str, *, values: bool) -> Iterator[Cause]:
    """Yield what is wrong with one term; `values`: they must be values of labels."""
    for index, wanted in enumerate(term.get("matchExpressions") or ()):
        place = f"{path}.matchExpressions[{index}]"
        yield from _requirement_causes(wanted, place)
        for number, value in enumerate((wanted.get("values") or ()) if values else ()):
            yield from named(value, f"{place}.values[{number}]", names.validate_label_value)
    for index, wanted in enumerate(term.get("matchFields") or ()):
        yield from _field_causes(wanted, f"{path}.matchFields[{index}]")


def _requirement_causes(wanted: dict[str, Any], path: str) -> Iterator[Cause]:
    operator, values = wanted.get("operator"), wanted.get("values") or []
    if operator in ("In", "NotIn"):
        if not values:
            text = "must be specified when `operator` is 'In' or 'NotIn'"
            yield causes.required(f"{path}.values", text)
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            yield causes.forbidden(f"{path}.values", text)
    elif operator in ("Gt", "Lt"):
        if len(values) != 1:
            text = "must be specified single value when `operator` is 'Lt' or 'Gt'"
            yield causes.required(f"{path}.values", text)
    else:
        yield causes.invalid(f"{path}.operator", operator, "not a valid selector operator")
    yield from named(wanted.get("key", ""), f"{path}.key", names.validate_label_key)


def _field_causes(wanted: dict[str, Any], path: str) -> Iterator[Cause]:
    operator, values, key = wanted.get("operator"), wanted.get("values") or [], wanted.get("key")
    if operator not in ("In", "NotIn"):
        yield causes.invalid(f"{path}.operator", operator, "not a valid selector operator")
    elif len(values) != 1:
        text = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        yield causes.required(f"{path}.values", text)
    if key != "metadata.name":
        yield causes.invalid(f"{path}.key", key, "not a valid field selector key")
        return
    for index, value in enumerate(values):
        yield from named(value, f"{path}.values[{index}]", names.validate_subdomain)


def _pod_affinity_causes(affinity: dict[str, Any], path: str) -> Iterator[Cause]:
    for index, term in enumerate(affinity.get(_REQUIRED) or ()):
        yield from _pod_term_causes(term, f"{path}.{_REQUIRED}[{index}]")
    for index, weighted in enumerate(affinity.get(_PREFERRED) or ()):
        place = f"{path}.{_PREFERRED}[{index}]"
        yield from _weight_causes(weighted, place)
        yield from _pod_term_causes(
            weighted.get("podAffinityTerm") or {}, f"{place}.podAffinityTerm"
        )


def _pod_term_causes(term: dict[str, Any], path: str) -> Iterator[Cause]:
    for member in ("labelSelector", "namespaceSelector"):
        yield from label_selector(term.get(member), f"{path}.{member}")
    for name in term.get("namespaces") or ():
        yield from named(name, f"{path}.namespace", names.validate_label)
    key = term.get("topologyKey", "")
    if not key:
        yield causes.required(f"{path}.topologyKey", _EMPTY)
    yield from named(key, f"{path}.topologyKey", names.validate_label_key)


def _spread_causes(
    constraint: dict[str, Any], rest: list[dict[str, Any]], path: str
) -> Iterator[Cause]:
    skew, key = constraint.get("maxSkew", 0), constraint.get("topologyKey", "")
    action = constraint.get("whenUnsatisfiable", "")
    if skew <= 0:
        yield causes.invalid(f"{path}.maxSkew", skew, "must be greater than zero")
    if not key:
        yield causes.required(f"{path}.topologyKey", _EMPTY)
    yield from supported(action, f"{path}.whenUnsatisfiable", _ACTIONS)
    if any(
        (one.get("topologyKey", ""), one.get("whenUnsatisfiable")) == (key, action) for one in rest
    ):
        place = f"{path}.{{topologyKey, whenUnsatisfiable}}"
        yield causes.duplicate(place, f"{{{key}, {action}}}")
    least = constraint.get("minDomains")
    if least is not None:
        if least <= 0:
            yield causes.invalid(f"{path}.minDomains", least, "must be greater than zero")
        if action != "DoNotSchedule":
            text = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
            yield causes.invalid(f"{path}.minDomains", least, text)
    for member in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
        if constraint.get(member) is not None:
            yield from supported(constraint[member], f"{path}.{member}", ("Honor", "Ignore"))
    yield from label_selector(constraint.get("labelSelector"), f"{path}.labelSelector")


def _toleration_causes(toleration: dict[str, Any], path: str) -> Iterator[Cause]:
    operator, value = toleration.get("operator") or "Equal", toleration.get("value", "")
    if toleration.get("key"):
        yield from named(toleration["key"], f"{path}.key", names.validate_label_key)
    elif operator != "Exists":
        text = 'operator must be Exists when `key` is empty, which means "match all values and '
        yield causes.invalid(f"{path}.operator", toleration.get("operator", ""), f'{text}all keys"')
    if toleration.get("tolerationSeconds") is not None and toleration.get("effect") != "NoExecute":
        text = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        yield causes.invalid(f"{path}.effect", toleration.get("effect", ""), text)
    if operator == "Equal":
        problems = names.validate_label_value(value)
        if problems:
            yield causes.invalid(f"{path}.operator", value, ";".join(problems))
    elif operator == "Exists":
        if value:
            text = "value must be empty when `operator` is 'Exists'"
            yield causes.invalid(f"{path}.operator", value, text)
    elif operator not in ("Lt", "Gt"):
        yield causes.not_supported(f"{path}.operator", operator, ("Equal", "Exists"))
    if toleration.get("effect"):
        yield from supported(toleration["effect"], f"{path}.effect", _EFFECTS)
