"""What can be broken in a cluster on purpose, each by one call; the journal is told start and end.

A duration, where it is given, ends the fault by itself; without one it lasts until its other call.
Crashed controllers and lost nodes are calls of the cluster itself (`kill`, `node_down`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from gitops_sim.clock import parse_duration
from gitops_sim.clock.door import Door, outside
from gitops_sim.cluster.api_gate import ApiGate
from gitops_sim.cluster.nodes.machines import Machines
from gitops_sim.errors import LabError
from gitops_sim.journal import Journal
from gitops_sim.journal.facts import FaultEnded, FaultStarted
from gitops_sim.protocols import Clock

__all__ = ["Faults"]


class _Breakable(Protocol):
    """A cluster, as far as faults need it."""

    name: str
    clock: Clock
    journal: Journal
    door: Door | None
    gate: ApiGate
    machines: Machines

    def node_down(self, node: str) -> None:
        """Cut a node's power."""

    def node_up(self, node: str) -> None:
        """Start a node again."""


class Faults:
    """The faults of one cluster."""

    def __init__(self, cluster: _Breakable) -> None:
        self._cluster = cluster
        self._door = cluster.door
        self._address = f"cluster/{cluster.name}/faults"
        self._going: set[str] = set()
        if self._door is not None:
            self._door.register(self._address, self)

    @outside
    def api_down(self, duration: str = "") -> None:
        """Let the API answer nothing to what is inside: controllers, kubelets, agents.

        People still look into it, so that pictures can show what nobody inside sees.
        """
        if self._begin("API down", "requests of components fail with 503"):
            self._cluster.gate.is_closed = True
            self._end_after(duration, self.api_up)

    @outside
    def api_up(self) -> None:
        """End `api_down`."""
        if self._end("API down", "requests are answered"):
            self._cluster.gate.is_closed = False
            self._cluster.gate.deliver()

    @outside
    def api_slow(self, latency: str, duration: str = "") -> None:
        """Let each request of a component take `latency` more."""
        seconds = parse_duration(latency)
        if self._begin("API slow", f"each request takes {latency} more"):
            self._cluster.gate.latency = seconds
            self._end_after(duration, self.api_fast)

    @outside
    def api_fast(self) -> None:
        """End `api_slow`."""
        if self._end("API slow", "requests take their usual time"):
            self._cluster.gate.latency = 0.0

    @outside
    def stall_watches(self, duration: str = "") -> None:
        """Let watches deliver nothing: components act on what they last saw."""
        if self._begin("watches stalled", "caches grow stale"):
            self._cluster.gate.is_stalled = True
            self._end_after(duration, self.resume_watches)

    @outside
    def resume_watches(self) -> None:
        """End `stall_watches`: what was held back arrives."""
        if self._end("watches stalled", "caches are up to date"):
            self._cluster.gate.is_stalled = False
            self._cluster.gate.deliver()

    @outside
    def drop_watches(self) -> None:
        """Lose every open watch once: components list again, and nothing is missed."""
        if self._begin("watches dropped", "every watch is lost"):
            self._cluster.gate.drop_watches()
            self._end("watches dropped", "components list again")

    @outside
    def zone_down(self, zone: str, duration: str = "") -> None:
        """Cut the power of all nodes of a zone."""
        nodes = self._nodes_of(zone)
        if self._begin(f"zone down {zone}", f"{len(nodes)} nodes"):
            for node in nodes:
                self._cluster.node_down(node)
            self._end_after(duration, lambda: self.zone_up(zone))

    @outside
    def zone_up(self, zone: str) -> None:
        """End `zone_down`."""
        nodes = self._nodes_of(zone)
        if self._end(f"zone down {zone}", f"{len(nodes)} nodes"):
            for node in nodes:
                self._cluster.node_up(node)

    @outside
    def clock_skew(self, node: str, seconds: float) -> None:
        """Let the clock of a node go wrong: what its kubelet writes is off by so many seconds.

        0 puts it right. Only timestamps are wrong; time does not pass faster.
        """
        machine = self._cluster.machines.get(node)
        if machine is None:
            known = ", ".join(machine.name for machine in self._cluster.machines)
            raise LabError(f"{self._cluster.name} has no node {node!r}", f"choose from: {known}")
        machine.skew = float(seconds)
        if seconds:
            self._begin(f"clock skew {node}", f"{seconds:g} s off")
        else:
            self._end(f"clock skew {node}", "its clock is right")

    def _nodes_of(self, zone: str) -> list[str]:
        nodes = [machine.name for machine in self._cluster.machines if machine.zone == zone]
        if not nodes:
            known = ", ".join(sorted({machine.zone for machine in self._cluster.machines}))
            raise LabError(f"{self._cluster.name} has no zone {zone!r}", f"choose from: {known}")
        return nodes

    def _begin(self, fault: str, description: str) -> bool:
        """Record a start; False when it is going on already."""
        if fault in self._going:
            return False
        self._going.add(fault)
        self._cluster.journal.record(FaultStarted(fault, self._cluster.name, description))
        return True

    def _end(self, fault: str, description: str) -> bool:
        """Record an end; False when it is not going on."""
        if fault not in self._going:
            return False
        self._going.discard(fault)
        self._cluster.journal.record(FaultEnded(fault, self._cluster.name, description))
        return True

    def _end_after(self, duration: str, end: Callable[[], None]) -> None:
        if duration:
            self._cluster.clock.call_later(parse_duration(duration), end)
