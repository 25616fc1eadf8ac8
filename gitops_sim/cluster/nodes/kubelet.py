"""The kubelets of all nodes, as one controller.

A pod comes in when it is bound to a node whose machine runs. What the machine does with it is
moved forward (`pods.sync`), and its status told if it differs. A kubelet that is killed leaves the
machines running; started again, it looks at them and tells what it sees.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable
from typing import Any

from gitops_sim.apimachinery import conditions
from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.cluster.nodes import pods
from gitops_sim.cluster.nodes.configuration import Configuration, uses
from gitops_sim.cluster.nodes.machines import Machine, Machines, ready_conditions
from gitops_sim.cluster.nodes.pod_runs import PodRun
from gitops_sim.cluster.nodes.pod_status import pod_status
from gitops_sim.errors import NotFoundError
from gitops_sim.protocols import Clock, Cluster, ImageSource
from gitops_sim.runtime import Caches, EventRecorder, Request, Watched
from gitops_sim.types import Manifest, ResourceKey, Result, Step

__all__ = ["KUBELET_WATCHES", "Kubelet"]

_WRITE_SECONDS = 0.004
_OVER = ("Succeeded", "Failed")


def _pods_that_use(manifest: Manifest, caches: Caches) -> Iterable[Request]:
    metadata = manifest["metadata"]
    key = f"{manifest['kind']}/{metadata['namespace']}/{metadata['name']}"
    found = caches["v1/Pod"].by_index("uses", key)
    return [Request(pod["metadata"]["namespace"], pod["metadata"]["name"]) for pod in found]


def _comes_or_goes(before: Manifest | None, after: Manifest | None) -> bool:
    """Values reach a running container only when it starts again: only keys matter."""
    if before is None or after is None:
        return True
    return (before.get("data") or {}).keys() != (after.get("data") or {}).keys()


def _is_about_status(before: Manifest | None, after: Manifest | None) -> bool:
    """Others may say that a node is not ready; its kubelet says what is."""
    return before is None or after is None or before["status"] != after["status"]


KUBELET_WATCHES = (
    Watched("v1/Pod"),
    Watched("v1/Node", predicate=_is_about_status),
    Watched("v1/ConfigMap", requests=_pods_that_use, predicate=_comes_or_goes),
    Watched("v1/Secret", requests=_pods_that_use, predicate=_comes_or_goes),
)


def _runs(run: PodRun) -> bool:
    """True when all containers run: what goes on then is known, and nothing else moves it."""
    containers = run.containers.values()
    return bool(containers) and all(found.started is not None for found in containers)


class Kubelet:
    """The reconciler of the kubelets; a request is a pod.

    Args:
        client: Writes statuses and events.
        caches: Of `KUBELET_WATCHES`.
        clock: Gives the time.
        machines: What runs the pods.
        images: Where they pull from.
    """

    def __init__(
        self,
        client: Cluster,
        caches: Caches,
        clock: Clock,
        machines: Machines,
        images: ImageSource,
    ) -> None:
        self._client = client
        self._pods, self._nodes = caches["v1/Pod"], caches["v1/Node"]
        self._pods.add_index("uses", uses)
        self._configuration = Configuration(caches["v1/ConfigMap"], caches["v1/Secret"])
        self._clock = clock
        self._machines = machines
        self._images = images
        self._recorders: dict[str, EventRecorder] = {}
        self._places: dict[Request, tuple[Machine, str]] = {}
        self._told: dict[Request, tuple[str, float]] = {}
        for machine in machines:
            for run in machine.pods.values():
                self._places[Request(*run.place)] = (machine, run.uid)

    def __call__(self, request: Request) -> Generator[Any, Any, Result | None]:
        """Move one pod forward and tell its status; without a namespace, tell that of a node."""
        if not request.namespace:
            yield from self._tell_node(request.name)
            return None
        pod = self._pods.get(request.name, request.namespace)
        self._forget_other(request, pod)
        if pod is None or not pod["spec"].get("nodeName"):
            return None
        machine = self._machines.get(pod["spec"]["nodeName"])
        if machine is None or machine.down_since is not None:
            return None
        if (pod.get("status") or {}).get("phase") in _OVER:
            machine.pods.pop(pod["metadata"]["uid"], None)
            if "deletionTimestamp" in pod["metadata"]:
                yield from self._remove(pod)
            return None
        return (yield from self._move(request, pod, machine))

    def _move(
        self, request: Request, pod: Manifest, machine: Machine
    ) -> Generator[Any, Any, Result | None]:
        uid, now = pod["metadata"]["uid"], self._clock.now()
        run = machine.pods.get(uid)
        version, goes_on = self._told.get(request, ("", now))
        # Its own write comes back as a change: what follows from it was computed before.
        is_echo = version == pod["metadata"]["resourceVersion"] and now < goes_on
        if is_echo and run is not None and _runs(run):
            return None if math.isinf(goes_on) else Result(goes_on - now)
        if run is None:
            run = pods.begin(pod, machine, now)
            self._places[request] = (machine, uid)
        site = self._site(pod, machine, now)
        is_deleted = "deletionTimestamp" in pod["metadata"]
        due = pods.kill(pod, run, site) if is_deleted else pods.sync(pod, run, site)
        status = pod_status(
            pod, run, machine.address, now, lambda at: self._clock.timestamp(at + machine.skew)
        )
        if status != pod.get("status"):
            told = yield from self._tell_status(pod, status)
            self._told[request] = (told["metadata"]["resourceVersion"], due)
        if is_deleted and due <= now:
            yield from self._remove(pod)
            return None
        if math.isinf(due):
            return None
        return Result(max(due - self._clock.now(), 0.0))

    def _tell_status(self, pod: Manifest, status: dict[str, Any]) -> Generator[Any, Any, Manifest]:
        metadata = pod["metadata"]
        patch = {"metadata": {"uid": metadata["uid"]}, "status": status}
        patch["metadata"]["resourceVersion"] = metadata["resourceVersion"]
        yield Step("update pod status", _WRITE_SECONDS, str(ResourceKey.of(pod)))
        return self._client.patch(
            "v1/Pod", metadata["name"], patch, metadata["namespace"], subresource="status"
        )

    def _tell_node(self, name: str) -> Generator[Any, Any, None]:
        """Say that a node is ready, when its machine runs and the API does not know."""
        node, machine = self._nodes.get(name), self._machines.get(name)
        if node is None or machine is None or machine.down_since is not None:
            return
        found = conditions.get(node, "Ready")
        if found is not None and found.status == "True":
            return
        changed = fresh_copy(node)
        changed["status"]["conditions"] = ready_conditions(self._clock.timestamp())
        changed["status"]["nodeInfo"]["bootID"] = f"boot-{machine.boots}"
        yield Step("update node status", _WRITE_SECONDS, str(ResourceKey.of(node)))
        self._client.update(changed, subresource="status")

    def _remove(self, pod: Manifest) -> Generator[Any, Any, None]:
        """Take a pod that has stopped out of the API."""
        metadata = pod["metadata"]
        yield Step("remove pod", _WRITE_SECONDS, str(ResourceKey.of(pod)))
        try:
            self._client.delete(
                "v1/Pod",
                metadata["name"],
                metadata["namespace"],
                uid=metadata["uid"],
                grace_period=0,
            )
        except NotFoundError:
            return  # someone was faster

    def _forget_other(self, request: Request, pod: Manifest | None) -> None:
        """Stop what runs under this name and is not this pod any more."""
        known = self._places.get(request)
        if known is None:
            return
        machine, uid = known
        if pod is None or pod["metadata"]["uid"] != uid:
            machine.pods.pop(uid, None)
            del self._places[request]
            self._told.pop(request, None)

    def _site(self, pod: Manifest, machine: Machine, now: float) -> pods.Site:
        recorder = self._recorders.get(machine.name)
        if recorder is None:
            recorder = EventRecorder(self._client, "kubelet", self._clock, host=machine.name)
            self._recorders[machine.name] = recorder

        def tell(type_: str, reason: str, message: str, field_path: str) -> None:
            recorder.event(pod, type_, reason, message, field_path=field_path)

        return pods.Site(machine, self._images, self._configuration, now, tell)
