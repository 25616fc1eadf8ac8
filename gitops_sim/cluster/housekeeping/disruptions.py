"""PodDisruptionBudgets: how many pods may be evicted now, told in their status.

Source: k8s.io/kubernetes, pkg/controller/disruption/disruption.go.
Differs: of custom kinds with a scale subresource `spec.replicas` is read, whatever path it names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from gitops_sim.cluster.controlling import (
    Context,
    ControllerSpec,
    Reconciling,
    Steps,
    seconds_of,
    step,
)
from gitops_sim.cluster.ownership import is_being_deleted, selector_of
from gitops_sim.cluster.workloads.fenceposts import resolve
from gitops_sim.cluster.workloads.pods import is_active, is_ready
from gitops_sim.errors import NotFoundError
from gitops_sim.runtime import Caches, Request, Watched, controller_of
from gitops_sim.types import Manifest, Result

__all__ = ["DISRUPTION_BUDGETS"]

_BUDGETS, _PODS = "policy/v1/PodDisruptionBudget", "v1/Pod"
_SCALED = {
    "ReplicaSet": "apps/v1/ReplicaSet",
    "Deployment": "apps/v1/Deployment",
    "StatefulSet": "apps/v1/StatefulSet",
    "ReplicationController": "v1/ReplicationController",
}
_DELETION_TIMEOUT_SECONDS = 120.0
"""An evicted pod that is still not being deleted after this long is counted as healthy again."""


_UNMANAGED = (
    "Pods selected by this PodDisruptionBudget (selector: {}) were found to be unmanaged. As a "
    "result, the status of the PDB cannot be calculated correctly, which may result in undefined "
    'behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an '
    "integer value."
)


class _UncountableError(Exception):
    """Nobody knows how many pods there should be."""


class _Expectation(NamedTuple):
    pods: int
    healthy: int


def _reconcile(context: Context, request: Request) -> Reconciling:
    budget = context.caches[_BUDGETS].get(request.name, request.namespace)
    if budget is None or is_being_deleted(budget):
        return None
    selector = selector_of(budget)
    pods = list(context.caches[_PODS].list(request.namespace, labels=selector))
    if not pods:
        context.events.event(budget, "Normal", "NoPods", "No matching pods found")
    try:
        expected = _expected(context, budget, pods)
    except _UncountableError as error:
        text = f"Failed to calculate the number of expected pods: {error}"
        context.events.event(budget, "Warning", "CalculateExpectedPodCountFailed", text)
        yield from _write(context, budget, _failed(context, budget, str(error)))
        return None
    disrupted, again = _disrupted(context, budget, pods)
    status = _status(context, budget, pods, expected, disrupted)
    yield from _write(context, budget, status)
    return Result(again) if again else None


def _write(context: Context, budget: Manifest, status: Manifest) -> Steps:
    if status == (budget.get("status") or {}):
        return
    yield step("update status of", budget)
    try:
        context.client.update(budget | {"status": status}, subresource="status")
    except NotFoundError:
        return


def _expected(context: Context, budget: Manifest, pods: Sequence[Manifest]) -> _Expectation:
    """Return how many pods there should be, and how many of them must stay healthy."""
    spec = budget["spec"]
    if "maxUnavailable" in spec:
        wanted = _scale(context, budget, pods)
        unavailable = resolve(spec["maxUnavailable"], wanted, round_up=True)
        return _Expectation(wanted, max(0, wanted - unavailable))
    minimum = spec.get("minAvailable", 1)
    if isinstance(minimum, int):
        return _Expectation(len(pods), minimum)
    wanted = _scale(context, budget, pods)
    return _Expectation(wanted, resolve(minimum, wanted, round_up=True))


def _scale(context: Context, budget: Manifest, pods: Iterable[Manifest]) -> int:
    """Return the replicas that the controllers of these pods want, all together.

    Raises:
        _UncountableError: A controller does not tell how many it wants.
    """
    wanted: dict[str, int] = {}
    unmanaged = False
    for pod in pods:
        reference = controller_of(pod)
        if reference is None:
            unmanaged = True
            continue
        found = _scaled_owner(context, pod) or _custom_owner(context, pod, reference)
        if found is not None:
            wanted[found["metadata"]["uid"]] = found["spec"].get("replicas", 1)
    if unmanaged:
        selector = _go_selector(budget["spec"].get("selector") or {})
        context.events.event(budget, "Warning", "UnmanagedPods", _UNMANAGED.format(selector))
    return sum(wanted.values())


def _custom_owner(context: Context, pod: Manifest, reference: Mapping[str, Any]) -> Manifest | None:
    """Return the controller of a pod if it is of another kind that can be scaled."""
    if reference["kind"] in _SCALED:
        return None  # one of those, and gone
    group = reference["apiVersion"].rpartition("/")[0]
    for served in context.client.discover():
        if (served["group"], served["kind"]) != (group, reference["kind"]):
            continue
        if "scale" not in served["subresources"]:
            name = f"{served['plural']}.{group}" if group else served["plural"]
            raise _UncountableError(f"{name} does not implement the scale subresource")
        kind = f"{reference['apiVersion']}/{reference['kind']}"
        try:
            return context.client.get(kind, reference["name"], pod["metadata"]["namespace"])
        except NotFoundError:
            return None
    raise _UncountableError(f'found no controllers for pod "{pod["metadata"]["name"]}"')


def _go_selector(selector: Mapping[str, Any]) -> str:
    """Print a label selector as Go does."""
    labels = sorted((selector.get("matchLabels") or {}).items())
    expressions = "".join(
        f"LabelSelectorRequirement{{Key:{entry['key']},Operator:{entry['operator']},"
        f"Values:[{' '.join(entry.get('values') or ())}],}},"
        for entry in selector.get("matchExpressions") or ()
    )
    told = "".join(f"{key}: {value}," for key, value in labels)
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{told}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )


def _scaled_owner(context: Context, manifest: Manifest) -> Manifest | None:
    """Return the topmost controller that has replicas: of a ReplicaSet its Deployment."""
    reference = controller_of(manifest)
    if reference is None or reference["kind"] not in _SCALED:
        return None
    cache = context.caches[_SCALED[reference["kind"]]]
    owner = cache.get(reference["name"], manifest["metadata"]["namespace"])
    if owner is None or owner["metadata"]["uid"] != reference["uid"]:
        return None
    return _scaled_owner(context, owner) or owner


def _disrupted(
    context: Context, budget: Manifest, pods: Iterable[Manifest]
) -> tuple[Mapping[str, str], float | None]:
    """Return the evicted pods that are not gone yet, and when to look at them again."""
    known: Mapping[str, str] = (budget.get("status") or {}).get("disruptedPods") or {}
    kept: dict[str, str] = {}
    waits: list[float] = []
    for pod in pods:
        name = pod["metadata"]["name"]
        if name not in known or is_being_deleted(pod):
            continue
        left: float = (
            seconds_of(context.clock, known[name]) + _DELETION_TIMEOUT_SECONDS - context.clock.now()
        )
        if left > 0:
            kept[name] = known[name]
            waits.append(left)
    return kept, min(waits, default=None)


def _status(
    context: Context,
    budget: Manifest,
    pods: Iterable[Manifest],
    expected: _Expectation,
    disrupted: Mapping[str, str],
) -> Manifest:
    healthy = sum(
        is_ready(pod) and is_active(pod) and pod["metadata"]["name"] not in disrupted
        for pod in pods
    )
    allowed = max(0, healthy - expected.healthy) if expected.pods else 0
    generation = budget["metadata"]["generation"]
    status: Manifest = {"observedGeneration": generation}
    if disrupted:
        status["disruptedPods"] = dict(disrupted)
    return status | {
        "disruptionsAllowed": allowed,
        "currentHealthy": healthy,
        "desiredHealthy": expected.healthy,
        "expectedPods": expected.pods,
        "conditions": [_condition(context, budget, allows=allowed > 0)],
    }


def _failed(context: Context, budget: Manifest, message: str) -> Manifest:
    """Return the status of a budget that cannot be computed: nobody may be evicted."""
    zero = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
    told = _condition(context, budget, allows=False) | {"reason": "SyncFailed", "message": message}
    told.pop("observedGeneration")
    status = dict.fromkeys(zero, 0) | (budget.get("status") or {})
    return status | {"disruptionsAllowed": 0, "conditions": [told]}


def _condition(context: Context, budget: Manifest, *, allows: bool) -> dict[str, Any]:
    fresh = {
        "type": "DisruptionAllowed",
        "status": "True" if allows else "False",
        "observedGeneration": budget["metadata"]["generation"],
        "lastTransitionTime": context.clock.timestamp(),
        "reason": "SufficientPods" if allows else "InsufficientPods",
        "message": "",
    }
    for current in (budget.get("status") or {}).get("conditions") or ():
        if current["type"] == fresh["type"] and current["status"] == fresh["status"]:
            fresh["lastTransitionTime"] = current["lastTransitionTime"]
    return fresh


def _budgets_of_pod(pod: Manifest, caches: Caches) -> Iterable[Request]:
    metadata = pod["metadata"]
    for budget in caches[_BUDGETS].list(metadata["namespace"]):
        if selector_of(budget).matches(metadata.get("labels")):
            yield Request(metadata["namespace"], budget["metadata"]["name"])


def _budgets_of_namespace(manifest: Manifest, caches: Caches) -> Iterable[Request]:
    namespace = manifest["metadata"]["namespace"]
    return [
        Request(namespace, budget["metadata"]["name"])
        for budget in caches[_BUDGETS].list(namespace)
    ]


def _is_rescaled(before: Manifest | None, after: Manifest | None) -> bool:
    if before is None or after is None:
        return True
    return bool(before["spec"].get("replicas") != after["spec"].get("replicas"))


DISRUPTION_BUDGETS = ControllerSpec(
    "disruption-controller",
    (
        Watched(_BUDGETS),
        Watched(_PODS, requests=_budgets_of_pod),
        *(
            Watched(kind, requests=_budgets_of_namespace, predicate=_is_rescaled)
            for kind in _SCALED.values()
        ),
    ),
    lambda context: lambda request: _reconcile(context, request),
    component="controllermanager",
)
