from __future__ import annotations

from typing import Any

import pytest

LABELS = {"labels": {"app": "web"}}


def service(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "default", "labels": {"team": "shop"}},
        "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80}], **spec},
    }


def slices(lab: Any) -> list[dict[str, Any]]:
    wanted = "kubernetes.io/service-name=web"
    return list(lab.cluster.list("endpointslices", "default", labels=wanted))


def endpoints(lab: Any) -> list[dict[str, Any]]:
    return [endpoint for found in slices(lab) for endpoint in found.get("endpoints") or ()]


def test_ready_pods_of_a_service_are_in_slice_and_endpoints_as_recorded(lab: Any) -> None:
    lab.cluster.create(service())
    lab.create_pod("shop/web:1", metadata=LABELS)
    lab.run(10)
    pod = lab.pod()
    (slice_,) = slices(lab)
    metadata = slice_["metadata"]
    assert metadata["generateName"] == "web-"
    assert metadata["labels"] == {
        "team": "shop",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        "kubernetes.io/service-name": "web",
    }
    assert metadata["ownerReferences"][0]["kind"] == "Service"
    assert "endpoints.kubernetes.io/last-change-trigger-time" in metadata["annotations"]
    target = {
        "kind": "Pod",
        "namespace": "default",
        "name": "web",
        "uid": pod["metadata"]["uid"],
    }
    address = pod["status"]["podIP"]
    assert slice_["addressType"] == "IPv4"
    assert slice_["ports"] == [{"name": "http", "protocol": "TCP", "port": 80}]
    assert slice_["endpoints"] == [
        {
            "addresses": [address],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "targetRef": target,
            "nodeName": "node-1",
            "zone": "zone-a",
        }
    ]
    found = lab.cluster.get("endpoints", "web")
    assert found["subsets"] == [
        {
            "addresses": [{"ip": address, "nodeName": "node-1", "targetRef": target}],
            "ports": [{"name": "http", "port": 80, "protocol": "TCP"}],
        }
    ]
    assert found["metadata"]["labels"]["endpoints.kubernetes.io/managed-by"] == (
        "endpoint-controller"
    )


def test_an_unready_pod_is_listed_as_not_ready(lab: Any) -> None:
    lab.cluster.create(service())
    lab.registry.push("shop/web:bad", ready=False)
    probe = {"readinessProbe": {"httpGet": {"path": "/", "port": 80}}}
    lab.create_pod("shop/web:bad", metadata=LABELS, container=probe)
    lab.run(30)
    (endpoint,) = endpoints(lab)
    assert endpoint["conditions"] == {"ready": False, "serving": False, "terminating": False}
    (subset,) = lab.cluster.get("endpoints", "web")["subsets"]
    assert "addresses" not in subset
    assert len(subset["notReadyAddresses"]) == 1


def test_a_stopping_pod_still_serves_and_is_not_ready(lab: Any) -> None:
    lab.cluster.create(service())
    hook = {"preStop": {"sleep": {"seconds": 10}}}
    lab.create_pod("shop/web:1", metadata=LABELS, container={"lifecycle": hook})
    lab.run(10)
    lab.cluster.delete("pod", "web", "default")
    lab.run(2)
    (endpoint,) = endpoints(lab)
    assert endpoint["conditions"] == {"ready": False, "serving": True, "terminating": True}
    assert "subsets" not in lab.cluster.get("endpoints", "web")
    lab.run(20)
    assert endpoints(lab) == []


def test_unready_addresses_are_published_when_asked_for(lab: Any) -> None:
    lab.cluster.create(service(publishNotReadyAddresses=True))
    lab.registry.push("shop/web:bad", ready=False)
    probe = {"readinessProbe": {"httpGet": {"path": "/", "port": 80}}}
    lab.create_pod("shop/web:bad", metadata=LABELS, container=probe)
    lab.run(30)
    (endpoint,) = endpoints(lab)
    assert endpoint["conditions"]["ready"] is True
    assert endpoint["conditions"]["serving"] is False


