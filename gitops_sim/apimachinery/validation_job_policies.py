"""Rules of what a Job does about failures and successes of its pods, and of its labels.

Source: k8s.io/kubernetes, pkg/apis/batch/validation/validation.go (validatePodFailurePolicy,
validateSuccessPolicy, validateGeneratedSelector).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery import causes, names
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.validation_parts import named, non_negative, supported
from gitops_sim.types import Manifest

__all__ = ["generated_label_causes", "policy_causes"]

_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_INDEXED = "requires indexed completion mode"
_BOTH = "specifying both OnExitCodes and OnPodConditions is not supported"
_NEITHER = "specifying one of OnExitCodes and OnPodConditions is required"
_PREFIX = "batch.kubernetes.io/"


def policy_causes(spec: dict[str, Any], path: str) -> Iterator[Cause]:
    """Yield what is wrong with the policies of the spec of a Job."""
    failure = spec.get("podFailurePolicy")
    for index, rule in enumerate((failure or {}).get("rules") or ()):
        yield from _failure_rule_causes(spec, rule, f"{path}.podFailurePolicy.rules[{index}]")
    success = spec.get("successPolicy")
    if success is not None:
        place = f"{path}.successPolicy"
        if spec.get("completionMode") != "Indexed":
            shown = {"Rules": success.get("rules") or []}
            yield causes.invalid(place, shown, _INDEXED)
        else:
            yield from _success_causes(spec, success, place)
    replacement = spec.get("podReplacementPolicy")
    if replacement is not None:
        words = ("Failed", "TerminatingOrFailed") if failure is None else ("Failed",)
        yield from supported(replacement, f"{path}.podReplacementPolicy", words)
    manager = spec.get("managedBy")
    host, _, rest = (manager or "").partition("/")
    if manager and not (host and rest):
        text = 'must be a domain-prefixed path (such as "acme.io/foo")'
        yield causes.invalid(f"{path}.managedBy", manager, text)


def _failure_rule_causes(spec: dict[str, Any], rule: dict[str, Any], path: str) -> Iterator[Cause]:
    action = rule.get("action", "")
    if not action:
        listed = " ".join(causes.go_json(word) for word in _ACTIONS)
        yield causes.required(f"{path}.action", f"valid values: [{listed}]")
    elif action == "FailIndex":
        if spec.get("backoffLimitPerIndex") is None:
            text = "requires the backoffLimitPerIndex to be set"
            yield causes.invalid(f"{path}.action", action, text)
    else:
        yield from supported(action, f"{path}.action", _ACTIONS)
    codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions") or ()
    if codes is not None:
        yield from _exit_code_causes(spec, codes, f"{path}.onExitCodes")
    for index, pattern in enumerate(conditions):
        place = f"{path}.onPodConditions[{index}]"
        yield from named(pattern.get("type", ""), f"{place}.type", names.validate_label_key)
        words = ("False", "True", "Unknown")
        yield from supported(pattern.get("status"), f"{place}.status", words)
    if (codes is not None) is bool(conditions):
        yield Cause(
            "FieldValueInvalid", f"Invalid value: {_BOTH if conditions else _NEITHER}", path
        )


def _exit_code_causes(spec: dict[str, Any], codes: dict[str, Any], path: str) -> Iterator[Cause]:
    operator, values = codes.get("operator", ""), codes.get("values") or []
    yield from supported(operator, f"{path}.operator", ("In", "NotIn"))
    inside = (spec.get("template") or {}).get("spec") or {}
    containers = [*(inside.get("containers") or ()), *(inside.get("initContainers") or ())]
    container = codes.get("containerName")
    if container is not None and container not in [one.get("name") for one in containers]:
        text = "must be one of the container or initContainer names in the pod template"
        yield causes.invalid(f"{path}.containerName", container, text)
    if not values:
        yield causes.invalid(f"{path}.values", values, "at least one value is required")
    for index, value in enumerate(values):
        if operator == "In" and value == 0:
            text = "must not be 0 for the In operator"
            yield causes.invalid(f"{path}.values[{index}]", value, text)
        if value in values[:index]:
            yield causes.duplicate(f"{path}.values[{index}]", value)
    if values != sorted(values):
        yield causes.invalid(f"{path}.values", values, "must be ordered")


def _success_causes(spec: dict[str, Any], policy: dict[str, Any], path: str) -> Iterator[Cause]:
    rules, completions = policy.get("rules") or [], spec.get("completions") or 0
    if not rules:
        text = "at least one rules must be specified when the successPolicy is specified"
        yield causes.required(f"{path}.rules", text)
    for index, rule in enumerate(rules):
        place, count = f"{path}.rules[{index}]", rule.get("succeededCount")
        if count is None and rule.get("succeededIndexes") is None:
            text = "at least one of succeededCount or succeededIndexes must be specified"
            yield causes.required(place, text)
        yield from non_negative(rule, place, "succeededCount")
        if count is not None and count > completions:
            text = (
                f"must be less than or equal to {completions} (the number of specified completions)"
            )
            yield causes.invalid(f"{place}.succeededCount", count, text)


def generated_label_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield where the selector or labels of a new Job are not those that the server made."""
    spec, metadata = manifest["spec"], manifest["metadata"]
    if spec.get("manualSelector") or spec.get("selector") is None:
        return
    labels = dict(sorted(((spec["template"].get("metadata") or {}).get("labels") or {}).items()))
    uid, name = metadata.get("uid", ""), metadata.get("name", "")
    wanted = {
        "controller-uid": uid,
        "job-name": name,
        f"{_PREFIX}controller-uid": uid,
        f"{_PREFIX}job-name": name,
    }
    for label, value in wanted.items():
        if labels.get(label) != value:
            path = f"spec.template.metadata.labels[{label}]"
            yield causes.invalid(path, labels, f"must be '{value}'")
    if spec["selector"] != {"matchLabels": {f"{_PREFIX}controller-uid": uid}}:
        shown = {"matchLabels": dict(sorted((spec["selector"].get("matchLabels") or {}).items()))}
        yield causes.invalid("spec.selector", shown, "`selector` not auto-generated")
