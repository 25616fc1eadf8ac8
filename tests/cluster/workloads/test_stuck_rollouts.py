"""Where a roll-out that cannot end comes to rest, by way of which older pods it was on its way.

The figures were recorded at Kubernetes 1.37.2, whose controllers moved pods of KWOK in the same
scenarios: 4 replicas, maxSurge 1, maxUnavailable 1, new pods that no node takes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from gitops_sim.clock import VirtualClock
from gitops_sim.cluster import SimulatedCluster
from gitops_sim.journal import Journal
from gitops_sim.registry import Registry
from gitops_sim.types import Manifest

BAD = "bad"


class Came(NamedTuple):
    """What a Deployment came to: (replicas, available) by image, and its conditions' reasons."""

    sets: dict[str, tuple[int, int]]
    available: str
    progressing: str


LEAST, TOO_FEW = "MinimumReplicasAvailable", "MinimumReplicasUnavailable"
STUCK, DONE, GOING = "ProgressDeadlineExceeded", "NewReplicaSetAvailable", "ReplicaSetUpdated"


def deployment(image: str, replicas: int) -> Manifest:
    pod: dict[str, Any] = {"containers": [{"name": "main", "image": image}]}
    if image == BAD:
        pod["nodeSelector"] = {"no": "where"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "api", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "minReadySeconds": 4,
            "progressDeadlineSeconds": 15,
            "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}},
            "selector": {"matchLabels": {"app": "api"}},
            "template": {"metadata": {"labels": {"app": "api"}}, "spec": pod},
        },
    }


class Scene:
    """A cluster whose pods run at once, and the Deployment `api` with four that are available."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        journal = Journal(self.clock)
        images = Registry(self.clock, journal)
        self.cluster = SimulatedCluster("dev", self.clock, journal, None, images, kwok=True)
        self.clock.run(1)
        self.apply("api:1", wait=12)

    def apply(self, image: str, *, wait: float, replicas: int = 4) -> Came:
        """Apply another image or size, wait so many seconds, and return what it came to."""
        self.cluster.apply(deployment(image, replicas), field_manager="person", force=True)
        self.clock.run(self.clock.now() + wait)
        found = self.cluster.get("apps/v1/Deployment", "api", "default")
        reasons = {c["type"]: c["reason"] for c in found["status"]["conditions"]}
        sets = {
            s["spec"]["template"]["spec"]["containers"][0]["image"]: (
                s["spec"]["replicas"],
                s["status"].get("availableReplicas", 0),
            )
            for s in self.cluster.list("apps/v1/ReplicaSet", "default")
            if s["spec"]["replicas"]
        }
        return Came(sets, reasons["Available"], reasons["Progressing"])


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_stuck_roll_out_keeps_as_many_as_it_must(scene: Scene) -> None:
    assert scene.apply(BAD, wait=30) == Came({"api:1": (3, 3), BAD: (2, 0)}, LEAST, STUCK)
    assert scene.apply("api:3", wait=30) == Came({"api:3": (4, 4)}, LEAST, DONE)


def test_what_was_not_available_goes_first_when_the_next_roll_out_gets_stuck(
    scene: Scene,
) -> None:
    midway = scene.apply("api:2", wait=2)
    assert midway == Came({"api:1": (3, 3), "api:2": (2, 0)}, LEAST, GOING)
    assert scene.apply(BAD, wait=30) == Came({"api:1": (3, 3), BAD: (2, 0)}, LEAST, STUCK)


def test_which_older_pods_stay_depends_on_how_far_the_roll_out_before_had_come(
    scene: Scene,
) -> None:
    midway = scene.apply("api:2", wait=6.5)
    assert midway == Came({"api:1": (1, 1), "api:2": (4, 2)}, LEAST, GOING)
    came = scene.apply(BAD, wait=30)
    assert came == Came({"api:1": (1, 1), "api:2": (2, 2), BAD: (2, 0)}, LEAST, STUCK)
    assert scene.apply("api:3", wait=30) == Came({"api:3": (4, 4)}, LEAST, DONE)


def test_scaled_down_by_one_and_up_again_it_has_one_fewer_available_than_it_promises(
    scene: Scene,
) -> None:
    scene.apply(BAD, wait=30)
    down = scene.apply(BAD, wait=20, replicas=3)
    assert down == Came({"api:1": (2, 2), BAD: (2, 0)}, LEAST, STUCK)
    assert scene.apply(BAD, wait=30) == Came({"api:1": (2, 2), BAD: (3, 0)}, TOO_FEW, STUCK)
    assert scene.apply("api:3", wait=30) == Came({"api:3": (4, 4)}, LEAST, DONE)


def test_scaled_to_one_it_loses_all_that_serve(scene: Scene) -> None:
    scene.apply(BAD, wait=30)
    assert scene.apply(BAD, wait=20, replicas=1) == Came({BAD: (1, 0)}, LEAST, STUCK)
    assert scene.apply(BAD, wait=30) == Came({BAD: (4, 0)}, TOO_FEW, STUCK)
    assert scene.apply("api:3", wait=30) == Came({"api:3": (4, 4)}, LEAST, DONE)