@pytest.mark.parametrize(
    ("target", "ports", "number"),
    [
        (8080, [], 8080),
        ("main", [{"name": "main", "containerPort": 9000}], 9000),
        ("absent", [{"name": "main", "containerPort": 9000}], None),
    ],
)
def test_target_ports_are_numbers_or_names_of_the_pods_ports(
    lab: Any, target: Any, ports: list[Any], number: int | None
) -> None:
    lab.cluster.create(service(ports=[{"port": 80, "targetPort": target}]))
    lab.create_pod("shop/web:1", metadata=LABELS, container={"ports": ports})
    lab.run(10)
    (slice_,) = slices(lab)
    found = [port["port"] for port in slice_.get("ports") or ()]
    assert found == ([] if number is None else [number])


def test_endpoints_follow_labels_and_selector(lab: Any) -> None:
    lab.cluster.create(service())
    lab.create_pod("shop/web:1", metadata=LABELS)
    lab.run(10)
    lab.cluster.patch("pod", "web", {"metadata": {"labels": {"app": "api"}}}, "default")
    lab.run(1)
    assert endpoints(lab) == []
    lab.cluster.patch("svc", "web", {"spec": {"selector": {"app": "api"}}}, "default")
    lab.run(1)
    assert len(endpoints(lab)) == 1


def test_a_service_without_pods_has_one_empty_slice(lab: Any) -> None:
    lab.cluster.create(service())
    lab.run(1)
    (slice_,) = slices(lab)
    assert not slice_.get("endpoints")
    assert "subsets" not in lab.cluster.get("endpoints", "web")


def test_a_service_without_a_selector_is_left_to_others(lab: Any) -> None:
    lab.cluster.create(service(selector=None))
    lab.run(10)
    assert slices(lab) == []


def test_a_deleted_service_takes_its_endpoints_with_it(lab: Any) -> None:
    lab.cluster.create(service())
    lab.create_pod("shop/web:1", metadata=LABELS)
    lab.run(10)
    lab.cluster.delete("svc", "web", "default")
    lab.run(10)
    assert slices(lab) == []
    names = [found["metadata"]["name"] for found in lab.cluster.list("endpoints", "default")]
    assert "web" not in names


def test_more_than_a_hundred_pods_fill_several_slices(make_lab: Any) -> None:
    lab = make_lab(nodes=3)
    lab.cluster.create(service())
    for number in range(105):
        lab.create_pod("shop/web:1", f"web-{number:03}", metadata=LABELS)
    lab.run(30)
    assert sorted(len(found["endpoints"]) for found in slices(lab)) == [5, 100]
    lab.cluster.delete("pod", "web-000", "default", grace_period=0)
    lab.run(10)
    assert sorted(len(found["endpoints"]) for found in slices(lab)) == [4, 100]


def test_nothing_is_written_for_changes_of_pods_that_endpoints_do_not_show(lab: Any) -> None:
    lab.cluster.create(service(ports=[{"port": 80}]))
    lab.create_pod("shop/web:1", metadata=LABELS)
    lab.run(10)
    before = [found["metadata"]["resourceVersion"] for found in slices(lab)]
    before.append(lab.cluster.get("endpoints", "web")["metadata"]["resourceVersion"])
    lab.cluster.patch("pod", "web", {"metadata": {"annotations": {"a": "b"}}}, "default")
    lab.run(10)
    lab.cluster.patch("svc", "web", {"metadata": {"annotations": {"a": "b"}}}, "default")
    lab.run(10)
    after = [found["metadata"]["resourceVersion"] for found in slices(lab)]
    after.append(lab.cluster.get("endpoints", "web")["metadata"]["resourceVersion"])
    assert before == after


def test_a_pod_that_loses_its_label_leaves_the_endpoints(lab: Any) -> None:
    lab.cluster.create(service())
    lab.create_pod("shop/web:1", metadata=LABELS)
    lab.run(10)
    lab.cluster.patch("pod", "web", {"metadata": {"labels": {"app": "other"}}}, "default")
    lab.run(5)
    assert endpoints(lab) == []
    assert "subsets" not in lab.cluster.get("endpoints", "web")


