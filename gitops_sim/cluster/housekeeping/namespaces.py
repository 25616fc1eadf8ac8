"""Namespaces that are deleted: all that is in them goes first, pods before everything else.

Five seconds after the deletion, and after each change of the namespace, the content is deleted: the
pods, then, when they are gone, all else, kind by kind. What a finalizer holds is told in the
conditions, and waited for; pods are waited for in silence. When nothing is left, the finalizer
`kubernetes` is taken out of `spec.finalizers`, and the API server removes the namespace.

Source: k8s.io/kubernetes, pkg/controller/namespace (namespace_controller.go,
deletion/namespaced_resources_deleter.go, deletion/status_condition_utils.go).
Differs: objects are deleted one by one, each a step, not by a deletecollection per kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gitops_sim.cluster.controlling import (
    Context,
    ControllerSpec,
    Reconciling,
    Steps,
    seconds_of,
    step,
)
from gitops_sim.cluster.ownership import is_being_deleted
from gitops_sim.errors import ApiError, MethodNotAllowedError, NotFoundError
from gitops_sim.runtime import ReconcileFunction, Request, Watched
from gitops_sim.types import Manifest, Result

__all__ = ["NAMESPACES"]

_NAMESPACES, _PODS = "v1/Namespace", "v1/Pod"
_FINALIZER = "kubernetes"
_PAUSE_SECONDS = 5.0
"""From a change to the next look, so that clients which create in it notice."""
_FINALIZER_SECONDS = 15
"""How long finalizers are given, as an estimate."""

_FINE = {
    "NamespaceDeletionDiscoveryFailure": (
        "ResourcesDiscovered",
        "All resources successfully discovered",
    ),
    "NamespaceDeletionGroupVersionParsingFailure": (
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    ),
    "NamespaceDeletionContentFailure": (
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    "NamespaceContentRemaining": ("ContentRemoved", "All content successfully removed"),
    "NamespaceFinalizersRemaining": (
        "ContentHasNoFinalizers",
        "All content-preserving finalizers finished",
    ),
}


@dataclass
class _Sweep:
    """What one round of deleting found: what is left, what holds it, what failed."""

    remaining: dict[str, int] = field(default_factory=dict)
    finalizers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    seconds: int = 0


def _make_reconcile(context: Context) -> ReconcileFunction:
    return lambda request: _reconcile(context, request)


def _reconcile(context: Context, request: Request) -> Reconciling:
    namespace = context.caches[_NAMESPACES].get(request.name)
    if namespace is None or not is_being_deleted(namespace):
        return None
    if not namespace["spec"].get("finalizers"):
        return None
    deleted_at = seconds_of(context.clock, namespace["metadata"]["deletionTimestamp"])
    too_early = deleted_at + _PAUSE_SECONDS - context.clock.now()
    if too_early > 0:
        return Result(too_early)
    sweep = _Sweep()
    yield from _empty(context, request.name, sweep)
    yield from _write_conditions(context, request.name, sweep)
    if sweep.seconds or sweep.remaining or sweep.failures:
        return Result(sweep.seconds // 2 + 1.0)
    yield from _finalize(context, request.name)
    return None


def _empty(context: Context, name: str, sweep: _Sweep) -> Steps:
    """Delete what is there, pods first; nothing else while a pod remains."""
    kinds = _deletable_kinds(context)
    pods = _Sweep()
    yield from _empty_kind(context, name, kinds.pop(_PODS), _PODS, pods)
    if pods.remaining:
        sweep.seconds = max(pods.seconds, 1)
        sweep.failures = pods.failures
        return
    for kind, word in kinds.items():
        yield from _empty_kind(context, name, word, kind, sweep)


def _deletable_kinds(context: Context) -> dict[str, str]:
    """Return the namespaced kinds that can be deleted, and how the conditions call them."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for served in context.client.discover():
        if served["namespaced"] and {"delete", "list"}.issubset(served["verbs"]):
            group, version = served["group"], served["version"]
            api_version = f"{group}/{version}" if group else version
            told = (f"{api_version}/{served['kind']}", f"{served['plural']}.{group}")
            found.setdefault((group, served["kind"]), told)
    return dict(found.values())


