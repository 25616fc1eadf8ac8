"""Reviews: questions about access that are answered and never stored.

Source: k8s.io/kubernetes, pkg/registry/authorization and pkg/registry/authentication.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gitops_sim.apimachinery import causes, managed_fields
from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apimachinery.status_errors import generic_invalid
from gitops_sim.apiserver.preparing import decode
from gitops_sim.apiserver.rbac import Attributes, allowed_by, rules_for
from gitops_sim.apiserver.server import ApiServer
from gitops_sim.apiserver.users import User
from gitops_sim.errors import ApiError, BadRequestError
from gitops_sim.types import Manifest

__all__ = ["answer_review", "is_review"]

_ONE_OF = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
_GROUPS = ("authorization.k8s.io", "authentication.k8s.io")
Authenticate = Callable[[str], User | None]


def is_review(resource_type: ResourceType) -> bool:
    """True for kinds that are only asked, not stored."""
    return resource_type.group in _GROUPS and resource_type.kind.endswith("Review")


def answer_review(
    server: ApiServer,
    resource_type: ResourceType,
    manifest: Manifest,
    *,
    manager: str,
    authenticate: Authenticate,
) -> Manifest:
    """Return a review with its status.

    Args:
        server: Whose roles count; its caller is who asks.
        resource_type: Which review.
        manifest: The question.
        manager: Of the fields in the question.
        authenticate: Tells whose a token is.

    Raises:
        ApiError: The question makes no sense.
    """
    asked = decode(server, resource_type, manifest)
    asked = managed_fields.after_update(
        None,
        asked,
        manager=manager,
        schema=server.schemas.schema_for(
            resource_type.group, resource_type.version, resource_type.kind
        ),
        time=server.clock.timestamp(),
        api_version=resource_type.api_version,
        subresource="",
    )
    return asked | {
        "status": _STATUS[resource_type.kind](server, resource_type, asked, authenticate)
    }


def _own_access(server: ApiServer, kind: ResourceType, asked: Manifest, _: Authenticate) -> Any:
    return _access(server, kind, asked, server.caller.user)


def _others_access(server: ApiServer, kind: ResourceType, asked: Manifest, _: Authenticate) -> Any:
    spec, inside = asked.get("spec") or {}, asked["metadata"].get("namespace", "")
    if not spec.get("user") and not spec.get("groups"):
        detail = "at least one of user or group must be specified"
        raise _refused(kind, "spec.user", spec.get("user", ""), detail)
    asked_for = (spec.get("resourceAttributes") or {}).get("namespace", "")
    if kind.namespaced and asked_for != inside:
        detail = "must match metadata.namespace"
        raise _refused(kind, "spec.resourceAttributes.namespace", asked_for, detail)
    user = User(spec.get("user", ""), tuple(spec.get("groups") or ()), spec.get("uid", ""))
    return _access(server, kind, asked, user)


def _access(server: ApiServer, kind: ResourceType, asked: Manifest, user: User) -> Any:
    spec = asked.get("spec") or {}
    about, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if (about is None) == (path is None):
        shown = path and {"Path": path.get("path", ""), "Verb": path.get("verb", "")}
        raise _refused(kind, "spec", {"Path": "", "Verb": ""} if path == {} else shown, _ONE_OF)
    if about is not None:
        wanted = Attributes(
            user,
            about.get("verb", ""),
            about.get("group", ""),
            about.get("resource", ""),
            about.get("subresource", ""),
            about.get("name", ""),
            about.get("namespace", ""),
        )
    else:
        path = path or {}
        wanted = Attributes(user, path.get("verb", ""), path=path.get("path", ""))
    if user.is_master:
        return {"allowed": True}
    source = allowed_by(server, wanted)
    if source is None:
        return {"allowed": False}
    return {"allowed": True, "reason": f"RBAC: allowed by {source}"}


def _refused(kind: ResourceType, field: str, value: Any, detail: str) -> ApiError:
    """Return the 422 of a review, which does not tell its kind."""
    return generic_invalid(kind.group, "", "", [causes.invalid(field, value, detail)])


def _own_rules(server: ApiServer, kind: ResourceType, asked: Manifest, _: Authenticate) -> Any:
    del kind
    namespace = (asked.get("spec") or {}).get("namespace")
    if not namespace:
        raise BadRequestError("no namespace on request")
    asked |= {"metadata": {}, "spec": {}}  # the answer is a new object, without the question
    every = [granted.rule for granted in rules_for(server, server.caller.user, namespace)]
    resources = [
        {
            member: rule[member]
            for member in ("verbs", "apiGroups", "resources", "resourceNames")
            if rule.get(member)
        }
        for rule in every
        if rule.get("resources")
    ]
    urls = [
        {"verbs": rule["verbs"], "nonResourceURLs": rule["nonResourceURLs"]}
        for rule in every
        if rule.get("nonResourceURLs")
    ]
    return {"resourceRules": resources, "nonResourceRules": urls, "incomplete": False}


def _own_user(server: ApiServer, kind: ResourceType, asked: Manifest, _: Authenticate) -> Any:
    del kind
    metadata = asked["metadata"] | {"creationTimestamp": server.clock.timestamp()}
    asked["metadata"] = metadata  # the only review that is prepared like an object
    return {"userInfo": server.caller.user.to_json()}


def _token(
    server: ApiServer, kind: ResourceType, asked: Manifest, authenticate: Authenticate
) -> Any:
    del server, kind
    token = (asked.get("spec") or {}).get("token", "")
    if not token:
        raise BadRequestError("token is required for TokenReview in authentication")
    user = authenticate(token)
    if user is None:
        return {"user": {}, "error": "invalid bearer token"}
    return {"authenticated": True, "user": user.to_json()}


_STATUS: dict[str, Callable[[ApiServer, ResourceType, Manifest, Authenticate], Any]] = {
    "LocalSubjectAccessReview": _others_access,
    "SelfSubjectAccessReview": _own_access,
    "SelfSubjectReview": _own_user,
    "SelfSubjectRulesReview": _own_rules,
    "SubjectAccessReview": _others_access,
    "TokenReview": _token,
}
