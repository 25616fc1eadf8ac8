"""Requests for resources: what path, query and body ask for becomes a verb of the API server.

Source: k8s.io/apiserver, pkg/endpoints/installer.go and pkg/endpoints/handlers.
"""

from __future__ import annotations

from collections.abc import Callable

from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apimachinery.status_errors import method_not_allowed, not_found, unknown_resource
from gitops_sim.apiserver import writing
from gitops_sim.apiserver.definitions import deprecation, is_custom_group
from gitops_sim.apiserver.listing import ListOptions, list_page, parse_version
from gitops_sim.apiserver.reviews import answer_review, is_review
from gitops_sim.apiserver.server import ApiServer, storage_kind
from gitops_sim.apiserver.watching import StoreWatch
from gitops_sim.errors import BadRequestError, NotAcceptableError, UnknownError
from gitops_sim.server import deletions, patching
from gitops_sim.server.answers import NOT_FOUND, Answer, encoded
from gitops_sim.server.beside import Beside
from gitops_sim.server.media import STREAMS, negotiate, refuse_unless_produced
from gitops_sim.server.options import integer, write_options
from gitops_sim.server.requests import Request, Wanted
from gitops_sim.server.shapes import FORMS, Shaper
from gitops_sim.server.subresources import bind_pod, serve_subresource
from gitops_sim.server.target import Target
from gitops_sim.server.watches import WatchStream

__all__ = ["serve_resource"]


def serve_resource(server: ApiServer, request: Request, wanted: Wanted, beside: Beside) -> Answer:
    """Answer a request for a resource.

    Raises:
        ApiError: It is refused.
    """
    resource_type = server.kinds.resource(wanted.group, wanted.version, wanted.resource)
    if is_custom_group(wanted.group):
        if resource_type is None or not _fits_scope(wanted, resource_type):
            return NOT_FOUND
        if wanted.subresource and wanted.subresource not in resource_type.subresources:
            raise not_found(resource_type, wanted.name)
    if resource_type is None or (wanted.rest and wanted.subresource not in ("proxy", "log")):
        raise unknown_resource()
    target = Target(server, request, wanted, resource_type, beside)
    deprecated = _DEPRECATED.get((resource_type.api_version, resource_type.kind))
    deprecated = deprecated or deprecation(server, resource_type)
    if deprecated:
        server.caller.warn(deprecated)
    if wanted.subresource:
        return serve_subresource(target)
    _check_route(target)
    return _ROUTES[_route_of(target)](target)


def _fits_scope(wanted: Wanted, resource_type: ResourceType) -> bool:
    """True when a request for a custom kind has a namespace just where the kind has one."""
    if not resource_type.namespaced:
        return not wanted.namespace
    return bool(wanted.namespace) or wanted.verb in ("list", "watch")


def _route_of(target: Target) -> str:
    verb = target.wanted.verb
    return verb if verb in _ROUTES else ""


def _check_route(target: Target) -> None:
    """Refuse what has no route: another method, or a namespace missing or too much."""
    wanted, resource_type = target.wanted, target.resource_type
    in_namespace = bool(wanted.namespace) and wanted.resource != "namespaces"
    if resource_type.namespaced and not in_namespace:
        if wanted.verb not in ("list", "watch"):
            raise method_not_allowed() if not wanted.name else unknown_resource()
    elif in_namespace and not resource_type.namespaced:
        raise unknown_resource()
    is_named = bool(wanted.name) and wanted.verb not in ("list", "watch")
    fits = is_named == (wanted.verb in ("get", "update", "patch", "delete"))
    method = target.request.method
    allowed = wanted.verb in resource_type.verbs and method != "HEAD"
    if wanted.verb in ("list", "watch"):
        allowed = allowed and method == "GET"
    if not (fits and allowed):
        raise method_not_allowed()
    accept = target.request.header("accept")
    refuse_unless_produced(accept, streams=wanted.verb in ("list", "watch"))


def _get(target: Target) -> Answer:
    form = negotiate(target.request.header("accept"), FORMS)
    version = target.request.parameter("resourceVersion")
    if _version(version) > target.server.store.revision:
        target.server.store.objects(storage_kind(target.resource_type), at=int(version))
    found = target.server.find(target.resource_type, target.namespace, target.wanted.name)
    return target.answer(found, form=form)


