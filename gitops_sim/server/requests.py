"""A request as it came in, and what its path asks for.

Source: k8s.io/apiserver, pkg/endpoints/request/requestinfo.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import parse_qs, unquote

from gitops_sim.apimachinery.fields import parse_field_selector
from gitops_sim.apiserver.users import User
from gitops_sim.errors import ApiError

__all__ = ["Request", "Wanted", "wanted_by"]

_VERBS = {
    "POST": "create",
    "GET": "get",
    "HEAD": "get",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
_SPECIAL = ("proxy", "watch")
_CONNECTED = ("attach", "exec", "log", "portforward", "proxy")
_NAMESPACE_PARTS = ("status", "finalize")


@lru_cache(maxsize=256)
def _query(text: str) -> dict[str, list[str]]:
    """Return the parameters of a query; each request asks for a dozen of them."""
    return parse_qs(text, keep_blank_values=True)


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; `headers` have lower-case names, `path` is still percent-encoded."""

    user: User
    method: str
    path: str
    query_text: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def query(self) -> dict[str, list[str]]:
        """The query's parameters; not to be changed."""
        return _query(self.query_text)

    def parameter(self, name: str, default: str = "") -> str:
        """Return the first value of a query parameter."""
        found = self.query.get(name)
        return found[0] if found else default

    def flag(self, name: str) -> bool:
        """Return a query parameter as Kubernetes reads booleans: only false and 0 are false."""
        found = self.query.get(name)
        return found is not None and found[0].lower() not in ("false", "0", "")

    def header(self, name: str) -> str:
        """Return a header; empty when it was not sent."""
        return self.headers.get(name, "")

    def of(self, user: User) -> Request:
        """Return the same request by another user."""
        return replace(self, user=user)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a path asks for, as authorisation and routing see it.

    `path` is decoded. For a non-resource request only `path` and `verb` are set. `rest` holds
    what comes after the subresource.
    """

    verb: str
    path: str
    is_resource: bool = False
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    name: str = ""
    subresource: str = ""
    rest: tuple[str, ...] = ()

    @property
    def is_long_running(self) -> bool:
        """True for what may go on for as long as it likes: watches, logs, connections."""
        return self.verb in ("watch", "proxy") or self.subresource in _CONNECTED


def wanted_by(request: Request) -> Wanted:
    """Return what a request asks for, by its path, method and `watch` parameter."""
    path = unquote(request.path)
    parts = path.strip("/").split("/")
    plain = Wanted(request.method.lower(), path)
    if len(parts) < 3 or parts[0] not in ("api", "apis"):
        return plain
    group, rest = ("", parts[1:]) if parts[0] == "api" else (parts[1], parts[2:])
    if len(rest) < 2:
        return plain
    version, rest = rest[0], rest[1:]
    verb = _VERBS.get(request.method, "")
    if rest[0] in _SPECIAL:
        if len(rest) < 2:
            return plain
        verb, rest = rest[0], rest[1:]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in _NAMESPACE_PARTS:
            rest = rest[2:]
    name = rest[1] if len(rest) > 1 else ""
    subresource = rest[2] if len(rest) > 2 else ""
    if not name and verb == "get":
        verb = "watch" if request.flag("watch") else "list"
        name = _only_name(request.parameter("fieldSelector"))
    if not name and verb == "delete":
        verb = "deletecollection"
    return Wanted(
        verb,
        path,
        is_resource=True,
        group=group,
        version=version,
        namespace=namespace,
        resource=rest[0],
        name=name,
        subresource=subresource,
        rest=tuple(rest[3:]),
    )


def _only_name(field_selector: str) -> str:
    """Return the one name that a field selector lets through; a role may allow just that."""
    if "metadata.name" not in field_selector:
        return ""
    try:
        return parse_field_selector(field_selector).exact("metadata.name") or ""
    except ApiError:
        return ""
