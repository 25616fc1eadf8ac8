"""From a body to an object that may be stored: decoded, pruned, defaulted, checked.

Source: k8s.io/apiserver, pkg/registry/rest (BeforeCreate, BeforeUpdate).
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from gitops_sim.apimachinery import names
from gitops_sim.apimachinery.custom_rules import broken_rules
from gitops_sim.apimachinery.defaulting import apply_defaults
from gitops_sim.apimachinery.embedded_objects import (
    embedded_metadata_last,
    embedded_type_problem,
)
from gitops_sim.apimachinery.go_forms import WrongTypeError, go_form
from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apimachinery.object_warnings import object_warnings
from gitops_sim.apimachinery.scale_values import scale_value_causes
from gitops_sim.apimachinery.schemas import (
    ANY,
    Schema,
    apply_schema_defaults,
    blocks_rules,
    decode_problem,
    object_meta,
    prune,
    unknown_fields,
    validate,
)
from gitops_sim.apimachinery.sharing import owned
from gitops_sim.apimachinery.status_errors import cannot_handle, invalid
from gitops_sim.apimachinery.validation import (
    validate_create,
    validate_custom_metadata,
    validate_update,
)
from gitops_sim.apiserver.definitions import version_of
from gitops_sim.apiserver.server import ApiServer
from gitops_sim.apiserver.users import INSIDE
from gitops_sim.types import Manifest

__all__ = ["check", "decode", "fill_defaults", "first_metadata"]


def schema_of(server: ApiServer, resource_type: ResourceType) -> Schema:
    """Return the schema of a type; one that lets anything pass when there is none."""
    found = server.schemas.schema_for(
        resource_type.group, resource_type.version, resource_type.kind
    )
    return ANY if found is None else found


def decode(
    server: ApiServer,
    resource_type: ResourceType,
    manifest: Manifest,
    live: Manifest | None = None,
    *,
    is_patched: bool = False,
) -> Manifest:
    """Return an object in the form in which its kind is stored; unknown fields are gone.

    What is in that form already is shared with `manifest`; parts that are shared with the live
    object are not looked at. A custom resource is pruned. `is_patched`: a patch made it.

    Raises:
        BadRequestError: A value has the wrong JSON type.
    """
    if not isinstance(manifest.get("metadata") or {}, dict):
        raise cannot_handle(resource_type, _problem(manifest, schema_of(server, resource_type)))
    if manifest.get("metadata") is None:
        manifest = manifest | {"metadata": {}}
    schema = schema_of(server, resource_type)
    if schema is ANY:
        return manifest
    custom = is_custom(server, resource_type)
    if server.caller.field_validation != "Ignore":
        unknown = unknown_fields(manifest, schema)
        if custom:
            unknown = embedded_metadata_last(unknown, manifest, schema)
        elif is_patched:  # read through maps, whose members Go sorts
            unknown.sort()
        _report_fields(server, resource_type, manifest, schema, unknown)
    if custom:
        problem = embedded_type_problem(manifest, schema)
        if problem:
            raise cannot_handle(resource_type, problem)
        manifest = prune(manifest, schema, _settled(server, resource_type, live))
    try:
        if not custom:
            return _without_texts(go_form(manifest, schema, live))
        metadata = go_form(manifest["metadata"], object_meta())
    except WrongTypeError:
        told = (manifest["metadata"], object_meta()) if custom else (manifest, schema)
        raise cannot_handle(resource_type, _problem(*told)) from None
    return manifest if metadata is manifest["metadata"] else manifest | {"metadata": metadata}


def _without_texts(manifest: Manifest) -> Manifest:
    """Return a Secret with its stringData moved to data, as its conversion does; all else as is."""
    texts = manifest.get("stringData")
    if not texts or manifest["kind"] != "Secret":
        return manifest
    encoded = {name: b64encode(text.encode()).decode() for name, text in texts.items()}
    kept = {name: value for name, value in manifest.items() if name != "stringData"}
    return kept | {"data": (manifest.get("data") or {}) | encoded}


def _report_fields(
    server: ApiServer,
    resource_type: ResourceType,
    manifest: Manifest,
    schema: Schema,
    unknown: list[str],
) -> None:
    """Warn of unknown and repeated fields, or refuse them, as the caller wants it.

    Raises:
        BadRequestError: There are such fields and the caller is strict.
    """
    caller = server.caller
    found = [*caller.problems, *(f'unknown field "{path}"' for path in unknown)]
    caller.problems.clear()
    if found and not is_custom(server, resource_type):
        problem = decode_problem(manifest, schema)
        if problem:  # a strict decoder stops there, and says nothing of fields
            raise cannot_handle(resource_type, problem)
    if found and caller.field_validation == "Strict":
        yaml = [f"  {text}" for text in found if text.startswith("line ")]
        rest = [text for text in found if not text.startswith("line ")]
        told = ["\n".join(["yaml: unmarshal errors:", *yaml])] if yaml else []
        raise cannot_handle(resource_type, f"strict decoding error: {', '.join(told + rest)}")
    for text in found:
        caller.warn(text)


def _problem(manifest: Manifest, schema: Schema) -> str:
    return decode_problem(manifest, schema) or "json: cannot unmarshal into Go value"


def is_custom(server: ApiServer, resource_type: ResourceType) -> bool:
    """True when the type came by a CustomResourceDefinition."""
    return server.schemas.is_custom(resource_type.group, resource_type.version, resource_type.kind)


def fill_defaults(
    server: ApiServer,
    resource_type: ResourceType,
    manifest: Manifest,
    before: Manifest | None = None,
) -> None:
    """Fill defaults in place: of the schema for custom resources, of the kind for others.

    What is shared with the object before it has its defaults already and is not touched; the rest
    gets containers of its own first, so that nothing shared is changed.
    """
    custom = is_custom(server, resource_type)
    known = _settled(server, resource_type, before) if custom else before
    if before is not None:
        needs = _own_parts(resource_type, manifest, before, known, status=custom)
        if not needs:
            return
    if custom:
        apply_schema_defaults(manifest, schema_of(server, resource_type), known)
    else:
        apply_defaults(manifest)


def _settled(
    server: ApiServer, resource_type: ResourceType, stored: Manifest | None
) -> Manifest | None:
    """Return a stored custom resource if it was pruned and defaulted by its present schema."""
    since = server.schemas.since(resource_type.group, resource_type.version, resource_type.kind)
    if stored is None or int(stored["metadata"]["resourceVersion"]) <= since:
        return None
    return stored


_DEFAULTED_STATUS = frozenset({"Node", "Service"})
"""Kinds some defaults of whose status depend on what is written into it."""


def _own_parts(
    resource_type: ResourceType,
    manifest: Manifest,
    before: Manifest,
    known: Manifest | None,
    *,
    status: bool,
) -> bool:
    """Take over the parts that differ from the object before; True if they may lack defaults.

    All parts, if nothing of it is known to have its defaults. `status`: it has defaults too; one
    that has none is not changed in place any more, and left as it is.
    """
    status = status or resource_type.kind in _DEFAULTED_STATUS
    changed = known is None
    for name, part in manifest.items():
        old = before.get(name)
        if name == "metadata" or not isinstance(part, dict | list):
            continue
        if part is old and known is not None:
            continue
        if name == "status" and not status:
            continue  # nothing fills anything into it
        manifest[name] = owned(None if known is None else old, part)
        changed = True
    if changed or before.keys() - manifest.keys():
        return True
    labels = manifest["metadata"].get("labels")
    return labels is not before["metadata"].get("labels")


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
    server: ApiServer,
    resource_type: ResourceType,
    manifest: Manifest,
    before: Manifest | None,
    *,
    subresource: str = "",
) -> None:
    """Refuse an object that breaks rules.

    Raises:
        InvalidError: Its causes name the fields.
    """
    if is_custom(server, resource_type):
        found = validate_custom_metadata(manifest, before)
        schema = schema_of(server, resource_type)
        scale = (version_of(server, resource_type).get("subresources") or {}).get("scale")
        only_status = subresource == "status"
        found += validate(manifest, schema, before, only_status=only_status)
        if scale is not None:
            found += scale_value_causes(manifest, scale, only_status=only_status)
        if not blocks_rules(found):
            found += broken_rules(manifest, schema, before)
    elif before is None:
        found = validate_create(manifest)
    else:
        found = validate_update(manifest, before, subresource=subresource)
    if found:
        raise invalid(resource_type, manifest["metadata"].get("name", ""), found)
    is_told = server.caller.user is not INSIDE and not subresource
    if is_told and not is_custom(server, resource_type):
        for text in object_warnings(manifest, before):
            server.caller.warn(text)
