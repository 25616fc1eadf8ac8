"""Nobody may grant what he does not hold: checks of roles and bindings before they are stored.

Source: k8s.io/kubernetes, pkg/registry/rbac/escalation_check.go and
pkg/registry/rbac/validation; k8s.io/component-helpers, auth/rbac/validation/policy_comparator.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from gitops_sim.apimachinery.go_text import quoted
from gitops_sim.apimachinery.status_errors import forbidden
from gitops_sim.apiserver.rbac import GROUP, Attributes, Rule, may, role_rules, rules_for
from gitops_sim.apiserver.server import ApiServer, Write
from gitops_sim.types import Manifest

__all__ = ["no_escalation"]

_ROLES = ("Role", "ClusterRole")
_BINDINGS = ("RoleBinding", "ClusterRoleBinding")
_MEMBERS = (
    ("apiGroups", "APIGroups"),
    ("resources", "Resources"),
    ("nonResourceURLs", "NonResourceURLs"),
    ("resourceNames", "ResourceNames"),
    ("verbs", "Verbs"),
)


def no_escalation(server: ApiServer, write: Write, manifest: Manifest) -> None:
    """Admission: refuse a role or binding that grants more than its writer holds.

    Raises:
        ForbiddenError: Lists what is missing.
    """
    kind = write.resource_type.kind
    if write.resource_type.group != GROUP or kind not in (*_ROLES, *_BINDINGS):
        return
    user = server.caller.user
    if user.is_master:
        return
    metadata = manifest["metadata"]
    namespace = metadata.get("namespace", "") if write.resource_type.namespaced else ""
    if kind in _ROLES:
        same = write.before is not None and write.before.get("rules") == manifest.get("rules")
        verb, resource, name = "escalate", write.resource_type.plural, metadata.get("name", "")
        granted = manifest.get("rules") or []
    else:
        reference = manifest.get("roleRef") or {}
        same = write.before is not None and all(
            write.before.get(part) == manifest.get(part) for part in ("roleRef", "subjects")
        )
        verb, name = "bind", reference.get("name", "")
        resource = "clusterroles" if reference.get("kind") == "ClusterRole" else "roles"
        granted = role_rules(server, reference, namespace)
    wanted = Attributes(user, verb, GROUP, resource, "", name, namespace)
    if same or may(server, wanted):
        return
    held = [found.rule for found in rules_for(server, user, namespace)]
    missing = _missing(held, granted)
    if missing:
        groups = " ".join(quoted(group) for group in user.groups)
        raise forbidden(
            write.resource_type,
            metadata.get("name", ""),
            f"user {quoted(user.name)} (groups=[{groups}]) is attempting to grant RBAC "
            "permissions not currently held:\n" + "\n".join(missing),
        )


def _missing(held: list[Rule], granted: Iterable[Rule]) -> list[str]:
    """Return the granted rights that nothing held covers, described and sorted."""
    lacking = [
        small
        for rule in granted
        for small in _broken_down(rule)
        if not any(_covers(one, small) for one in held)
    ]
    return sorted({_described(rule) for rule in _compacted(lacking)})


def _broken_down(rule: Rule) -> Iterator[Rule]:
    """Yield rules of one group, resource, verb and name each."""
    names: list[list[str]] = [[name] for name in rule.get("resourceNames") or ()] or [[]]
    for verb in rule.get("verbs") or ():
        for group in rule.get("apiGroups") or ():
            for resource in rule.get("resources") or ():
                for name in names:
                    small: Rule = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
                    yield small | ({"resourceNames": name} if name else {})
        for url in rule.get("nonResourceURLs") or ():
            yield {"nonResourceURLs": [url], "verbs": [verb]}


def _covers(held: Rule, small: Rule) -> bool:
    if not _has_all(held.get("verbs"), small["verbs"]):
        return False
    if "nonResourceURLs" in small:
        url = small["nonResourceURLs"][0]
        return any(
            pattern in ("*", url) or (pattern.endswith("*") and url.startswith(pattern.rstrip("*")))
            for pattern in held.get("nonResourceURLs") or ()
        )
    names = held.get("resourceNames") or ()
    return (
        _has_all(held.get("apiGroups"), small["apiGroups"])
        and _has_resource(held.get("resources") or (), small["resources"][0])
        and (not names or set(small.get("resourceNames") or ("",)) <= set(names))
    )


def _has_all(held: Any, wanted: list[str]) -> bool:
    return bool(held) and ("*" in held or set(wanted) <= set(held))


def _has_resource(held: Any, wanted: str) -> bool:
    _, slash, part = wanted.partition("/")
    return "*" in held or wanted in held or bool(slash and f"*/{part}" in held)


def _compacted(rules: list[Rule]) -> list[Rule]:
    """Join rules that differ only in their verb."""
    joined: dict[tuple[str, ...], Rule] = {}
    for rule in rules:
        if "nonResourceURLs" in rule:
            joined["url", *rule["nonResourceURLs"], *rule["verbs"]] = rule
            continue
        key = (*rule["apiGroups"], *rule["resources"], *rule.get("resourceNames", ()))
        known = joined.get(key)
        if known is None:
            joined[key] = rule
        else:
            known["verbs"] = known["verbs"] + rule["verbs"]
    return list(joined.values())


def _described(rule: Rule) -> str:
    parts = [
        f"{told}:[{' '.join(quoted(word) for word in rule[member])}]"
        for member, told in _MEMBERS
        if rule.get(member)
    ]
    return "{" + ", ".join(parts) + "}"
