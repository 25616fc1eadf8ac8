"""Rules of workloads: apps, ReplicationControllers, disruption budgets.

Source: k8s.io/kubernetes, pkg/apis/{apps,core,policy}/validation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery import causes, names
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.internal_forms import internal_form
from gitops_sim.apimachinery.validation_parts import (
    immutable,
    int_or_percent,
    is_selector,
    label_selector,
    matches,
    named,
    non_negative,
    not_over_100_percent,
    share,
    supported,
)
from gitops_sim.apimachinery.validation_pods import pod_template_causes
from gitops_sim.apimachinery.validation_volumes import claim_spec_causes
from gitops_sim.types import Manifest

__all__ = [
    "budget_causes",
    "controller_causes",
    "controller_status_causes",
    "daemon_set_causes",
    "daemon_set_update_causes",
    "deployment_causes",
    "deployment_status_causes",
    "replica_set_causes",
    "selector_update_causes",
    "stateful_set_causes",
    "stateful_set_update_causes",
]

_MISMATCH = "`selector` does not match template `labels`"
_NO_SELECTOR = {"deployment": "invalid label selector"}
_OVER = "cannot be greater than status.replicas"


def deployment_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a Deployment."""
    spec = manifest["spec"]
    yield from non_negative(
        spec,
        "spec",
        "replicas",
        "minReadySeconds",
        "revisionHistoryLimit",
        "progressDeadlineSeconds",
    )
    yield from _selector_causes(spec, "deployment")
    yield from _running_template_causes(spec, "ReplicaSet")
    strategy = spec["strategy"]
    if strategy["type"] == "Recreate":
        if strategy.get("rollingUpdate") is not None:
            text = "may not be specified when strategy `type` is 'Recreate'"
            yield causes.forbidden("spec.strategy.rollingUpdate", text)
    elif strategy["type"] == "RollingUpdate":
        yield from _rolling_deployment_causes(strategy["rollingUpdate"])
    else:
        shown = {"Type": strategy["type"], "RollingUpdate": strategy.get("rollingUpdate")}
        words = ("Recreate", "RollingUpdate")
        yield causes.not_supported("spec.strategy", shown, words)
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and deadline <= spec.get("minReadySeconds", 0):
        text = "must be greater than minReadySeconds"
        yield causes.invalid("spec.progressDeadlineSeconds", deadline, text)


def _rolling_deployment_causes(rolling: dict[str, Any]) -> Iterator[Cause]:
    path = "spec.strategy.rollingUpdate"
    unavailable, surge = rolling["maxUnavailable"], rolling["maxSurge"]
    yield from int_or_percent(unavailable, f"{path}.maxUnavailable")
    yield from int_or_percent(surge, f"{path}.maxSurge")
    if share(unavailable) == 0 and share(surge) == 0:
        text = "may not be 0 when `maxSurge` is 0"
        yield causes.invalid(f"{path}.maxUnavailable", unavailable, text)
    yield from not_over_100_percent(unavailable, f"{path}.maxUnavailable")


def replica_set_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a ReplicaSet."""
    spec = manifest["spec"]
    yield from non_negative(spec, "spec", "replicas", "minReadySeconds")
    yield from _selector_causes(spec, "deployment")
    yield from _running_template_causes(spec, "ReplicaSet")


def controller_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a ReplicationController."""
    spec = manifest["spec"]
    yield from non_negative(spec, "spec", "minReadySeconds", "replicas")
    template, selector = spec.get("template"), spec.get("selector")
    if not selector:
        yield causes.required("spec.selector")
    if template is None:
        yield causes.required("spec.template")
        return
    if selector:
        yield from _mismatch_causes({"matchLabels": selector}, template)
    yield from _always_restarted(spec, "ReplicationController")


def selector_update_causes(manifest: Manifest, before: Manifest) -> Iterator[Cause]:
    """Yield a change of the selector of a Deployment or ReplicaSet."""
    yield from immutable(manifest["spec"], before["spec"], "spec", "selector")


