"""Who controls what: owner references, adoption of orphans, release of strays.

A controller controls the objects whose owner reference with `controller: true` has its uid. An
object that its selector matches and that nobody controls is adopted; one that it controls and
that its selector no longer matches is released.

Source: k8s.io/kubernetes, pkg/controller/controller_ref_manager.go.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from gitops_sim.apimachinery.labels import Selector, from_label_selector, from_set
from gitops_sim.cluster.controlling import Context, step
from gitops_sim.errors import InvalidError, NotFoundError
from gitops_sim.runtime import Caches, Informer, Request, controller_of
from gitops_sim.runtime.requests import RequestMapper
from gitops_sim.types import Manifest

__all__ = [
    "child_requests",
    "claim",
    "controlled",
    "exact_kind",
    "index_orphans",
    "is_being_deleted",
    "node_of",
    "owner_reference",
    "selector_of",
]

_ORPHANS = "orphans"


def exact_kind(manifest: Manifest) -> str:
    """Return a manifest's kind as code names it: `apps/v1/Deployment`."""
    return f"{manifest['apiVersion']}/{manifest['kind']}"


def is_being_deleted(manifest: Manifest) -> bool:
    """True when a deletion waits for grace or finalizers."""
    return "deletionTimestamp" in manifest["metadata"]


def owner_reference(owner: Manifest) -> dict[str, Any]:
    """Return the reference that makes `owner` the controller of an object."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def selector_of(owner: Manifest) -> Selector:
    """Return the selector of a workload or budget; a ReplicationController has a plain map."""
    selector = owner["spec"].get("selector")
    if owner["kind"] == "ReplicationController":
        return from_set(selector)
    return _parsed(json.dumps(selector, sort_keys=True))


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Selector:
    """Selectors are checked as they are read, and every reconcile asks for the same ones."""
    return from_label_selector(json.loads(text))


def index_orphans(cache: Informer) -> None:
    """Let a cache find what nobody controls, by namespace: `claim` asks for it."""
    cache.add_index(_ORPHANS, _namespace_of_orphan)


def node_of(pod: Manifest) -> Iterable[str]:
    """Return the node that a pod is on, for an index; nothing before it is on one."""
    name = pod["spec"].get("nodeName")
    return (name,) if name else ()


def child_requests(owner_kind: str) -> RequestMapper:
    """Ask for the controller of an object, or for all that would adopt it when it has none.

    Args:
        owner_kind: As its `Watched` writes it: `apps/v1/ReplicaSet`.
    """
    api_version, _, kind = owner_kind.rpartition("/")

    def mapper(child: Manifest, caches: Caches) -> Iterable[Request]:
        metadata = child["metadata"]
        namespace = metadata.get("namespace", "")
        owner = controller_of(child)
        if owner is not None:
            if owner["kind"] == kind and owner["apiVersion"] == api_version:
                return (Request(namespace, owner["name"]),)
            return ()
        labels = metadata.get("labels")
        if not labels:
            return ()
        return [
            Request(namespace, candidate["metadata"]["name"])
            for candidate in caches[owner_kind].list(namespace)
            if selector_of(candidate).matches(labels)
        ]

    return mapper


def controlled(cache: Informer, owner: Manifest) -> list[Manifest]:
    """Return the cached objects whose controller is `owner`, in order of name."""
    uid = owner["metadata"]["uid"]
    found = ((child, controller_of(child)) for child in cache.by_owner(uid))
    return [child for child, above in found if above is not None and above["uid"] == uid]


def claim(
    context: Context,
    owner: Manifest,
    cache_key: str,
    *,
    adopts: Callable[[Manifest], bool] | None = None,
) -> Any:
    """Adopt and release, and return the objects that `owner` controls now, in order of name.

    Args:
        context: Of the reconcile.
        owner: A workload with `spec.selector`.
        cache_key: Which cache holds its children; `index_orphans` must have been called on it.
        adopts: Of the orphans that its selector matches, only these; None means all.
    """
    cache = context.caches[cache_key]
    selector = selector_of(owner)
    claimed: list[Manifest] = []
    for child in controlled(cache, owner):
        if selector.matches(child["metadata"].get("labels")):
            claimed.append(child)
        elif not is_being_deleted(owner):
            yield from _release(context, owner, child)
    if is_being_deleted(owner) or selector.empty:
        return claimed
    adopted = 0
    for child in cache.by_index(_ORPHANS, owner["metadata"]["namespace"]):
        if is_being_deleted(child) or not selector.matches(child["metadata"].get("labels")):
            continue
        if adopts is not None and not adopts(child):
            continue
        stored = yield from _adopt(context, owner, child)
        if stored is not None:
            claimed.append(stored)
            adopted += 1
    if adopted:
        claimed.sort(key=lambda child: child["metadata"]["name"])
    return claimed


def _adopt(context: Context, owner: Manifest, child: Manifest) -> Any:
    yield step("adopt", child)
    metadata = child["metadata"]
    patch = {"metadata": {"ownerReferences": [owner_reference(owner)], "uid": metadata["uid"]}}
    try:
        return context.client.patch(
            exact_kind(child), metadata["name"], patch, metadata["namespace"], type="strategic"
        )
    except NotFoundError:
        return None


def _release(context: Context, owner: Manifest, child: Manifest) -> Any:
    yield step("release", child)
    metadata = child["metadata"]
    gone = {"$patch": "delete", "uid": owner["metadata"]["uid"]}
    patch = {"metadata": {"ownerReferences": [gone], "uid": metadata["uid"]}}
    try:
        context.client.patch(
            exact_kind(child), metadata["name"], patch, metadata["namespace"], type="strategic"
        )
    except (NotFoundError, InvalidError):  # gone, or the name belongs to another object now
        return


def _namespace_of_orphan(manifest: Manifest) -> Iterable[str]:
    return () if controller_of(manifest) else (manifest["metadata"].get("namespace", ""),)
