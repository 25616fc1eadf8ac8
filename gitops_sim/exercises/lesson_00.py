"""Checks of the tour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_sim.errors import InputError
from gitops_sim.exercises.results import Verdict
from gitops_sim.exercises.view import CheckFunction, LabView, RepositoryView
from gitops_sim.journal import facts
from gitops_sim.protocols import Reader

__all__ = ["CHECKS", "make_it_stay"]

WANTED = 3
"""Replicas of `cart` that E00.1 asks for."""
FLUX_KINDS = (
    "source.toolkit.fluxcd.io/v1/GitRepository",
    "kustomize.toolkit.fluxcd.io/v1/Kustomization",
)
EXPECTED = f"`cart` in staging has {WANTED} pods that are ready, and keeps them because Git says so"


def make_it_stay(view: LabView) -> Verdict:
    """E00.1: `cart` in staging has three replicas, declared in Git and delivered by Flux."""
    staging, shop = view.clusters.get("staging"), view.repository("shop")
    if staging is None or shop is None:
        missing = "cluster `staging`" if staging is None else "repository `shop`"
        return _not_yet(f"this lab has no {missing}", "the first cells of the tour make both")
    try:
        declared = _declared(view, shop, "overlays/staging")
    except InputError as error:
        return _not_yet(
            f"main cannot be built: {error}", "the last commit: `shop.log()`", "broken-commit"
        )
    live = staging.get("apps/v1/Deployment", "cart", "shop")
    replicas = live["spec"]["replicas"]
    ready = (live.get("status") or {}).get("readyReplicas", 0)
    found = f"Git declares {declared!r}, the Deployment has {replicas}, {ready} ready"
    if suspended := _suspended(staging):
        return _not_yet(f"{found}; {suspended} is suspended", f"`{suspended}`", "agent-silenced")
    if (declared, replicas, ready) != (WANTED,) * 3 and (complaint := _complaint(staging)):
        return _not_yet(f"{found}; Flux says: {complaint}", "`print(staging.flux.get())`")
    if declared != WANTED:
        return _undeclared(view, shop, found)
    if (replicas, ready) != (WANTED, WANTED):
        return _not_yet(found, "the clock: has Flux looked at Git since?", "not-delivered")
    return Verdict(passed=True, expected=EXPECTED, found=found)


def _undeclared(view: LabView, shop: RepositoryView, found: str) -> Verdict:
    if _declares(view, shop, "overlays/production"):
        return _not_yet(
            found, "which overlay does staging follow? `overlays/staging`", "other-environment"
        )
    if _edited_by_hand(view):
        return _not_yet(found, "`lab.compare(staging)`: play the history", "by-hand")
    return _not_yet(found, "`overlays/staging/kustomization.yaml` in the repository")


def _not_yet(found: str, look_here: str, mistake: str = "") -> Verdict:
    return Verdict(
        passed=False, expected=EXPECTED, found=found, look_here=look_here, mistake=mistake
    )


def _declares(view: LabView, shop: RepositoryView, path: str) -> bool:
    """Return True if a directory of main declares what is asked for; a broken one does not."""
    try:
        return bool(_declared(view, shop, path) == WANTED)
    except InputError:
        return False


def _declared(view: LabView, shop: RepositoryView, path: str) -> Any:
    """Return the replicas of `cart` that a directory of main declares; 1 where it says nothing.

    What is no number is returned as it is written: the server refuses it.

    Source: Deployment, `spec.replicas` defaults to 1.
    """
    for rendered in view.renderer.build(shop.tree(), path).manifests:
        if (rendered.key.kind, rendered.key.name) == ("Deployment", "cart"):
            return (rendered.manifest.get("spec") or {}).get("replicas", 1)
    return 0


def _suspended(cluster: Reader) -> str:
    """Return the first Flux resource that is suspended, as `Kind/name`; "" for none."""
    for kind in FLUX_KINDS:
        for item in cluster.list(kind):
            if item["spec"].get("suspend"):
                return f"{item['kind']}/{item['metadata']['name']}"
    return ""


def _complaint(cluster: Reader) -> str:
    """Return why Flux cannot do what Git says, in its words; "" when it can."""
    for item in cluster.list(FLUX_KINDS[1]):
        for condition in (item.get("status") or {}).get("conditions", ()):
            if (condition["type"], condition["status"]) == ("Ready", "False"):
                return str(condition["message"].partition("\n")[0])
    return ""


def _edited_by_hand(view: LabView) -> bool:
    """True if someone set the replicas of `cart` in the cluster instead of in Git."""
    return any(
        change.cluster == "staging"
        and (change.kind, change.name) == ("Deployment", "cart")
        and "spec.replicas" in change.paths
        and change.field_manager.startswith("kubectl")
        for change in view.journal.facts(facts.ObjectChanged)
    )


CHECKS: Mapping[str, CheckFunction] = {"E00.1": make_it_stay}
