"""One reconcile of a Deployment: its ReplicaSets as they are now, and the steps it can take.

Source: k8s.io/kubernetes, pkg/controller/deployment (sync.go, rolling.go, recreate.go).
Differs: available pods beyond what a ReplicaSet still wants do not count when old ones are scaled
down; the real controller counts them until the next status, and may then take down too many.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gitops_sim.cluster.controlling import Context, Reconciling, step
from gitops_sim.cluster.ownership import is_being_deleted
from gitops_sim.cluster.workloads.deployment_sets import (
    REVISION,
    active_sets,
    available_replicas,
    by_creation,
    desired_replicas,
    find_new_set,
    max_revision,
    new_set,
    new_set_size,
    revision_of,
    same_template,
    share_of_scaling,
    wanted_replicas,
    with_new_revision,
    with_size,
)
from gitops_sim.cluster.workloads.deployment_status import (
    PAUSED,
    TIMED_OUT,
    calculated_status,
    condition,
    deadline_of,
    new_condition,
    rollout_status,
    seconds_until_stuck,
    with_condition,
)
from gitops_sim.cluster.workloads.fenceposts import fenceposts
from gitops_sim.cluster.workloads.pods import is_namespace_terminating
from gitops_sim.errors import AlreadyExistsError, ApiError, NotFoundError
from gitops_sim.runtime import controller_of
from gitops_sim.types import Manifest, Result

__all__ = ["Rollout"]

_NO_LIMIT = 2**31 - 1


class Rollout:
    """A Deployment and its ReplicaSets in one reconcile; every write replaces what it wrote.

    Args:
        context: Of the reconcile.
        deployment: As cached.
        sets: The ReplicaSets that it controls.
    """

    def __init__(self, context: Context, deployment: Manifest, sets: Sequence[Manifest]) -> None:
        self.deployment = deployment
        self.new: Manifest | None = find_new_set(deployment, sets)
        self._context = context
        self._sets = {replica_set["metadata"]["name"]: replica_set for replica_set in sets}
        self._shown = dict(self._sets)  # what the status tells: before this reconcile's scaling

    @property
    def sets(self) -> list[Manifest]:
        """All ReplicaSets, as last written."""
        return list(self._sets.values())

    @property
    def old(self) -> list[Manifest]:
        """All but the one with the Deployment's template."""
        name = self.new["metadata"]["name"] if self.new else None
        return [s for s in self._sets.values() if s["metadata"]["name"] != name]

    def find_sets(self, *, create: bool) -> Any:
        """Bring the new ReplicaSet's revision up to date; make it, if asked to and it lacks."""
        revision = max_revision(self.old) + 1
        if self.new is not None:
            yield from self._update_new(self.new, revision)
        elif create:
            yield from self._create_new(revision)

    def tell_pause(self) -> Any:
        """Let the condition Progressing say that the roll-out is paused or resumed."""
        current = condition(self._status, "Progressing")
        if deadline_of(self.deployment) is None:
            return
        if current is not None and current["reason"] == TIMED_OUT:
            return
        was_paused = current is not None and current["reason"] == PAUSED
        paused = bool(self.deployment["spec"].get("paused"))
        if paused == was_paused:
            return
        reason, word = (PAUSED, "paused") if paused else ("DeploymentResumed", "resumed")
        yield from self._tell_progress("Unknown", reason, f"Deployment is {word}")

    def scale(self) -> Reconciling:
        """Bring the ReplicaSets to a new number of replicas, in proportion during a roll-out."""
        yield from self.find_sets(create=False)
        only = self._active_or_latest()
        wanted = self.deployment["spec"]["replicas"]
        if only is not None:
            if only["spec"]["replicas"] != wanted:
                yield from self._resize(only, wanted)
        elif self._is_saturated():
            for replica_set in active_sets(by_creation(self.old)):
                yield from self._resize(replica_set, 0)
        elif self.deployment["spec"]["strategy"]["type"] == "RollingUpdate":
            yield from self._scale_in_proportion()
        if self.deployment["spec"].get("paused"):
            yield from self.clean_up()
        return (yield from self.write_status())

    def grow_new(self) -> Any:
        """Scale the new ReplicaSet towards the wanted replicas; return whether it changed."""
        if self.new is None:
            return False
        wanted, has = self.deployment["spec"]["replicas"], self.new["spec"]["replicas"]
        size = wanted if has > wanted else new_set_size(self.deployment, self.sets, self.new)
        if size == has:
            return False
        yield from self._resize(self.new, size)
        return True

    def shrink_old(self) -> Any:
        """Scale old ReplicaSets down as far as availability allows; return whether any changed."""
        old = by_creation(active_sets(self.old))
        if not old or self.new is None:
            return False
        minimum = self.deployment["spec"]["replicas"] - fenceposts(self.deployment).unavailable
        new_unavailable = self.new["spec"]["replicas"] - available_replicas([self.new])
        spare = wanted_replicas(self.sets) - minimum - new_unavailable
        if spare <= 0:
            return False
        removed = 0
        for replica_set in old:  # first those pods that nobody misses
            unhealthy = replica_set["spec"]["replicas"] - available_replicas([replica_set])
            count = min(spare - removed, unhealthy)
            if count > 0:
                size = replica_set["spec"]["replicas"] - count
                yield from self._resize(replica_set, size, shown=True)
                removed += count
        spare = sum(self._staying(replica_set) for replica_set in self.sets) - minimum
        for replica_set in by_creation(active_sets(self.old)):
            count = min(spare, replica_set["spec"]["replicas"])
            if count > 0:
                yield from self._resize(replica_set, replica_set["spec"]["replicas"] - count)
                spare -= count
                removed += count
        return removed > 0

    @staticmethod
    def _staying(replica_set: Manifest) -> int:
        """Return how many available pods a set keeps: its status may count some that have to go."""
        return min(available_replicas([replica_set]), int(replica_set["spec"]["replicas"]))

    def stop_old(self) -> Any:
        """Scale all old ReplicaSets to nothing; return whether any was not."""
        active = active_sets(by_creation(self.old))
        for replica_set in active:
            yield from self._resize(replica_set, 0)
        return bool(active)

    def clean_up(self) -> Any:
        """Delete the oldest revisions beyond revisionHistoryLimit that are scaled to nothing."""
        limit = self.deployment["spec"].get("revisionHistoryLimit", _NO_LIMIT)
        old = [replica_set for replica_set in self.old if not is_being_deleted(replica_set)]
        old.sort(key=lambda s: (revision_of(s), s["metadata"]["creationTimestamp"]))
        for replica_set in old[: max(0, len(old) - limit)]:
            metadata, status = replica_set["metadata"], replica_set.get("status") or {}
            if replica_set["spec"]["replicas"] or status.get("replicas", 0):
                continue
            if metadata["generation"] > status.get("observedGeneration", 0):
                continue
            yield step("delete", replica_set)
            try:
                self._context.client.delete(
                    "apps/v1/ReplicaSet", metadata["name"], metadata["namespace"]
                )
            except NotFoundError:
                continue
            del self._sets[metadata["name"]], self._shown[metadata["name"]]

    def write_status(self) -> Reconciling:
        """Write the counts, when they changed."""
        time = self._context.clock.timestamp()
        shown = list(self._shown.values())
        yield from self._write(calculated_status(self.deployment, shown, self._shown_new, time))
        return None

    def write_rollout_status(self) -> Reconciling:
        """Write the counts and how the roll-out goes; come back when it may have got stuck."""
        clock = self._context.clock
        shown = list(self._shown.values())
        status = rollout_status(self.deployment, shown, self._shown_new, clock)
        yield from self._write(status)
        return Result(seconds_until_stuck(self.deployment, status, clock))

    @property
    def _shown_new(self) -> Manifest | None:
        return self._shown[self.new["metadata"]["name"]] if self.new else None

    @property
    def _status(self) -> Manifest:
        status: Manifest = self.deployment.get("status") or {}
        return status

    def _update_new(self, new: Manifest, revision: int) -> Any:
        updated = with_new_revision(new, self.deployment, revision)
        min_ready = self.deployment["spec"].get("minReadySeconds", 0)
        if updated["spec"].get("minReadySeconds", 0) != min_ready:
            updated = updated | {"spec": updated["spec"] | {"minReadySeconds": min_ready}}
        if updated is not new:
            yield step("update", updated)
            self.new = self._keep(self._context.client.update(updated))
            return
        manifest = self._with_revision(revision_of(new))
        status = self._status
        if deadline_of(self.deployment) is not None and condition(status, "Progressing") is None:
            message = f'Found new replica set "{new["metadata"]["name"]}"'
            time = self._context.clock.timestamp()
            found = new_condition("Progressing", "True", "FoundNewReplicaSet", message, time)
            status = with_condition(status, found)
        yield from self._write(status, manifest=manifest)

    def _create_new(self, revision: int) -> Any:
        made = new_set(self.deployment, self.sets, revision)
        name = made["metadata"]["name"]
        yield step("create", made)
        try:
            stored = self._context.client.create(made)
        except AlreadyExistsError:
            yield from self._take_existing(made)
            return
        except ApiError as error:
            yield from self._tell_create_failure(name, error)
            raise
        self.new = self._keep(stored)
        size = made["spec"]["replicas"]
        if size:
            self._tell(f"Scaled up replica set {name} from 0 to {size}")
        status = self._status
        if deadline_of(self.deployment) is not None:
            message, time = f'Created new replica set "{name}"', self._context.clock.timestamp()
            created = new_condition("Progressing", "True", "NewReplicaSetCreated", message, time)
            status = with_condition(status, created)
        yield from self._write(status, manifest=self._with_revision(revision))

    def _take_existing(self, made: Manifest) -> Any:
        """The name is taken: by our own set, of which the cache does not know, or by a collision.

        A collision raises `status.collisionCount`, which makes another hash the next time.
        """
        metadata = made["metadata"]
        stored = self._context.client.get(
            "apps/v1/ReplicaSet", metadata["name"], metadata["namespace"]
        )
        owner = controller_of(stored)
        uid = self.deployment["metadata"]["uid"]
        template = self.deployment["spec"]["template"]
        if (
            owner is None
            or owner["uid"] != uid
            or not same_template(stored["spec"]["template"], template)
        ):
            count = self._status.get("collisionCount", 0) + 1
            yield from self._write(self._status | {"collisionCount": count})
            raise AlreadyExistsError(f'replicasets.apps "{metadata["name"]}" already exists')
        self.new = self._keep(stored)
        yield from self._write(self._status, manifest=self._with_revision(revision_of(stored)))

    def _tell_create_failure(self, name: str, error: ApiError) -> Any:
        if is_namespace_terminating(error):
            return
        message = f'Failed to create new replica set "{name}": {error}'
        yield from self._tell_progress("False", "ReplicaSetCreateError", message)
        self._context.events.event(self.deployment, "Warning", "ReplicaSetCreateError", message)

    def _tell_progress(self, status: str, reason: str, message: str) -> Any:
        if deadline_of(self.deployment) is None:
            return
        time = self._context.clock.timestamp()
        fresh = new_condition("Progressing", status, reason, message, time)
        yield from self._write(with_condition(self._status, fresh))

    def _with_revision(self, revision: int) -> Manifest:
        metadata = self.deployment["metadata"]
        annotations = {**(metadata.get("annotations") or {}), REVISION: str(revision)}
        if annotations == metadata.get("annotations"):
            return self.deployment
        return self.deployment | {"metadata": metadata | {"annotations": annotations}}

    def _active_or_latest(self) -> Manifest | None:
        """Return the set to scale when only one has pods, or none has: then the newest."""
        active = active_sets(self.sets)
        if len(active) > 1 or not self._sets:
            return None
        if active:
            return active[0]
        return self.new or by_creation(self.sets)[-1]

    def _is_saturated(self) -> bool:
        """True when the new set has all wanted replicas, and they are available."""
        wanted = self.deployment["spec"]["replicas"]
        return (
            self.new is not None
            and self.new["spec"]["replicas"] == wanted
            and desired_replicas(self.new) == wanted
            and available_replicas([self.new]) == wanted
        )

    def _scale_in_proportion(self) -> Any:
        """Spread what is to be added or removed over all sets by their size."""
        wanted = self.deployment["spec"]["replicas"]
        allowed = wanted + fenceposts(self.deployment).surge if wanted else 0
        sets = by_creation(active_sets(self.sets))
        to_add = allowed - wanted_replicas(sets)
        if to_add > 0:  # ties: the newer first; scaling down, the older first
            sets.reverse()
        sets.sort(key=lambda s: -s["spec"]["replicas"])
        sizes, added = [], 0
        for replica_set in sets:
            share = share_of_scaling(replica_set, self.deployment, to_add, added)
            sizes.append(replica_set["spec"]["replicas"] + share)
            added += share
        if sizes:
            sizes[0] = max(0, sizes[0] + to_add - added)
        for replica_set, size in zip(sets, sizes, strict=True):
            yield from self._resize(replica_set, size)

    def _resize(self, replica_set: Manifest, size: int, *, shown: bool = False) -> Any:
        updated = with_size(replica_set, self.deployment, size)
        if updated is replica_set:
            return
        yield step("scale", updated)
        self._keep(self._context.client.update(updated), shown=shown)
        before = replica_set["spec"]["replicas"]
        if before != size:
            word, name = "up" if size > before else "down", replica_set["metadata"]["name"]
            self._tell(f"Scaled {word} replica set {name} from {before} to {size}")

    def _tell(self, message: str) -> None:
        self._context.events.event(self.deployment, "Normal", "ScalingReplicaSet", message)

    def _keep(self, replica_set: Manifest, *, shown: bool = True) -> Manifest:
        name = replica_set["metadata"]["name"]
        self._sets[name] = replica_set
        if shown:
            self._shown[name] = replica_set
        if self.new is not None and self.new["metadata"]["name"] == name:
            self.new = replica_set
        return replica_set

    def _write(self, status: Manifest, *, manifest: Manifest | None = None) -> Any:
        """Write the status, and annotations with it, when anything differs."""
        changed = manifest or self.deployment
        if changed is self.deployment and status == self._status:
            return
        yield step("update status of", changed)
        self.deployment = self._context.client.update(
            changed | {"status": status}, subresource="status"
        )