def stateful_set_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a StatefulSet."""
    spec = manifest["spec"]
    policy = spec["podManagementPolicy"]
    if policy not in ("OrderedReady", "Parallel"):
        text = "must be 'OrderedReady' or 'Parallel'"
        yield causes.invalid("spec.podManagementPolicy", policy, text)
    yield from _stateful_strategy_causes(spec["updateStrategy"])
    retention = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    for member in ("whenDeleted", "whenScaled"):
        path = f"spec.persistentVolumeClaimRetentionPolicy.{member}"
        yield from supported(retention.get(member), path, ("Retain", "Delete"))
    claims = spec.get("volumeClaimTemplates") or ()
    for index, claim in enumerate(claims):
        path = f"spec.volumeClaimTemplates[{index}].spec"
        yield from claim_spec_causes(claim.get("spec") or {}, path)
    yield from non_negative(spec, "spec", "replicas", "minReadySeconds")
    yield from non_negative(spec.get("ordinals") or {}, "spec.ordinals", "start")
    if spec.get("serviceName"):
        yield from named(spec["serviceName"], "spec.serviceName", names.validate_label)
    yield from _selector_causes(spec, "statefulset")
    added = frozenset((claim.get("metadata") or {}).get("name", "") for claim in claims)
    yield from _running_template_causes(spec, "StatefulSet", claims=added)


def _stateful_strategy_causes(strategy: dict[str, Any]) -> Iterator[Cause]:
    path, rolling = "spec.updateStrategy", strategy.get("rollingUpdate")
    if strategy["type"] == "OnDelete":
        if rolling is not None:
            text = "only allowed for updateStrategy 'RollingUpdate'"
            members = ("partition", "maxUnavailable")
            shown = {f"{name[0].upper()}{name[1:]}": rolling.get(name) for name in members}
            yield causes.invalid(f"{path}.rollingUpdate", shown, text)
    elif strategy["type"] == "RollingUpdate":
        yield from non_negative(rolling or {}, f"{path}.rollingUpdate", "partition")
        unavailable = (rolling or {}).get("maxUnavailable")
        if unavailable is not None:
            place = f"{path}.rollingUpdate.maxUnavailable"
            yield from int_or_percent(unavailable, place)
            if share(unavailable) == 0:
                yield causes.invalid(place, unavailable, "cannot be 0")
            yield from not_over_100_percent(unavailable, place)
    else:
        shown = {"Type": strategy["type"], "RollingUpdate": rolling}
        yield causes.invalid(path, shown, "must be 'RollingUpdate' or 'OnDelete'")


def stateful_set_update_causes(manifest: Manifest, before: Manifest) -> Iterator[Cause]:
    """Yield what an update of a StatefulSet may not change."""
    new, old = manifest["spec"], before["spec"]
    yield from immutable(new, old, "spec", "selector", "serviceName", "podManagementPolicy")
    if new.get("volumeClaimTemplates") != old.get("volumeClaimTemplates"):
        shown = [_shown_claim(claim) for claim in new.get("volumeClaimTemplates") or ()]
        yield causes.invalid("spec.volumeClaimTemplates", shown or None, "field is immutable")


def _shown_claim(claim: dict[str, Any]) -> dict[str, Any]:
    """Return a template of claims as messages show it."""
    return {
        **(claim.get("metadata") or {}),
        "Spec": internal_form(claim.get("spec") or {}, "PersistentVolumeClaimSpec"),
        "Status": internal_form(claim.get("status") or {}, "PersistentVolumeClaimStatus"),
    }


def daemon_set_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a DaemonSet."""
    spec = manifest["spec"]
    selector = spec.get("selector")
    yield from label_selector(selector, "spec.selector")
    if selector is None or is_selector(selector):
        yield from _mismatch_causes(selector, spec["template"])
    if selector is not None and not _terms(selector):
        yield causes.invalid("spec.selector", selector, "empty selector is invalid for daemonset")
    yield from _always_restarted(spec, "DaemonSet")
    yield from non_negative(spec, "spec", "minReadySeconds", "revisionHistoryLimit")
    strategy = spec["updateStrategy"]
    if strategy["type"] == "RollingUpdate":
        yield from _rolling_daemons_causes(strategy["rollingUpdate"])
    elif strategy["type"] != "OnDelete":
        shown = {"Type": strategy["type"], "RollingUpdate": strategy.get("rollingUpdate")}
        yield causes.not_supported("spec.updateStrategy", shown, ("RollingUpdate", "OnDelete"))


def _rolling_daemons_causes(rolling: dict[str, Any]) -> Iterator[Cause]:
    path = "spec.updateStrategy.rollingUpdate"
    for member in ("maxUnavailable", "maxSurge"):
        yield from int_or_percent(rolling[member], f"{path}.{member}")
        yield from not_over_100_percent(rolling[member], f"{path}.{member}")
    unavailable, surge = share(rolling["maxUnavailable"]), share(rolling["maxSurge"])
    if unavailable and surge:
        text = "may not be set when maxUnavailable is non-zero"
        yield causes.invalid(f"{path}.maxSurge", rolling["maxSurge"], text)
    elif not unavailable and not surge:
        yield causes.required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0")


