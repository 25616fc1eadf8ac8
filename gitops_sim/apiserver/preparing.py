"""From a body to an object that may be stored: decoded, pruned, defaulted, checked.

Source: k8s.io/apiserver, pkg/registry/rest (BeforeCreate, BeforeUpdate).
"""

from __future__ import annotations

from typing import Any

from gitops_sim.apimachinery import causes, names
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.defaulting import apply_defaults
from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apimachinery.schemas import (
    ANY,
    Schema,
    apply_schema_defaults,
    decode_problem,
    prune,
    validate,
)
from gitops_sim.apimachinery.status_errors import cannot_handle, invalid
from gitops_sim.apimachinery.validation import validate_create, validate_update
from gitops_sim.apiserver.server import ApiServer
from gitops_sim.errors import BadRequestError
from gitops_sim.types import Manifest

__all__ = ["check", "decode", "fill_defaults", "first_metadata"]


def schema_of(server: ApiServer, resource_type: ResourceType) -> Schema:
    """Return the schema of a type; one that lets anything pass when there is none."""
    found = server.schemas.schema_for(
        resource_type.group, resource_type.version, resource_type.kind
    )
    return ANY if found is None else found


def decode(server: ApiServer, resource_type: ResourceType, manifest: Manifest) -> None:
    """Refuse what does not decode, and drop unknown fields, in place.

    Raises:
        BadRequestError: A value has the wrong JSON type.
    """
    metadata = manifest.setdefault("metadata", {})
    if not isinstance(metadata, dict):
        raise BadRequestError("metadata must be an object")
    schema = schema_of(server, resource_type)
    if schema is ANY:
        return
    custom = is_custom(server, resource_type)
    problem = None if custom else decode_problem(manifest, schema)
    if problem is not None:
        raise cannot_handle(resource_type, problem)
    prune(manifest, schema)


def is_custom(server: ApiServer, resource_type: ResourceType) -> bool:
    """True when the type came by a CustomResourceDefinition."""
    return server.schemas.is_custom(resource_type.group, resource_type.version, resource_type.kind)


def fill_defaults(server: ApiServer, resource_type: ResourceType, manifest: Manifest) -> None:
    """Fill defaults in place: of the schema for custom resources, of the kind for others."""
    if is_custom(server, resource_type):
        apply_schema_defaults(manifest, schema_of(server, resource_type))
    else:
        apply_defaults(manifest)


def first_metadata(server: ApiServer, resource_type: ResourceType, manifest: Manifest) -> None:
    """Set what the server sets on a new object: name, namespace, uid, creation time."""
    metadata: dict[str, Any] = manifest["metadata"]
    for member in ("uid", "resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds"):
        metadata.pop(member, None)
    metadata.pop("selfLink", None)
    if resource_type.namespaced:
        metadata["namespace"] = metadata.get("namespace") or "default"
    else:
        metadata.pop("namespace", None)
    if not metadata.get("name") and metadata.get("generateName"):
        stream = server.clock.random(f"names/{server.name}")
        metadata["name"] = names.generate(metadata["generateName"], stream)
    metadata["uid"] = server.clock.uid(f"uids/{server.name}")
    metadata["creationTimestamp"] = server.clock.timestamp()


def check(
    server: ApiServer, resource_type: ResourceType, manifest: Manifest, before: Manifest | None
) -> None:
    """Refuse an object that breaks rules.

    Raises:
        InvalidError: Its causes name the fields.
    """
    found: list[Cause] = []
    if not manifest["metadata"].get("name"):
        found.append(causes.required("metadata.name", "name or generateName is required"))
    if is_custom(server, resource_type):
        found += validate(manifest, schema_of(server, resource_type))
    elif before is None:
        found += validate_create(manifest)
    else:
        found += validate_update(manifest, before)
    if found:
        raise invalid(resource_type, manifest["metadata"].get("name", ""), found)
