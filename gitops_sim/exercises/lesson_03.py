"""Checks of lesson 03, "a database that is watched": what one Deployment makes, and leaves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gitops_sim.exercises.lesson_03_clients import both_increments, same_after_gone
from gitops_sim.exercises.lesson_03_reconcile import reconcile_converges
from gitops_sim.exercises.results import Verdict
from gitops_sim.exercises.view import CheckFunction, LabView
from gitops_sim.journal import facts
from gitops_sim.protocols import Reader
from gitops_sim.types import Manifest

__all__ = ["CHECKS", "deployment_gone_pods_alive", "owners_predicted"]

CLUSTER, NAMESPACE, NAME = "demo", "shop", "web"
DEPLOYMENT, REPLICA_SET, POD = "apps/v1/Deployment", "apps/v1/ReplicaSet", "v1/Pod"
KINDS = ("Deployment", "ReplicaSet", "Pod", "Service", "ConfigMap")
HOUR = 3600.0
NO_CLUSTER = f"this lab has no cluster `{CLUSTER}`"
FIRST_CELLS = "the first cells of the lesson make it"
CHAIN = "for each kind that one Deployment makes, the kind that owns it"
ORPHANS = f"no Deployment `{NAME}`, and its pods alive an hour later, let go by Kubernetes itself"


def owners_predicted(view: LabView) -> Verdict:
    """E03.1: the prediction names exactly the kinds that came to be, each with its owner's kind."""
    cluster = view.clusters.get(CLUSTER)
    if cluster is None:
        return _no_chain(NO_CLUSTER, FIRST_CELLS)
    if not isinstance(view.answer, dict):
        found = "no prediction" if view.answer is None else f"no dict: {view.answer!r}"
        form = '`{"Lamp": "Switch"}`: what is owned, and by what'
        return _no_chain(found, form)
    predicted = {_kind(kind): _kind(owner) for kind, owner in view.answer.items() if owner}
    observed = _owners(cluster)
    if not observed:
        return _no_chain(
            f"no Deployment `{NAME}` in namespace `{NAMESPACE}` yet",
            "the next cell makes it: predict, run it, then check",
        )
    if predicted == observed:
        return Verdict(passed=True, expected=CHAIN, found=_chain(observed))
    found = f"you say {_chain(predicted)}" if predicted else "an empty prediction"
    look_here = "`kubectl get pods -n shop -o yaml`: `metadata.ownerReferences`"
    if predicted and predicted == {owner: kind for kind, owner in observed.items()}:
        return _no_chain(found, 'who stands where: `{"Lamp": "Switch"}`, the owner on the right')
    if predicted.get("Pod") == "Deployment":
        return _no_chain(found, look_here, "deployment-owns-pods")
    if predicted.keys() - observed.keys():
        return _no_chain(found, "`kubectl get all -n shop`", "makes-more")
    return _no_chain(found, look_here)


def _kind(word: object) -> str:
    """Return a kind as it is written, if this is one of the lesson in other letters or many."""
    plain = str(word).strip().lower().removesuffix("s")
    return next((kind for kind in KINDS if kind.lower() == plain), str(word))


def _no_chain(found: str, look_here: str, mistake: str = "") -> Verdict:
    return Verdict(passed=False, expected=CHAIN, found=found, look_here=look_here, mistake=mistake)


def _chain(owners: Mapping[str, object]) -> str:
    return ", ".join(f"{kind} owned by {owner}" for kind, owner in owners.items())


def _owners(cluster: Reader) -> dict[str, str]:
    """Return the kinds of all objects below the Deployment, owners first, with their owner's."""
    root = next((d for d in cluster.list(DEPLOYMENT, NAMESPACE) if _name(d) == NAME), None)
    if root is None:
        return {}
    kinds = [
        "/".join(part for part in (kind["group"], kind["version"], kind["kind"]) if part)
        for kind in cluster.discover()
        if kind["namespaced"] and "list" in kind["verbs"]
    ]
    owned = [m for kind in kinds for m in cluster.list(kind, NAMESPACE) if _owner_uids(m)]
    below = {root["metadata"]["uid"]: "Deployment"}
    found: dict[str, str] = {}
    while True:
        more = [m for m in owned if m["metadata"]["uid"] not in below and _owner_uids(m) & {*below}]
        if not more:
            return found
        for manifest in more:
            owner = next(below[uid] for uid in sorted(_owner_uids(manifest)) if uid in below)
            found[manifest["kind"]] = owner
        below |= {m["metadata"]["uid"]: m["kind"] for m in more}


def _name(manifest: Manifest) -> str:
    return str(manifest["metadata"]["name"])