def daemon_set_update_causes(manifest: Manifest, before: Manifest) -> Iterator[Cause]:
    """Yield what an update of a DaemonSet may not change."""
    yield from immutable(manifest["spec"], before["spec"], "spec", "selector")


def deployment_status_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with the status of a Deployment."""
    status = manifest.get("status") or {}
    yield from non_negative(
        status,
        "status",
        "observedGeneration",
        "replicas",
        "updatedReplicas",
        "readyReplicas",
        "availableReplicas",
        "unavailableReplicas",
        "terminatingReplicas",
        "collisionCount",
    )
    yield from _status_counts(status, "updatedReplicas")


def controller_status_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with the status of a ReplicaSet or ReplicationController."""
    status = manifest.get("status") or {}
    yield from non_negative(
        status,
        "status",
        "replicas",
        "fullyLabeledReplicas",
        "readyReplicas",
        "availableReplicas",
        "observedGeneration",
        "terminatingReplicas",
    )
    yield from _status_counts(status, "fullyLabeledReplicas")


def _status_counts(status: dict[str, Any], first: str) -> Iterator[Cause]:
    replicas = status.get("replicas", 0)
    for member in (first, "readyReplicas", "availableReplicas"):
        if status.get(member, 0) > replicas:
            yield causes.invalid(f"status.{member}", status[member], _OVER)
    available = status.get("availableReplicas", 0)
    if available > status.get("readyReplicas", 0):
        text = "cannot be greater than readyReplicas"
        yield causes.invalid("status.availableReplicas", available, text)


def budget_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a PodDisruptionBudget."""
    spec = manifest.get("spec") or {}
    both = [spec.get(member) is not None for member in ("minAvailable", "maxUnavailable")]
    if all(both):
        text = "minAvailable and maxUnavailable cannot be both set"
        members = ("minAvailable", "selector", "maxUnavailable", "unhealthyPodEvictionPolicy")
        shown = {f"{name[0].upper()}{name[1:]}": spec.get(name) for name in members}
        yield causes.invalid("spec", shown, text)
    for member in ("minAvailable", "maxUnavailable"):
        if spec.get(member) is not None:
            yield from int_or_percent(spec[member], f"spec.{member}")
            yield from not_over_100_percent(spec[member], f"spec.{member}")
    yield from label_selector(spec.get("selector"), "spec.selector")
    if spec.get("unhealthyPodEvictionPolicy") is not None:
        path = "spec.unhealthyPodEvictionPolicy"
        words = ("AlwaysAllow", "IfHealthyBudget")
        yield from supported(spec["unhealthyPodEvictionPolicy"], path, words)


def _selector_causes(spec: dict[str, Any], owner: str) -> Iterator[Cause]:
    selector = spec.get("selector")
    if selector is None:
        yield causes.required("spec.selector")
        return
    yield from label_selector(selector, "spec.selector")
    if not _terms(selector):
        yield causes.invalid("spec.selector", selector, f"empty selector is invalid for {owner}")
    if not is_selector(selector):
        yield causes.invalid("spec.selector", selector, _NO_SELECTOR.get(owner, ""))


def _terms(selector: dict[str, Any]) -> bool:
    return bool(selector.get("matchLabels") or selector.get("matchExpressions"))


def _running_template_causes(
    spec: dict[str, Any], owner: str, *, claims: frozenset[str] = frozenset()
) -> Iterator[Cause]:
    selector = spec.get("selector")
    if selector is not None and not is_selector(selector):
        return
    if selector is None or _terms(selector):
        yield from _mismatch_causes(selector, spec["template"])
    yield from _always_restarted(spec, owner, claims=claims)


def _mismatch_causes(selector: dict[str, Any] | None, template: dict[str, Any]) -> Iterator[Cause]:
    labels = (template.get("metadata") or {}).get("labels")
    if not matches(selector, labels):
        shown = None if labels is None else dict(sorted(labels.items()))
        yield causes.invalid("spec.template.metadata.labels", shown, _MISMATCH)


def _always_restarted(
    spec: dict[str, Any], owner: str, *, claims: frozenset[str] = frozenset()
) -> Iterator[Cause]:
    template = spec["template"]
    yield from pod_template_causes(template, "spec.template", claims=claims)
    inside = template.get("spec") or {}
    path = "spec.template.spec"
    yield from supported(inside.get("restartPolicy"), f"{path}.restartPolicy", ("Always",))
    if inside.get("activeDeadlineSeconds") is not None:
        text = f"activeDeadlineSeconds in {owner} is not Supported"
        yield causes.forbidden(f"{path}.activeDeadlineSeconds", text)
