"""Two worlds: controllers with nodes that run every pod at once, and a whole cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from gitops_sim.apiserver import InProcessClient, new_server
from gitops_sim.clock import VirtualClock
from gitops_sim.cluster import SimulatedCluster
from gitops_sim.cluster.controlling import MANAGER, ControllerSpec, build
from gitops_sim.cluster.workloads.daemonset_pods import node_of
from gitops_sim.errors import NotFoundError
from gitops_sim.journal import Journal
from gitops_sim.registry import Registry
from gitops_sim.runtime import Controller, Request, Watched
from gitops_sim.types import Manifest, Result, Step


class World:
    """One server, the controllers asked for, and a node agent that brings pods up.

    The agent stands in for scheduler and kubelet: it binds a pod to one of three nodes, and after
    `start_seconds` the pod runs and is ready, unless its image says otherwise: `bad` is never
    ready, `done` succeeds, `fail` fails after `run_seconds`.
    """

    def __init__(
        self, specs: Iterable[ControllerSpec], *, seed: int = 7, shuffle: int | None = None
    ) -> None:
        self.clock = VirtualClock(seed, shuffle=shuffle)
        self.journal = Journal(self.clock)
        self.server = new_server(self.clock, self.journal)
        self.user = InProcessClient(self.server, "tester")
        self.start_seconds = 1.0
        self.run_seconds = 5.0
        self.stop_seconds = 0.5
        self.controllers = {
            spec.name: build(spec, self.clock, self.journal, self._client) for spec in specs
        }
        self.controllers["node-agent"] = Controller(
            "node-agent",
            self.clock,
            self.journal,
            lambda: InProcessClient(self.server, "kubelet"),
            lambda client, caches: lambda request: self._run_pod(client, caches, request),
            (Watched("v1/Pod"),),
        )
        account = {"name": "default", "namespace": "default"}
        self.user.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
        for number in (1, 2, 3):
            name = f"node-{number}"
            self.user.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})
            self.user.patch("v1/Node", name, {"spec": {"taints": None}})
        for controller in self.controllers.values():
            controller.start()

    def _client(self) -> InProcessClient:
        return InProcessClient(self.server, MANAGER, shares=True)

    def run(self, seconds: float = 60.0) -> None:
        self.clock.run(self.clock.now() + seconds)

    def restart(self, name: str) -> None:
        self.controllers[name].kill()
        self.controllers[name].start()

    def get(self, kind: str, name: str, namespace: str = "default") -> Manifest:
        return self.user.get(kind, name, namespace)

    def find(self, kind: str, name: str, namespace: str = "default") -> Manifest | None:
        try:
            return self.user.get(kind, name, namespace)
        except NotFoundError:
            return None

    def pods(self, labels: str | None = None, namespace: str = "default") -> list[Manifest]:
        return list(self.user.list("v1/Pod", namespace, labels=labels))

    def sets(self, namespace: str = "default") -> list[Manifest]:
        return list(self.user.list("apps/v1/ReplicaSet", namespace))

    def events(self, kind: str, name: str) -> list[tuple[str, str]]:
        """Return (reason, message) of the events about an object, in the order of their birth."""
        found = [
            event
            for event in self.user.list("v1/Event")
            if event["involvedObject"]["kind"] == kind and event["involvedObject"]["name"] == name
        ]
        found.sort(key=lambda event: int(event["metadata"]["resourceVersion"]))
        return [(event["reason"], event["message"]) for event in found]

    def _run_pod(self, client: Any, caches: Any, request: Request) -> Any:
        pod = caches["v1/Pod"].get(request.name, request.namespace)
        if pod is None:
            return None
        if "deletionTimestamp" in pod["metadata"]:
            yield Step("stop pod", self.stop_seconds)
            client.delete("v1/Pod", request.name, request.namespace, grace_period=0)
            return None
        if "nodeName" not in pod["spec"]:
            self._bind(client, pod)
            return None
        image = pod["spec"]["containers"][0]["image"].partition(":")[0]
        phase = pod["status"]["phase"]
        if phase == "Pending":
            yield Step("start pod", self.start_seconds)
            self._tell(client, request, "Running", ready=image != "bad")
        elif phase == "Running" and image in ("done", "fail"):
            since = self.clock.parse_time(pod["status"]["startTime"])
            left = since + self.run_seconds - self.clock.now()
            if left > 0:
                return Result(left)
            self._tell(client, request, "Succeeded" if image == "done" else "Failed", ready=False)
        return None

    def _bind(self, client: Any, pod: Manifest) -> None:
        """Bind a pod to the emptiest node, or to the one that a DaemonSet made it for."""
        taken = [other["spec"].get("nodeName") for other in self.user.list("v1/Pod")]
        nodes = [node["metadata"]["name"] for node in self.user.list("v1/Node")]
        metadata = pod["metadata"]
        client.create(
            {
                "apiVersion": "v1",
                "kind": "Binding",
                "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
                "target": {"kind": "Node", "name": node_of(pod) or min(nodes, key=taken.count)},
            }
        )

    def _tell(self, client: Any, request: Request, phase: str, *, ready: bool) -> None:
        pod = self.find("v1/Pod", request.name, request.namespace)
        if pod is None or "deletionTimestamp" in pod["metadata"]:
            return
        now = self.clock.timestamp()
        status = pod["status"] | {"phase": phase}
        status.setdefault("startTime", now)
        word = "True" if ready else "False"
        conditions = [c for c in status.get("conditions", ()) if c["type"] != "Ready"]
        status["conditions"] = [
            *conditions,
            {"type": "Ready", "status": word, "lastTransitionTime": now},
        ]
        name = pod["spec"]["containers"][0]["name"]
        state: dict[str, Any] = {"running": {"startedAt": now}}
        if phase in ("Succeeded", "Failed"):
            code = 0 if phase == "Succeeded" else 1
            state = {"terminated": {"exitCode": code, "finishedAt": now}}
        status["containerStatuses"] = [
            {
                "name": name,
                "state": state,
                "ready": ready,
                "restartCount": 0,
                "image": "",
                "imageID": "",
            }
        ]
        client.update(pod | {"status": status}, subresource="status")


@pytest.fixture(scope="session")
def make_world() -> Callable[..., World]:
    """Make a world of these controllers: `make_world([DEPLOYMENTS, REPLICASETS])`."""
    return World


def _workload(kind: str, name: str, *, image: str = "nginx:1.27", **spec: Any) -> Manifest:
    """Return a workload of one container; `spec` replaces members of its spec."""
    template: Manifest = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "app", "image": image}]},
    }
    made: Manifest = {"template": template}
    if kind == "Job":
        template["spec"]["restartPolicy"] = "Never"
    elif kind == "ReplicationController":
        made["selector"] = {"app": name}
    else:
        made["selector"] = {"matchLabels": {"app": name}}
    if kind == "StatefulSet":
        made["serviceName"] = name
    group = {"Job": "batch/v1", "ReplicationController": "v1"}.get(kind, "apps/v1")
    return {
        "apiVersion": group,
        "kind": kind,
        "metadata": {"name": name, "namespace": "default"},
        "spec": made | spec,
    }


@pytest.fixture(scope="session")
def workload() -> Callable[..., Manifest]:
    """Make a workload: `workload("Deployment", "web", replicas=3, image="bad")`."""
    return _workload


class Lab:
    """A whole cluster with its registry, and short ways to look at pods."""

    def __init__(
        self, *, nodes: int = 3, seed: int = 5, provider: bool = True, kwok: bool = False
    ) -> None:
        self.clock = VirtualClock(seed)
        self.journal = Journal(self.clock)
        self.registry = Registry(self.clock, self.journal)
        self.cluster = SimulatedCluster(
            "dev",
            self.clock,
            self.journal,
            None,
            self.registry,
            nodes=nodes,
            provider=provider,
            kwok=kwok,
        )
        self.run(1)

    def run(self, seconds: float) -> None:
        self.clock.run(self.clock.now() + seconds)

    def create_pod(self, image: str, name: str = "web", **options: Any) -> Manifest:
        """Create a pod of one container; `container` and `metadata` add to what they name."""
        container = {"name": "main", "image": image} | options.pop("container", {})
        metadata = {"name": name, "namespace": "default"} | options.pop("metadata", {})
        spec = {"containers": [container]} | options
        return self.cluster.create(
            {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
        )

    def pod(self, name: str = "web") -> Manifest:
        return self.cluster.get("v1/Pod", name, "default")

    def container(self, name: str = "web", container: str = "main") -> dict[str, Any]:
        status = self.pod(name)["status"]
        told = [*status.get("containerStatuses", ()), *status.get("initContainerStatuses", ())]
        return next(entry for entry in told if entry["name"] == container)

    def waits_for(self, name: str = "web") -> str:
        """Return the reason for which the container waits; empty when it does not."""
        return str(self.container(name)["state"].get("waiting", {}).get("reason", ""))

    def condition(self, type_: str, name: str = "web") -> dict[str, Any]:
        conditions = self.pod(name)["status"]["conditions"]
        return next(entry for entry in conditions if entry["type"] == type_)

    def is_ready(self, name: str = "web") -> bool:
        return bool(self.condition("Ready", name)["status"] == "True")

    def events(self, name: str = "web") -> list[tuple[str, str]]:
        """Return (reason, message) of the events about an object, oldest first."""
        found = [
            event
            for event in self.cluster.list("v1/Event")
            if event["involvedObject"]["name"] == name
        ]
        found.sort(key=lambda event: int(event["metadata"]["resourceVersion"]))
        return [(event["reason"], event["message"]) for event in found]

    def reasons(self, name: str = "web") -> list[str]:
        return [reason for reason, _ in self.events(name)]

    def places(self) -> dict[str, str]:
        pods = self.cluster.list("v1/Pod", "default")
        return {pod["metadata"]["name"]: pod["spec"].get("nodeName", "") for pod in pods}


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture
def make_lab() -> type[Lab]:
    return Lab