def _owner_uids(manifest: Manifest) -> set[str]:
    return {str(ref["uid"]) for ref in manifest["metadata"].get("ownerReferences") or ()}


@dataclass(frozen=True, slots=True)
class _Deleted:
    """When the Deployment was deleted, and the pods that it had then, by uid."""

    time: float
    pods: Mapping[str, str]


def deployment_gone_pods_alive(view: LabView) -> Verdict:
    """E03.5: the Deployment is gone, its pods were orphaned, and an hour later they are alive."""
    cluster = view.clusters.get(CLUSTER)
    if cluster is None:
        return _not_orphaned(NO_CLUSTER, FIRST_CELLS)
    if any(_name(found) == NAME for found in cluster.list(DEPLOYMENT, NAMESPACE)):
        return _not_orphaned(
            f"the Deployment `{NAME}` is there",
            f"`kubectl get deploy,rs,pods -n {NAMESPACE}`",
            "references-by-hand" if _cut_by_hand(view) else "",
        )
    deleted = _deletion(view, cluster)
    if deleted is None:
        return _not_orphaned(f"there was no Deployment `{NAME}`", FIRST_CELLS)
    alive = {
        pod["metadata"]["uid"]
        for pod in cluster.list(POD, NAMESPACE)
        if "deletionTimestamp" not in pod["metadata"] and pod["status"].get("phase") == "Running"
    }
    kept = [name for uid, name in deleted.pods.items() if uid in alive]
    found = f"{len(kept)} of the {len(deleted.pods)} pods of the Deployment are alive"
    if _cut_by_hand(view):
        return _not_orphaned(found, "who changed `ownerReferences`?", "references-by-hand")
    if len(kept) < len(deleted.pods) or not kept:
        return _not_orphaned(
            found, f'`lab.compare("{CLUSTER}", since="5m").ladder()`', "pods-went-along"
        )
    passed = view.clock.now() - deleted.time
    if passed < HOUR:
        minutes = f"{found}; {passed / 60:.0f} minutes have passed"
        return _not_orphaned(minutes, 'the clock: `lab.run("1h")`', "too-early")
    return Verdict(passed=True, expected=ORPHANS, found=f"{found}, an hour later")


def _not_orphaned(found: str, look_here: str, mistake: str = "") -> Verdict:
    return Verdict(
        passed=False, expected=ORPHANS, found=found, look_here=look_here, mistake=mistake
    )


def _deletion(view: LabView, cluster: Reader) -> _Deleted | None:
    """Return the last time that someone asked to delete the Deployment; None if nobody did."""
    asked = [
        (time, fact)
        for time, fact in _changes(view, "Deployment")
        if fact.verb == "delete" and fact.name == NAME
    ]
    if not asked:
        return None
    by_people = [found for found in asked if not found[1].field_manager.startswith("kube-")]
    time, first = (by_people or asked)[-1]
    before = str(int(first.resource_version) - 1)
    root = cluster.get(DEPLOYMENT, NAME, NAMESPACE, at=before)
    sets = {
        rs["metadata"]["uid"]
        for rs in cluster.list(REPLICA_SET, NAMESPACE, at=before)
        if root["metadata"]["uid"] in _owner_uids(rs)
    }
    pods = [p for p in cluster.list(POD, NAMESPACE, at=before) if _owner_uids(p) & sets]
    return _Deleted(time, {pod["metadata"]["uid"]: _name(pod) for pod in pods})


def _cut_by_hand(view: LabView) -> bool:
    """Return True if someone outside the cluster changed the owners of a ReplicaSet or a pod."""
    return any(
        any(path.startswith("metadata.ownerReferences") for path in fact.paths)
        and not fact.field_manager.startswith("kube-")
        for kind in ("Pod", "ReplicaSet")
        for _, fact in _changes(view, kind)
    )


def _changes(view: LabView, kind: str) -> Iterator[tuple[float, facts.ObjectChanged]]:
    """Yield every write to objects of a kind in the lesson's namespace, with its time."""
    for entry in view.journal.entries(facts.ObjectChanged):
        fact = entry.fact
        if not isinstance(fact, facts.ObjectChanged):
            continue
        if (fact.cluster, fact.kind, fact.namespace) == (CLUSTER, kind, NAMESPACE):
            yield entry.time, fact


CHECKS: Mapping[str, CheckFunction] = {
    "E03.1": owners_predicted,
    "E03.2": reconcile_converges,
    "E03.3": same_after_gone,
    "E03.4": both_increments,
    "E03.5": deployment_gone_pods_alive,
}
