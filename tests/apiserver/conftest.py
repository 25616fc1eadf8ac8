"""A server as it is started, and a client of it."""

from __future__ import annotations

import pytest

from gitops_sim.apiserver import ApiServer, InProcessClient, new_server
from gitops_sim.clock import VirtualClock
from gitops_sim.journal import Journal


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(seed=1)


@pytest.fixture
def server(clock: VirtualClock) -> ApiServer:
    return new_server(clock, Journal(clock))


@pytest.fixture
def client(server: ApiServer) -> InProcessClient:
    return InProcessClient(server, "tester")
