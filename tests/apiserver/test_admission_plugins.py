"""What admission adds to pods, and what limits, quotas and policies refuse."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.apiserver import ApiServer, InProcessClient
from gitops_sim.apiserver.users import Caller, User
from gitops_sim.clock import VirtualClock
from gitops_sim.errors import ForbiddenError, InvalidError, NotFoundError

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p"},
    "spec": {"containers": [{"name": "app", "image": "nginx:1"}]},
}
POLICIES = "admissionregistration.k8s.io/v1"


def pod(name: str = "p", **resources: dict[str, str]) -> dict[str, Any]:
    container = {"name": "app", "image": "nginx:1", "resources": resources}
    return POD | {"metadata": {"name": name}, "spec": {"containers": [container]}}


def account(client: InProcessClient, name: str = "default") -> None:
    client.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}})


def test_a_pod_gets_its_account_token_tolerations_and_priority(client: InProcessClient) -> None:
    account(client)
    spec = client.create(POD)["spec"]
    (volume,) = spec["volumes"]
    (mount,) = spec["containers"][0]["volumeMounts"]
    assert volume["name"].startswith("kube-api-access-")
    assert mount["name"] == volume["name"]
    assert spec["serviceAccountName"] == "default"
    assert (spec["priority"], spec["preemptionPolicy"]) == (0, "PreemptLowerPriority")
    assert [t["key"] for t in spec["tolerations"]] == [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    ]


def test_an_account_that_is_not_there_is_told(client: InProcessClient) -> None:
    wanted = POD | {"spec": POD["spec"] | {"serviceAccountName": "robot"}}
    with pytest.raises(ForbiddenError, match='serviceaccount "robot" not found'):
        client.create(wanted)


def test_people_wait_in_vain_for_the_default_account(
    server: ApiServer, client: InProcessClient
) -> None:
    with (
        server.called_by(Caller(User("admin", ("system:masters",)))),
        pytest.raises(ForbiddenError, match="error looking up service account default/default"),
    ):
        client.create(POD)


def test_a_priority_class_gives_its_value(client: InProcessClient) -> None:
    wanted = POD | {"spec": POD["spec"] | {"priorityClassName": "system-node-critical"}}
    assert client.create(wanted)["spec"]["priority"] == 2000001000
    with pytest.raises(ForbiddenError, match="no PriorityClass with name none was found"):
        client.create(pod("q") | {"spec": POD["spec"] | {"priorityClassName": "none"}})


def limit_range(client: InProcessClient, **limit: Any) -> None:
    client.create(
        {
            "apiVersion": "v1",
            "kind": "LimitRange",
            "metadata": {"name": "limits"},
            "spec": {"limits": [limit]},
        }
    )


def test_a_limit_range_fills_what_containers_leave_out(client: InProcessClient) -> None:
    limit_range(client, type="Container", default={"cpu": "1"}, defaultRequest={"cpu": "500m"})
    made = client.create(POD)
    resources = made["spec"]["containers"][0]["resources"]
    assert resources == {"requests": {"cpu": "500m"}, "limits": {"cpu": "1"}}
    assert made["metadata"]["annotations"]["kubernetes.io/limit-ranger"] == (
        "LimitRanger plugin set: cpu request for container app; cpu limit for container app"
    )


def test_the_sum_of_a_pod_is_written_as_its_containers_write_it(client: InProcessClient) -> None:
    limit_range(client, type="Pod", max={"memory": "1Gi"})
    amounts = {"limits": {"memory": "1200Mi"}, "requests": {"memory": "1Mi"}}
    text = "maximum memory usage per Pod is 1Gi, but limit is 1200Mi"
    with pytest.raises(ForbiddenError, match=text):
        client.create(pod(**amounts))


@pytest.mark.parametrize(
    ("limit", "resources", "message"),
    [
        (
            {"max": {"memory": "1Gi"}},
            {"limits": {"memory": "2Gi"}, "requests": {"memory": "1Gi"}},
            "maximum memory usage per Container is 1Gi, but limit is 2Gi",
        ),
        (
            {"min": {"memory": "1Gi"}},
            {"limits": {"memory": "1Gi"}, "requests": {"memory": "1Mi"}},
            "minimum memory usage per Container is 1Gi, but request is 1Mi",
        ),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}},
            {"limits": {"cpu": "3"}, "requests": {"cpu": "1"}},
            "cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000",
        ),
    ],
)
def test_containers_keep_within_a_limit_range(
    client: InProcessClient, limit: dict[str, Any], resources: dict[str, Any], message: str
) -> None:
    limit_range(client, type="Container", **limit)
    with pytest.raises(ForbiddenError, match=message):
        client.create(pod(**resources))


NO_PORTS = {"services.nodeports": "0"}


def quota(client: InProcessClient, hard: dict[str, str], used: dict[str, str]) -> None:
    manifest = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}}
    client.create(manifest | {"spec": {"hard": hard}})
    status = {"status": {"hard": hard, "used": used}}
    client.patch("v1/ResourceQuota", "q", status, subresource="status")


def test_a_quota_is_counted_and_then_refuses(client: InProcessClient) -> None:
    quota(client, {"pods": "1", "requests.cpu": "1"}, {"pods": "0", "requests.cpu": "0"})
    client.create(pod("one", requests={"cpu": "600m"}))
    used = client.get("v1/ResourceQuota", "q")["status"]["used"]
    assert used == {"pods": "1", "requests.cpu": "600m"}
    with pytest.raises(ForbiddenError) as refused:
        client.create(pod("two", requests={"cpu": "600m"}))
    assert str(refused.value) == (
        'pods "two" is forbidden: exceeded quota: q, requested: pods=1,requests.cpu=600m, '
        "used: pods=1,requests.cpu=600m, limited: pods=1,requests.cpu=1"
    )


def test_an_update_is_counted_by_what_it_takes_more(client: InProcessClient) -> None:
    quota(client, {"services": "1", "services.nodeports": "1"}, {"services": "0", **NO_PORTS})
    ports = [{"port": 80}]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
    client.create(service | {"spec": {"ports": ports}})
    client.patch("v1/Service", "web", {"metadata": {"labels": {"a": "b"}}})
    client.patch("v1/Service", "web", {"spec": {"type": "NodePort"}})
    used = client.get("v1/ResourceQuota", "q")["status"]["used"]
    assert used == {"services": "1", "services.nodeports": "1"}
    more = [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]
    with pytest.raises(
        ForbiddenError, match=r"exceeded quota: q, requested: services\.nodeports=1,"
    ):
        client.patch("v1/Service", "web", {"spec": {"ports": more}})


def test_a_dry_run_takes_nothing_off_a_quota(client: InProcessClient) -> None:
    quota(client, {"pods": "1"}, {"pods": "0"})
    client.create(POD, dry_run=True)
    assert client.get("v1/ResourceQuota", "q")["status"]["used"] == {"pods": "0"}


def test_containers_state_what_a_quota_counts(client: InProcessClient) -> None:
    quota(client, {"limits.memory": "1Gi"}, {"limits.memory": "0"})
    with pytest.raises(ForbiddenError, match=r"must specify limits\.memory for: app"):
        client.create(POD)


def policy(client: InProcessClient, *validations: dict[str, Any], **spec: Any) -> None:
    rule = {
        "operations": ["CREATE", "UPDATE", "DELETE"],
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "resources": ["configmaps"],
    }
    client.create(
        {
            "apiVersion": POLICIES,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": "policy"},
            "spec": {
                "matchConstraints": {"resourceRules": [rule]},
                "validations": list(validations),
            }
            | spec,
        }
    )


def bound(client: InProcessClient, *actions: str, **spec: Any) -> None:
    client.create(
        {
            "apiVersion": POLICIES,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": "binding"},
            "spec": {"policyName": "policy", "validationActions": list(actions)} | spec,
        }
    )


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


BIG = {"expression": "!has(object.data) || size(object.data) < 2", "message": "too big"}


def test_a_policy_does_nothing_until_it_is_bound(client: InProcessClient) -> None:
    policy(client, BIG)
    client.create(config_map("a", x="1", y="2"))
    bound(client, "Deny")
    with pytest.raises(InvalidError) as refused:
        client.create(config_map("b", x="1", y="2"))
    assert str(refused.value) == (
        "configmaps \"b\" is forbidden: ValidatingAdmissionPolicy 'policy' with binding "
        "'binding' denied request: too big"
    )


def test_a_policy_may_warn_instead(server: ApiServer, client: InProcessClient) -> None:
    policy(client, BIG)
    bound(client, "Warn")
    caller = Caller()
    with server.called_by(caller):
        client.create(config_map("a", x="1", y="2"))
    assert caller.warnings == [
        "Validation failed for ValidatingAdmissionPolicy 'policy' with binding 'binding': too big"
    ]


def test_variables_parameters_and_conditions_are_seen_by_rules(client: InProcessClient) -> None:
    client.create(config_map("settings", most="1"))
    policy(
        client,
        {
            "expression": "size(object.data) <= variables.most",
            "messageExpression": "'more than ' + string(variables.most)",
            "reason": "Forbidden",
        },
        paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
        variables=[{"name": "most", "expression": "int(params.data.most)"}],
        matchConditions=[{"name": "new", "expression": "request.operation == 'CREATE'"}],
    )
    reference = {"name": "settings", "namespace": "default", "parameterNotFoundAction": "Deny"}
    bound(client, "Deny", paramRef=reference)
    with pytest.raises(ForbiddenError, match="more than 1"):
        client.create(config_map("a", x="1", y="2"))


def test_a_policy_judges_deletions_too(client: InProcessClient) -> None:
    policy(client, {"expression": "request.operation != 'DELETE' || oldObject.data.x != 'keep'"})
    bound(client, "Deny")
    client.create(config_map("a", x="keep"))
    with pytest.raises(InvalidError, match="failed expression"):
        client.delete("v1/ConfigMap", "a")


def test_a_rule_that_fails_to_run_refuses_unless_it_is_to_be_ignored(
    client: InProcessClient,
) -> None:
    policy(client, {"expression": "object.data.none == 'x'"}, failurePolicy="Fail")
    bound(client, "Deny")
    with pytest.raises(InvalidError, match="resulted in error: no such key: none"):
        client.create(config_map("a", x="1"))
    client.patch(
        f"{POLICIES}/ValidatingAdmissionPolicy", "policy", {"spec": {"failurePolicy": "Ignore"}}
    )
    client.create(config_map("a", x="1"))


def test_a_namespace_that_a_binding_does_not_select_is_left_alone(client: InProcessClient) -> None:
    policy(client, BIG)
    selector = {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}
    bound(client, "Deny", matchResources={"namespaceSelector": selector})
    client.create(config_map("a", x="1", y="2"))
    with pytest.raises(NotFoundError):
        client.get("v1/ConfigMap", "none")


def test_a_claim_gets_the_newest_default_class_unless_it_says_otherwise(
    client: InProcessClient, clock: VirtualClock
) -> None:
    def claim(name: str, **spec: Any) -> dict[str, Any]:
        told = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        kind = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}}
        made: dict[str, Any] = client.create(kind | {"spec": told | spec})["spec"]
        return made

    assert "storageClassName" not in claim("early")
    for name in ("old", "new"):
        notes = {"storageclass.kubernetes.io/is-default-class": "true"}
        kind = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "x"}
        client.create(kind | {"metadata": {"name": name, "annotations": notes}})
        clock.run(clock.now() + 5)
    assert claim("late")["storageClassName"] == "new"
    assert claim("none", storageClassName="")["storageClassName"] == ""
    assert claim("own", storageClassName="old")["storageClassName"] == "old"
