"""The names of custom kinds: who has them, and what a definition's status says of it.

Source: k8s.io/apiextensions-apiserver, pkg/controller/status/naming_controller.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apimachinery.go_text import quoted
from gitops_sim.apiserver.definitions import DEFINITIONS
from gitops_sim.apiserver.server import ApiServer
from gitops_sim.types import Manifest

__all__ = ["is_established", "names_status"]

_TITLES = {
    "plural": "Plural",
    "singular": "Singular",
    "shortNames": "ShortNames",
    "kind": "Kind",
    "listKind": "ListKind",
}


def is_established(definition: Manifest) -> bool:
    """True when all names of a definition were once accepted: its objects are served since."""
    conditions = (definition.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)


def names_status(server: ApiServer, definition: Manifest) -> dict[str, Any]:
    """Return acceptedNames and conditions that the status of a definition should have.

    Names that another definition of the group has already are not accepted.
    """
    status = definition.get("status") or {}
    wanted = definition["spec"]["names"]
    before = status.get("acceptedNames") or {}
    taken = _taken(server, definition)
    accepted, conflicts = {}, []
    for member, title in _TITLES.items():
        asked, had = wanted.get(member), before.get(member)
        used = [] if asked == had else sorted(taken[member] & set(_listed(asked)))
        if used:
            told = [f"{quoted(name)} is already in use" for name in used]
            text = told[0] if len(told) == 1 else f"[{', '.join(told)}]"
            conflicts.append((f"{title}Conflict", text))
        accepted[member] = had if used else asked
    accepted["categories"] = wanted.get("categories")
    accepted = {member: name for member, name in accepted.items() if name} | {
        member: accepted[member] or "" for member in ("plural", "kind")
    }
    ordered = {member: accepted[member] for member in _ORDER if member in accepted}
    return {"acceptedNames": ordered, "conditions": _conditions(server, status, conflicts)}


_ORDER = ("plural", "singular", "shortNames", "kind", "listKind", "categories")


def _listed(names: Any) -> list[str]:
    return names if isinstance(names, list) else [names] if names else []


def _taken(server: ApiServer, definition: Manifest) -> dict[str, set[str]]:
    """Return for each member the names that the group's other definitions have."""
    resources: set[str] = set()
    kinds: set[str] = set()
    for other in _others(server, definition):
        names = (other.get("status") or {}).get("acceptedNames") or {}
        for member in ("plural", "singular", "shortNames"):
            resources.update(_listed(names.get(member)))
        for member in ("kind", "listKind"):
            kinds.update(_listed(names.get(member)))
    return {member: kinds if member in ("kind", "listKind") else resources for member in _TITLES}


def _others(server: ApiServer, definition: Manifest) -> Iterator[Manifest]:
    for other in server.store.objects(DEFINITIONS):
        same_group = other["spec"]["group"] == definition["spec"]["group"]
        if same_group and other["metadata"]["name"] != definition["metadata"]["name"]:
            yield other


def _conditions(
    server: ApiServer, status: dict[str, Any], conflicts: list[tuple[str, str]]
) -> list[dict[str, Any]]:
    reason, text = conflicts[-1] if conflicts else ("NoConflicts", "no conflicts found")
    found = fresh_copy(status.get("conditions") or [])
    known = {condition["type"]: condition for condition in found}
    _set(server, found, ("NamesAccepted", not conflicts, reason, text))
    if known.get("Established", {}).get("status") != "True":
        told = ("NotAccepted", "not all names are accepted")
        if not conflicts:
            told = ("InitialNamesAccepted", "the initial names have been accepted")
        _set(server, found, ("Established", not conflicts, *told))
    return found


def _set(
    server: ApiServer, conditions: list[dict[str, Any]], told: tuple[str, bool, str, str]
) -> None:
    """Set a condition; its time is that of the last change of its status."""
    kind, holds, reason, text = told
    status = "True" if holds else "False"
    known = next((c for c in conditions if c["type"] == kind), None)
    if known is None:
        known = {"type": kind}
        conditions.append(known)
    if known.get("status") != status:
        known["lastTransitionTime"] = server.clock.timestamp()
    known |= {"status": status, "reason": reason, "message": text}
