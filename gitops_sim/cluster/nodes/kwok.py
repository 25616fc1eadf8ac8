"""Nodes and pods as KWOK fakes them: a pod runs the moment it is bound, and goes when told to.

For conformance and for authors of operators, who use KWOK for the same: nothing is pulled, probed
or crashed. Everything is in the API, so there is nothing to lose in a crash.

Source: sigs.k8s.io/kwok 0.8, kustomize/stage/pod/fast and kustomize/stage/node.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from gitops_sim.cluster.nodes.machines import Machine
from gitops_sim.errors import NotFoundError, UnknownError
from gitops_sim.protocols import Clock, Cluster
from gitops_sim.runtime import Caches, Request, Watched
from gitops_sim.types import Manifest, ResourceKey, Result, Step

__all__ = ["KWOK_WATCHES", "Kwok", "kwok_node", "no_kubelet"]

KWOK_WATCHES = (Watched("v1/Pod"),)

_ADDRESS, _KUBELET_PORT = "127.0.0.1", 10250
_WRITE_SECONDS = 0.004
_JOB_SECONDS = 1.0
_VERSION = "kwok-0.8.0"
_NODE_CONDITIONS = (
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    (
        "MemoryPressure",
        "False",
        "KubeletHasSufficientMemory",
        "kubelet has sufficient memory available",
    ),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("NetworkUnavailable", "False", "RouteCreated", "RouteController created a route"),
)
_NODE_INFO = {
    "architecture": "amd64",
    "bootID": "",
    "containerRuntimeVersion": _VERSION,
    "kernelVersion": _VERSION,
    "kubeProxyVersion": "fake",
    "kubeletVersion": "fake",
    "machineID": "",
    "operatingSystem": "linux",
    "osImage": "",
    "systemUUID": "",
}


def kwok_node(machine: Machine, capacity: Mapping[str, str], now: str) -> Manifest:
    """Return the Node that KWOK keeps ready.

    Args:
        machine: Gives the name.
        capacity: cpu, memory and pods.
        now: RFC 3339.
    """
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": machine.name,
        "kubernetes.io/os": "linux",
        "type": "kwok",
    }
    annotations = {"kwok.x-k8s.io/node": "fake", "node.alpha.kubernetes.io/ttl": "0"}
    told = [
        {
            "lastHeartbeatTime": now,
            "lastTransitionTime": now,
            "message": message,
            "reason": reason,
            "status": status,
            "type": type_,
        }
        for type_, status, reason, message in _NODE_CONDITIONS
    ]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": machine.name, "labels": labels, "annotations": annotations},
        "status": {
            "addresses": [{"address": _ADDRESS, "type": "InternalIP"}],
            "allocatable": dict(capacity),
            "capacity": dict(capacity),
            "conditions": told,
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 0}},
            "nodeInfo": dict(_NODE_INFO),
            "phase": "Running",
        },
    }


def no_kubelet(pod: Manifest, container: str) -> UnknownError:
    """Return the error of who asks a faked node for a log: nobody listens there."""
    metadata, address = pod["metadata"], f"{_ADDRESS}:{_KUBELET_PORT}"
    name = container or pod["spec"]["containers"][0]["name"]
    path = f"containerLogs/{metadata['namespace']}/{metadata['name']}/{name}"
    return UnknownError(
        f'Get "https://{address}/{path}": dial tcp {address}: connect: connection refused'
    )


class Kwok:
    """The reconciler; a request is a pod."""

    def __init__(self, client: Cluster, caches: Caches, clock: Clock) -> None:
        self._client = client
        self._pods = caches["v1/Pod"]
        self._pods.add_index("address", lambda pod: (pod.get("status", {}).get("podIP", ""),))
        self._clock = clock
        self._given = 0

    def __call__(self, request: Request) -> Generator[Any, Any, Result | None]:
        """Move one pod to its next stage: running, completed (of a Job), gone."""
        pod = self._pods.get(request.name, request.namespace)
        if pod is None or not pod["spec"].get("nodeName"):
            return None
        if "deletionTimestamp" in pod["metadata"]:
            yield from self._remove(pod)
            return None
        phase = pod["status"].get("phase")
        if phase == "Pending":
            yield from self._tell(pod, self._running(pod))
            return Result(_JOB_SECONDS) if _is_of_job(pod) else None
        if phase == "Running" and _is_of_job(pod):
            yield from self._tell(pod, _completed(pod, self._clock.timestamp()))
        return None

    def _running(self, pod: Manifest) -> dict[str, Any]:
        now, spec = self._clock.timestamp(), pod["spec"]
        address = _ADDRESS if spec.get("hostNetwork") else self._free_address()
        ready: dict[str, Any] = {"status": "True", "lastProbeTime": None, "lastTransitionTime": now}
        others = [
            entry
            for entry in pod["status"].get("conditions") or ()
            if entry["type"] not in ("Initialized", "Ready", "ContainersReady")
        ]
        status: dict[str, Any] = {
            "phase": "Running",
            "conditions": [
                *(ready | {"type": t} for t in ("Initialized", "Ready", "ContainersReady")),
                *others,
            ],
            "hostIP": _ADDRESS,
            "hostIPs": [{"ip": _ADDRESS}],
            "podIP": address,
            "podIPs": [{"ip": address}],
            "startTime": now,
            "containerStatuses": [
                _container(c, {"running": {"startedAt": now}}, ready=True)
                for c in spec["containers"]
            ],
        }
        if spec.get("initContainers"):
            done = {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}
            status["initContainerStatuses"] = [
                _container(c, {"terminated": done}, ready=True) for c in spec["initContainers"]
            ]
        return status

    def _tell(self, pod: Manifest, status: dict[str, Any]) -> Generator[Any, Any, None]:
        metadata = pod["metadata"]
        told = {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}
        yield Step("update pod status", _WRITE_SECONDS, str(ResourceKey.of(pod)))
        try:
            self._client.patch(
                "v1/Pod",
                metadata["name"],
                {"metadata": told, "status": status},
                metadata["namespace"],
                subresource="status",
            )
        except NotFoundError:
            return  # gone meanwhile

    def _remove(self, pod: Manifest) -> Generator[Any, Any, None]:
        metadata = pod["metadata"]
        if metadata.get("deletionGracePeriodSeconds") == 0 and metadata.get("finalizers"):
            return  # told to go, held by someone else
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
            return  # gone already

    def _free_address(self) -> str:
        while True:
            self._given += 1
            address = f"10.244.{self._given // 254}.{self._given % 254 + 1}"
            if not self._pods.by_index("address", address):
                return address


def _container(
    container: Mapping[str, Any], state: dict[str, Any], *, ready: bool
) -> dict[str, Any]:
    return {
        "name": container["name"],
        "state": state,
        "lastState": {},
        "ready": ready,
        "restartCount": 0,
        "image": container["image"],
        "imageID": "",
    }


def _completed(pod: Manifest, now: str) -> dict[str, Any]:
    ended = {
        "exitCode": 0,
        "reason": "Completed",
        "startedAt": pod["status"].get("startTime", now),
        "finishedAt": now,
    }
    return {
        "phase": "Succeeded",
        "containerStatuses": [
            _container(c, {"terminated": ended}, ready=False) | {"started": False}
            for c in pod["spec"]["containers"]
        ],
    }


def _is_of_job(pod: Manifest) -> bool:
    owners = pod["metadata"].get("ownerReferences") or ()
    return any(owner["kind"] == "Job" for owner in owners)
