"""Fixtures for any Python project that speaks to Kubernetes: a fresh cluster for each test.

    def test_a_config_map_is_stored(simulated_api_client):
        api = kubernetes.client.CoreV1Api(simulated_api_client)
        api.create_namespaced_config_map("default", {"metadata": {"name": "a"}})

    @pytest.mark.simulated_cluster(controllers=True, nodes=2)
    def test_it_rolls_out(simulated_cluster, simulated_kubeconfig):
        ...
        simulated_cluster.run("30s")

pytest loads this module in every run of an environment that has gitops-sim: it imports nothing of
it until a test asks for a cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

    from gitops_sim.server import StandaloneCluster

__all__ = [
    "make_simulated_cluster",
    "pytest_configure",
    "simulated_api_client",
    "simulated_cluster",
    "simulated_kubeconfig",
]

_MARKER = "simulated_cluster"


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers",
        f"{_MARKER}(controllers=False, nodes=3, speed=0.0, seed=0, users={{}}): how the simulated "
        "cluster of this test is made",
    )


@pytest.fixture
def make_simulated_cluster() -> Iterator[Callable[..., StandaloneCluster]]:
    """A function that serves one more cluster; all stop after the test.

    Its keyword arguments: `controllers` (deployments, scheduler, kubelets, garbage collector …
    act; False: an API server alone), `nodes` (for controllers), `speed` (virtual seconds per
    second; 0: only `cluster.run("5m")` lets time pass), `seed`, and `users` (groups by name).
    """
    with ExitStack() as stack:

        def make(
            *,
            controllers: bool = False,
            nodes: int = 3,
            speed: float = 0.0,
            seed: int = 0,
            users: dict[str, tuple[str, ...]] | None = None,
        ) -> StandaloneCluster:
            from gitops_sim.server import ServeOptions, StandaloneCluster, StandaloneOptions

            serve = ServeOptions(speed=speed, users=users or {})
            options = StandaloneOptions(
                controllers=controllers, nodes=nodes, seed=seed, serve=serve
            )
            return stack.enter_context(StandaloneCluster(options))

        yield make


@pytest.fixture
def simulated_cluster(
    request: pytest.FixtureRequest, make_simulated_cluster: Callable[..., StandaloneCluster]
) -> StandaloneCluster:
    """A cluster of the test's own, served over HTTPS on loopback.

    Without the marker `simulated_cluster` it is an API server alone on which time stands still.
    """
    return make_simulated_cluster(**_options(request))


@pytest.fixture
def simulated_kubeconfig(
    simulated_cluster: StandaloneCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The kubeconfig of the test's cluster; KUBECONFIG names it during the test.

    Whatever the test starts (kubectl, an operator) thus finds this cluster and no other; kubectl's
    cache is the test's own too.
    """
    from gitops_sim.server import early_readers

    path = simulated_cluster.kubeconfig
    monkeypatch.setenv("KUBECONFIG", str(path))
    monkeypatch.setenv("KUBECACHEDIR", str(tmp_path / "kubectl-cache"))
    for module in early_readers():
        monkeypatch.setattr(module, "KUBE_CONFIG_DEFAULT_LOCATION", str(path))
    return path


@pytest.fixture
def simulated_api_client(simulated_cluster: StandaloneCluster) -> Iterator[ApiClient]:
    """An ApiClient of the official `kubernetes` library for the test's cluster."""
    with simulated_cluster.api_client() as client:
        yield client


def _options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return what the markers of a test say; the nearest one wins."""
    options: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers(_MARKER))):
        if marker.args:
            raise pytest.UsageError(f"{_MARKER} takes named options, such as controllers=True")
        options |= marker.kwargs
    return options
