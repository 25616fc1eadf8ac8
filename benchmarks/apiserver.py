"""Speed of the API server without transport: puts, status writes, applies, at growing sizes.

    python -m benchmarks.apiserver

Each figure is the best of three rounds of processor time, so that a busy machine disturbs it less.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import process_time
from typing import Any

from gitops_sim.apiserver import InProcessClient, Kind, Store, new_server
from gitops_sim.clock import VirtualClock
from gitops_sim.journal import Journal

SIZES = (1_000, 10_000, 100_000)
_ROUNDS = 3
_PODS = Kind("", "Pod")


def measure() -> list[tuple[str, float, str]]:
    """Return the figures: what, figure, unit."""
    rows: list[tuple[str, float, str]] = []
    for size in SIZES:
        rows += [
            (f"store puts at {size:,} objects", puts_per_second(size), "1/s"),
        ]
        client = filled(size)
        rows += [
            (f"status writes at {size:,} objects", status_write_us(client), "us"),
            (f"applies that change at {size:,} objects", applies_per_second(client), "1/s"),
            (f"applies that do not at {size:,} objects", idle_applies_per_second(client), "1/s"),
        ]
        del client
        gc.collect()
    return rows


def puts_per_second(size: int, *, puts: int = 20_000) -> float:
    """Small puts into a store that holds `size` objects."""
    store = Store()
    for number in range(size):
        store.put(_PODS, _small(number), expected=None, time=0.0)
    versions = {n: store.get(_PODS, "default", _name(n)) for n in range(min(size, puts))}

    def run() -> None:
        for number, before in versions.items():
            assert before is not None
            after = before | {"metadata": dict(before["metadata"]), "data": {"turn": str(number)}}
            expected = before["metadata"]["resourceVersion"]
            versions[number] = store.put(_PODS, after, expected=expected, time=0.0)

    return len(versions) / _best(run)


def filled(size: int) -> InProcessClient:
    """Return a client of a server with `size` ConfigMaps, some Deployments and Pods."""
    clock = VirtualClock(seed=1)
    client = InProcessClient(new_server(clock, Journal(clock)), "bench")
    for number in range(size):
        metadata = {"name": f"c{number}", "namespace": "default"}
        client.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    for number in range(200):
        client.create(pod(number))
        client.apply(deployment(number), field_manager="bench", force=True)
    return client


def status_write_us(client: InProcessClient) -> float:
    """Microseconds of one write of a Pod's status through its subresource."""
    turn = iter(range(1_000_000))

    def run() -> None:
        value = next(turn)
        for number in range(200):
            body = {"status": {"observedGeneration": value, "podIP": f"10.0.{value % 250}.1"}}
            client.patch("v1/Pod", f"p{number}", body, "default", subresource="status")

    return _best(run) / 200 * 1e6


def applies_per_second(client: InProcessClient) -> float:
    """Server-side applies of a 2 kB Deployment that change its image."""
    turn = iter(range(1_000_000))

    def run() -> None:
        tag = str(next(turn))
        for number in range(200):
            client.apply(deployment(number, tag), field_manager="bench", force=True)

    return 200 / _best(run)


def idle_applies_per_second(client: InProcessClient) -> float:
    """Server-side applies of a 2 kB Deployment that change nothing."""
    objects = [deployment(number) for number in range(200)]
    for manifest in objects:
        client.apply(manifest, field_manager="bench", force=True)

    def run() -> None:
        for manifest in objects:
            client.apply(manifest, field_manager="bench", force=True)

    return 200 / _best(run)


def deployment(number: int, tag: str = "1") -> dict[str, Any]:
    """Return a Deployment of about 2 kB of JSON, two containers with probes and environment."""
    container = {
        "image": f"registry.example.com/shop/web:{tag}",
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [{"name": f"SETTING_{n}", "value": f"value-{n}"} for n in range(6)],
        "resources": {
            "requests": {"cpu": "100m", "memory": "64Mi"},
            "limits": {"cpu": "500m", "memory": "128Mi"},
        },
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 5},
        "livenessProbe": {"httpGet": {"path": "/live", "port": "http"}},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/shop"}],
    }
    labels = {"app.kubernetes.io/name": f"d{number}", "app.kubernetes.io/part-of": "shop"}
    sidecar = container | {"ports": [{"name": "admin", "containerPort": 9090}]}
    pod_spec = {
        "containers": [{"name": "web"} | container, {"name": "sidecar"} | sidecar],
        "volumes": [{"name": "config", "configMap": {"name": "shop"}}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"d{number}", "namespace": "default", "labels": labels},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod_spec},
        },
    }


def pod(number: int) -> dict[str, Any]:
    """Return a small Pod."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"p{number}", "namespace": "default", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": "shop/web:1"}]},
    }


def _small(number: int) -> dict[str, Any]:
    metadata = {"name": _name(number), "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "data": {"turn": "0"}}


def _name(number: int) -> str:
    return f"p{number:06}"


def _best(run: Callable[[], None]) -> float:
    times = []
    for _ in range(_ROUNDS):
        started = process_time()
        run()
        times.append(process_time() - started)
    return min(times)


if __name__ == "__main__":
    for what, figure, unit in measure():
        print(f"{what:45} {figure:12,.0f} {unit}")
