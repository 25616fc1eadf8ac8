from __future__ import annotations

import pytest

from gitops_sim.apiserver import ApiServer, InProcessClient, new_server
from gitops_sim.clock import VirtualClock
from gitops_sim.journal import Journal


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(seed=3)


@pytest.fixture
def journal(clock: VirtualClock) -> Journal:
    return Journal(clock)


@pytest.fixture
def server(clock: VirtualClock, journal: Journal) -> ApiServer:
    """A server without any ConfigMap: those are what these tests are made of."""
    made = new_server(clock, journal, name="dev")
    client = InProcessClient(made, "nobody")
    for found in client.list("v1/ConfigMap"):
        client.delete("v1/ConfigMap", found["metadata"]["name"], found["metadata"]["namespace"])
    return made


@pytest.fixture
def person(server: ApiServer) -> InProcessClient:
    return InProcessClient(server, "person")
