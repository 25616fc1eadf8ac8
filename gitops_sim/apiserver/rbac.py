"""Role-based access: which rules a user has, and whether one of them allows what is asked.

Source: k8s.io/kubernetes, plugin/pkg/auth/authorizer/rbac/rbac.go and
pkg/registry/rbac/validation/rule.go.
Differs: the node authoriser is missing; nothing in a lab authenticates as a kubelet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gitops_sim.apiserver.server import ApiServer
from gitops_sim.apiserver.store import Kind
from gitops_sim.apiserver.users import User
from gitops_sim.errors import ForbiddenError

__all__ = [
    "Attributes",
    "GrantedRule",
    "Rule",
    "allowed_by",
    "may",
    "refuse_unless_allowed",
    "role_rules",
    "rules_for",
]

Rule = dict[str, Any]
_ACCOUNT = "system:serviceaccount:"
GROUP = "rbac.authorization.k8s.io"
_CLUSTER_ROLES, _ROLES = Kind(GROUP, "ClusterRole"), Kind(GROUP, "Role")
_CLUSTER_BINDINGS, _BINDINGS = Kind(GROUP, "ClusterRoleBinding"), Kind(GROUP, "RoleBinding")


@dataclass(frozen=True, slots=True)
class Attributes:
    """What someone wants to do; `path` is set for what is no resource."""

    user: User
    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    namespace: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        """The resource with its subresource, as rules name it."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


@dataclass(frozen=True, slots=True)
class GrantedRule:
    """A rule that a user has, and by which binding."""

    rule: Rule
    source: str


def may(server: ApiServer, wanted: Attributes) -> bool:
    """True when the user may do this."""
    return wanted.user.is_master or allowed_by(server, wanted) is not None


def allowed_by(server: ApiServer, wanted: Attributes) -> str | None:
    """Return which binding allows this; None when none does."""
    for granted in rules_for(server, wanted.user, wanted.namespace):
        if _allows(granted.rule, wanted):
            return granted.source
    return None


def refuse_unless_allowed(server: ApiServer, wanted: Attributes) -> None:
    """Refuse what the user may not do.

    Raises:
        ForbiddenError: Worded as the real server does.
    """
    if may(server, wanted):
        return
    name = wanted.user.name
    if wanted.path:
        raise ForbiddenError(
            f'forbidden: User "{name}" cannot {wanted.verb} path "{wanted.path}"', {}
        )
    plural = f"{wanted.resource}.{wanted.group}" if wanted.group else wanted.resource
    subject = f'{plural} "{wanted.name}"' if wanted.name else plural
    where = f'in the namespace "{wanted.namespace}"' if wanted.namespace else "at the cluster scope"
    details = {"name": wanted.name, "group": wanted.group, "kind": wanted.resource}
    raise ForbiddenError(
        f'{subject} is forbidden: User "{name}" cannot {wanted.verb} resource '
        f'"{wanted.full_resource}" in API group "{wanted.group}" {where}',
        {key: value for key, value in details.items() if value},
    )


def rules_for(server: ApiServer, user: User, namespace: str) -> Iterator[GrantedRule]:
    """Yield the rules that a user has in a namespace; those of cluster bindings come first."""
    for binding in server.store.objects(_CLUSTER_BINDINGS):
        subject = _subject(binding, user, "")
        if subject is not None:
            reference = binding["roleRef"]
            name = binding["metadata"]["name"]
            source = (
                f'ClusterRoleBinding "{name}" of ClusterRole "{reference["name"]}" to {subject}'
            )
            for rule in role_rules(server, reference, ""):
                yield GrantedRule(rule, source)
    if not namespace:
        return
    for binding in server.store.objects(_BINDINGS, namespace):
        subject = _subject(binding, user, namespace)
        if subject is not None:
            reference = binding["roleRef"]
            name = f"{binding['metadata']['name']}/{namespace}"
            role = f'{reference["kind"]} "{reference["name"]}"'
            source = f'RoleBinding "{name}" of {role} to {subject}'
            for rule in role_rules(server, reference, namespace):
                yield GrantedRule(rule, source)


def role_rules(server: ApiServer, reference: dict[str, Any], namespace: str) -> list[Rule]:
    """Return the rules of a role that a binding refers to; none when it is not there."""
    if reference.get("kind") == "ClusterRole":
        role = server.store.get(_CLUSTER_ROLES, "", reference["name"])
    else:
        role = server.store.get(_ROLES, namespace, reference["name"])
    return list((role or {}).get("rules") or ())


def _subject(binding: dict[str, Any], user: User, namespace: str) -> str | None:
    """Return the first subject that the user is, described; None when he is none of them."""
    for subject in binding.get("subjects") or ():
        kind, name = subject.get("kind"), subject.get("name", "")
        if kind == "User" and name == user.name:
            return f'User "{name}"'
        if kind == "Group" and name in user.groups:
            return f'Group "{name}"'
        if kind == "ServiceAccount":
            home = subject.get("namespace") or namespace
            if user.name == f"{_ACCOUNT}{home}:{name}":
                return f'ServiceAccount "{name}/{home}"'
    return None


def _allows(rule: Rule, wanted: Attributes) -> bool:
    if not _has(rule.get("verbs"), wanted.verb):
        return False
    if wanted.path:
        return any(_url_matches(url, wanted.path) for url in rule.get("nonResourceURLs") or ())
    names = rule.get("resourceNames") or ()
    return (
        _has(rule.get("apiGroups"), wanted.group)
        and _covers_resource(rule.get("resources") or (), wanted)
        and (not names or wanted.name in names)
    )


def _has(listed: Any, wanted: str) -> bool:
    return bool(listed) and ("*" in listed or wanted in listed)


def _covers_resource(listed: Any, wanted: Attributes) -> bool:
    if "*" in listed or wanted.full_resource in listed:
        return True
    return bool(wanted.subresource) and f"*/{wanted.subresource}" in listed


def _url_matches(pattern: str, path: str) -> bool:
    if pattern in ("*", path):
        return True
    return pattern.endswith("*") and path.startswith(pattern.rstrip("*"))
