"""One cluster served without a lab: for authors of operators, for tests, for conformance suites.

It has no forge and no agents. What it does comes from its clients, its controllers and its clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import yaml

from gitops_sim.apiserver import new_server
from gitops_sim.clock import Door, VirtualClock, parse_duration
from gitops_sim.cluster import SimulatedCluster
from gitops_sim.errors import LabError
from gitops_sim.journal import Journal
from gitops_sim.registry import Registry
from gitops_sim.server.server import Served, ServeOptions, Server
from gitops_sim.server.tokens import ADMIN

if TYPE_CHECKING:
    from kubernetes.client import ApiClient, Configuration

__all__ = ["StandaloneCluster", "StandaloneOptions"]

_NAME = "cluster"


@dataclass(frozen=True, slots=True)
class StandaloneOptions:
    """What a cluster of its own is made of.

    Attributes:
        controllers: False: an API server alone, nothing acts on what it stores, no nodes.
        nodes: How many machines the controllers have.
        fakes: Whether nodes are faked as KWOK fakes them: pods are said to run at once.
        seed: Of all randomness.
        serve: How it is served; at speed 0 time passes by `run` alone.
    """

    controllers: bool = True
    nodes: int = 3
    fakes: bool = False
    seed: int = 0
    serve: ServeOptions = field(default_factory=ServeOptions)


class StandaloneCluster:
    """A served cluster and its clock; a context manager.

    While time passes by itself, objects carry the wall clock's time, since clients compare it with
    their own; at speed 0 the clock starts at the same fixed moment each time.

    Attributes:
        clock: Its time.
        journal: All that happened.
        registry: The images that its pods run; pushing one says how it behaves.
        server: What serves it.
    """

    def __init__(self, options: StandaloneOptions | None = None) -> None:
        self.options = made = options or StandaloneOptions()
        self.clock = _clock(made.seed, passes=made.serve.speed > 0)
        self.journal = Journal(self.clock)
        self._door = Door(self.clock)
        self._door.register("clock", self.clock)
        self.registry = Registry(self.clock, self.journal, self._door)
        self.server = Server({_NAME: self._served()}, self.clock, self._door, made.serve)

    def _served(self) -> Served:
        if not self.options.controllers:
            return Served(new_server(self.clock, self.journal, name=_NAME))
        cluster = SimulatedCluster(
            _NAME,
            self.clock,
            self.journal,
            self._door,
            self.registry,
            nodes=self.options.nodes,
            provider=not self.options.fakes,
            kwok=self.options.fakes,
        )
        return Served(cluster.server, cluster.logs)

    def start(self) -> StandaloneCluster:
        """Begin to serve; returns when it answers."""
        self.server.start()
        return self

    def stop(self) -> None:
        """Close it; nothing of it stays."""
        self.server.stop()

    @property
    def url(self) -> str:
        """Where it is served: `https://127.0.0.1:34567`."""
        return self.server.url

    @property
    def kubeconfig(self) -> Path:
        """The file by which every client finds it, as `admin`."""
        return self.server.kubeconfig

    @property
    def tokens(self) -> Mapping[str, str]:
        """The token of each user."""
        return self.server.tokens

    def configuration(self, *, user: str = ADMIN) -> Configuration:
        """Return a configuration of the official client, for a user by name.

        Raises:
            LabError: There is no such user.
        """
        from kubernetes import client, config

        if user not in self.tokens:
            raise LabError(f"there is no user {user}", f"users: {', '.join(self.tokens)}")
        told = yaml.safe_load(self.kubeconfig.read_text(encoding="utf-8"))
        told["users"][0]["user"]["token"] = self.tokens[user]
        made = client.Configuration()
        config.load_kube_config_from_dict(  # type: ignore[no-untyped-call]
            told, client_configuration=made
        )
        made.proxy = None  # it would take one from the environment for loopback too
        return made

    def api_client(self, *, user: str = ADMIN) -> ApiClient:
        """Return a client of the official library; close it, or use it in a `with` statement.

        Raises:
            LabError: There is no such user.
        """
        from kubernetes import client

        return client.ApiClient(self.configuration(user=user))

    def run(self, duration: str) -> None:
        """Let virtual time pass at once: `90s`, `5m`, `1h30m`.

        Raises:
            DurationError: It is no duration.
        """
        with self._door.lock, self._door.running():
            self.clock.run(self.clock.now() + parse_duration(duration))

    def run_until(
        self, predicate: Callable[[], object], *, timeout: str = "5m", step: str = "1s"
    ) -> None:
        """Let virtual time pass until something is true; it may ask the cluster.

        Args:
            predicate: Looked at before each step.
            timeout: Virtual time after which it is an error.
            step: How much time passes between two looks.

        Raises:
            LabError: It did not become true in time.
        """
        deadline = self.clock.now() + parse_duration(timeout)
        while not predicate():
            if self.clock.now() >= deadline:
                raise LabError(f"not so after {timeout} of virtual time", "look at its events")
            self.run(step)

    def __enter__(self) -> StandaloneCluster:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()


def _clock(seed: int, *, passes: bool) -> VirtualClock:
    if not passes:
        return VirtualClock(seed)
    now = datetime.now(UTC)  # noqa: TID251 - clients compare with their own clocks
    return VirtualClock(seed, epoch=now)
