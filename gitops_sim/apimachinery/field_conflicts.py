"""Conflicts of server-side apply: other managers own fields that an apply would change.

Source: sigs.k8s.io/structured-merge-diff v6, merge/conflict.go; k8s.io/apimachinery,
pkg/util/managedfields/internal/conflict.go.
"""

from __future__ import annotations

from typing import NamedTuple

from gitops_sim.apimachinery.field_sets import Tree, difference, intersection, members
from gitops_sim.apimachinery.manager_entries import Entries, Identity
from gitops_sim.apimachinery.status_errors import apply_conflict
from gitops_sim.errors import ConflictError

__all__ = ["Contested", "FieldConflict", "conflicts_of"]


class Contested(NamedTuple):
    """Fields that an apply would change, and who owns them."""

    owner: Identity
    api_version: str
    fields: Tree


class FieldConflict(Exception):  # noqa: N818 - an apply catches it, and forces or refuses
    """Other managers own fields that an apply would change."""

    def __init__(self, found: list[Contested]) -> None:
        super().__init__(found)
        self.found = found

    def beyond(self, allowed: Tree) -> list[Contested]:
        """Return the conflicts on fields outside a set."""
        left = (one._replace(fields=difference(one.fields, allowed)) for one in self.found)
        return [one for one in left if one.fields]

    def error(self) -> ConflictError:
        """Return what the server answers: one cause for each field."""
        return apply_conflict(
            [
                (owner.printed(version), path)
                for owner, version, fields in self.found
                for path in members(fields)
            ]
        )


def conflicts_of(others: Entries, changed: Tree) -> list[Contested]:
    """Return what others own of the changed fields, by owner."""
    found = (
        Contested(owner, others[owner].api_version, intersection(others[owner].tree, changed))
        for owner in sorted(others)
    )
    return [one for one in found if one.fields]
