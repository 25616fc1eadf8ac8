"""DELETE of an object or a collection: its options, and what is answered.

Source: k8s.io/apiserver, pkg/endpoints/handlers/delete.go; k8s.io/apimachinery,
pkg/apis/meta/v1/validation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from gitops_sim.apimachinery import causes
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apimachinery.go_text import json_kind
from gitops_sim.apimachinery.status_errors import invalid_options
from gitops_sim.apiserver.deleting import delete
from gitops_sim.apiserver.listing import ListOptions, Page, list_page
from gitops_sim.apiserver.server import storage_kind
from gitops_sim.apiserver.store import Kind
from gitops_sim.errors import BadRequestError, NotFoundError
from gitops_sim.protocols import Propagation
from gitops_sim.server.answers import Answer, encoded
from gitops_sim.server.bodies import decode_options
from gitops_sim.server.options import dry_run_problems, integer, write_options
from gitops_sim.server.requests import Request
from gitops_sim.server.shapes import Shaper
from gitops_sim.server.target import Target
from gitops_sim.types import Manifest

__all__ = ["delete_collection", "delete_one"]

_RETURNED = frozenset(
    {
        Kind("", "Namespace"),
        Kind("", "PersistentVolume"),
        Kind("", "PersistentVolumeClaim"),
        Kind("", "Pod"),
        Kind("", "PodTemplate"),
        Kind("", "ResourceQuota"),
        Kind("", "Service"),
        Kind("", "ServiceAccount"),
        Kind("resource.k8s.io", "DeviceClass"),
        Kind("resource.k8s.io", "ResourceClaim"),
        Kind("resource.k8s.io", "ResourceClaimTemplate"),
        Kind("resource.k8s.io", "ResourceSlice"),
        Kind("storage.k8s.io", "CSIDriver"),
        Kind("storage.k8s.io", "CSINode"),
        Kind("storage.k8s.io", "StorageClass"),
        Kind("storage.k8s.io", "VolumeAttachment"),
        Kind("storage.k8s.io", "VolumeAttributesClass"),
    }
)
"""Kinds whose delete answers with the object; all others answer a Status (ReturnDeletedObject)."""

_POLICIES = ("Foreground", "Background", "Orphan")
_ORPHANED_PODS = (
    "child pods are preserved by default when jobs are deleted; set "
    "propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress "
    "this warning"
)


@dataclass(frozen=True, slots=True)
class _Options:
    propagation: Propagation | None
    uid: str | None
    resource_version: str | None
    grace_period: int | None
    dry_run: bool


def delete_one(target: Target) -> Answer:
    """Delete the object of the path."""
    form = target.form
    options = _options(target.request)
    resource_type = target.resource_type
    last = _delete(target, target.wanted.name, target.namespace, options)
    is_held = bool(last["metadata"].get("deletionTimestamp"))
    kind = storage_kind(resource_type)
    if is_held or kind in _RETURNED:
        return target.answer(last, form=form)
    details = {
        "name": last["metadata"]["name"],
        "group": resource_type.group,
        "kind": resource_type.plural,
        "uid": last["metadata"]["uid"],
    }
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {key: value for key, value in details.items() if value},
    }
    if form.kind:
        return target.answer(status, form=type(form)(form.media_type))
    return Answer(200, form.content_type, encoded(status, form))


def delete_collection(target: Target) -> Answer:
    """Delete what the selectors choose; answer with the list of what is gone or going."""
    form = target.form
    options = _options(target.request)
    listed = ListOptions(
        limit=integer(target.request, "limit") or 0,
        continue_token=target.request.parameter("continue"),
        resource_version=target.request.parameter("resourceVersion"),
        match=target.request.parameter("resourceVersionMatch"),
    )
    page = list_page(target.server, target.resource_type, target.inside, target.filter(), listed)
    gone = []
    for manifest in page.items:
        metadata = manifest["metadata"]
        try:
            _delete(target, metadata["name"], metadata.get("namespace", ""), options)
            gone.append(manifest)
        except NotFoundError:
            continue  # it went with another one of the list
    version = str(target.server.store.revision)
    shaper = Shaper(target.server, target.resource_type, form)
    answered = Page(gone, version, page.continue_token, page.remaining)
    return Answer(200, form.content_type, encoded(shaper.page(answered), form))


def _delete(target: Target, name: str, namespace: str, options: _Options) -> Manifest:
    resource_type = target.resource_type
    is_job = (resource_type.group, resource_type.kind) == ("batch", "Job")
    if is_job and options.propagation is None:
        target.server.caller.warn(_ORPHANED_PODS)
    orphans = is_job or resource_type.kind == "ReplicationController"
    default: Propagation = "Orphan" if orphans else "Background"
    last = delete(
        target.server,
        resource_type,
        namespace,
        name,
        manager=write_options(target.request, "DeleteOptions").manager,
        propagation=options.propagation or default,
        resource_version=options.resource_version,
        uid=options.uid,
        grace_period=options.grace_period,
        dry_run=options.dry_run,
    )
    return fresh_copy(target.server.in_version(resource_type, last))


def _options(request: Request) -> _Options:
    body = decode_options(request, "DeleteOptions")
    if not body:
        body = _from_query(request)
    found = list(_problems(body))
    if found:
        raise invalid_options("DeleteOptions", found)
    preconditions = body.get("preconditions") or {}
    policy = body.get("propagationPolicy")
    if body.get("orphanDependents") is not None:
        policy = "Orphan" if body["orphanDependents"] else "Background"
    return _Options(
        cast("Propagation | None", policy),
        preconditions.get("uid"),
        preconditions.get("resourceVersion"),
        body.get("gracePeriodSeconds"),
        bool(body.get("dryRun")),
    )


def _from_query(request: Request) -> dict[str, Any]:
    body: dict[str, Any] = {
        "gracePeriodSeconds": integer(request, "gracePeriodSeconds"),
        "propagationPolicy": request.parameter("propagationPolicy") or None,
        "dryRun": request.query.get("dryRun", []),
    }
    if "orphanDependents" in request.query:
        body["orphanDependents"] = request.flag("orphanDependents")
    return body


def _problems(body: dict[str, Any]) -> list[Cause]:
    found = []
    policy, orphan = body.get("propagationPolicy"), body.get("orphanDependents")
    grace, dry_run = body.get("gracePeriodSeconds"), body.get("dryRun") or []
    if grace is not None and not isinstance(grace, int):
        raise _undecodable(grace, "gracePeriodSeconds", "int64")
    if not isinstance(dry_run, list):
        raise _undecodable(dry_run, "dryRun", "[]string")
    _check_preconditions(body.get("preconditions"))
    if policy is not None and orphan is not None:
        found.append(
            causes.invalid(
                "propagationPolicy",
                policy,
                "orphanDependents and deletionPropagation cannot be both set",
            )
        )
    if policy is not None and policy not in _POLICIES:
        supported = (*_POLICIES, "nil")
        found.append(causes.not_supported("propagationPolicy", policy, supported))
    return found + dry_run_problems(dry_run)


def _check_preconditions(value: Any) -> None:
    """Refuse preconditions of another type; BadRequestError in the words of Go's decoder."""
    if value is None:
        return
    if not isinstance(value, dict):
        raise _undecodable(value, "preconditions", "v1.Preconditions")
    for name, kind in (("uid", "types.UID"), ("resourceVersion", "string")):
        found = value.get(name)
        if found is not None and not isinstance(found, str):
            raise _undecodable(found, f"preconditions.{name}", kind)


def _undecodable(value: Any, field: str, kind: str) -> BadRequestError:
    return BadRequestError(
        f"json: cannot unmarshal {json_kind(value)} into Go struct field DeleteOptions.{field} "
        f"of type {kind}"
    )
