from __future__ import annotations

from typing import Any

from gitops_sim.journal.facts import UsersServed, VersionServed

PROBE = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 1}


def deployment(image: str, *, probe: bool = True, replicas: int = 4) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "main", "image": image}
    if probe:
        container["readinessProbe"] = PROBE
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [container]},
            },
        },
    }


SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
}


def ingress(service: str) -> dict[str, Any]:
    backend = {"service": {"name": service, "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "shop", "namespace": "default"},
        "spec": {"rules": [{"host": "shop.example.com", "http": {"paths": [path]}}]},
    }


def served(lab: Any, route: str = "Service/default/web") -> list[UsersServed]:
    return [fact for fact in lab.journal.facts(UsersServed) if fact.route == route]


def test_a_roll_out_shifts_users_from_one_version_to_the_next_without_errors(lab: Any) -> None:
    lab.cluster.apply(deployment("shop/web:1"), field_manager="me")
    lab.cluster.create(SERVICE)
    lab.run(30)
    assert served(lab)[-1].shares == (("1", 1.0),)
    before = len(served(lab))
    lab.cluster.apply(deployment("shop/web:2"), field_manager="me")
    lab.run(120)
    during = served(lab)[before:]
    assert during[-1].shares == (("2", 1.0),)
    assert all(fact.error_rate == 0 for fact in during)
    old = [dict(fact.shares).get("1", 0.0) for fact in during]
    assert old == sorted(old, reverse=True)
    assert len(during) > 2
    assert lab.journal.facts(VersionServed)[-1].version == "2"
    assert lab.journal.facts(VersionServed)[-1].ready == 4


def test_without_a_readiness_probe_users_meet_containers_that_are_not_up(lab: Any) -> None:
    lab.registry.push("shop/web:2", start="20s")
    lab.cluster.apply(deployment("shop/web:1", probe=False), field_manager="me")
    lab.cluster.create(SERVICE)
    lab.run(30)
    lab.cluster.apply(deployment("shop/web:2", probe=False), field_manager="me")
    lab.run(120)
    assert max(fact.error_rate for fact in served(lab)) == 1.0
    assert served(lab)[-1].error_rate == 0


def test_an_image_that_errs_shows_in_the_error_rate(lab: Any) -> None:
    lab.registry.push("shop/web:1", error_rate=0.25)
    lab.cluster.create(deployment("shop/web:1"))
    lab.cluster.create(SERVICE)
    lab.run(30)
    assert served(lab)[-1].error_rate == 0.25


def test_an_outage_has_a_beginning_and_an_end(lab: Any) -> None:
    lab.cluster.create(deployment("shop/web:1", replicas=1))
    lab.cluster.create(SERVICE)
    lab.run(30)
    lab.cluster.patch("deploy", "web", {"spec": {"replicas": 0}}, "default")
    lab.run(30)
    assert (served(lab)[-1].error_rate, served(lab)[-1].problem) == (1.0, "no endpoints are ready")
    lab.cluster.patch("deploy", "web", {"spec": {"replicas": 1}}, "default")
    lab.run(30)
    assert served(lab)[-1].error_rate == 0


def test_a_lost_node_costs_users_its_share_until_the_cluster_notices(lab: Any) -> None:
    lab.cluster.create(deployment("shop/web:1", replicas=3))
    lab.cluster.create(SERVICE)
    lab.run(30)
    lab.cluster.node_down("node-1")
    assert served(lab)[-1].error_rate == 0
    lab.run(1)
    assert served(lab)[-1].error_rate == 0.3333
    lab.run(60)
    assert served(lab)[-1].error_rate == 0


def test_an_ingress_is_a_route_of_its_own(lab: Any) -> None:
    route = "Ingress/default/shop shop.example.com/"
    lab.cluster.create(deployment("shop/web:1"))
    lab.cluster.create(SERVICE)
    lab.cluster.create(ingress("web"))
    lab.run(30)
    assert served(lab, route)[-1].shares == (("1", 1.0),)
    lab.cluster.delete("svc", "web", "default")
    lab.run(5)
    assert served(lab, route)[-1].problem == "the Ingress names a Service that is not there"


def test_a_quiet_day_tells_nothing(lab: Any) -> None:
    lab.cluster.create(deployment("shop/web:1"))
    lab.cluster.create(SERVICE)
    lab.run(700)
    before, events = len(lab.journal), lab.clock.events
    lab.run(86_400)
    assert (len(lab.journal), lab.clock.events) == (before, events)
