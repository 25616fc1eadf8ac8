"""What can be broken in a cluster on purpose, each by one call; the journal is told start and end.

A duration, where it is given, ends the fault by itself; without one it lasts until its other call.
`schedule` lets a fault happen at a moment to come, `at_random` at seeded random moments.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from gitops_sim.apiserver import ApiServer
from gitops_sim.clock import parse_duration
from gitops_sim.clock.door import Door, outside
from gitops_sim.cluster import meddling
from gitops_sim.cluster.api_gate import ApiGate
from gitops_sim.cluster.nodes.machines import Machines
from gitops_sim.errors import LabError
from gitops_sim.journal import Journal
from gitops_sim.journal.facts import FaultEnded, FaultStarted
from gitops_sim.protocols import Clock
from gitops_sim.runtime import Controller

__all__ = ["Faults"]


class _Breakable(Protocol):
    """A cluster, as far as faults need it."""

    name: str
    clock: Clock
    journal: Journal
    door: Door | None
    gate: ApiGate
    server: ApiServer
    machines: Machines
    controllers: dict[str, Controller]

    def kill(self, controller: str) -> None:
        """Crash a controller."""

    def start(self, controller: str) -> None:
        """Start a controller."""

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
        self._begun: dict[str, int] = {}
        self._going: set[str] = set()
        self._calls: dict[str, Callable[..., None]] = {
            call.__name__: call
            for call in (
                *(self.api_down, self.api_up, self.api_slow, self.api_fast),
                *(self.stall_watches, self.resume_watches, self.drop_watches),
                *(self.node_down, self.node_up, self.zone_down, self.zone_up, self.clock_skew),
                *(self.controller_down, self.controller_up),
                *(self.webhook_installed, self.webhook_removed),
            )
        }
        if self._door is not None:
            self._door.register(self._address, self)

    def __repr__(self) -> str:
        """Return what can be broken, and how it is mended."""
        return f"<faults: {', '.join(self._calls)}; at a time: schedule, at_random>"

    # When.

    @outside
    def schedule(self, moment: str, fault: str, *args: Any) -> None:
        """Let a fault happen at a moment to come.

        Args:
            moment: Such as `09:30` (of tomorrow if that has passed), or RFC 3339.
            fault: The name of a call of this class, or of another that the lab offers: `kubectl`
                for what a person does, `registry_down`.
            args: Its arguments: `schedule("09:30", "node_down", "node-2", "10m")`.

        Raises:
            LabError: The moment is past, or there is no such fault, or not with these arguments.
        """
        self._call_at(self._coming(moment), fault, args)

    @outside
    def at_random(self, times: int, since: str, until: str, fault: str, *args: Any) -> None:
        """Let a fault happen some times, at random moments of a time to come.

        The moments come from the lab's seed: the same lab has the same ones.

        Args:
            times: How often.
            since: The first moment, as `schedule` takes it.
            until: The last moment.
            fault: As `schedule` takes it.
            args: Its arguments.

        Raises:
            LabError: As for `schedule`, or `until` is before `since`.
        """
        first, last = self._coming(since), self._coming(until)
        if last < first:
            raise LabError(f"{until} is before {since}", "write the earlier moment first")
        stream = self._cluster.clock.random(f"faults/{self._cluster.name}")
        for moment in sorted(stream.uniform(first, last) for _ in range(times)):
            self._call_at(round(moment, 3), fault, args)

    def offer(self, name: str, call: Callable[..., None]) -> None:
        """Let `schedule` call something that is no part of the cluster itself.

        Args:
            name: As people write it.
            call: Tells the journal itself when it starts and ends.
        """
        self._calls[name] = call

    def _coming(self, text: str) -> float:
        moment = self._cluster.clock.coming_time(text)
        if moment < self._cluster.clock.now():
            raise LabError(f"{text} is past", "choose a moment to come")
        return moment

    def _call_at(self, moment: float, fault: str, args: tuple[Any, ...]) -> None:
        call = self._calls.get(fault)
        if call is None:
            known = ", ".join(sorted(self._calls))
            raise LabError(f"there is no fault {fault!r}", f"choose from: {known}")
        try:
            bound = inspect.signature(call).bind(*args).arguments
        except TypeError as error:
            raise LabError(f"{fault}: {error}", f"see help of {fault}") from None
        self._check(bound)
        clock = self._cluster.clock
        clock.call_later(moment - clock.now(), lambda: call(*args))

    def _check(self, arguments: Mapping[str, Any]) -> None:
        """Refuse now what would fail later."""
        checks: dict[str, Callable[[str], object]] = {
            "node": self._cluster.machines.known,
            "zone": self._cluster.machines.in_zone,
            "controller": self._known_controller,
            "duration": lambda text: text and parse_duration(text),
            "latency": parse_duration,
        }
        for name, value in arguments.items():
            if name in checks:
                checks[name](value)

    # What.

    @outside
    def api_down(self, duration: str = "") -> None:
        """Let the API answer nothing to what is inside: controllers, kubelets, agents.

        People still look into it, so that pictures can show what nobody inside sees.
        """
        if self._begin("API down", "requests of components fail with 503", duration, self.api_up):
            self._cluster.gate.close()

    @outside
    def api_up(self) -> None:
        """End `api_down`."""
        if self._end("API down", "requests are answered"):
            self._cluster.gate.open()

    @outside
    def api_slow(self, latency: str, duration: str = "") -> None:
        """Let each request of a component take `latency` more."""
        seconds = parse_duration(latency)
        told = f"each request takes {latency} more"
        if self._begin("API slow", told, duration, self.api_fast):
            self._cluster.gate.latency = seconds

    @outside
    def api_fast(self) -> None:
        """End `api_slow`."""
        if self._end("API slow", "requests take their usual time"):
            self._cluster.gate.latency = 0.0

    @outside
    def stall_watches(self, duration: str = "", controller: str = "") -> None:
        """Let watches deliver nothing: components act on what they last saw.

        Args:
            duration: How long; empty: until `resume_watches`.
            controller: Whose informers grow stale; empty: those of all components.
        """
        if controller:
            self._known_controller(controller)
        fault, end = (
            f"watches stalled {controller}".rstrip(),
            partial(self.resume_watches, controller),
        )
        if self._begin(fault, "caches grow stale", duration, end):
            self._cluster.gate.stall(controller)

    @outside
    def resume_watches(self, controller: str = "") -> None:
        """End `stall_watches`: what was held back arrives."""
        if self._end(f"watches stalled {controller}".rstrip(), "caches are up to date"):
            self._cluster.gate.resume(controller)

    @outside
    def drop_watches(self) -> None:
        """Lose every open watch once: components list again, and nothing is missed."""
        if self._begin("watches dropped", "every watch is lost"):
            self._cluster.gate.drop_watches()
            self._end("watches dropped", "components list again")

    @outside
    def node_down(self, node: str, duration: str = "") -> None:
        """Cut a node's power: what runs on it is gone at once, and the cluster finds out later."""
        if self._cluster.machines.known(node).down_since is None:
            self._end_after(f"node {node}", duration, partial(self.node_up, node))
            self._cluster.node_down(node)

    @outside
    def node_up(self, node: str) -> None:
        """End `node_down`."""
        self._cluster.node_up(node)

    @outside
    def controller_down(self, controller: str, duration: str = "") -> None:
        """Crash a controller: what it had in mind is lost, what it wrote stays."""
        if self._known_controller(controller).alive:
            end = partial(self.controller_up, controller)
            self._end_after(f"controller {controller}", duration, end)
            self._cluster.kill(controller)

    @outside
    def controller_up(self, controller: str) -> None:
        """End `controller_down`."""
        self._cluster.start(controller)

    @outside
    def zone_down(self, zone: str, duration: str = "") -> None:
        """Cut the power of all nodes of a zone."""
        nodes = self._cluster.machines.in_zone(zone)
        end = partial(self.zone_up, zone)
        if self._begin(f"zone down {zone}", f"{len(nodes)} nodes", duration, end):
            for node in nodes:
                self._cluster.node_down(node)

    @outside
    def zone_up(self, zone: str) -> None:
        """End `zone_down`."""
        nodes = self._cluster.machines.in_zone(zone)
        if self._end(f"zone down {zone}", f"{len(nodes)} nodes"):
            for node in nodes:
                self._cluster.node_up(node)

    @outside
    def clock_skew(self, node: str, seconds: float, duration: str = "") -> None:
        """Let the clock of a node go wrong: what its kubelet writes is off by so many seconds.

        0 puts it right. Only timestamps are wrong; time does not pass faster.
        """
        machine = self._cluster.machines.known(node)
        fault, end = f"clock skew {node}", partial(self.clock_skew, node, 0)
        if not seconds:
            self._end(fault, "its clock is right")
        elif not self._begin(fault, f"{seconds:g} s off", duration, end):
            return
        machine.skew = float(seconds)

    @outside
    def webhook_installed(
        self, resource: str, patch: Sequence[Mapping[str, Any]], duration: str = ""
    ) -> None:
        """Let a mutating webhook change what is applied: Git says one thing, the cluster another.

        Args:
            resource: What it changes, such as `deployments`.
            patch: A JSON patch: `[{"op": "replace", "path": "/spec/replicas", "value": 1}]`.
            duration: How long; empty: until `webhook_removed`.
        """
        fault, end = f"webhook on {resource}", partial(self.webhook_removed, resource)
        if self._begin(fault, f"it changes {resource} that are written", duration, end):
            meddling.install(self._cluster.server, resource, patch)

    @outside
    def webhook_removed(self, resource: str) -> None:
        """End `webhook_installed`; what it changed stays until it is written anew."""
        if self._end(f"webhook on {resource}", f"{resource} are stored as they are written"):
            meddling.remove(self._cluster.server, resource)

    def _known_controller(self, name: str) -> Controller:
        found = self._cluster.controllers.get(name)
        if found is None:
            known = ", ".join(sorted(self._cluster.controllers)) or "none"
            raise LabError(f"no controller {name!r}", f"choose from: {known}")
        return found

    def _begin(
        self,
        fault: str,
        description: str,
        duration: str = "",
        end: Callable[[], None] | None = None,
    ) -> bool:
        """Record a start, and end it after a duration; False when it is going on already."""
        if fault in self._going:
            return False
        if end is not None:
            self._end_after(fault, duration, end)
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

    def _end_after(self, fault: str, duration: str, end: Callable[[], None]) -> None:
        """End a fault after a duration, unless it has ended and begun again meanwhile."""
        number = self._begun[fault] = self._begun.get(fault, 0) + 1

        def end_this() -> None:
            if self._begun[fault] == number:
                end()

        if duration:
            self._cluster.clock.call_later(parse_duration(duration), end_this)