def test_endpoints_written_by_hand_are_mirrored_in_slices(lab: Any) -> None:
    lab.cluster.create(
        {
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": {"name": "web", "namespace": "default", "labels": {"team": "data"}},
            "subsets": [
                {
                    "addresses": [{"ip": "192.0.2.1", "hostname": "one"}],
                    "notReadyAddresses": [{"ip": "192.0.2.2"}],
                    "ports": [{"name": "sql", "port": 5432}],
                }
            ],
        }
    )
    lab.run(1)
    assert slices(lab) == []  # nobody asks for them yet
    lab.cluster.create(service(selector=None))
    lab.run(1)
    (slice_,) = slices(lab)
    assert slice_["metadata"]["labels"] == {
        "team": "data",
        "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
        "kubernetes.io/service-name": "web",
    }
    assert slice_["metadata"]["ownerReferences"][0]["kind"] == "Endpoints"
    assert slice_["ports"] == [{"name": "sql", "port": 5432, "protocol": "TCP"}]
    assert slice_["endpoints"] == [
        {"addresses": ["192.0.2.1"], "conditions": {"ready": True}, "hostname": "one"},
        {"addresses": ["192.0.2.2"], "conditions": {"ready": False}},
    ]
    lab.cluster.patch("v1/Endpoints", "web", {"subsets": None}, "default")
    lab.run(1)
    assert slices(lab) == []


@pytest.mark.parametrize(
    ("distribution", "hints"),
    [
        ("PreferSameZone", {"forZones": [{"name": "zone-a"}]}),
        (
            "PreferSameNode",
            {"forZones": [{"name": "zone-a"}], "forNodes": [{"name": "node-1"}]},
        ),
    ],
)
def test_a_wish_for_near_traffic_becomes_a_hint(
    lab: Any, distribution: str, hints: dict[str, Any]
) -> None:
    lab.cluster.create(service(trafficDistribution=distribution))
    lab.create_pod("shop/web:1", metadata=LABELS)
    lab.run(10)
    (endpoint,) = endpoints(lab)
    assert endpoint["hints"] == hints


def test_endpoints_hold_a_thousand_addresses_and_say_that_there_are_more(make_lab: Any) -> None:
    lab = make_lab(nodes=0)
    lab.cluster.create(service())
    for number in range(1001):
        lab.create_pod("shop/web:1", f"web-{number}", metadata=LABELS, nodeName="elsewhere")
        status: dict[str, Any] = {
            "phase": "Running",
            "podIP": f"10.1.{number // 250}.{number % 250}",
        }
        status["conditions"] = [{"type": "Ready", "status": "True" if number else "False"}]
        lab.cluster.patch(
            "v1/Pod", f"web-{number}", {"status": status}, "default", subresource="status"
        )
    lab.run(5)
    found = lab.cluster.get("v1/Endpoints", "web", "default")
    assert found["metadata"]["annotations"]["endpoints.kubernetes.io/over-capacity"] == "truncated"
    (subset,) = found["subsets"]
    assert len(subset["addresses"]) == 1000
    assert "notReadyAddresses" not in subset
    lab.cluster.delete("v1/Pod", "web-7", "default", grace_period=0)
    lab.run(5)
    found = lab.cluster.get("v1/Endpoints", "web", "default")
    assert "endpoints.kubernetes.io/over-capacity" not in found["metadata"]["annotations"]


@pytest.mark.parametrize(
    ("number", "in_slice", "in_endpoints"),
    [
        (1, ["aa", "cc", "bb"], ["bb", "aa", "cc"]),
        (2, ["bb", "cc", "aa"], ["bb", "cc", "aa"]),
        (3, ["aa", "cc", "bb"], ["cc", "bb", "aa"]),
        (4, ["cc", "aa", "bb"], ["aa", "cc", "bb"]),
        (6, ["cc", "bb", "aa"], ["cc", "bb", "aa"]),
    ],
)
def test_ports_are_in_the_order_that_was_recorded(
    lab: Any, number: int, in_slice: list[str], in_endpoints: list[str]
) -> None:
    ports = [
        {"name": f"aa{number}", "port": 80 + number},
        {"name": f"bb{number}", "port": 90 + number},
        {"name": f"cc{number}", "port": 70 + number, "appProtocol": "http"},
    ]
    lab.cluster.create(service(ports=ports))
    lab.create_pod("shop/web:1", metadata=LABELS)
    lab.run(10)
    (slice_,) = slices(lab)
    assert [port["name"] for port in slice_["ports"]] == [f"{name}{number}" for name in in_slice]
    (subset,) = lab.cluster.get("v1/Endpoints", "web", "default")["subsets"]
    expected = [f"{name}{number}" for name in in_endpoints]
    assert [port["name"] for port in subset["ports"]] == expected
