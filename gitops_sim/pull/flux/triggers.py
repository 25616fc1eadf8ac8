"""What wakes Flux's controllers: a new spec, a request, a new artifact, a watched ConfigMap.

Changes of status and labels wake nobody. The objects that were applied are not watched at all.

Source: fluxcd/pkg runtime/predicates; kustomize-controller internal/controller
(kustomization_manager.go, kustomization_indexers.go, source_predicate.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gitops_sim.apimachinery import conditions
from gitops_sim.pull.flux.dependencies import in_dependency_order
from gitops_sim.pull.flux.names import (
    GIT_REPOSITORY,
    KUSTOMIZATION,
    REQUESTED_AT,
    WATCH_SELECTOR,
)
from gitops_sim.runtime import Caches, Request, Watched
from gitops_sim.types import Manifest

__all__ = ["KUSTOMIZE_WATCHES", "SOURCE_WATCHES"]


def _is_asked(before: Manifest | None, after: Manifest | None) -> bool:
    """True for a new object, another generation, or another request to reconcile."""
    if before is None or after is None:
        return before is None
    return _asked(before) != _asked(after)


def _asked(manifest: Manifest) -> tuple[Any, Any]:
    metadata = manifest["metadata"]
    return metadata.get("generation"), (metadata.get("annotations") or {}).get(REQUESTED_AT)


def _has_new_artifact(before: Manifest | None, after: Manifest | None) -> bool:
    if after is None:
        return False
    revision = _revision(after)
    return bool(revision) and (before is None or _revision(before) != revision)


def _revision(source: Manifest) -> str:
    return str(((source.get("status") or {}).get("artifact") or {}).get("revision", ""))


def _users_of_source(source: Manifest, caches: Caches) -> Iterable[Request]:
    """Ask for the Kustomizations of a source that have not tried its revision yet."""
    metadata, revision = source["metadata"], _revision(source)
    reference = (source["kind"], metadata["namespace"], metadata["name"])
    users = [
        manifest
        for manifest in caches[KUSTOMIZATION].list()
        if _source_of(manifest) == reference and not _has_tried(manifest, revision)
    ]
    return _requests(in_dependency_order(users))


def _source_of(kustomization: Manifest) -> tuple[str, str, str]:
    reference = kustomization["spec"]["sourceRef"]
    namespace = reference.get("namespace") or kustomization["metadata"]["namespace"]
    return reference["kind"], namespace, reference["name"]


def _has_tried(kustomization: Manifest, revision: str) -> bool:
    attempted = (kustomization.get("status") or {}).get("lastAttemptedRevision")
    return attempted == revision and any(
        conditions.is_true(kustomization, kind) for kind in ("Ready", "Reconciling")
    )


def _users_of_values(values: Manifest, caches: Caches) -> Iterable[Request]:
    """Ask for the Kustomizations that substitute values of a ConfigMap or a Secret."""
    metadata = values["metadata"]
    return _requests(
        manifest
        for manifest in caches[KUSTOMIZATION].list(metadata["namespace"])
        for entry in (manifest["spec"].get("postBuild") or {}).get("substituteFrom") or ()
        if (entry["kind"], entry["name"]) == (values["kind"], metadata["name"])
    )


def _requests(manifests: Iterable[Manifest]) -> Sequence[Request]:
    return [Request(m["metadata"]["namespace"], m["metadata"]["name"]) for m in manifests]


SOURCE_WATCHES = (Watched(GIT_REPOSITORY, predicate=_is_asked),)
"""What source-controller watches."""
KUSTOMIZE_WATCHES = (
    Watched(KUSTOMIZATION, predicate=_is_asked),
    Watched(GIT_REPOSITORY, requests=_users_of_source, predicate=_has_new_artifact),
    Watched("v1/ConfigMap", requests=_users_of_values, labels=WATCH_SELECTOR),
    Watched("v1/Secret", requests=_users_of_values, labels=WATCH_SELECTOR),
)
"""What kustomize-controller watches."""
