"""A world for the tests of Flux: clock, journal, forge, API server, and a client maker."""

from __future__ import annotations

import json
from typing import Any

from gitops_sim.apiserver import ApiServer, InProcessClient, new_server
from gitops_sim.clock import Account, VirtualClock
from gitops_sim.forge import Forge
from gitops_sim.journal import Journal
from gitops_sim.pull.flux import Flux, FluxOptions, install
from gitops_sim.render import Renderer

GIT, KUSTOMIZE = "source.toolkit.fluxcd.io/v1", "kustomize.toolkit.fluxcd.io/v1"
RENDERER = Renderer()
"""Shared by all tests: what it remembers depends on nothing but the files."""


class World:
    """A cluster without controllers, a forge, and Flux."""

    name = "staging"

    def __init__(self, *, seed: int = 0, options: FluxOptions | None = None) -> None:
        self.clock = VirtualClock(seed)
        self.journal = Journal(self.clock)
        self.server: ApiServer = new_server(self.clock, self.journal, name=self.name)
        self.forge = Forge(self.clock, self.journal)
        self.people = self.client("kubectl-edit")
        options = options or FluxOptions(interval_jitter=0)
        self.flux: Flux = install(
            self, self.clock, self.journal, self.forge.remote, RENDERER, options=options
        )

    def client(
        self, name: str, *, qps: float = 0.0, burst: int = 0, latency: float = 0.0
    ) -> InProcessClient:
        account = Account(self.clock, name, qps=qps, burst=burst, latency=latency)
        return InProcessClient(self.server, name, account=account)

    def run(self, seconds: float) -> None:
        self.clock.run(self.clock.now() + seconds)

    def namespace(self, name: str) -> None:
        metadata = {"name": name}
        self.people.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})

    def source(self, name: str = "repo", namespace: str = "shop", **spec: Any) -> None:
        self.people.apply(
            {
                "apiVersion": GIT,
                "kind": "GitRepository",
                "metadata": {"name": name, "namespace": namespace},
                "spec": {
                    "interval": "5s",
                    "url": "https://git.example.com/shop.git",
                    "ref": {"branch": "main"},
                    **spec,
                },
            },
            field_manager="test",
            force=True,
        )

    def kustomization(self, name: str = "app", namespace: str = "shop", **spec: Any) -> None:
        self.people.apply(
            {
                "apiVersion": KUSTOMIZE,
                "kind": "Kustomization",
                "metadata": {"name": name, "namespace": namespace},
                "spec": {
                    "interval": "5s",
                    "path": "./app",
                    "prune": True,
                    "sourceRef": {"kind": "GitRepository", "name": "repo"},
                    "timeout": "20s",
                    "retryInterval": "3s",
                    **spec,
                },
            },
            field_manager="test",
            force=True,
        )

    def get(self, kind: str, name: str, namespace: str | None = "shop") -> dict[str, Any]:
        return self.people.get(kind, name, namespace)

    def condition(self, kind: str, name: str, type_: str = "Ready") -> dict[str, Any]:
        found = self.get(kind, name).get("status", {}).get("conditions", [])
        return next((entry for entry in found if entry["type"] == type_), {})


def config_map(name: str, namespace: str = "shop", **data: str) -> str:
    """A ConfigMap as a YAML (JSON) file."""
    metadata = {"name": name, "namespace": namespace}
    if not namespace:
        del metadata["namespace"]
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
