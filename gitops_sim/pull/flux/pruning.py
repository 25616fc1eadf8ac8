"""Deleting what an inventory says was applied and is wanted no more.

Source: fluxcd/pkg ssa/manager_delete.go; kustomize-controller internal/controller (prune).
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import Any

from gitops_sim.delivery import Action, Change, ChangeSet, InventoryEntry, prune_order
from gitops_sim.errors import ApiError, NotFoundError
from gitops_sim.protocols import Cluster
from gitops_sim.pull.flux import ownership
from gitops_sim.pull.flux.options import Pace
from gitops_sim.types import Manifest, Step

__all__ = ["Pruned", "prune"]


@dataclass(slots=True)
class Pruned:
    """What was deleted and skipped; `left` could not be deleted, `error` says why not."""

    changes: ChangeSet = field(default_factory=ChangeSet)
    left: list[InventoryEntry] = field(default_factory=list)
    error: str = ""


def prune(
    client: Cluster, entries: Iterable[InventoryEntry], *, name: str, namespace: str
) -> Generator[Any, Any, Pruned]:
    """Delete objects in reverse apply order, in the background.

    Objects that another Kustomization has taken over, and those that a switch protects, are
    skipped. One that is gone already counts as deleted.

    Args:
        client: Reads and deletes.
        entries: Which objects.
        name: Of the Kustomization whose labels they must have.
        namespace: Its namespace.
    """
    pruned = Pruned()
    for entry in prune_order(entries, key=lambda entry: entry.key):
        try:
            live = client.get(entry.kind, entry.key.name, entry.key.namespace or None)
            if not ownership.is_owned(live, name, namespace) or _is_protected(live):
                pruned.changes.add(Change(entry.key, Action.SKIPPED, entry.version))
                continue
            yield Step("delete", Pace.WRITE, str(entry.key))
            client.delete(entry.kind, entry.key.name, entry.key.namespace or None)
        except NotFoundError:
            pass  # gone already
        except ApiError as error:
            pruned.left.append(entry)
            pruned.error = pruned.error or f"{entry.key} delete failed: {error}"
            continue
        pruned.changes.add(Change(entry.key, Action.DELETED, entry.version))
    return pruned


def _is_protected(live: Manifest) -> bool:
    return (
        ownership.has_switch(live, "prune", "disabled")
        or ownership.has_switch(live, "reconcile", "disabled")
        or ownership.has_switch(live, "ssa", "Ignore")
    )
