"""StatefulSets: pods with an ordinal each, brought up, updated and taken down one after another.

A reconcile walks up the ordinals and stops at the first that is not there, not ready or going
(unless podManagementPolicy is Parallel); then it takes away from the top what is too much, and
then, again from the top, it deletes a pod of an old revision, which comes back with the new one.

Source: k8s.io/kubernetes, pkg/controller/statefulset (stateful_set.go, stateful_set_control.go).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gitops_sim.cluster.controlling import (
    Context,
    ControllerSpec,
    Reconciling,
    Steps,
    step,
)
from gitops_sim.cluster.ownership import (
    child_requests,
    claim,
    index_orphans,
    is_being_deleted,
)
from gitops_sim.cluster.workloads.fenceposts import resolve
from gitops_sim.cluster.workloads.pods import is_finished, phase_of, seconds_until_available
from gitops_sim.cluster.workloads.revisions import (
    REVISIONS,
    History,
    revisions_of,
    template_of,
    truncate,
)
from gitops_sim.cluster.workloads.statefulset_pods import (
    bring_claims,
    create_stateful_pod,
    delete_stateful_pod,
    fix_identity,
    is_healthy,
    is_running_and_ready,
    ordinal_of,
    own_claims,
    revision_name_of,
    stateful_pod,
)
from gitops_sim.errors import ApiError, NotFoundError
from gitops_sim.runtime import Caches, ReconcileFunction, Request, Watched
from gitops_sim.types import Manifest, Result

__all__ = ["STATEFULSETS"]

_SETS, _PODS, _CLAIMS = "apps/v1/StatefulSet", "v1/Pod", "v1/PersistentVolumeClaim"
_HASH_LABEL = "controller.kubernetes.io/hash"


def _make_reconcile(context: Context) -> ReconcileFunction:
    index_orphans(context.caches[_PODS])
    index_orphans(context.caches[REVISIONS])
    return lambda request: _reconcile(context, request)


def _reconcile(context: Context, request: Request) -> Reconciling:
    statefulset = context.caches[_SETS].get(request.name, request.namespace)
    if statefulset is None:
        return None
    pods = yield from claim(
        context, statefulset, _PODS, adopts=lambda p: ordinal_of(statefulset, p) is not None
    )
    history = yield from revisions_of(context, statefulset, _HASH_LABEL)
    update = _Update(context, statefulset, pods, history)
    failure: ApiError | None = None
    if not is_being_deleted(statefulset):
        try:
            yield from update.advance()
        except ApiError as error:  # the status still tells what is there
            failure = error
    yield from update.write_status()
    if failure is not None:
        raise failure
    used = [revision_name_of(pod) for pod in pods]
    used.append((statefulset.get("status") or {}).get("currentRevision", ""))
    yield from truncate(context, statefulset, history, used)
    return update.next_look()


class _Update:
    """One reconcile of a StatefulSet."""

    def __init__(
        self, context: Context, statefulset: Manifest, pods: Sequence[Manifest], history: History
    ) -> None:
        spec, status = statefulset["spec"], statefulset.get("status") or {}
        self._context = context
        self._set = statefulset
        self._history = history
        self._current = history.named(status.get("currentRevision", ""))
        self._update = history.update
        self._start: int = (spec.get("ordinals") or {}).get("start", 0)
        self._monotonic = spec.get("podManagementPolicy") != "Parallel"
        self._min_ready = spec.get("minReadySeconds", 0)
        self._pods: dict[int, Manifest] = {}
        for pod in pods:
            ordinal = ordinal_of(statefulset, pod)
            if ordinal is not None:
                self._pods[ordinal] = pod
        self._deleted_old = 0

    @property
    def _ordinals(self) -> range:
        replicas: int = self._set["spec"]["replicas"]
        return range(self._start, self._start + replicas)

    @property
    def _condemned(self) -> list[int]:
        """Ordinals that are too much, the highest first."""
        return sorted((o for o in self._pods if o not in self._ordinals), reverse=True)

    def advance(self) -> Steps:
        """Take as many steps as the order of the set allows."""
        yield from self._own_claims()
        for ordinal in self._ordinals:
            waits = yield from self._bring_up(ordinal)
            if waits:
                return
        first_unhealthy = self._first_unhealthy()
        for ordinal in self._condemned:
            waits = yield from self._take_down(ordinal, first_unhealthy)
            if waits:
                return
        if self._strategy.get("type") != "OnDelete":
            yield from self._roll()

    def write_status(self) -> Steps:
        """Write the counts and revisions, when they changed."""
        status = self._status()
        if status == self._set.get("status"):
            return
        yield step("update status of", self._set)
        try:
            self._context.client.update(self._set | {"status": status}, subresource="status")
        except NotFoundError:
            return

    def next_look(self) -> Result | None:
        """Come back when the next ready pod has been ready for minReadySeconds."""
        waits = (self._seconds_until_available(pod) for pod in self._pods.values())
        soonest = min((wait for wait in waits if wait), default=None)
        return Result(soonest) if soonest else None

    @property
    def _strategy(self) -> Manifest:
        strategy: Manifest = self._set["spec"].get("updateStrategy") or {}
        return strategy

    @property
    def _rolling(self) -> Manifest | None:
        rolling: Manifest | None = self._strategy.get("rollingUpdate")
        return rolling

    def _own_claims(self) -> Steps:
        """Let claims go with the set, or with the pods that are too much, as the policy says."""
        policy = self._set["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
        with_set = self._set if policy.get("whenDeleted") == "Delete" else None
        for ordinal, pod in sorted(self._pods.items()):
            owner = with_set
            if ordinal not in self._ordinals and policy.get("whenScaled") == "Delete":
                owner = pod
            yield from own_claims(self._context, self._set, pod, owner)

    def _bring_up(self, ordinal: int) -> Any:
        """See to one replica; return whether those above it have to wait."""
        pod = self._pods.get(ordinal)
        if pod is None:
            yield from create_stateful_pod(self._context, self._set, self._new_pod(ordinal))
            return self._monotonic
        if is_finished(pod):
            if not is_being_deleted(pod):
                self._tell_recreation(pod)
                yield from delete_stateful_pod(self._context, self._set, pod)
            return True
        if phase_of(pod) == "Pending":
            yield from bring_claims(self._context, self._set, pod)
        if self._monotonic and not (is_healthy(pod) and self._is_available(pod)):
            return True
        yield from fix_identity(self._context, pod, ordinal)
        return False

    def _new_pod(self, ordinal: int) -> Manifest:
        """Return a pod of the current revision below the partition, else of the update's."""
        rolling = self._rolling
        below = self._start + (self._set.get("status") or {}).get("currentReplicas", 0)
        if rolling is not None:
            below = self._start + rolling.get("partition", 0)
        is_old = self._strategy.get("type") == "RollingUpdate" and ordinal < below
        revision = self._current if is_old else self._update
        name = revision["metadata"]["name"]
        return stateful_pod(self._set, template_of(revision), ordinal, name)

    def _tell_recreation(self, pod: Manifest) -> None:
        metadata, failed = self._set["metadata"], phase_of(pod) == "Failed"
        word, type_ = ("failed", "Warning") if failed else ("terminated", "Normal")
        message = (
            f"StatefulSet {metadata['namespace']}/{metadata['name']} is recreating {word} "
            f"Pod {pod['metadata']['name']}"
        )
        reason = f"Recreating{word.capitalize()}Pod"
        self._context.events.event(self._set, type_, reason, message)

    def _first_unhealthy(self) -> int | None:
        ordinals: list[int] = [*self._ordinals, *reversed(self._condemned)]
        for ordinal in ordinals:
            pod = self._pods.get(ordinal)
            if pod is None or not is_healthy(pod):
                return ordinal
        return None

    def _take_down(self, ordinal: int, first_unhealthy: int | None) -> Any:
        """Delete a replica that is too much; return whether those below it have to wait."""
        pod = self._pods[ordinal]
        if is_being_deleted(pod):
            return self._monotonic
        settled = is_running_and_ready(pod) and self._is_available(pod)
        if self._monotonic and ordinal != first_unhealthy and not settled:
            return True
        yield from delete_stateful_pod(self._context, self._set, pod)
        return self._monotonic

    def _roll(self) -> Steps:
        """From the top: delete pods of another revision than the present one."""
        rolling = self._rolling or {}
        lowest = self._start + rolling.get("partition", 0)
        targets = [ordinal for ordinal in reversed(self._ordinals) if ordinal >= lowest]
        if "maxUnavailable" in rolling:
            yield from self._roll_several(targets, rolling["maxUnavailable"])
            return
        for ordinal in targets:
            pod = self._pods.get(ordinal)
            if pod is None:
                return
            if self._is_old(pod):
                yield from self._delete_old(pod)
                return
            if not (is_healthy(pod) and self._is_available(pod)):
                return

    def _roll_several(self, targets: Sequence[int], allowed: int | str) -> Steps:
        replicas = self._set["spec"]["replicas"]
        most = max(1, resolve(allowed, replicas, round_up=False))
        present = [self._pods.get(ordinal) for ordinal in self._ordinals]
        available = sum(
            pod is not None and is_healthy(pod) and self._is_available(pod) for pod in present
        )
        spare = most - (replicas - available)
        for ordinal in targets:
            pod = self._pods.get(ordinal)
            if spare > 0 and pod is not None and self._is_old(pod):
                yield from self._delete_old(pod)
                spare -= 1

    def _is_old(self, pod: Manifest) -> bool:
        name = self._update["metadata"]["name"]
        return revision_name_of(pod) != name and not is_being_deleted(pod)

    def _delete_old(self, pod: Manifest) -> Steps:
        yield from delete_stateful_pod(self._context, self._set, pod)
        self._deleted_old += 1

    def _seconds_until_available(self, pod: Manifest) -> float | None:
        return seconds_until_available(pod, self._min_ready, self._context.clock)

    def _is_available(self, pod: Manifest) -> bool:
        return self._seconds_until_available(pod) == 0.0

    def _status(self) -> Manifest:
        pods = list(self._pods.values())
        staying = [revision_name_of(pod) for pod in pods if not is_being_deleted(pod)]
        current, update = self._current["metadata"]["name"], self._update["metadata"]["name"]
        ready = [pod for pod in pods if is_running_and_ready(pod)]
        counts = {
            "readyReplicas": len(ready),
            "currentReplicas": staying.count(current) - self._deleted_old,
            "updatedReplicas": staying.count(update),
        }
        is_rolling = self._strategy.get("type") == "RollingUpdate"
        if is_rolling and len(pods) == counts["updatedReplicas"] == counts["readyReplicas"]:
            counts["currentReplicas"], current = counts["updatedReplicas"], update
        status: Manifest = {
            "observedGeneration": self._set["metadata"]["generation"],
            "replicas": len(pods),
        }
        status |= {name: count for name, count in counts.items() if count}
        status |= {
            "currentRevision": current,
            "updateRevision": update,
            "collisionCount": self._history.collision_count,
            "availableReplicas": sum(self._is_available(pod) for pod in ready),
        }
        return status


def _claim_requests(manifest: Manifest, caches: Caches) -> tuple[Request, ...]:
    """Claims are only looked up: a pod that lacks one is Pending, and its changes come anyway."""
    return ()


STATEFULSETS = ControllerSpec(
    "statefulset-controller",
    (
        Watched(_SETS),
        Watched(_PODS, requests=child_requests(_SETS)),
        Watched(REVISIONS, requests=child_requests(_SETS)),
        Watched(_CLAIMS, requests=_claim_requests),
    ),
    _make_reconcile,
)
