"""Pods as workload controllers see them: ready, available, made from a template, worth deleting.

Source: k8s.io/kubernetes, pkg/api/v1/pod/util.go and pkg/controller/controller_utils.go.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gitops_sim.apimachinery.names import validate_subdomain
from gitops_sim.cluster.controlling import Context, Reconciling, seconds_of, step
from gitops_sim.cluster.ownership import is_being_deleted, owner_reference
from gitops_sim.errors import ApiError, NotFoundError
from gitops_sim.protocols import Clock
from gitops_sim.types import Manifest

__all__ = [
    "create_pod",
    "delete_pod",
    "deletion_order",
    "is_active",
    "is_finished",
    "is_namespace_terminating",
    "is_ready",
    "phase_of",
    "pod_from_template",
    "seconds_until_available",
    "template_name_prefix",
]

_DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASE_RANK = {"Pending": 0, "Unknown": 1, "Running": 2}
_NANO = 1e9


def phase_of(pod: Manifest) -> str:
    """Return a pod's phase; one that has no status yet is Pending."""
    return str((pod.get("status") or {}).get("phase") or "Pending")


def is_finished(pod: Manifest) -> bool:
    """True when all its containers have ended for good."""
    return phase_of(pod) in ("Succeeded", "Failed")


def is_active(pod: Manifest) -> bool:
    """True when a pod counts as a replica: not finished and not being deleted."""
    return not is_finished(pod) and not is_being_deleted(pod)


def is_ready(pod: Manifest) -> bool:
    """True when its condition Ready is True."""
    found = _ready_condition(pod)
    return found is not None and found.get("status") == "True"


def seconds_until_available(pod: Manifest, min_ready_seconds: int, clock: Clock) -> float | None:
    """Return how long a ready pod still has to stay ready to count as available.

    Returns:
        Seconds, 0 for an available pod; None for one that is not ready.
    """
    found = _ready_condition(pod)
    if found is None or found.get("status") != "True":
        return None
    if not min_ready_seconds:
        return 0.0
    since = found.get("lastTransitionTime")
    if not since:
        return float(min_ready_seconds)
    return max(0.0, seconds_of(clock, since) + min_ready_seconds - clock.now())


def template_name_prefix(owner_name: str) -> str:
    """Return the generateName of the pods of a workload: its name and a dash, where it can."""
    prefix = f"{owner_name}-"
    return prefix if not validate_subdomain(f"{owner_name}-x") else owner_name


def pod_from_template(template: Manifest, owner: Manifest, **metadata: Any) -> Manifest:
    """Return a new pod of a workload.

    Args:
        template: A pod template.
        owner: Controls it.
        metadata: What the metadata has besides: `name` or `generateName`, more labels.
    """
    told = template.get("metadata") or {}
    made: Manifest = {"namespace": owner["metadata"]["namespace"]}
    for member in ("labels", "annotations"):
        both = {**(told.get(member) or {}), **metadata.pop(member, {})}
        if both:
            made[member] = both
    finalizers = [*(told.get("finalizers") or ()), *metadata.pop("finalizers", ())]
    if finalizers:
        made["finalizers"] = finalizers
    made["ownerReferences"] = [owner_reference(owner)]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": made | metadata,
        "spec": template["spec"],
    }


def create_pod(context: Context, owner: Manifest, pod: Manifest) -> Any:
    """Create a pod, tell an event about it, and return it as stored.

    Raises:
        ApiError: It is refused; an event FailedCreate says so, unless the namespace is going.
    """
    yield step("create", _named(pod))
    try:
        stored = context.client.create(pod)
    except ApiError as error:
        if not is_namespace_terminating(error):
            context.events.event(owner, "Warning", "FailedCreate", f"Error creating: {error}")
        raise
    message = f"Created pod: {stored['metadata']['name']}"
    context.events.event(owner, "Normal", "SuccessfulCreate", message)
    return stored


def delete_pod(context: Context, owner: Manifest, pod: Manifest) -> Reconciling:
    """Delete a pod and tell an event about it; nothing if it is gone already."""
    yield step("delete", pod)
    metadata = pod["metadata"]
    try:
        context.client.delete("v1/Pod", metadata["name"], metadata["namespace"])
    except NotFoundError:
        return None
    except ApiError as error:
        context.events.event(owner, "Warning", "FailedDelete", f"Error deleting: {error}")
        raise
    message = f"Deleted pod: {metadata['name']}"
    context.events.event(owner, "Normal", "SuccessfulDelete", message)
    return None


def is_namespace_terminating(error: ApiError) -> bool:
    """True when a create was refused because its namespace is being deleted."""
    causes = error.details.get("causes") or ()
    return any(cause.get("reason") == "NamespaceTerminating" for cause in causes)


def deletion_order(
    pods: Sequence[Manifest], related: Iterable[Manifest], clock: Clock
) -> list[Manifest]:
    """Order pods by which to delete first when there are too many.

    First those that lose least: unassigned, pending, not ready; then the cheaper by the
    annotation `controller.kubernetes.io/pod-deletion-cost`, those that share their node with more
    related pods, those ready for a shorter time, that restarted more often, the younger.

    Args:
        pods: To order.
        related: Active pods of the same owner's owner, counted per node.
        clock: Tells how long ago things were.
    """
    on_node = Counter(pod["spec"].get("nodeName", "") for pod in related if is_active(pod))
    rank = _ranking(on_node, clock)
    return sorted(pods, key=rank)


def _ranking(on_node: Counter[str], clock: Clock) -> Callable[[Manifest], tuple[Any, ...]]:
    def magnitude(timestamp: str | None) -> int:
        # Ages count by their order of magnitude only, and then the uid decides, so that the
        # youngest are not always the ones that go (feature LogarithmicScaleDown).
        age = clock.now() - seconds_of(clock, timestamp) if timestamp else 0.0
        return int(math.log2(age * _NANO)) if age > 0 else -1

    def rank(pod: Manifest) -> tuple[Any, ...]:
        metadata = pod["metadata"]
        node = pod["spec"].get("nodeName", "")
        ready = _ready_condition(pod)
        is_up = ready is not None and ready.get("status") == "True"
        return (
            bool(node),
            _PHASE_RANK.get(phase_of(pod), 2),
            is_up,
            _deletion_cost(metadata),
            -on_node[node],
            magnitude(ready.get("lastTransitionTime")) if is_up and ready else 0,
            -_restarts(pod),
            magnitude(metadata.get("creationTimestamp")),
            metadata["uid"],
        )

    return rank


def _ready_condition(pod: Manifest) -> dict[str, Any] | None:
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "Ready":
            found: dict[str, Any] = condition
            return found
    return None


def _deletion_cost(metadata: dict[str, Any]) -> int:
    text = (metadata.get("annotations") or {}).get(_DELETION_COST, "0")
    try:
        return int(text)
    except ValueError:
        return 0


def _restarts(pod: Manifest) -> int:
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return max((int(status.get("restartCount", 0)) for status in statuses), default=0)


def _named(pod: Manifest) -> Manifest:
    """Return a pod under a name to print, while the server has not given it one."""
    metadata = pod["metadata"]
    if "name" in metadata:
        return pod
    return pod | {"metadata": {**metadata, "name": f"{metadata['generateName']}…"}}
