"""What users of the sample shop see while it is changed."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.errors import LabError
from gitops_sim.forge import Repository
from gitops_sim.lab import ClusterHandle, Lab


def test_a_bad_image_that_never_gets_ready_costs_users_nothing(
    lab: Lab, shop: Repository, staging: ClusterHandle
) -> None:
    lab.registry.push("shop/web:2.0.0", ready=False)
    text = shop.read("base/web.yaml")
    bad = shop.commit({"base/web.yaml": text.replace("1.4.0", "2.0.0")}, "Deliver web 2.0.0")
    lab.run("20m")
    seen = staging.users("web")
    assert (seen.series.versions, seen.outages) == (["1.4.0"], [])
    shop.revert(bad)
    lab.run("5m")
    seen = staging.users("web")
    assert seen.series.availability == 1
    assert [(r.version, r.done is None, r.stuck is None) for r in seen.rollouts] == [
        ("1.4.0", False, True),
        ("2.0.0", True, False),
        ("1.4.0", False, True),
    ]
    assert "2.0.0 is stuck" in str(seen)


def test_an_outage_by_hand_is_drawn_with_its_length(lab: Lab, staging: ClusterHandle) -> None:
    staging.kubectl("scale deployment/web --replicas=0 --namespace shop")
    lab.run("10m")
    (outage,) = staging.users("web").outages
    assert outage.problem in ("no endpoints are ready", "nothing answers at the endpoints")
    assert 10 < (outage.end or 0) - outage.start < 130  # until Flux compares again
    seen = staging.users()
    assert seen.series.route == "Service/shop/web"  # the worst
    assert "outage 1m" in str(seen)
    assert "<img" in seen._repr_mimebundle_()["text/html"]


def test_since_shows_only_the_end(lab: Lab, staging: ClusterHandle) -> None:
    lab.run("1h")
    series = staging.users("web", since="10m").series
    assert series.asked == 6000


def test_a_route_that_is_not_there_is_named_with_those_that_are(
    lab: Lab, staging: ClusterHandle
) -> None:
    with pytest.raises(LabError, match="Service/shop/web"):
        staging.users("wab")
    with pytest.raises(LabError, match="never answered"):
        lab.cluster("empty").users()


def test_more_users_are_a_call_that_is_replayed(lab: Lab, staging: ClusterHandle) -> None:
    staging.traffic.set_users("Service/shop/web", 600)
    lab.run("2m")
    assert staging.users("web").series.failed > 0
    assert lab.fork().journal.to_jsonl() == lab.journal.to_jsonl()


def test_roll_outs_are_found_behind_an_ingress_and_not_where_two_share_a_service(
    lab: Lab, staging: ClusterHandle
) -> None:
    service = {"name": "web", "port": {"number": 80}}
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": service}}
    front: dict[str, Any] = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress"}
    front["metadata"] = {"name": "front", "namespace": "shop"}
    front["spec"] = {"rules": [{"host": "shop.example.com", "http": {"paths": [path]}}]}
    staging.create(front)
    lab.run("2m")
    (rollout,) = staging.users("front").rollouts
    assert (rollout.version, rollout.done is not None) == ("1.4.0", True)
    canary = staging.get("Deployment", "web", "shop")
    staging.create(canary | {"metadata": {"name": "canary", "namespace": "shop"}, "status": {}})
    lab.run("2m")
    assert staging.users("front").rollouts == ()
