"""Any controller may crash at any step: what the cluster comes to is what it would have come to."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import Any, NamedTuple

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_sim.clock import VirtualClock
from gitops_sim.cluster import SimulatedCluster
from gitops_sim.journal import Journal
from gitops_sim.registry import Registry
from gitops_sim.types import Manifest, Step

SETTLED = 1500.0
"""Seconds after the last input and start at which nothing moves any more."""


class Crash(NamedTuple):
    """At the `step`-th step of the whole history a controller dies; it comes back `after` s."""

    step: int
    controller: int
    after: float


def pod_template(app: str, image: str, **spec: Any) -> dict[str, Any]:
    probe = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 2}
    container = {
        "name": "main",
        "image": image,
        "ports": [{"containerPort": 80}],
        "env": [
            {
                "name": "GREETING",
                "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "greeting"}},
            }
        ],
    }
    if "restartPolicy" not in spec:
        container["readinessProbe"] = probe
    return {
        "metadata": {"labels": {"app": app}},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 5, **spec},
    }


def workload(kind: str, app: str, image: str, **spec: Any) -> Manifest:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": app, "namespace": "shop"},
        "spec": {
            "selector": {"matchLabels": {"app": app}},
            "template": pod_template(app, image),
            **spec,
        },
    }


def service(app: str, **spec: Any) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": app, "namespace": "shop"},
        "spec": {"selector": {"app": app}, "ports": [{"port": 80}], **spec},
    }


JOB = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "migrate", "namespace": "shop"},
    "spec": {
        "completions": 2,
        "template": pod_template("migrate", "shop/migrate:1", restartPolicy="Never"),
    },
}
SETTINGS = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings", "namespace": "shop"},
    "data": {"greeting": "hello"},
}
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}


class World:
    """A cluster and a history of inputs, with crashes on the way."""

    def __init__(self, crashes: tuple[Crash, ...], *, shuffle: int | None = None) -> None:
        self.clock = VirtualClock(seed=11, shuffle=shuffle)
        self.journal = Journal(self.clock)
        registry = Registry(self.clock, self.journal)
        self.cluster = SimulatedCluster("dev", self.clock, self.journal, None, registry)
        self._names = list(self.cluster.controllers)
        self._steps = 0
        self._crashes = {crash.step: crash for crash in crashes}
        self.clock.on_step.append(self._count_step)

    def _count_step(self, job: str, step: Step, now: float, charged: float) -> None:
        self._steps += 1
        crash = self._crashes.get(self._steps)
        if crash is None:
            return
        controller = self.cluster.controllers[self._names[crash.controller % len(self._names)]]
        controller.kill()
        self.clock.call_later(crash.after, controller.start)

    def live(self) -> None:
        """Deploy, roll out, scale and delete; then wait until nothing moves."""
        cluster, clock = self.cluster, self.clock
        cluster.create(NAMESPACE)
        cluster.create(workload("Deployment", "web", "shop/web:1", replicas=3))
        cluster.create(service("web"))
        cluster.create(workload("StatefulSet", "db", "shop/db:1", replicas=2, serviceName="db"))
        cluster.create(service("db", clusterIP="None"))
        clock.run(5)
        cluster.create(SETTINGS)  # pods wait for it
        cluster.create(JOB)
        clock.run(30)
        cluster.patch("deploy", "web", image_patch("shop/web:2"), "shop", type="strategic")
        cluster.create(workload("DaemonSet", "agent", "shop/agent:1"))
        clock.run(40)
        cluster.patch("deploy", "web", {"spec": {"replicas": 4}}, "shop")
        cluster.patch("sts", "db", image_patch("shop/db:2"), "shop", type="strategic")
        clock.run(60)
        cluster.delete("ds", "agent", "shop")
        clock.run(clock.now() + SETTLED)


def image_patch(image: str) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}}


FORGOTTEN = frozenset(
    {
        *("uid", "resourceVersion", "creationTimestamp", "managedFields", "generation"),
        *("observedGeneration", "nodeName", "zone", "hostIP", "hostIPs", "podIP", "podIPs"),
        *("startTime", "topology.kubernetes.io/zone"),
        *("startedAt", "finishedAt", "containerID", "lastTransitionTime", "lastUpdateTime"),
        *("lastProbeTime", "lastHeartbeatTime", "completionTime", "restartCount", "lastState"),
        *("batch.kubernetes.io/controller-uid", "controller-uid", "uncountedTerminatedPods"),
        *("endpoints.kubernetes.io/last-change-trigger-time", "ip", "addresses", "data"),
        *("deployment.kubernetes.io/revision", "volumeName", "clusterIP", "clusterIPs"),
    }
)
"""What may differ: ids, moments, places, and how often something was tried."""
TOKEN_VOLUME = re.compile(r"\bkube-api-access-\w{5}\b")

KINDS = (
    *("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "Pod", "Service"),
    *("Endpoints", "EndpointSlice", "ControllerRevision", "Node", "Namespace"),
)


def final_state(cluster: SimulatedCluster) -> Counter[str]:
    """Return all objects without what may differ; equal ones are counted."""
    found: Counter[str] = Counter()
    for kind in KINDS:
        for manifest in cluster.list(kind):
            name = manifest["metadata"]["name"]
            generated = manifest["metadata"].pop("generateName", "")
            if generated:
                manifest["metadata"]["name"] = generated
            text = orjson.dumps(stripped(manifest), option=orjson.OPT_SORT_KEYS).decode()
            text = TOKEN_VOLUME.sub("kube-api-access-", text)
            found[text.replace(name, generated) if generated else text] += 1
    return found


def stripped(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get("kind") == "Pod" and "uid" in value and "apiVersion" not in value:
            return "pod"  # the target of an endpoint
        return {k: stripped(v) for k, v in value.items() if k not in FORGOTTEN}
    if isinstance(value, list):
        return sorted(
            (stripped(item) for item in value),
            key=lambda item: orjson.dumps(item, option=orjson.OPT_SORT_KEYS),
        )
    return value


def outcome(crashes: tuple[Crash, ...], *, shuffle: int | None = None) -> Counter[str]:
    """Live through one history; all controllers must run at its end."""
    world = World(crashes, shuffle=shuffle)
    world.live()
    dead = [name for name, found in world.cluster.controllers.items() if not found.alive]
    assert not dead
    return final_state(world.cluster)


@cache
def clean_outcome() -> Counter[str]:
    return outcome(())


crashes = st.lists(
    st.builds(
        Crash,
        step=st.integers(1, 260),
        controller=st.integers(0, 30),
        after=st.sampled_from([0.0, 0.5, 3.0, 20.0, 90.0]),
    ),
    min_size=1,
    max_size=6,
)


def test_the_clean_history_comes_to_what_was_declared() -> None:
    world = World(())
    world.live()
    cluster = world.cluster
    assert cluster.get("deploy", "web", "shop")["status"]["availableReplicas"] == 4
    assert cluster.get("sts", "db", "shop")["status"]["readyReplicas"] == 2
    assert cluster.get("job", "migrate", "shop")["status"]["succeeded"] == 2
    assert cluster.list("ds") == []
    phases = Counter(pod["status"]["phase"] for pod in cluster.list("pods"))
    assert phases == {"Running": 6, "Succeeded": 2}
    (slice_,) = cluster.list("endpointslices", "shop", labels="kubernetes.io/service-name=web")
    assert [e["conditions"]["ready"] for e in slice_["endpoints"]] == [True] * 4


@settings(max_examples=10)
@given(crashes)
def test_crashes_at_any_step_come_to_the_same_state(crashes: list[Crash]) -> None:
    assert outcome(tuple(crashes)) == clean_outcome()


@pytest.mark.all
@settings(max_examples=300)
@given(crashes)
def test_crashes_at_any_step_come_to_the_same_state_in_many_histories(
    crashes: list[Crash],
) -> None:
    assert outcome(tuple(crashes)) == clean_outcome()


@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_order_of_events_at_equal_times_does_not_matter(order: int) -> None:
    assert outcome((), shuffle=order) == clean_outcome()
