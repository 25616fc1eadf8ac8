from __future__ import annotations

from typing import Any


def service(name: str = "web", type_: str = "LoadBalancer") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"type": type_, "selector": {"app": name}, "ports": [{"port": 80}]},
    }


def addresses(lab: Any, name: str = "web") -> list[str]:
    balancer = lab.cluster.get("svc", name)["status"]["loadBalancer"]
    return [entry["ip"] for entry in balancer.get("ingress") or ()]


def test_a_service_of_that_type_gets_an_address_after_a_while(lab: Any) -> None:
    lab.cluster.create(service())
    lab.run(3)
    assert addresses(lab) == []
    lab.run(5)
    assert addresses(lab) == ["203.0.113.1"]
    assert lab.reasons() == ["EnsuringLoadBalancer", "EnsuredLoadBalancer"]
    assert lab.cluster.get("svc", "web")["metadata"]["finalizers"] == [
        "service.kubernetes.io/load-balancer-cleanup"
    ]


def test_each_has_its_own_and_a_freed_one_is_given_again(lab: Any) -> None:
    lab.cluster.create(service("a"))
    lab.cluster.create(service("b"))
    lab.run(20)
    assert [addresses(lab, name) for name in ("a", "b")] == [["203.0.113.1"], ["203.0.113.2"]]
    lab.cluster.delete("svc", "a", "default")
    lab.run(20)
    assert [s["metadata"]["name"] for s in lab.cluster.list("svc", "default")] == [
        "b",
        "kubernetes",
    ]
    lab.cluster.create(service("c"))
    lab.run(20)
    assert addresses(lab, "c") == ["203.0.113.1"]


def test_a_service_that_changes_its_type_gives_its_address_back(lab: Any) -> None:
    lab.cluster.create(service())
    lab.run(20)
    lab.cluster.patch("svc", "web", {"spec": {"type": "ClusterIP"}}, "default")
    lab.run(20)
    assert addresses(lab) == []
    assert "finalizers" not in lab.cluster.get("svc", "web")["metadata"]


def test_other_services_are_left_alone(lab: Any) -> None:
    lab.cluster.create(service(type_="NodePort"))
    lab.run(20)
    assert addresses(lab) == []
    assert lab.events() == []


def test_without_a_provider_nobody_gives_addresses_or_disks(make_lab: Any) -> None:
    lab = make_lab(provider=False)
    lab.cluster.create(service())
    lab.run(60)
    assert addresses(lab) == []
    assert lab.cluster.list("storageclasses") == []
