"""How fast virtual time passes in a cluster: idle, with many Deployments, and while all roll out.

    python -m benchmarks.cluster [--deployments 1000] [--replicas 3] [--nodes 50]

Seconds are of this machine's processor, without others' load; a virtual second is one of the lab's
clock. Memory is what the process has grown by (resident set).
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator

from gitops_sim.clock import VirtualClock
from gitops_sim.cluster import SimulatedCluster
from gitops_sim.journal import Journal
from gitops_sim.registry import Registry
from gitops_sim.types import Manifest, Step

KIND = "apps/v1/Deployment"
IDLE_SECONDS = 3600.0
LIMIT_SECONDS = 7200.0


def deployment(number: int, replicas: int) -> Manifest:
    name = f"app-{number}"
    container = {"name": "main", "image": f"shop/{name}:1"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [container]},
            },
        },
    }


class Bench:
    """A cluster and the means to let it work."""

    def __init__(self, nodes: int) -> None:
        self.clock = VirtualClock(seed=1)
        journal = Journal(self.clock)
        registry = Registry(self.clock, journal)
        self.cluster = SimulatedCluster("bench", self.clock, journal, None, registry, nodes=nodes)
        self.run(5)

    def run(self, seconds: float) -> None:
        """Let virtual time pass."""
        self.clock.run(self.clock.now() + seconds)

    def until_done(self) -> float:
        """Let time pass until every Deployment is rolled out; return the virtual seconds."""
        begun = self.clock.now()
        job = self.clock.spawn("look", self._look())
        self.clock.run_until(lambda: not job.alive, LIMIT_SECONDS)
        return self.clock.now() - begun

    def _look(self) -> Iterator[Step]:
        """Look each second, until all are rolled out."""
        while not all(is_done(found) for found in self.cluster.list(KIND)):
            yield Step("look", takes=1.0)


def is_done(found: Manifest) -> bool:
    status, replicas = found.get("status") or {}, found["spec"]["replicas"]
    return (
        status.get("observedGeneration") == found["metadata"]["generation"]
        and status.get("updatedReplicas", 0) == replicas
        and status.get("replicas", 0) == replicas
        and status.get("availableReplicas", 0) == replicas
    )


def memory_kib() -> float:
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def idle_speed(bench: Bench) -> float:
    """Virtual seconds a second while nobody asks for anything."""
    begun = time.process_time()
    bench.run(IDLE_SECONDS)
    return IDLE_SECONDS / max(time.process_time() - begun, 1e-6)


def measure(
    *, deployments: int = 1000, replicas: int = 3, nodes: int = 50
) -> list[tuple[str, float, str]]:
    """Return the figures: what, figure, unit."""
    bench = Bench(nodes)
    size = f"{deployments:,} Deployments x {replicas} pods"
    rows = [(f"idle, {nodes} nodes", idle_speed(bench), "virtual s/s")]
    before, begun = memory_kib(), time.process_time()
    for number in range(deployments):
        bench.cluster.create(deployment(number, replicas))
    passed = bench.until_done()
    spent = time.process_time() - begun
    rows += [
        (f"bring up {size}", spent, "s"),
        (f"bring up {size}", passed / spent, "virtual s/s"),
        ("memory of a pod and its share", (memory_kib() - before) / deployments / replicas, "KiB"),
        (f"idle, {size}", idle_speed(bench), "virtual s/s"),
    ]
    begun = time.process_time()
    for number in range(deployments):
        container = {"name": "main", "image": f"shop/app-{number}:2"}
        patch = {"spec": {"template": {"spec": {"containers": [container]}}}}
        bench.cluster.patch(KIND, f"app-{number}", patch, "default", type="strategic")
    passed = bench.until_done()
    spent = time.process_time() - begun
    rows += [
        (f"roll out all of {size}", spent, "s"),
        (f"roll out all of {size}", passed / spent, "virtual s/s"),
    ]
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deployments", type=int, default=1000)
    parser.add_argument("--replicas", type=int, default=3)
    parser.add_argument("--nodes", type=int, default=50)
    for name, figure, unit in measure(**vars(parser.parse_args())):
        print(f"{name:56} {figure:14,.1f} {unit}")
