"""The entries of `metadata.managedFields`: who owns which fields, since when.

An entry is known by its manager, operation and subresource, and for an Update by its apiVersion
too: whoever applies has one entry, whatever version they apply in. Entries read from an object
keep their dict, so that an entry that nothing changed is written back as the same object.

Source: k8s.io/apimachinery, pkg/util/managedfields/internal/managedfields.go, capmanagers.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from gitops_sim.apimachinery.field_sets import FieldSet, Tree, union
from gitops_sim.apimachinery.go_text import quoted

__all__ = [
    "Entries",
    "Identity",
    "ManagerEntry",
    "capped",
    "identity",
    "is_reset",
    "read_entries",
    "written",
]

Operation: TypeAlias = Literal["Apply", "Update"]

MAX_UPDATE_MANAGERS = 10
"""More Update entries than this, and the oldest become one."""

ANCIENT_CHANGES = "ancient-changes"


class Identity(NamedTuple):
    """Which entry is meant. `api_version` is empty for Apply."""

    manager: str
    operation: Operation
    api_version: str
    subresource: str

    def printed(self, api_version: str) -> str:
        """Print a manager as conflicts name it: `"kubectl-edit" using apps/v1`.

        Source: internal/conflict.go, printManager.
        """
        text = quoted(self.manager)
        if self.subresource:
            text += f" with subresource {quoted(self.subresource)}"
        return text if self.operation == "Apply" else f"{text} using {api_version}"


class ManagerEntry(NamedTuple):
    """What one manager owns.

    `time` is RFC 3339, empty for an apply that never changed anything; `json` is the entry as it
    stands in an object, None for one that is to be written anew.
    """

    tree: Tree
    api_version: str
    time: str
    json: dict[str, Any] | None = None

    def owning(self, tree: Tree) -> ManagerEntry:
        """Return this entry with other fields; itself, if they are the same."""
        return self if tree is self.tree else self._replace(tree=tree, json=None)


Entries: TypeAlias = dict[Identity, ManagerEntry]


def identity(manager: str, operation: Operation, api_version: str, subresource: str) -> Identity:
    """Return the identity of who makes a request."""
    version = api_version if operation == "Update" else ""
    return Identity(manager or "unknown", operation, version, subresource)


def is_reset(managed_fields: Any) -> bool:
    """True for what asks to forget all owners: an empty list, or one with an empty entry."""
    return managed_fields in ([], [{}])


def read_entries(managed_fields: Iterable[Any] | None, *, trusted: bool) -> Entries:
    """Return the entries of an object.

    Args:
        managed_fields: `metadata.managedFields`; None: no entries.
        trusted: The server wrote them: their trees are taken as they are.

    Raises:
        ValueError: An entry is not one; trusted ones are.
    """
    entries: Entries = {}
    if managed_fields is not None and not isinstance(managed_fields, list):
        raise ValueError("managedFields is no list")
    for index, entry in enumerate(managed_fields or ()):
        if not trusted:
            _check(entry, index)
        fields = entry.get("fieldsV1") or {}
        tree = fields if trusted else FieldSet.from_fields_v1(fields).tree
        who = identity(
            entry.get("manager", ""),
            entry["operation"],
            entry["apiVersion"],
            entry.get("subresource", ""),
        )
        entries[who] = ManagerEntry(
            tree, entry["apiVersion"], entry.get("time") or "", entry if trusted else None
        )
    return entries


def written(entries: Mapping[Identity, ManagerEntry]) -> list[dict[str, Any]]:
    """Return `metadata.managedFields` for entries: applies first, then by time and name.

    Entries that were read and not changed are the dicts that were read.
    """
    return [
        _json(who, entries[who]) for who in sorted(entries, key=lambda who: _place(entries, who))
    ]


def capped(entries: Entries) -> Entries:
    """Return entries with at most ten Updates: the oldest of a version are merged into one.

    They become the Update of `ancient-changes`, with the time of the youngest among them.
    """
    if len(entries) <= MAX_UPDATE_MANAGERS:
        return entries
    updates = [who for who in entries if who.operation == "Update"]
    excess = len(updates) - MAX_UPDATE_MANAGERS
    if excess <= 0:
        return entries
    left = dict(entries)
    first_of: dict[str, Identity] = {}
    for who in sorted(updates, key=lambda who: (entries[who].time, who)):
        if excess <= 0:
            break
        version = entries[who].api_version
        first = first_of.setdefault(version, who)
        if first is who:
            continue
        bucket = identity(ANCIENT_CHANGES, "Update", version, "")
        if bucket not in left:
            left[bucket] = left.pop(first)
        merged = union(entries[who].tree, left[bucket].tree)
        time = entries[who].time
        del left[who]
        left[bucket] = ManagerEntry(merged, version, time)
        excess -= 1
    return left


def _place(entries: Mapping[Identity, ManagerEntry], who: Identity) -> tuple[str, ...]:
    entry = entries[who]
    return (who.operation, entry.time, who.manager, entry.api_version, who.subresource)


def _json(who: Identity, entry: ManagerEntry) -> dict[str, Any]:
    if entry.json is not None:
        return entry.json
    found: dict[str, Any] = {
        "manager": who.manager,
        "operation": who.operation,
        "apiVersion": entry.api_version,
        "time": entry.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": entry.tree,
    }
    if not entry.time:
        del found["time"]
    if who.subresource:
        found["subresource"] = who.subresource
    return found


def _check(entry: Any, index: int) -> None:
    if not isinstance(entry, dict) or entry.get("operation") not in ("Apply", "Update"):
        raise ValueError("operation must be `Apply` or `Update`")
    if not entry.get("apiVersion"):
        raise ValueError("apiVersion must not be empty")
    kind = entry.get("fieldsType") or ""
    if not kind:
        raise ValueError(f"missing fieldsType in managed fields entry {index}")
    if kind != "FieldsV1":
        raise ValueError(f"invalid fieldsType {quoted(kind)} in managed fields entry {index}")
