"""PATCH: JSON, merge and strategic merge patches, and server-side apply.

Source: k8s.io/apiserver, pkg/endpoints/handlers/patch.go.
"""

from __future__ import annotations

from typing import Any

from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apimachinery.go_json import GoJsonError, duplicate_fields, parse
from gitops_sim.apimachinery.go_text import json_kind
from gitops_sim.apimachinery.yaml_loader import load_all
from gitops_sim.apiserver import writing
from gitops_sim.apiserver.server import storage_kind
from gitops_sim.errors import BadRequestError, ManifestError, UnsupportedMediaTypeError
from gitops_sim.protocols import PatchType
from gitops_sim.server.answers import Answer
from gitops_sim.server.bodies import go_yaml_problem, media_type, repeated_keys
from gitops_sim.server.options import write_options
from gitops_sim.server.target import Target
from gitops_sim.types import Manifest

__all__ = ["APPLY", "applied", "patch", "patched", "read_patch"]

APPLY = "application/apply-patch+yaml"
_INVALID = "invalid JSON patch"
_KINDS: dict[str, PatchType] = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
}


def patch(target: Target) -> Answer:
    """Change an object, or apply it."""
    _check_media_type(target)
    form = target.form
    kind = storage_kind(target.resource_type)
    was_there = target.server.store.get(kind, target.namespace, target.wanted.name) is not None
    stored = patched(target)
    return target.answer(stored, form=form, status=200 if was_there else 201)


def patched(target: Target, *, subresource: str = "") -> Manifest:
    """Do what the patch says to an object; return what is stored, shared."""
    _check_media_type(target)
    is_apply = media_type(target.request) == APPLY
    options = write_options(target.request, "PatchOptions", is_apply=is_apply)
    if not is_apply:
        kind, body = read_patch(target)
        return writing.patch(
            target.server,
            target.resource_type,
            target.namespace,
            target.wanted.name,
            body,
            kind=kind,
            manager=options.manager,
            subresource=subresource,
            dry_run=options.dry_run,
        )
    return writing.apply(
        target.server,
        target.resource_type,
        applied(target, target.resource_type.api_version, target.resource_type.kind),
        manager=options.manager,
        force=target.request.flag("force"),
        place=(target.namespace, target.wanted.name),
        subresource=subresource,
        dry_run=options.dry_run,
    )


def read_patch(target: Target) -> tuple[PatchType, Any]:
    """Return the kind of a patch and its JSON value.

    Raises:
        BadRequestError: It is no JSON, or no map where it must be one.
        UnsupportedMediaTypeError: It is of no kind that is known.
    """
    chosen = _KINDS.get(media_type(target.request))
    if chosen is None:
        raise UnsupportedMediaTypeError("415: Unsupported Media Type", {})
    kind: PatchType = chosen
    try:
        body = parse(target.request.body.decode("utf-8", "replace"))
    except GoJsonError:
        raise BadRequestError(_INVALID) from None
    if kind != "json" and not isinstance(body, dict):
        raise _no_map(target, kind, body)
    duplicates = [f'duplicate field "{path}"' for path in duplicate_fields(body)]
    target.note_duplicates(duplicates)
    return kind, fresh_copy(body) if duplicates else body


def _no_map(target: Target, kind: PatchType, body: Any) -> BadRequestError:
    """Return the refusal of a merge patch that is no object; what to patch is looked for first."""
    target.server.find(target.resource_type, target.namespace, target.wanted.name)
    if kind == "merge" and body is None:
        return BadRequestError("Invalid JSON Patch")
    target_type = "Go value of type map[string]interface {}"
    text = f"json: cannot unmarshal {json_kind(body)} into {target_type}"
    return BadRequestError(text if kind == "strategic" else f"error decoding patch: {text}")


def _check_media_type(target: Target) -> None:
    found = media_type(target.request)
    custom = target.server.schemas.is_custom(
        target.resource_type.group, target.resource_type.version, target.resource_type.kind
    )
    if custom and _KINDS.get(found) == "strategic":
        accepted = [name for name in (*_KINDS, APPLY) if _KINDS.get(name) != "strategic"]
        raise UnsupportedMediaTypeError(
            "the body of the request was in an unknown format - accepted media types include: "
            + ", ".join(accepted)
        )
    if found != APPLY and found not in _KINDS:
        raise UnsupportedMediaTypeError("415: Unsupported Media Type", {})


def applied(target: Target, api_version: str, kind: str) -> Manifest:
    """Return the object of an apply.

    Raises:
        BadRequestError: It is no YAML, or of another kind.
    """
    repeated: list[tuple[int, str]] = []
    try:
        documents = load_all(target.request.body, repeated=repeated)
    except ManifestError as problem:
        raise BadRequestError(f"error encoding patch: {go_yaml_problem(problem)}") from None
    target.note_duplicates(repeated_keys(repeated))
    body = documents[0].manifest if documents else {}
    if not isinstance(body, dict):
        raise BadRequestError("error decoding YAML: json: cannot unmarshal into a map")
    found = (body.get("apiVersion") or "", body.get("kind") or "")
    if found != (api_version, kind):
        group, _, version = str(found[0]).rpartition("/")
        raise BadRequestError(f"invalid object type: {group}/{version}, Kind={found[1]}")
    metadata = body.get("metadata")
    if isinstance(metadata, dict) and metadata.get("managedFields") is not None:
        raise BadRequestError("metadata.managedFields must be nil")
    return body