def _empty_kind(context: Context, name: str, word: str, kind: str, sweep: _Sweep) -> Steps:
    grace = 0
    for manifest in context.client.list(kind, name):
        if kind == _PODS:
            grace = max(grace, manifest["spec"].get("terminationGracePeriodSeconds", 0))
        if is_being_deleted(manifest):
            continue
        yield step("delete", manifest)
        try:
            context.client.delete(kind, manifest["metadata"]["name"], name)
        except NotFoundError:
            continue
        except MethodNotAllowedError:
            return
        except ApiError as error:
            sweep.failures.append(str(error))
    left = context.client.list(kind, name)
    if not left:
        return
    sweep.remaining[word] = len(left)
    held = Counter(f for m in left for f in m["metadata"].get("finalizers") or ())
    sweep.finalizers += held
    sweep.seconds = max(sweep.seconds, grace or (_FINALIZER_SECONDS if held else 0))


def _write_conditions(context: Context, name: str, sweep: _Sweep) -> Steps:
    try:
        namespace = context.client.get(_NAMESPACES, name)
    except NotFoundError:
        return
    told = _conditions(context, namespace.get("status") or {}, sweep)
    status = {**(namespace.get("status") or {}), "conditions": told}
    if status == namespace.get("status"):
        return
    yield step("update status of", namespace)
    context.client.update(namespace | {"status": status}, subresource="status")


def _conditions(context: Context, old: Manifest, sweep: _Sweep) -> list[dict[str, Any]]:
    problems: dict[str, tuple[str, str]] = {}
    if sweep.failures:
        failures = ", ".join(sorted(sweep.failures))
        problems["NamespaceDeletionContentFailure"] = (
            "ContentDeletionFailed",
            f"Failed to delete all resource types, {len(sweep.failures)} remaining: {failures}",
        )
    if sweep.remaining:
        problems["NamespaceContentRemaining"] = (
            "SomeResourcesRemain",
            "Some resources are remaining: "
            + _counted(sweep.remaining, "{} has {} resource instances"),
        )
    if sweep.finalizers:
        problems["NamespaceFinalizersRemaining"] = (
            "SomeFinalizersRemain",
            "Some content in the namespace has finalizers remaining: "
            + _counted(sweep.finalizers, "{} in {} resource instances"),
        )
    known = {condition["type"]: condition for condition in old.get("conditions") or ()}
    told = []
    for type_, fine in _FINE.items():
        status = "True" if type_ in problems else "False"
        reason, message = problems.get(type_, fine)
        fresh = {
            "type": type_,
            "status": status,
            "lastTransitionTime": context.clock.timestamp(),
            "reason": reason,
            "message": message,
        }
        current = known.get(type_)
        if current is not None and all(current[k] == fresh[k] for k in ("status", "reason")):
            fresh["lastTransitionTime"] = current["lastTransitionTime"]
        told.append(fresh)
    return told


def _counted(counts: Mapping[str, int], form: str) -> str:
    return ", ".join(form.format(word, counts[word]) for word in sorted(counts))


def _finalize(context: Context, name: str) -> Steps:
    """Take out our finalizer: nothing holds the namespace any more."""
    try:
        namespace = context.client.get(_NAMESPACES, name)
    except NotFoundError:
        return
    kept = [found for found in namespace["spec"].get("finalizers", ()) if found != _FINALIZER]
    yield step("finalize", namespace)
    spec = {**namespace["spec"], "finalizers": kept}
    context.client.update(namespace | {"spec": spec}, subresource="finalize")


NAMESPACES = ControllerSpec(
    "namespace-controller", (Watched(_NAMESPACES, delay=_PAUSE_SECONDS),), _make_reconcile
)
