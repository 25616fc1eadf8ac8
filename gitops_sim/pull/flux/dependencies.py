"""Which Kustomizations wait for which: ready or not, and in what order to wake them.

Source: kustomize-controller internal/controller (checkDependencies), fluxcd/pkg
runtime/dependency/sort.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gitops_sim.apimachinery import conditions
from gitops_sim.errors import NotFoundError
from gitops_sim.protocols import Reader
from gitops_sim.pull.flux.kustomization_spec import KustomizationSpec
from gitops_sim.pull.flux.names import KUSTOMIZATION
from gitops_sim.types import Manifest

__all__ = ["in_dependency_order", "unmet_dependency"]


def unmet_dependency(reader: Reader, spec: KustomizationSpec, revision: str) -> str:
    """Return why a Kustomization has to wait; empty when it has not.

    Args:
        reader: Read past the cache, since what is ready must be so now.
        spec: Of the one that waits.
        revision: Of its artifact; one with the same source must have applied it.
    """
    for dependency in spec.depends_on:
        try:
            found = reader.get(KUSTOMIZATION, dependency.name, dependency.namespace)
        except NotFoundError as error:
            return f"dependency '{dependency}' not found: {error}"
        status = found.get("status") or {}
        observed = status.get("observedGeneration") == found["metadata"]["generation"]
        if not (observed and conditions.is_true(found, "Ready")):
            return f"dependency '{dependency}' is not ready"
        same_source = KustomizationSpec.from_manifest(found).source == spec.source
        if same_source and status.get("lastAppliedRevision") != revision:
            return f"dependency '{dependency}' revision is not up to date"
    return ""


def in_dependency_order(manifests: Sequence[Manifest]) -> list[Manifest]:
    """Return Kustomizations so that each comes after those it depends on.

    Returns:
        Nothing when they depend on each other in a circle: the real controller logs an error
        then, and wakes none of them.
    """
    by_name = {_name(manifest): manifest for manifest in manifests}
    ordered: dict[tuple[str, str], Manifest] = {}
    state: dict[tuple[str, str], str] = {}
    for name in sorted(by_name):
        if not _visit(name, by_name, ordered, state):
            return []
    return list(ordered.values())


def _visit(
    start: tuple[str, str],
    by_name: Mapping[tuple[str, str], Manifest],
    ordered: dict[tuple[str, str], Manifest],
    state: dict[tuple[str, str], str],
) -> bool:
    """Put one and what it depends on; False on a circle. A stack of our own: chains may be long."""
    pending = [start]
    while pending:
        name = pending[-1]
        if state.get(name) == "done" or name not in by_name:
            pending.pop()
            continue
        if state.get(name) == "open":
            pending.pop()
            state[name] = "done"
            ordered[name] = by_name[name]
            continue
        state[name] = "open"
        for before in _dependencies(by_name[name]):
            if state.get(before) == "open":
                return False
            pending.append(before)
    return True


def _dependencies(manifest: Manifest) -> list[tuple[str, str]]:
    namespace = manifest["metadata"]["namespace"]
    return [
        (entry.get("namespace") or namespace, entry["name"])
        for entry in manifest["spec"].get("dependsOn") or ()
    ]


def _name(manifest: Manifest) -> tuple[str, str]:
    return manifest["metadata"]["namespace"], manifest["metadata"]["name"]
