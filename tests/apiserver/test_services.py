"""Cluster IPs and node ports: given, kept, refused, given back."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.apiserver import ApiServer, InProcessClient
from gitops_sim.apiserver.users import Caller, User
from gitops_sim.errors import InvalidError


def service(name: str = "web", **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default"}
    content = {"ports": [{"port": 80}]} | spec
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": content}


def change(client: InProcessClient, **spec: Any) -> dict[str, Any]:
    return client.patch("Service", "web", {"spec": spec}, "default")["spec"]


def test_each_service_gets_an_address_of_its_own(client: InProcessClient) -> None:
    addresses = [client.create(service(f"s{n}"))["spec"]["clusterIP"] for n in range(300)]
    assert len(set(addresses)) == 300
    assert all(address.startswith("10.96.") for address in addresses)


def test_an_address_is_free_again_when_its_service_is_gone(client: InProcessClient) -> None:
    client.create(service(clusterIP="10.96.7.7"))
    with pytest.raises(InvalidError, match=r"10\.96\.7\.7: provided IP is already allocated"):
        client.create(service("other", clusterIP="10.96.7.7"))
    client.delete("Service", "web", "default")
    client.create(service("other", clusterIP="10.96.7.7"))


def test_an_address_outside_the_range_is_refused(client: InProcessClient) -> None:
    with pytest.raises(InvalidError, match="does not match the current range"):
        client.create(service(clusterIP="1.2.3.4"))


def test_an_address_does_not_change(client: InProcessClient) -> None:
    client.create(service())
    with pytest.raises(InvalidError, match="may not change once set"):
        change(client, clusterIP="10.96.9.9")


def test_a_headless_service_has_none(client: InProcessClient) -> None:
    assert client.create(service(clusterIP="None"))["spec"]["clusterIPs"] == ["None"]


def test_node_ports_come_and_go_with_the_type(client: InProcessClient) -> None:
    assert "nodePort" not in client.create(service())["spec"]["ports"][0]
    node_port = change(client, type="NodePort")["ports"][0]["nodePort"]
    assert 30000 <= node_port <= 32767
    assert change(client, selector={"a": "b"})["ports"][0]["nodePort"] == node_port
    assert change(client, type="LoadBalancer")["ports"][0]["nodePort"] == node_port
    back = change(client, type="ClusterIP")
    assert "nodePort" not in back["ports"][0]
    assert not {"externalTrafficPolicy", "allocateLoadBalancerNodePorts"} & back.keys()


def test_a_taken_node_port_is_refused(client: InProcessClient) -> None:
    client.create(service(type="NodePort", ports=[{"port": 80, "nodePort": 30123}]))
    with pytest.raises(InvalidError, match="30123: provided port is already allocated"):
        client.create(service("two", type="NodePort", ports=[{"port": 80, "nodePort": 30123}]))


def test_to_an_external_name_and_back(client: InProcessClient) -> None:
    client.create(service())
    away = change(client, type="ExternalName", externalName="example.com")
    assert not {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"} & away.keys()
    assert change(client, type="ClusterIP", externalName=None)["clusterIP"].startswith("10.96.")


def test_only_a_balanced_service_has_ingress_points(client: InProcessClient) -> None:
    client.create(service())
    body = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
    with pytest.raises(InvalidError, match="may only be used when"):
        client.patch("Service", "web", body, "default", subresource="status")
    change(client, type="LoadBalancer")
    after = client.patch("Service", "web", body, "default", subresource="status")
    assert after["status"]["loadBalancer"]["ingress"] == [{"ip": "192.0.2.1", "ipMode": "VIP"}]
    change(client, type="ClusterIP")
    assert client.get("Service", "web", "default")["status"] == {"loadBalancer": {}}


def test_a_local_load_balancer_has_a_port_for_health_checks(client: InProcessClient) -> None:
    local = {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}
    spec = client.create(service(**local))["spec"]
    port = spec["healthCheckNodePort"]
    assert port not in (spec["ports"][0]["nodePort"], 0)
    assert change(client, ports=[{"port": 81}])["healthCheckNodePort"] == port
    assert "healthCheckNodePort" not in change(client, externalTrafficPolicy="Cluster")
    spec = client.create(service("other", **local))["spec"]
    assert spec["healthCheckNodePort"] == port, "it was given back"


def test_external_addresses_are_warned_of(server: ApiServer, client: InProcessClient) -> None:
    caller = Caller(User("someone"))
    with server.called_by(caller):
        spec = client.create(service(externalIPs=["1.2.3.4"]))["spec"]
        with pytest.raises(InvalidError, match="must be a valid IP address"):
            client.create(service("wrong", externalIPs=["x"]))
        client.create(service("headless", clusterIP="None", externalIPs=["1.2.3.4"]))
    assert spec["externalTrafficPolicy"] == "Cluster"
    assert caller.warnings == [
        "spec.externalIPs is deprecated and may no longer be implemented in some clusters",
        "spec.externalIPs is ignored for headless services",
    ]
