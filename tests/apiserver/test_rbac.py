"""Roles: who may do what, by which binding, and that nobody grants more than he holds."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.apiserver import ApiServer, InProcessClient
from gitops_sim.apiserver.rbac import Attributes, allowed_by, may, refuse_unless_allowed
from gitops_sim.apiserver.reviews import answer_review
from gitops_sim.apiserver.users import Caller, User
from gitops_sim.errors import ForbiddenError

GROUP = "rbac.authorization.k8s.io"
DEV = User("dev", ("devs", "system:authenticated"))
ROBOT = User("system:serviceaccount:shop:robot", ("system:authenticated",))


def role(client: InProcessClient, kind: str, name: str, *rules: dict[str, Any]) -> None:
    metadata = {"name": name} | ({"namespace": "default"} if kind == "Role" else {})
    manifest = {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata}
    client.create(manifest | {"rules": list(rules)})


def binding(of: str, called: str, role_name: str, **subject: str) -> dict[str, Any]:
    metadata = {"name": called} | ({"namespace": "default"} if of == "RoleBinding" else {})
    if subject["kind"] != "ServiceAccount":
        subject["apiGroup"] = GROUP
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": of,
        "metadata": metadata,
        "roleRef": {
            "apiGroup": GROUP,
            "kind": "ClusterRole" if of == "ClusterRoleBinding" else "Role",
            "name": role_name,
        },
        "subjects": [subject],
    }


READ = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}


def test_a_role_binding_allows_in_its_namespace_alone(
    server: ApiServer, client: InProcessClient
) -> None:
    role(client, "Role", "reader", READ)
    client.create(binding("RoleBinding", "r", "reader", kind="User", name="dev"))
    here = Attributes(DEV, "get", "", "configmaps", "", "a", "default")
    assert allowed_by(server, here) == 'RoleBinding "r/default" of Role "reader" to User "dev"'
    assert not may(server, Attributes(DEV, "get", "", "configmaps", "", "a", "kube-system"))
    assert not may(server, Attributes(DEV, "delete", "", "configmaps", "", "a", "default"))
    assert not may(server, Attributes(DEV, "get", "", "secrets", "", "a", "default"))


def test_a_cluster_role_bound_in_a_namespace_allows_there_alone(
    server: ApiServer, client: InProcessClient
) -> None:
    role(client, "ClusterRole", "reader", READ)
    bound = binding("RoleBinding", "r", "reader", kind="User", name="dev")
    bound["roleRef"]["kind"] = "ClusterRole"
    client.create(bound)
    assert may(server, Attributes(DEV, "get", "", "configmaps", "", "a", "default"))
    assert not may(server, Attributes(DEV, "get", "", "configmaps", "", "a", "kube-system"))
    assert not may(server, Attributes(DEV, "list", "", "configmaps", "", "", ""))


def test_a_cluster_role_binding_allows_everywhere(
    server: ApiServer, client: InProcessClient
) -> None:
    role(client, "ClusterRole", "reader", READ)
    client.create(binding("ClusterRoleBinding", "r", "reader", kind="Group", name="devs"))
    assert may(server, Attributes(DEV, "list", "", "configmaps", "", "", "kube-system"))


def test_a_service_account_is_a_subject(server: ApiServer, client: InProcessClient) -> None:
    role(client, "Role", "reader", READ)
    subject = {"kind": "ServiceAccount", "name": "robot", "namespace": "shop"}
    client.create(binding("RoleBinding", "r", "reader", **subject))
    assert may(server, Attributes(ROBOT, "get", "", "configmaps", "", "a", "default"))


def test_rules_may_name_objects_and_parts(server: ApiServer, client: InProcessClient) -> None:
    rule = {
        "apiGroups": ["apps"],
        "resources": ["deployments/scale"],
        "resourceNames": ["web"],
        "verbs": ["*"],
    }
    role(client, "Role", "scaler", rule)
    client.create(binding("RoleBinding", "r", "scaler", kind="User", name="dev"))
    asked = ("apps", "deployments", "scale")
    assert may(server, Attributes(DEV, "patch", *asked, "web", "default"))
    assert not may(server, Attributes(DEV, "patch", *asked, "db", "default"))
    assert not may(server, Attributes(DEV, "patch", "apps", "deployments", "", "web", "default"))


def test_discovery_is_open_to_everyone_who_is_known(server: ApiServer) -> None:
    assert may(server, Attributes(DEV, "get", path="/apis/apps/v1"))
    with pytest.raises(ForbiddenError, match='User "dev" cannot get path "/metrics"'):
        refuse_unless_allowed(server, Attributes(DEV, "get", path="/metrics"))


def test_nobody_grants_what_he_does_not_hold(server: ApiServer, client: InProcessClient) -> None:
    everything = {"apiGroups": [GROUP], "resources": ["*"], "verbs": ["create", "get"]}
    role(client, "Role", "maker", everything, READ)
    client.create(binding("RoleBinding", "r", "maker", kind="User", name="dev"))
    with server.called_by(Caller(DEV)):
        role(client, "Role", "mine", READ)
        with pytest.raises(ForbiddenError) as refused:
            role(client, "Role", "more", READ | {"resources": ["configmaps", "secrets"]})
    assert str(refused.value).endswith(
        'is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], '
        'Resources:["secrets"], Verbs:["get" "list"]}'
    )


def test_binding_a_role_beyond_ones_own_needs_the_verb_bind(
    server: ApiServer, client: InProcessClient
) -> None:
    make = {"apiGroups": [GROUP], "resources": ["rolebindings"], "verbs": ["create"]}
    role(client, "Role", "maker", make)
    role(client, "Role", "reader", READ)
    client.create(binding("RoleBinding", "r", "maker", kind="User", name="dev"))
    wanted = binding("RoleBinding", "mine", "reader", kind="User", name="dev")
    with server.called_by(Caller(DEV)):
        with pytest.raises(ForbiddenError):
            client.create(wanted)
        with server.called_by(Caller()):
            bind = {"apiGroups": [GROUP], "resources": ["roles"], "verbs": ["bind"]}
            role(client, "Role", "binder", bind | {"resourceNames": ["reader"]})
            client.create(binding("RoleBinding", "b", "binder", kind="User", name="dev"))
        client.create(wanted)


def test_changing_who_is_bound_needs_the_verb_bind_and_other_changes_do_not(
    server: ApiServer, client: InProcessClient
) -> None:
    role(client, "Role", "reader", READ)
    client.create(binding("RoleBinding", "r", "reader", kind="User", name="ann"))
    kind = f"{GROUP}/v1/RoleBinding"
    with server.called_by(Caller(DEV)):
        client.patch(kind, "r", {"metadata": {"labels": {"team": "a"}}})
        with pytest.raises(ForbiddenError, match="attempting to grant RBAC permissions"):
            client.patch(kind, "r", {"subjects": [{"kind": "User", "name": "dev"}]})


def review(server: ApiServer, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    resource_type = server.kinds.lookup(f"authorization.k8s.io/v1/{kind}")
    asked = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "metadata": {}, "spec": spec}
    answered = answer_review(
        server, resource_type, asked, manager="kubectl", authenticate=lambda _: None
    )
    status: dict[str, Any] = answered["status"]
    return status


def test_reviews_tell_what_is_allowed_and_why(server: ApiServer, client: InProcessClient) -> None:
    role(client, "Role", "reader", READ)
    client.create(binding("RoleBinding", "r", "reader", kind="User", name="dev"))
    about = {"verb": "get", "resource": "configmaps", "namespace": "default"}
    with server.called_by(Caller(DEV)):
        told = review(server, "SelfSubjectAccessReview", {"resourceAttributes": about})
        assert told == {
            "allowed": True,
            "reason": 'RBAC: allowed by RoleBinding "r/default" of Role "reader" to User "dev"',
        }
        other = {"resourceAttributes": about | {"verb": "delete"}}
        assert review(server, "SelfSubjectAccessReview", other) == {"allowed": False}
        rules = review(server, "SelfSubjectRulesReview", {"namespace": "default"})
    assert READ["resources"] in [rule["resources"] for rule in rules["resourceRules"]]
    asked = {"user": "dev", "resourceAttributes": about}
    assert review(server, "SubjectAccessReview", asked)["allowed"]
