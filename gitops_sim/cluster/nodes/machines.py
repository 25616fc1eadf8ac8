"""Machines: what runs containers when nobody looks, and goes on when a kubelet or the API is away.

A machine has images on its disk, addresses for its pods, and the pods that run on it. It is not in
the API: the kubelet looks at it and tells the API. A machine that goes down loses what runs on it;
its disk stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from gitops_sim.cluster.nodes.pod_runs import PodRun
from gitops_sim.errors import LabError
from gitops_sim.protocols import Clock
from gitops_sim.types import Image, Manifest

__all__ = ["DEFAULT_CAPACITY", "Machine", "Machines", "node_manifest", "ready_conditions"]

DEFAULT_CAPACITY: Mapping[str, str] = {"cpu": "32", "memory": "256Gi", "pods": "110"}
"""Of one node, unless the lab says otherwise."""

MOST = 250
"""Machines of one cluster: their number is a part of addresses."""

_ZONES = ("zone-a", "zone-b", "zone-c")


@dataclass(slots=True)
class Machine:
    """One machine.

    Attributes:
        name: Of its node.
        number: From 1; its addresses come from it.
        images: On its disk, by the reference that was pulled and by `repository@digest`.
        pods: What runs on it, by uid of the pod.
        down_since: When it went down, in seconds since the epoch; None while it runs.
        boots: How often it was started.
        skew: Seconds by which its clock is ahead of the true time.
    """

    name: str
    number: int
    images: dict[str, Image] = field(default_factory=dict)
    pods: dict[str, PodRun] = field(default_factory=dict)
    down_since: float | None = None
    boots: int = 1
    skew: float = 0.0
    _addresses: int = -1
    _digests: set[str] = field(default_factory=set)

    @property
    def address(self) -> str:
        """Its own address, as kind's nodes have them."""
        return f"172.18.0.{self.number + 1}"

    @property
    def zone(self) -> str:
        """Which part of the data centre it stands in."""
        return _ZONES[(self.number - 1) % len(_ZONES)]

    def keep(self, reference: str, image: Image) -> None:
        """Put an image on its disk, under the reference that was pulled."""
        self.images[reference] = image
        self._digests.add(image.digest)

    def has(self, digest: str) -> bool:
        """True when this image is on its disk, under whatever reference."""
        return digest in self._digests

    def new_address(self) -> str:
        """Return an address for a pod that no other pod on this machine has.

        Source: containernetworking/plugins, host-local IPAM: the next free one, round and round.
        """
        used = {pod.address for pod in self.pods.values()}
        while True:
            self._addresses += 1
            block, low = divmod(self._addresses, 250)
            address = f"10.{244 - block % 100}.{self.number}.{low + 2}"
            if address not in used:
                return address


class Machines:
    """All machines of a cluster."""

    def __init__(self, clock: Clock, count: int) -> None:
        if not 0 <= count <= MOST:
            raise LabError(f"{count} nodes", f"choose 0 to {MOST}")
        self._clock = clock
        self._machines = {f"node-{n}": Machine(f"node-{n}", n) for n in range(1, count + 1)}
        self.on_change: list[Callable[[str], None]] = []

    def __iter__(self) -> Iterator[Machine]:
        """All, in order of their numbers."""
        return iter(self._machines.values())

    def get(self, name: str) -> Machine | None:
        """Return the machine of a node; None when there is none (a node made by hand)."""
        return self._machines.get(name)

    def known(self, name: str) -> Machine:
        """Return the machine of a node.

        Raises:
            LabError: There is none; those that there are are named.
        """
        found = self._machines.get(name)
        if found is None:
            raise LabError(f"no node {name!r}", f"choose from: {', '.join(self._machines)}")
        return found

    def in_zone(self, zone: str) -> list[str]:
        """Return the nodes of a zone, in order of their numbers.

        Raises:
            LabError: There is no such zone; those that there are are named.
        """
        found = [machine.name for machine in self if machine.zone == zone]
        if not found:
            known = ", ".join(sorted({machine.zone for machine in self}))
            raise LabError(f"no zone {zone!r}", f"choose from: {known}")
        return found

    def take_down(self, name: str) -> None:
        """Cut the power: everything that runs on it is lost at once."""
        machine = self._machines[name]
        if machine.down_since is None:
            machine.down_since = self._clock.now()
            machine.pods.clear()
            self._tell(name)

    def bring_back(self, name: str) -> None:
        """Start it again: its pods begin anew."""
        machine = self._machines[name]
        if machine.down_since is not None:
            machine.down_since = None
            machine.boots += 1
            self._tell(name)

    def _tell(self, name: str) -> None:
        for listener in self.on_change:
            listener(name)


def node_manifest(machine: Machine, capacity: Mapping[str, str], now: str) -> Manifest:
    """Return the Node that a kubelet registers.

    Args:
        machine: Which.
        capacity: cpu, memory and pods.
        now: RFC 3339.
    """
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": machine.name,
        "kubernetes.io/os": "linux",
        "topology.kubernetes.io/zone": machine.zone,
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": machine.name,
            "labels": labels,
            "annotations": {"node.alpha.kubernetes.io/ttl": "0"},
        },
        "spec": {"podCIDR": f"10.244.{machine.number}.0/24"},
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": machine.address},
                {"type": "Hostname", "address": machine.name},
            ],
            "allocatable": dict(capacity),
            "capacity": dict(capacity),
            "conditions": ready_conditions(now),
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": _node_info(machine),
        },
    }


def _node_info(machine: Machine) -> dict[str, str]:
    return {
        "architecture": "amd64",
        "bootID": f"boot-{machine.boots}",
        "containerRuntimeVersion": "containerd://2.2.0",
        "kernelVersion": "6.12.0",
        "kubeProxyVersion": "",
        "kubeletVersion": "v1.37.2",
        "machineID": machine.name,
        "operatingSystem": "linux",
        "osImage": "gitops-sim",
        "systemUUID": machine.name,
    }


def ready_conditions(now: str) -> list[dict[str, str]]:
    """Return the conditions of a node that is well, in the order of the kubelet."""
    told = (
        ("MemoryPressure", "False", "KubeletHasSufficientMemory", "sufficient memory available"),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure", "no disk pressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID", "sufficient PID available"),
        ("Ready", "True", "KubeletReady", "posting ready status"),
    )
    return [
        {
            "lastHeartbeatTime": now,
            "lastTransitionTime": now,
            "message": f"kubelet {'is' if type_ == 'Ready' else 'has'} {message}",
            "reason": reason,
            "status": status,
            "type": type_,
        }
        for type_, status, reason, message in told
    ]
