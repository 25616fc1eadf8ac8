"""What the definition of a custom kind says of one of its versions."""

from __future__ import annotations

from typing import Any

from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apiserver.server import ApiServer, storage_kind
from gitops_sim.apiserver.store import Kind

__all__ = ["CLEANUP", "DEFINITIONS", "version_of"]

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
