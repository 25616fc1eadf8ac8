"""ControllerRevisions: the templates that a StatefulSet or DaemonSet had, to roll out and back.

The data of a revision is a patch that puts its pod template in place of the present one. A
template that was there before gets its old revision back, under a new number.

Source: k8s.io/kubernetes, pkg/controller/history/controller_history.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_sim.cluster.controlling import Context, Steps, step
from gitops_sim.cluster.ownership import claim, owner_reference
from gitops_sim.cluster.workloads.template_hash import revision_hash, template_hash
from gitops_sim.errors import AlreadyExistsError, NotFoundError
from gitops_sim.types import Manifest

__all__ = [
    "REVISIONS",
    "REVISION_LABEL",
    "History",
    "hash_of",
    "revisions_of",
    "template_of",
    "truncate",
]

REVISIONS = "apps/v1/ControllerRevision"
REVISION_LABEL = "controller-revision-hash"
"""On pods: their revision. DaemonSets label their revisions with it too."""

_DEFAULT_LIMIT = 10


@dataclass(frozen=True, slots=True)
class History:
    """The revisions of a workload, oldest first; the last has the present template.

    `collision_count` is for the workload's status: how often a name was taken by another template.
    """

    revisions: Sequence[Manifest]
    collision_count: int

    @property
    def update(self) -> Manifest:
        """Return the revision with the present template."""
        return self.revisions[-1]

    def named(self, name: str) -> Manifest:
        """Return the revision of that name; the present one when it is not there any more."""
        found = (r for r in self.revisions if r["metadata"]["name"] == name)
        return next(found, self.update)


def template_of(revision: Manifest) -> Manifest:
    """Return the pod template that a revision holds."""
    template: Manifest = revision["data"]["spec"]["template"]
    return {name: value for name, value in template.items() if name != "$patch"}


def hash_of(revision: Manifest, label: str) -> str:
    """Return the hash in a revision's labels."""
    return str((revision["metadata"].get("labels") or {}).get(label, ""))


def revisions_of(context: Context, owner: Manifest, label: str) -> Any:
    """Claim the revisions of a workload, and return its History; its update revision is made.

    Args:
        context: Of the reconcile; it caches `REVISIONS`, with `index_orphans`.
        owner: A StatefulSet or DaemonSet.
        label: Under which its revisions carry their hash.
    """
    claimed: list[Manifest] = yield from claim(context, owner, REVISIONS)
    claimed.sort(key=lambda r: (r["revision"], r["metadata"]["creationTimestamp"]))
    collisions = int((owner.get("status") or {}).get("collisionCount") or 0)
    data = {"spec": {"template": {**owner["spec"]["template"], "$patch": "replace"}}}
    equal = [revision for revision in claimed if revision["data"] == data]
    if equal and equal[-1] is claimed[-1]:
        return History(claimed, collisions)
    number = claimed[-1]["revision"] + 1 if claimed else 1
    if equal:
        known = equal[-1]
        yield step("update", known)
        renewed = context.client.update(known | {"revision": number})
        claimed.remove(known)
        return History([*claimed, renewed], collisions)
    while True:
        made = _new_revision(owner, data, number, label, collisions)
        stored = yield from _create(context, made)
        if stored is not None:
            return History([*claimed, stored], collisions)
        collisions += 1


def truncate(context: Context, owner: Manifest, history: History, used: Iterable[str]) -> Steps:
    """Delete the oldest revisions beyond revisionHistoryLimit that nobody uses.

    Args:
        context: Of the reconcile.
        owner: Whose `spec.revisionHistoryLimit`.
        history: Its revisions.
        used: Names of revisions that pods or the status still mean.
    """
    kept = {*used, history.update["metadata"]["name"]}
    idle = [r for r in history.revisions if r["metadata"]["name"] not in kept]
    limit = owner["spec"].get("revisionHistoryLimit", _DEFAULT_LIMIT)
    for revision in idle[: max(0, len(idle) - limit)]:
        metadata = revision["metadata"]
        yield step("delete", revision)
        try:
            context.client.delete(REVISIONS, metadata["name"], metadata["namespace"])
        except NotFoundError:
            continue


def _create(context: Context, made: Manifest) -> Any:
    """Create a revision, or find it there; None when its name belongs to another template."""
    yield step("create", made)
    try:
        return context.client.create(made)
    except AlreadyExistsError:
        metadata = made["metadata"]
        stored = context.client.get(REVISIONS, metadata["name"], metadata["namespace"])
        return stored if stored["data"] == made["data"] else None


def _new_revision(
    owner: Manifest, data: Manifest, number: int, label: str, collisions: int
) -> Manifest:
    if owner["kind"] == "DaemonSet":
        word = template_hash(owner["spec"]["template"], collisions or None)
    else:
        word = revision_hash(data, collisions)
    metadata: Manifest = {
        "name": f"{owner['metadata']['name']}-{word}",
        "namespace": owner["metadata"]["namespace"],
        "labels": {
            **((owner["spec"]["template"].get("metadata") or {}).get("labels") or {}),
            label: word,
        },
        "ownerReferences": [owner_reference(owner)],
    }
    annotations = owner["metadata"].get("annotations")
    if annotations:
        metadata["annotations"] = annotations
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": metadata,
        "data": data,
        "revision": number,
    }
