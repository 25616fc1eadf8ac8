"""Subresources: status, scale, binding, eviction, log; and those that need a node's own door.

Source: k8s.io/kubernetes, pkg/registry.
Differs: nothing runs in a simulated container, so exec, attach and port-forward are refused, and
proxies have nothing to lead to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apimachinery.status_errors import method_not_allowed, unknown_resource
from gitops_sim.apiserver import writing
from gitops_sim.apiserver.evicting import evict
from gitops_sim.apiserver.preparing import decode
from gitops_sim.apiserver.scaling import (
    SCALE,
    ScaleWriter,
    change_scale,
    patched_scale,
    scale_of,
)
from gitops_sim.apiserver.subresources import bind
from gitops_sim.errors import BadRequestError, MethodNotAllowedError, UnknownError
from gitops_sim.server.answers import Answer, compact, encoded
from gitops_sim.server.bodies import decode_foreign, media_type
from gitops_sim.server.kubelets import no_process, no_tunnel
from gitops_sim.server.logs import read_log
from gitops_sim.server.options import write_options
from gitops_sim.server.patching import APPLY, applied, patched, read_patch
from gitops_sim.server.shapes import Shaper
from gitops_sim.server.target import Target
from gitops_sim.types import Manifest

__all__ = ["bind_pod", "serve_subresource"]

_SUCCESS = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
_NO_DOOR = (
    "containers of a simulated cluster run no processes: {} is not possible here; "
    "kubectl logs, describe and get events show what a pod does"
)


def serve_subresource(target: Target) -> Answer:
    """Answer a request for a part of an object.

    Raises:
        ApiError: There is no such part, or it has no such verb.
    """
    part, verb = target.wanted.subresource, target.wanted.verb
    if part not in target.resource_type.subresources:
        raise unknown_resource()
    if target.resource_type.namespaced and not target.namespace:
        raise unknown_resource()
    unreachable = _UNREACHABLE.get(part)
    if unreachable is not None and (answer := unreachable(target)) is not None:
        return answer
    if part in ("exec", "attach", "portforward", "proxy"):
        raise MethodNotAllowedError(_NO_DOOR.format(part), {})
    serve = _PARTS.get((part, verb))
    if serve is None or target.request.method == "HEAD":
        raise method_not_allowed()
    return serve(target)


def bind_pod(target: Target, name: str) -> Answer:
    """Put a pod on a node."""
    binding = _body(target, "v1", "Binding")
    metadata = binding.setdefault("metadata", {})
    if name and metadata.get("name", "") != name:
        raise BadRequestError("name in URL does not match name in Binding object")
    metadata["name"], metadata["namespace"] = name or metadata.get("name", ""), target.namespace
    if not (binding.get("target") or {}).get("name"):
        raise UnknownError("target.name: Required value")
    options = write_options(target.request, "CreateOptions")
    if not options.dry_run:
        bind(target.server, binding, manager=options.manager)
    return Answer(201, body=compact(_SUCCESS | {"code": 201}))


def _get(target: Target) -> Answer:
    form = target.form
    found = target.server.find(target.resource_type, target.namespace, target.wanted.name)
    return target.answer(found, form=form)


def _put(target: Target) -> Answer:
    form, options = target.form, write_options(target.request, "UpdateOptions")
    body = target.body()
    stored = writing.update(
        target.server,
        target.resource_type,
        body,
        manager=options.manager,
        subresource=target.wanted.subresource,
        dry_run=options.dry_run,
    )
    return target.answer(stored, form=form)


def _patch(target: Target) -> Answer:
    form = target.form
    return target.answer(patched(target, subresource=target.wanted.subresource), form=form)


def _get_scale(target: Target) -> Answer:
    found = target.server.find(target.resource_type, target.namespace, target.wanted.name)
    return _scale(target, scale_of(target.server, target.resource_type, found))


def _put_scale(target: Target) -> Answer:
    options = write_options(target.request, "UpdateOptions")
    wanted = _body(target, SCALE, "Scale")
    target.place(wanted, is_update=True)
    writer = ScaleWriter(options.manager, options.dry_run)
    return _changed_scale(target, lambda _: wanted, writer)


def _patch_scale(target: Target) -> Answer:
    is_apply = media_type(target.request) == APPLY
    options = write_options(target.request, "PatchOptions", is_apply=is_apply)
    force = target.request.flag("force")
    writer = ScaleWriter(options.manager, options.dry_run, is_apply, force)
    if is_apply:
        wanted = applied(target, SCALE, "Scale")
        target.place(wanted)
        return _changed_scale(target, lambda _: wanted, writer)
    kind, body = read_patch(target)
    return _changed_scale(
        target, lambda scale: patched_scale(target.server, scale, body, kind), writer
    )


def _changed_scale(
    target: Target, change: Callable[[Manifest], Manifest], writer: ScaleWriter
) -> Answer:
    place = (target.namespace, target.wanted.name)
    return _scale(target, change_scale(target.server, target.resource_type, place, change, writer))


def _scale(target: Target, scale: Manifest) -> Answer:
    form, include = target.form, target.request.parameter("includeObject")
    group, _, version = SCALE.rpartition("/")
    shaper = Shaper(target.server, ResourceType(group, version, "Scale", ""), form, include)
    return Answer(200, form.content_type, encoded(shaper.one(scale), form))


def _bind(target: Target) -> Answer:
    return bind_pod(target, target.wanted.name)


def _evict(target: Target) -> Answer:
    eviction = _body(target, "policy/v1", "Eviction")
    name = (eviction.get("metadata") or {}).get("name") or target.wanted.name
    if name != target.wanted.name:
        raise BadRequestError("name in URL does not match name in Eviction object")
    options = write_options(target.request, "CreateOptions")
    deletion = eviction.get("deleteOptions") or {}
    evict(
        target.server,
        target.namespace,
        name,
        manager=options.manager,
        grace_period=deletion.get("gracePeriodSeconds"),
        dry_run=options.dry_run or bool(deletion.get("dryRun")),
    )
    return Answer(201, body=compact(_SUCCESS | {"code": 201}))


def _issue_token(target: Target) -> Answer:
    request = _body(target, "authentication.k8s.io/v1", "TokenRequest")
    issued = target.beside.accounts.issue(target.namespace, target.wanted.name, request)
    return Answer(201, body=compact(issued))


def _body(target: Target, api_version: str, kind: str) -> dict[str, Any]:
    group, _, version = api_version.rpartition("/")
    value = decode_foreign(target.request, api_version, kind)
    return decode(target.server, ResourceType(group, version, kind, ""), value)


_UNREACHABLE: dict[str, Callable[[Target], Answer | None]] = {
    "attach": no_process,
    "exec": no_process,
    "portforward": no_tunnel,
}
_PARTS: dict[tuple[str, str], Callable[[Target], Answer]] = {
    **{
        (part, verb): serve
        for part in ("status", "approval", "ephemeralcontainers", "resize")
        for verb, serve in (("get", _get), ("update", _put), ("patch", _patch))
    },
    ("binding", "create"): _bind,
    ("eviction", "create"): _evict,
    ("finalize", "update"): _put,
    ("log", "get"): read_log,
    ("scale", "get"): _get_scale,
    ("scale", "update"): _put_scale,
    ("scale", "patch"): _patch_scale,
    ("token", "create"): _issue_token,
}
