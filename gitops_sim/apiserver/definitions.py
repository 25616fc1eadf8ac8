"""What the definition of a custom kind says of one of its versions."""

from __future__ import annotations

import re
from typing import Any

from gitops_sim.apimachinery import builtin_data
from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apiserver.server import ApiServer, storage_kind
from gitops_sim.apiserver.store import Kind

__all__ = [
    "CLEANUP",
    "DEFINITIONS",
    "deprecation",
    "is_custom_group",
    "maturity",
    "stored_version",
    "version_of",
]

CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
"""The finalizer that holds a definition that is deleted until its objects are gone."""

DEFINITIONS = Kind("apiextensions.k8s.io", "CustomResourceDefinition")


def version_of(server: ApiServer, resource_type: ResourceType) -> dict[str, Any]:
    """Return the entry of `spec.versions` of a custom kind; empty for a built-in one.

    It is read-only.
    """
    name = f"{resource_type.plural}.{resource_type.group}"
    definition = server.store.get(DEFINITIONS, "", name)
    if definition is None or storage_kind(resource_type) != Kind(
        definition["spec"]["group"], definition["spec"]["names"]["kind"]
    ):
        return {}
    found: dict[str, Any] = next(
        (v for v in definition["spec"]["versions"] if v["name"] == resource_type.version), {}
    )
    return found


def stored_version(server: ApiServer, group: str, plural: str) -> str:
    """Return the version in which a custom kind is stored; empty for a built-in one."""
    definition = server.store.get(DEFINITIONS, "", f"{plural}.{group}")
    versions = definition["spec"]["versions"] if definition else ()
    return next((str(v["name"]) for v in versions if v.get("storage")), "")


def is_custom_group(group: str) -> bool:
    """True for a group that is there only because of definitions."""
    return all(known["metadata"].get("name", "") != group for known in builtin_data.groups())


def deprecation(server: ApiServer, resource_type: ResourceType) -> str:
    """Return the warning that comes with every answer of a deprecated custom version, or ""."""
    told = version_of(server, resource_type)
    if not told.get("deprecated"):
        return ""
    if told.get("deprecationWarning"):
        return str(told["deprecationWarning"])
    group, kind = resource_type.group, resource_type.kind
    text = f"{group}/{resource_type.version} {kind} is deprecated"
    definition = server.store.get(DEFINITIONS, "", f"{resource_type.plural}.{group}")
    versions = definition["spec"]["versions"] if definition is not None else []
    newer = [v["name"] for v in versions if v.get("served") and not v.get("deprecated")]
    best = max(newer, key=maturity, default=resource_type.version)
    if maturity(best) > maturity(resource_type.version):
        text += f"; use {group}/{best} {kind}"
    return text


def maturity(version: str) -> tuple[int, int, int]:
    """Return what orders versions as people do: v2 over v1 over v2beta1 over v1alpha1."""
    found = re.fullmatch(r"v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?", version)
    if found is None:
        return (-1, 0, 0)
    stage = {"alpha": 0, "beta": 1, None: 2}[found[2]]
    return (stage, int(found[1]), int(found[3] or 0))
