"""Labs on the sample shop, delivered either way."""

from __future__ import annotations

import pytest

from gitops_sim.forge import Repository
from gitops_sim.lab import ClusterHandle, Lab


@pytest.fixture
def lab() -> Lab:
    """A lab with the repository `shop` and nothing that delivers it yet."""
    made = Lab(seed=7)
    made.forge.import_repository("samples/shop")
    return made


@pytest.fixture
def shop(lab: Lab) -> Repository:
    return lab.forge.repository("shop")


@pytest.fixture
def staging(lab: Lab, shop: Repository) -> ClusterHandle:
    """A cluster that Flux has brought to the head of `shop`."""
    cluster = lab.cluster("staging")
    cluster.flux.bootstrap(shop, path="overlays/staging", sync_interval="2m")
    lab.run("3m")
    return cluster
