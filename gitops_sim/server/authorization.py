"""Who may ask for what: impersonation, then the roles.

Source: k8s.io/apiserver, pkg/endpoints/filters (impersonation, authorization).
"""

from __future__ import annotations

from urllib.parse import unquote

from gitops_sim.apimachinery.go_text import quoted
from gitops_sim.apiserver.rbac import Attributes, may, refuse_unless_allowed
from gitops_sim.apiserver.server import ApiServer
from gitops_sim.apiserver.users import User
from gitops_sim.errors import BadRequestError
from gitops_sim.server.requests import Request, Wanted

__all__ = ["acting_user", "authorize"]

_AUTHENTICATED = "system:authenticated"
_ACCOUNT = "system:serviceaccount:"
_NODE = "system:node:"
_EXTRA = "impersonate-extra-"


def authorize(server: ApiServer, user: User, wanted: Wanted) -> None:
    """Refuse a request that the user may not make.

    Raises:
        ForbiddenError: No rule allows it.
    """
    refuse_unless_allowed(server, _attributes(user, wanted, wanted.verb))


def acting_user(server: ApiServer, request: Request, wanted: Wanted) -> User:
    """Return who acts: the user himself, or the one that he impersonates.

    Raises:
        ForbiddenError: He may not.
        BadRequestError: Groups or more are impersonated without a user.
    """
    asked = _impersonated(request)
    if asked is None:
        return request.user
    if not asked.name:
        told = _go_struct(asked)
        raise BadRequestError(f"requested {told} without impersonating a user name")
    if not all(may(server, one) for one in _needed(request.user, asked)):
        # Constrained impersonation is tried first, so its refusal is the one that is told.
        mode = _mode(asked)
        if mode:
            verb = f"impersonate-on:{mode}:{wanted.verb}"
            refuse_unless_allowed(server, _attributes(request.user, wanted, verb))
        for one in _needed(request.user, asked, mode):
            refuse_unless_allowed(server, one)
    return _completed(asked)


def _go_struct(asked: User) -> str:
    """Print what was asked for as Go's `%#v`."""
    listed = ", ".join(quoted(group) for group in asked.groups)
    groups = f"[]string{{{listed}}}" if asked.groups else "[]string(nil)"
    entries = ", ".join(
        f"{quoted(key)}:[]string{{{', '.join(map(quoted, values))}}}" for key, values in asked.extra
    )
    extra = f"map[string][]string{{{entries}}}" if asked.extra else "map[string][]string(nil)"
    return f'&user.DefaultInfo{{Name:"", UID:{quoted(asked.uid)}, Groups:{groups}, Extra:{extra}}}'


def _mode(asked: User) -> str:
    """Return the mode of constrained impersonation for whom is asked for; empty: there is none."""
    is_alone = not (asked.groups or asked.uid or asked.extra)
    if asked.name.startswith(_ACCOUNT):
        return "serviceaccount" if is_alone else ""
    if asked.name.startswith(_NODE):
        return "arbitrary-node" if is_alone else ""
    return "user-info"


def _attributes(user: User, wanted: Wanted, verb: str) -> Attributes:
    if not wanted.is_resource:
        return Attributes(user, verb, path=wanted.path)
    return Attributes(
        user,
        verb,
        wanted.group,
        wanted.resource,
        wanted.subresource,
        wanted.name,
        wanted.namespace,
    )


def _impersonated(request: Request) -> User | None:
    name, groups = request.header("impersonate-user"), request.header("impersonate-group")
    uid = request.header("impersonate-uid")
    extra = tuple(
        (unquote(key.removeprefix(_EXTRA)), tuple(value.split(",")))
        for key, value in sorted(request.headers.items())
        if key.startswith(_EXTRA)
    )
    if not (name or groups or uid or extra):
        return None
    return User(name, tuple(g.strip() for g in groups.split(",") if g.strip()), uid, extra)


def _needed(by: User, asked: User, mode: str = "") -> list[Attributes]:
    """Return what someone must be allowed in order to act as another, by a constrained mode."""
    verb = f"impersonate:{mode}" if mode else "impersonate"
    group = "authentication.k8s.io"
    core = group if mode else ""
    if asked.name.startswith(_ACCOUNT):
        namespace, _, name = asked.name.removeprefix(_ACCOUNT).partition(":")
        needed = [Attributes(by, verb, core, "serviceaccounts", "", name, namespace)]
    elif mode == "arbitrary-node":
        needed = [Attributes(by, verb, core, "nodes", "", asked.name.removeprefix(_NODE))]
    else:
        needed = [Attributes(by, verb, core, "users", "", asked.name)]
    needed += [Attributes(by, verb, core, "groups", "", name) for name in asked.groups]
    if asked.uid:
        needed.append(Attributes(by, verb, group, "uids", "", asked.uid))
    for key, values in asked.extra:
        needed += [Attributes(by, verb, group, "userextras", key, value) for value in values]
    return needed


def _completed(asked: User) -> User:
    """Add the groups that everyone of the kind has."""
    groups = asked.groups
    if asked.name.startswith(_ACCOUNT) and not groups:
        namespace = asked.name.removeprefix(_ACCOUNT).partition(":")[0]
        groups = ("system:serviceaccounts", f"{_ACCOUNT[:-1]}s:{namespace}")
    if asked.name == "system:anonymous":
        return User(asked.name, (*groups, "system:unauthenticated"), asked.uid, asked.extra)
    if _AUTHENTICATED not in groups:
        groups = (*groups, _AUTHENTICATED)
    return User(asked.name, groups, asked.uid, asked.extra)
