"""DaemonSets: one pod on each node that wants it, and a roll-out node by node.

A reconcile compares, node by node, what should run with what does: it creates and deletes, and
then replaces pods of an old template, as many at a time as maxUnavailable or maxSurge allow.

Source: k8s.io/kubernetes, pkg/controller/daemon (daemon_controller.go, update.go).
Failed pods are replaced after a back-off of 1 second that doubles up to 15 minutes; a restart of
the controller forgets it, as in the real one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    selector_of,
)
from gitops_sim.cluster.workloads.daemonset_pods import (
    Eligibility,
    daemon_pod,
    eligibility,
    node_of,
    old_and_new,
    oldest_first,
)
from gitops_sim.cluster.workloads.fenceposts import resolve
from gitops_sim.cluster.workloads.pods import (
    create_pod,
    delete_pod,
    is_ready,
    phase_of,
    seconds_until_available,
)
from gitops_sim.cluster.workloads.revisions import (
    REVISION_LABEL,
    REVISIONS,
    History,
    hash_of,
    revisions_of,
    truncate,
)
from gitops_sim.errors import ApiError, NotFoundError
from gitops_sim.runtime import (
    Backoff,
    Caches,
    ReconcileFunction,
    Request,
    Watched,
)
from gitops_sim.types import Manifest, Result

__all__ = ["DAEMONSETS"]

_SETS, _PODS, _NODES = "apps/v1/DaemonSet", "v1/Pod", "v1/Node"
_FAILED_PODS = Backoff(1.0, 900.0)


class _Failures:
    """How often pods of a set failed on a node, and when the next may be deleted."""

    def __init__(self, context: Context) -> None:
        self._clock = context.clock
        self._known: dict[tuple[str, int, str], tuple[int, float]] = {}

    def wait(self, daemonset: Manifest, node_name: str) -> float:
        """Return the seconds for which a failed pod stays; 0 counts one more failure."""
        metadata = daemonset["metadata"]
        key = (metadata["uid"], metadata["generation"], node_name)
        count, until = self._known.get(key, (0, 0.0))
        left = until - self._clock.now()
        if left > 0:
            return left
        self._known[key] = (count + 1, self._clock.now() + _FAILED_PODS.delay(count))
        return 0.0


def _make_reconcile(context: Context) -> ReconcileFunction:
    index_orphans(context.caches[_PODS])
    index_orphans(context.caches[REVISIONS])
    failures = _Failures(context)
    return lambda request: _reconcile(context, failures, request)


def _reconcile(context: Context, failures: _Failures, request: Request) -> Reconciling:
    daemonset = context.caches[_SETS].get(request.name, request.namespace)
    if daemonset is None or is_being_deleted(daemonset):
        return None
    if selector_of(daemonset).empty:
        message = "This daemon set is selecting all pods. A non-empty selector is required."
        context.events.event(daemonset, "Warning", "SelectingAll", message)
        return None
    pods = yield from claim(context, daemonset, _PODS)
    history = yield from revisions_of(context, daemonset, REVISION_LABEL)
    rollout = _Rollout(context, daemonset, pods, history)
    failure: ApiError | None = None
    try:
        placed = yield from rollout.place(failures)
        if not placed:
            yield from rollout.roll()
    except ApiError as error:  # the status still tells what is there
        failure = error
    yield from rollout.write_status()
    if failure is not None:
        raise failure
    used = {hash_of(pod, REVISION_LABEL) for pod in pods}
    names = [r["metadata"]["name"] for r in history.revisions if hash_of(r, REVISION_LABEL) in used]
    yield from truncate(context, daemonset, history, names)
    return rollout.next_look()


class _Rollout:
    """One reconcile of a DaemonSet."""

    def __init__(
        self, context: Context, daemonset: Manifest, pods: Sequence[Manifest], history: History
    ) -> None:
        self._context = context
        self._set = daemonset
        self._history = history
        self._hash = hash_of(history.update, REVISION_LABEL)
        self._min_ready = daemonset["spec"].get("minReadySeconds", 0)
        self._wanted: dict[str, Eligibility] = {
            node["metadata"]["name"]: eligibility(daemonset, node)
            for node in context.caches[_NODES].list()
        }
        self._on: dict[str, list[Manifest]] = {}
        for pod in oldest_first(pods):
            self._on.setdefault(node_of(pod), []).append(pod)
        self._again: list[float] = []
        strategy = daemonset["spec"].get("updateStrategy") or {}
        self._rolls = strategy.get("type") == "RollingUpdate"
        rolling = strategy.get("rollingUpdate") or {}
        desired = sum(wanted.runs for wanted in self._wanted.values())
        self._surge = resolve(rolling.get("maxSurge"), desired, round_up=True)
        self._unavailable = resolve(rolling.get("maxUnavailable"), desired, round_up=True)
        if not self._surge and not self._unavailable:
            self._unavailable = 1

    def place(self, failures: _Failures) -> Any:
        """Create pods where they lack, delete them where they should not be.

        Returns:
            Whether anything was to do.
        """
        lacking: list[str] = []
        excess: list[Manifest] = []
        for name, wanted in self._wanted.items():
            pods = self._on.get(name, [])
            if wanted.runs and not pods:
                lacking.append(name)
            elif wanted.keeps:
                excess += self._excess(name, pods, failures)
            else:
                excess += [pod for pod in pods if not is_being_deleted(pod)]
        for name, pods in self._on.items():  # made for a node that is not there any more
            if name not in self._wanted:
                excess += [p for p in pods if not p["spec"].get("nodeName")]
        yield from self._sync(excess, lacking)
        return bool(excess or lacking)

    def roll(self) -> Steps:
        """Replace pods of an old template."""
        if not self._rolls:
            return
        if self._surge:
            yield from self._roll_with_surge()
        else:
            yield from self._roll_by_deleting()

    def write_status(self) -> Steps:
        """Write the counts, when they changed."""
        status = self._status()
        if status == self._set.get("status"):
            return
        yield step("update status of", self._set)
        try:
            self._context.client.update(self._set | {"status": status}, subresource="status")
        except NotFoundError:
            return

    def next_look(self) -> Result | None:
        """Come back when a pod becomes available, or a failed one may be replaced."""
        waits = list(self._again)
        for pods in self._on.values():
            waits += [wait for pod in pods if (wait := self._seconds_until_available(pod))]
        return Result(min(waits)) if waits else None

    def _excess(
        self, node_name: str, pods: Sequence[Manifest], failures: _Failures
    ) -> list[Manifest]:
        """Return the pods of a node to delete: ended ones, and more than one of a sort."""
        ended, running = [], []
        for pod in pods:
            if is_being_deleted(pod):
                continue
            phase = phase_of(pod)
            if phase not in ("Failed", "Succeeded"):
                running.append(pod)
                continue
            if phase == "Failed":
                wait = failures.wait(self._set, node_name)
                if wait:
                    self._again.append(wait)
                    continue
            self._tell_ended(pod, node_name)
            ended.append(pod)
        if not self._surge:
            return ended + running[1:]
        new = [p for p in running if hash_of(p, REVISION_LABEL) == self._hash]
        old = [p for p in running if p not in new]
        excess = ended + new[1:] + old[1:]
        if new and old and (not is_ready(old[0]) or self._is_available(new[0])):
            excess.append(old[0])
        return excess

    def _tell_ended(self, pod: Manifest, node_name: str) -> None:
        metadata, failed = pod["metadata"], phase_of(pod) == "Failed"
        word, act = ("failed", "kill") if failed else ("succeeded", "delete")
        message = (
            f"Found {word} daemon pod {metadata['namespace']}/{metadata['name']} "
            f"on node {node_name}, will try to {act} it"
        )
        type_ = "Warning" if failed else "Normal"
        reason = f"{word.capitalize()}DaemonPod"
        self._context.events.event(self._set, type_, reason, message)

    def _roll_by_deleting(self) -> Steps:
        """Delete old pods: all that are not available anyway, others up to maxUnavailable."""
        unavailable, broken, candidates = 0, [], []
        for name, wanted in self._wanted.items():
            if name not in self._on and not wanted.runs:
                continue
            pair = old_and_new(self._on.get(name, ()), self._hash)
            if pair is None or (pair.old is None) == (pair.new is None):
                unavailable += 1
            elif pair.new is not None:
                unavailable += not self._is_available(pair.new)
            elif pair.old is not None and not self._is_available(pair.old):
                broken.append(pair.old)
                unavailable += 1
            elif pair.old is not None:
                candidates.append(pair.old)
        spare = max(0, self._unavailable - unavailable)
        yield from self._sync([*broken, *candidates[:spare]], ())

    def _roll_with_surge(self) -> Steps:
        """Create new pods beside old ones, and delete the old when the new are available."""
        surging, finished, first, candidates = 0, [], [], []
        for name, pods in self._on.items():
            if name not in self._wanted:
                continue
            pair = old_and_new(pods, self._hash)
            if pair is None:
                surging += 1
            elif pair.old is None:
                continue
            elif pair.new is not None:
                if self._is_available(pair.new):
                    finished.append(pair.old)
                else:
                    surging += 1
            elif self._is_available(pair.old):
                candidates.append(name)
            else:
                first.append(name)
        spare = max(0, self._surge - surging)
        yield from self._sync(finished, [*first, *candidates[:spare]])

    def _sync(self, excess: Iterable[Manifest], lacking: Iterable[str]) -> Steps:
        for name in lacking:
            pod = daemon_pod(self._set, name, self._hash)
            yield from create_pod(self._context, self._set, pod)
        for pod in excess:
            yield from delete_pod(self._context, self._set, pod)

    def _seconds_until_available(self, pod: Manifest) -> float | None:
        return seconds_until_available(pod, self._min_ready, self._context.clock)

    def _is_available(self, pod: Manifest) -> bool:
        return self._seconds_until_available(pod) == 0.0

    def _status(self) -> Manifest:
        desired = current = misplaced = ready = available = updated = 0
        for name, wanted in self._wanted.items():
            pods = self._on.get(name, ())
            if not wanted.runs:
                misplaced += bool(pods)
                continue
            desired += 1
            if pods:
                pod = pods[0]
                current += 1
                ready += is_ready(pod)
                available += is_ready(pod) and self._is_available(pod)
                updated += hash_of(pod, REVISION_LABEL) == self._hash
        status: Manifest = {
            "currentNumberScheduled": current,
            "numberMisscheduled": misplaced,
            "desiredNumberScheduled": desired,
            "numberReady": ready,
            "observedGeneration": self._set["metadata"]["generation"],
        }
        counts = {
            "updatedNumberScheduled": updated,
            "numberAvailable": available,
            "numberUnavailable": desired - available,
            "collisionCount": self._history.collision_count,
        }
        return status | {name: count for name, count in counts.items() if count}


def _all_sets(manifest: Manifest, caches: Caches) -> Iterable[Request]:
    """A node that comes, goes or changes concerns every DaemonSet."""
    return [
        Request(daemonset["metadata"]["namespace"], daemonset["metadata"]["name"])
        for daemonset in caches[_SETS].list()
    ]


def _changes_fit(before: Manifest | None, after: Manifest | None) -> bool:
    """Heartbeats and status of a node are nothing to a DaemonSet."""
    if before is None or after is None:
        return True
    old, new = before["spec"], after["spec"]
    return bool(
        old.get("taints") != new.get("taints")
        or old.get("unschedulable") != new.get("unschedulable")
        or before["metadata"].get("labels") != after["metadata"].get("labels")
    )


DAEMONSETS = ControllerSpec(
    "daemonset-controller",
    (
        Watched(_SETS),
        Watched(_PODS, requests=child_requests(_SETS)),
        Watched(REVISIONS, requests=child_requests(_SETS)),
        Watched(_NODES, requests=_all_sets, predicate=_changes_fit),
    ),
    _make_reconcile,
)
