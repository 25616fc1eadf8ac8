"""What an agent has applied: the only objects that it may prune.

An entry is an id and a version, as a Flux Kustomization keeps them in `status.inventory`:
`<namespace>_<name>_<group>_<kind>`; the namespace is empty for cluster-scoped objects.

Source: fluxcd/cli-utils pkg/object/objmetadata.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_sim.types import ResourceKey

__all__ = ["Inventory", "InventoryEntry", "parse_object_id"]

_RBAC = ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
_RBAC_GROUP = "rbac.authorization.k8s.io"


@dataclass(frozen=True, slots=True)
class InventoryEntry:
    """One applied object; `version` is the API version without its group, such as `v1`."""

    key: ResourceKey
    version: str

    @property
    def id(self) -> str:
        """`shop_web_apps_Deployment`; a colon in the name of an RBAC object becomes `__`."""
        key = self.key
        name = key.name.replace(":", "__") if _is_rbac(key.group, key.kind) else key.name
        return f"{key.namespace}_{name}_{key.group}_{key.kind}"

    @property
    def kind(self) -> str:
        """The exact kind that a Reader takes: `apps/v1/Deployment`, `v1/Service`."""
        group = f"{self.key.group}/" if self.key.group else ""
        return f"{group}{self.version}/{self.key.kind}"


def parse_object_id(text: str) -> ResourceKey:
    """Read the id of an inventory entry.

    Raises:
        ValueError: It has not four parts.
    """
    rest, separator, kind = text.rpartition("_")
    rest, second, group = rest.rpartition("_")
    namespace, third, name = rest.partition("_")
    if not (separator and second and third and name and kind):
        raise ValueError(f"unable to parse stored object metadata: {text}")
    if _is_rbac(group, kind):
        name = name.replace("__", ":")
    return ResourceKey(group, kind, namespace, name)


class Inventory:
    """The entries of one agent's resource, in the order they were given, each object once."""

    def __init__(self, entries: Iterable[InventoryEntry] = ()) -> None:
        self._entries = {entry.key: entry for entry in entries}

    @classmethod
    def from_status(cls, inventory: Mapping[str, Any] | None) -> Inventory:
        """Read `status.inventory`: `entries` with `id` and `v`; None is an empty one.

        Raises:
            ValueError: An id is not one.
        """
        entries = (inventory or {}).get("entries") or ()
        return cls(InventoryEntry(parse_object_id(str(e["id"])), str(e["v"])) for e in entries)

    def to_status(self) -> dict[str, Any]:
        """Return what `status.inventory` holds."""
        return {"entries": [{"id": entry.id, "v": entry.version} for entry in self]}

    def __iter__(self) -> Iterator[InventoryEntry]:
        """Go through the entries in order."""
        return iter(self._entries.values())

    def __len__(self) -> int:
        """How many objects there are."""
        return len(self._entries)

    def __contains__(self, key: ResourceKey) -> bool:
        """True if the object is in it, in whatever version."""
        return key in self._entries

    def __eq__(self, other: object) -> bool:
        """Equal when the same objects in the same versions are in it, in whatever order."""
        return isinstance(other, Inventory) and self._entries == other._entries

    __hash__ = None  # type: ignore[assignment]  # equal by content, so no dictionary key

    def orphans(self, *, of: Inventory) -> list[InventoryEntry]:
        """Return the entries that the newer inventory `of` lacks: what is to be pruned."""
        return [entry for entry in self if entry.key not in of]

    def with_entries(self, entries: Iterable[InventoryEntry]) -> Inventory:
        """Return an inventory that has these entries too."""
        return Inventory([*self, *entries])


def _is_rbac(group: str, kind: str) -> bool:
    return group == _RBAC_GROUP and kind in _RBAC
