"""Load, latency, policies, autoscalers on traffic, and images that leak."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from gitops_sim.cluster.network.policies import INGRESS_CONTROLLER, OUTSIDE, Sender, allows
from gitops_sim.errors import LabError
from gitops_sim.journal.facts import UsersServed

ROUTE = "Service/default/web"
LABELS = {"app": "web"}


def deployment(image: str = "shop/web:1", *, replicas: int = 1, **resources: Any) -> dict[str, Any]:
    container = {"name": "main", "image": image, "resources": resources}
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [container]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": LABELS}, "template": template}
    metadata = {"name": "web", "namespace": "default"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"selector": LABELS, "ports": [{"port": 80, "targetPort": 8080}]},
}


def policy(*ingress: dict[str, Any], **selector: str) -> dict[str, Any]:
    spec = {"podSelector": {"matchLabels": selector}, "ingress": list(ingress)}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "only", "namespace": "default"},
        "spec": spec | {"policyTypes": ["Ingress"]},
    }


def served(lab: Any, route: str = ROUTE) -> Any:
    return [fact for fact in lab.journal.facts(UsersServed) if fact.route == route][-1]


def test_an_answer_takes_longer_the_busier_a_pod_is(lab: Any) -> None:
    lab.registry.push("shop/web:1", latency="50ms", cpu="5ms")
    lab.cluster.create(deployment())
    lab.cluster.create(SERVICE)
    lab.cluster.traffic.set_users(ROUTE, 0)
    lab.run(30)
    assert served(lab).latency == 0.05
    lab.cluster.traffic.set_users(ROUTE, 100)  # half a core
    lab.run(1)
    assert (served(lab).latency, served(lab).error_rate) == (0.1, 0)
    assert served(lab).requests == 100


def test_what_is_too_much_for_the_pods_is_not_answered(lab: Any) -> None:
    lab.registry.push("shop/web:1", cpu="5ms")
    lab.cluster.create(deployment(replicas=2))
    lab.cluster.create(SERVICE)
    lab.cluster.traffic.set_users(ROUTE, 500)  # 2 pods x 200
    lab.run(30)
    assert (served(lab).error_rate, served(lab).latency) == (0.2, 10.0)
    lab.cluster.patch("deploy", "web", {"spec": {"replicas": 5}}, "default")
    lab.run(30)
    assert (served(lab).error_rate, served(lab).latency) == (0, 0.04)


def test_a_cpu_limit_bounds_what_a_pod_answers(lab: Any) -> None:
    lab.cluster.create(deployment(limits={"cpu": "100m"}))
    lab.cluster.create(SERVICE)
    lab.cluster.traffic.set_users(ROUTE, 40)
    lab.run(30)
    assert served(lab).error_rate == 0.5


def test_users_load_a_pod_by_all_routes_to_its_service(lab: Any) -> None:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    ingress = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "shop", "namespace": "default"},
        "spec": {"rules": [{"host": "a.example.com", "http": {"paths": [path]}}]},
    }
    lab.cluster.create(deployment())
    lab.cluster.create(SERVICE)
    lab.cluster.create(ingress)
    lab.cluster.traffic.set_users("Ingress/default/shop a.example.com/", 300)
    lab.cluster.traffic.set_users(ROUTE, 100)
    lab.run(30)
    assert served(lab).error_rate == 0.5
    assert served(lab, "Ingress/default/shop a.example.com/").error_rate == 0.5


def test_a_policy_drops_requests_until_it_allows_them(lab: Any) -> None:
    lab.cluster.create(deployment())
    lab.cluster.create(SERVICE)
    lab.run(30)
    lab.cluster.create(policy(app="web"))
    lab.run(1)
    assert served(lab).problem == "a NetworkPolicy drops the requests"
    rule = {"from": [{"podSelector": {"matchLabels": {"app": "cart"}}}], "ports": [{"port": 8080}]}
    lab.cluster.patch("networkpolicies", "only", {"spec": {"ingress": [rule]}}, "default")
    lab.run(1)
    assert served(lab).error_rate == 1
    lab.cluster.traffic.set_users(ROUTE, 10, labels={"app": "cart"})
    lab.run(1)
    assert served(lab).error_rate == 0
    lab.cluster.delete("networkpolicies", "only", "default")
    lab.cluster.traffic.set_users(ROUTE, 10)
    lab.run(1)
    assert served(lab).error_rate == 0


def test_a_namespace_that_gets_the_label_is_let_in(lab: Any) -> None:
    lab.cluster.create(deployment())
    lab.cluster.create(SERVICE)
    peer = {"namespaceSelector": {"matchLabels": {"team": "shop"}}}
    lab.cluster.create(policy({"from": [peer]}, app="web"))
    lab.run(30)
    assert lab.journal.facts(UsersServed) == []
    lab.cluster.patch("ns", "default", {"metadata": {"labels": {"team": "shop"}}})
    lab.run(1)
    assert served(lab).error_rate == 0


@pytest.mark.parametrize(
    ("rules", "sender", "passes"),
    [
        ([], Sender("default"), False),
        ([{}], Sender("default"), True),
        ([{"from": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}], OUTSIDE, True),
        (
            [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["203.0.113.0/24"]}}]}],
            OUTSIDE,
            False,
        ),
        ([{"from": [{"podSelector": {}}]}], OUTSIDE, False),
        ([{"from": [{"podSelector": {}}]}], Sender("default"), True),
        ([{"from": [{"podSelector": {}}]}], Sender("other"), False),
        ([{"from": [{"namespaceSelector": {}}]}], INGRESS_CONTROLLER, True),
        (
            [
                {
                    "from": [
                        {
                            "namespaceSelector": {
                                "matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}
                            },
                            "podSelector": {
                                "matchLabels": {"app.kubernetes.io/component": "controller"}
                            },
                        }
                    ]
                }
            ],
            INGRESS_CONTROLLER,
            True,
        ),
        ([{"ports": [{"port": "http"}]}], Sender("default"), True),
        ([{"ports": [{"port": "admin"}]}], Sender("default"), False),
        ([{"ports": [{"port": 8000, "endPort": 8100}]}], Sender("default"), True),
        ([{"ports": [{"port": 8080, "protocol": "UDP"}]}], Sender("default"), False),
        ([{"ports": [{"protocol": "TCP"}]}], Sender("default"), True),
    ],
)
def test_a_policy_is_judged_by_peers_and_ports(
    rules: list[dict[str, Any]], sender: Sender, *, passes: bool
) -> None:
    pod = {
        "metadata": {"name": "web-1", "namespace": "default", "labels": LABELS},
        "spec": {"containers": [{"ports": [{"name": "http", "containerPort": 8080}]}]},
    }
    assert allows([policy(*rules, app="web")], (pod, 8080), sender, {}) is passes
    assert allows([policy(*rules, app="other")], (pod, 8080), sender, {})


@pytest.mark.parametrize(
    ("egress", "passes"),
    [
        ([], False),
        ([{}], True),
        ([{"to": [{"podSelector": {"matchLabels": LABELS}}]}], True),
        ([{"to": [{"podSelector": {"matchLabels": {"app": "db"}}}]}], False),
        ([{"to": [{"ipBlock": {"cidr": "10.244.0.0/16"}}], "ports": [{"port": 8080}]}], True),
        ([{"to": [{"ipBlock": {"cidr": "10.244.0.0/16"}}], "ports": [{"port": 53}]}], False),
    ],
)
def test_a_policy_of_the_sender_says_what_leaves_it(
    egress: list[dict[str, Any]], *, passes: bool
) -> None:
    pod = {
        "metadata": {"name": "web-1", "namespace": "shop", "labels": LABELS},
        "spec": {"containers": [{"ports": [{"name": "http", "containerPort": 8080}]}]},
        "status": {"podIP": "10.244.1.5"},
    }
    guard = policy()
    guard["metadata"]["namespace"] = "shop"
    guard["spec"] = {"podSelector": {}, "policyTypes": ["Egress"], "egress": egress}
    assert allows([guard], (pod, 8080), Sender("shop"), {}) is passes
    assert allows([guard], (pod, 8080), Sender("other"), {}), "it is about senders in shop"
    assert allows([guard], (pod, 8080), OUTSIDE, {})


def test_users_come_to_the_first_port_of_a_service(lab: Any) -> None:
    lab.cluster.create(deployment())
    ports = [{"name": "aa2", "port": 82}, {"name": "bb2", "port": 92}]
    lab.cluster.create(SERVICE | {"spec": {"selector": LABELS, "ports": ports}})
    lab.run(30)
    assert served(lab).error_rate == 0
    rule = {"ports": [{"port": 82}]}
    lab.cluster.create(policy(rule, app="web"))
    lab.run(1)
    assert served(lab).error_rate == 0
    only = {"ingress": [{"ports": [{"port": 92}]}]}
    lab.cluster.patch("networkpolicies", "only", {"spec": only}, "default")
    lab.run(1)
    assert served(lab).error_rate == 1


def test_users_in_a_namespace_that_lets_nothing_out_reach_nobody(lab: Any) -> None:
    lab.cluster.create(deployment())
    lab.cluster.create(SERVICE)
    lab.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}})
    lab.cluster.traffic.set_users(ROUTE, 10, namespace="other")
    lab.run(30)
    assert served(lab).error_rate == 0
    guard = policy()
    guard["metadata"]["namespace"] = "other"
    guard["spec"] = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    lab.cluster.create(guard)
    lab.run(1)
    assert served(lab).problem == "a NetworkPolicy drops the requests"


def test_an_autoscaler_follows_the_users(lab: Any) -> None:
    target = {"type": "Utilization", "averageUtilization": 50}
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "scaleTargetRef": reference,
            "maxReplicas": 10,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    }
    lab.cluster.create(deployment(requests={"cpu": "200m"}))
    lab.cluster.create(SERVICE)
    lab.cluster.create(scaler)
    lab.run(300)
    assert lab.cluster.get("deploy", "web")["spec"]["replicas"] == 1
    lab.cluster.traffic.set_users(ROUTE, 120)  # 600m of a core; 100m a pod are wanted
    lab.run(120)
    assert lab.cluster.get("deploy", "web")["spec"]["replicas"] == 6
    lab.cluster.traffic.set_users(ROUTE, 10)
    lab.run(600)
    assert lab.cluster.get("deploy", "web")["spec"]["replicas"] == 1


def test_a_leak_ends_in_an_oom_kill_again_and_again(lab: Any) -> None:
    lab.registry.push("shop/web:1", memory_mib=28, leak_mib_per_minute=10)
    lab.create_pod("shop/web:1", container={"resources": {"limits": {"memory": "128Mi"}}})
    lab.run(300)
    assert lab.container()["restartCount"] == 0
    assert lab.cluster.traffic.usage(lab.pod(), "memory") > Fraction(70 << 20)
    lab.run(320)
    assert lab.container()["restartCount"] == 1
    assert lab.container()["lastState"]["terminated"]["reason"] == "OOMKilled"
    lab.run(700)
    assert lab.container()["restartCount"] == 2


def test_what_no_pod_uses_is_unknown(lab: Any) -> None:
    pod = lab.create_pod("shop/web:1")
    assert lab.cluster.traffic.usage(pod, "cpu") is None
    lab.run(30)
    assert lab.cluster.traffic.usage(lab.pod(), "cpu") == Fraction(1, 1000)
    assert lab.cluster.traffic.usage(lab.pod(), "nvidia.com/gpu") is None


@pytest.mark.parametrize(("route", "users"), [("web", 1), ("Service/web", 1), (ROUTE, -1)])
def test_users_of_no_route_or_less_than_none_are_refused(lab: Any, route: str, users: int) -> None:
    with pytest.raises(LabError):
        lab.cluster.traffic.set_users(route, users)