def _version(text: str) -> int:
    """Return the resourceVersion of a get or watch, where a bad one is the server's own fault."""
    try:
        return parse_version(text)
    except BadRequestError as error:
        raise UnknownError(error.message.removeprefix("invalid resource version: ")) from None


def _list(target: Target) -> Answer:
    form = negotiate(target.request.header("accept"), FORMS)
    options = _list_options(target.request)
    page = list_page(target.server, target.resource_type, target.inside, target.filter(), options)
    shaper = Shaper(
        target.server, target.resource_type, form, target.request.parameter("includeObject")
    )
    return Answer(200, form.content_type, encoded(shaper.page(page), form))


def _watch(target: Target) -> Answer:
    request, server = target.request, target.server
    form = negotiate(request.header("accept"), FORMS)
    if form.media_type != "application/json":
        listed = ", ".join(STREAMS)
        raise NotAcceptableError(f"only the following media types are accepted: {listed}")
    options = _list_options(request, watch=True)
    options.check()
    shaper = Shaper(server, target.resource_type, form, request.parameter("includeObject"))
    initial = options.send_initial_events
    from_start = options.resource_version in ("", "0") and not options.match
    stream = WatchStream(
        _store_watch(target, options),
        shaper.event,
        shaper.empty(),
        bookmarks=request.flag("allowWatchBookmarks"),
        ends_initial=from_start if initial is None else initial,
        seconds=float(integer(request, "timeoutSeconds") or 1800),
    )
    return Answer(200, form.content_type, stream=stream)


def _store_watch(target: Target, options: ListOptions) -> StoreWatch:
    since: int | None = _version(options.resource_version)
    if not since or options.send_initial_events:
        since = None
    resource_type = target.resource_type
    return StoreWatch(
        target.server.store,
        storage_kind(resource_type),
        target.filter(target.inside),
        since,
        lambda manifest: target.server.in_version(resource_type, manifest),
    )


def _list_options(request: Request, *, watch: bool = False) -> ListOptions:
    initial = request.query.get("sendInitialEvents")
    integer(request, "timeoutSeconds")
    return ListOptions(
        limit=integer(request, "limit") or 0,
        continue_token=request.parameter("continue"),
        resource_version=request.parameter("resourceVersion"),
        match=request.parameter("resourceVersionMatch"),
        watch=watch,
        send_initial_events=None if initial is None else request.flag("sendInitialEvents"),
    )


def _create(target: Target) -> Answer:
    request, resource_type = target.request, target.resource_type
    form = negotiate(request.header("accept"), FORMS)
    options = write_options(request, "CreateOptions")
    if (resource_type.group, resource_type.kind) == ("", "Binding"):
        return bind_pod(target, "")
    body = target.body()
    if is_review(resource_type):
        reviewed = answer_review(
            target.server,
            resource_type,
            body,
            manager=options.manager,
            authenticate=target.beside.accounts.user,
        )
        return target.answer(reviewed, form=form, status=201)
    stored = writing.create(
        target.server, resource_type, body, manager=options.manager, dry_run=options.dry_run
    )
    return target.answer(stored, form=form, status=201)


def _update(target: Target) -> Answer:
    request, resource_type = target.request, target.resource_type
    form = negotiate(request.header("accept"), FORMS)
    options = write_options(request, "UpdateOptions")
    stored = writing.update(
        target.server,
        resource_type,
        target.body(),
        manager=options.manager,
        dry_run=options.dry_run,
    )
    return target.answer(stored, form=form)


_DEPRECATED = {
    ("v1", "ComponentStatus"): "v1 ComponentStatus is deprecated in v1.19+",
    ("v1", "Endpoints"): (
        "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
    ),
}
"""Kinds whose every answer carries a warning."""

_ROUTES: dict[str, Callable[[Target], Answer]] = {
    "get": _get,
    "list": _list,
    "watch": _watch,
    "create": _create,
    "update": _update,
    "patch": patching.patch,
    "delete": deletions.delete_one,
    "deletecollection": deletions.delete_collection,
}
