"""A world for the tests of Flux: clock, journal, forge, API server, and Flux in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from gitops_sim.apiserver import InProcessClient, new_server
from gitops_sim.clock import Account, VirtualClock
from gitops_sim.forge import Forge
from gitops_sim.forge.repository import Repository
from gitops_sim.journal import Journal
from gitops_sim.pull.flux import Flux, FluxOptions, install
from gitops_sim.render import Renderer
from gitops_sim.types import Manifest

GIT, KUSTOMIZE = "source.toolkit.fluxcd.io/v1", "kustomize.toolkit.fluxcd.io/v1"
RENDERER = Renderer()
"""Shared by all tests: what it remembers depends on nothing but the files."""


class World:
    """A cluster without controllers of its own, a forge with the repository `shop`, and Flux.

    Everything is in the namespace `shop`: a GitRepository `repo` polled every 5 s, and
    Kustomizations as a test asks for them.
    """

    name = "staging"

    def __init__(self, *, seed: int = 0, options: FluxOptions | None = None) -> None:
        self.clock = VirtualClock(seed)
        self.journal = Journal(self.clock)
        self.server = new_server(self.clock, self.journal, name=self.name)
        self.forge = Forge(self.clock, self.journal)
        self.people = self.client("kubectl-edit")
        self.flux: Flux = install(
            self,
            self.clock,
            self.journal,
            self.forge.remote,
            RENDERER,
            options=options or FluxOptions(interval_jitter=0),
        )
        self.people.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})

    def client(
        self,
        name: str,
        *,
        qps: float = 0.0,
        burst: int = 0,
        latency: float = 0.0,
        shares: bool = False,
    ) -> InProcessClient:
        account = Account(self.clock, name, qps=qps, burst=burst, latency=latency)
        return InProcessClient(self.server, name, account=account, shares=shares)

    @property
    def repository(self) -> Repository:
        return self.forge.repository("shop")

    def run(self, seconds: float) -> None:
        self.clock.run(self.clock.now() + seconds)

    def deliver(self, files: dict[str, str], **spec: Any) -> None:
        """Make the repository, its source, and a Kustomization `app` of the folder `app`."""
        self.forge.create_repository("shop", files)
        self.source()
        self.kustomization(**spec)
        self.run(3)

    def source(self, name: str = "repo", **spec: Any) -> None:
        self._declare(
            GIT,
            "GitRepository",
            name,
            {"interval": "5s", "url": "https://git.example.com/shop.git", "ref": {"branch": "main"}}
            | spec,
        )

    def kustomization(self, name: str = "app", **spec: Any) -> None:
        self._declare(
            KUSTOMIZE,
            "Kustomization",
            name,
            {
                "interval": "5s",
                "path": "./app",
                "prune": True,
                "sourceRef": {"kind": "GitRepository", "name": "repo"},
                "retryInterval": "3s",
            }
            | spec,
        )

    def _declare(self, version: str, kind: str, name: str, spec: dict[str, Any]) -> None:
        spec = {field: value for field, value in spec.items() if value is not None}
        self.people.apply(
            {
                "apiVersion": version,
                "kind": kind,
                "metadata": {"name": name, "namespace": "shop"},
                "spec": spec,
            },
            field_manager="test",
            force=True,
        )

    def get(self, kind: str, name: str, namespace: str | None = "shop") -> Manifest:
        return self.people.get(kind, name, namespace)

    def exists(self, kind: str, name: str) -> bool:
        found = self.people.list(kind, "shop")
        return any(manifest["metadata"]["name"] == name for manifest in found)

    def status(self, kind: str, name: str) -> dict[str, Any]:
        return self.get(kind, name).get("status", {})

    def condition(self, kind: str, name: str, type_: str = "Ready") -> dict[str, Any]:
        conditions = self.status(kind, name).get("conditions", [])
        return next((entry for entry in conditions if entry["type"] == type_), {})

    def ready(self, name: str = "app", kind: str = "kustomization") -> tuple[str, str, str]:
        found = self.condition(kind, name)
        return found.get("status", ""), found.get("reason", ""), found.get("message", "")

    def events(self, kind: str) -> list[tuple[str, str, str]]:
        found = self.people.list("v1/Event", "shop")
        found = sorted(found, key=lambda event: int(event["metadata"]["resourceVersion"]))
        return [
            (event["type"], event["reason"], event["message"])
            for event in found
            if event["involvedObject"]["kind"] == kind
        ]


@pytest.fixture
def new_world() -> Callable[..., World]:
    """Make a world; each call another one."""
    return World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def manifest() -> Callable[..., str]:
    """Write an object of the namespace `shop` as a file."""

    def write(kind: str, name: str, *, version: str = "v1", **parts: Any) -> str:
        metadata = {"name": name, "namespace": "shop", **parts.pop("metadata", {})}
        if metadata["namespace"] is None:
            del metadata["namespace"]
        return json.dumps({"apiVersion": version, "kind": kind, "metadata": metadata, **parts})

    return write
