"""Subresources: status, scale, binding, eviction, log; and those that need a node's own door.

Source: k8s.io/kubernetes, pkg/registry.
"""

from __future__ import annotations

from collections.abc import Callable

from gitops_sim.apimachinery.status_errors import method_not_allowed, unknown_resource
from gitops_sim.apiserver import writing
from gitops_sim.apiserver.subresources import scale_of
from gitops_sim.server.answers import Answer, encoded
from gitops_sim.server.bodies import decode_body
from gitops_sim.server.options import write_options
from gitops_sim.server.patching import patched
from gitops_sim.server.target import Target

__all__ = ["serve_subresource"]


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
    serve = _PARTS.get((part, verb)) or _PARTS.get((part, ""))
    if serve is None or target.request.method == "HEAD":
        raise method_not_allowed()
    return serve(target)


def _get(target: Target) -> Answer:
    form = target.form
    found = target.server.find(target.resource_type, target.namespace, target.wanted.name)
    return target.answer(found, form=form)


def _put(target: Target) -> Answer:
    form, options = target.form, write_options(target.request, "UpdateOptions")
    body = decode_body(target.request, target.resource_type)
    target.note_duplicates(body.duplicates)
    target.place(body.value)
    stored = writing.update(
        target.server,
        target.resource_type,
        body.value,
        manager=options.manager,
        subresource=target.wanted.subresource,
        dry_run=options.dry_run,
    )
    return target.answer(stored, form=form)


def _patch(target: Target) -> Answer:
    form = target.form
    return target.answer(patched(target, subresource=target.wanted.subresource), form=form)


def _get_scale(target: Target) -> Answer:
    form = target.form
    found = target.server.find(target.resource_type, target.namespace, target.wanted.name)
    return Answer(200, form.content_type, encoded(scale_of(found), form))


_PARTS: dict[tuple[str, str], Callable[[Target], Answer]] = {
    ("status", "get"): _get,
    ("status", "update"): _put,
    ("status", "patch"): _patch,
    ("scale", "get"): _get_scale,
}
