"""How fast virtual time passes in a cluster: idle, with many Deployments, while all roll out, full.

    python -m benchmarks.cluster [--deployments 1000] [--replicas 3] [--nodes 50] [--objects 100000]

Seconds are of this machine's processor, without others' load; a virtual second is one of the lab's
clock. Memory is what the process has grown by (resident set).
"""

from __future__ import annotations

import argparse
import gc
import resource
import time
from collections.abc import Iterator
from pathlib import Path

from gitops_sim.clock import VirtualClock
from gitops_sim.cluster import SimulatedCluster
from gitops_sim.journal import Journal
from gitops_sim.registry import Registry
from gitops_sim.types import Manifest, Step

KIND = "apps/v1/Deployment"
IDLE_SECONDS = 86_400.0
LIMIT_SECONDS = 7200.0
SAMPLE = 20
"""So many Deployments tell what one costs in an empty cluster and in a full one."""
IN_ONE_NAMESPACE = 1000

Row = tuple[str, float, str]


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
    """A cluster with all its controllers, and the means to let it work."""

    def __init__(self, nodes: int) -> None:
        self.clock = VirtualClock(seed=1)
        self.journal = Journal(self.clock)
        registry = Registry(self.clock, self.journal)
        self.cluster = SimulatedCluster(
            "bench", self.clock, self.journal, None, registry, nodes=nodes
        )
        self.run(5)

    def run(self, seconds: float) -> None:
        """Let virtual time pass."""
        self.clock.run(self.clock.now() + seconds)

    def bring_up(self, deployments: int, replicas: int) -> tuple[float, float]:
        """Make Deployments; return the seconds that it took, and the virtual ones."""
        begun = time.process_time()
        for number in range(deployments):
            self.cluster.create(deployment(number, replicas))
        passed = self.until_done()
        return time.process_time() - begun, passed

    def roll_out(self, deployments: int) -> tuple[float, float]:
        """Give all another image; return the seconds that it took, and the virtual ones."""
        begun = time.process_time()
        for number in range(deployments):
            container = {"name": "main", "image": f"shop/app-{number}:2"}
            patch = {"spec": {"template": {"spec": {"containers": [container]}}}}
            self.cluster.patch(KIND, f"app-{number}", patch, "default", type="strategic")
        passed = self.until_done()
        return time.process_time() - begun, passed

    def idle_speed(self) -> float:
        """Return the virtual seconds a second while nobody asks for anything, for a day."""
        begun = time.process_time()
        self.run(IDLE_SECONDS)
        return IDLE_SECONDS / max(time.process_time() - begun, 1e-6)

    def fill(self, objects: int) -> None:
        """Put ConfigMaps in, as many as a cluster of so many objects lacks."""
        store = self.cluster.server.store
        present = sum(len(store.table(kind).present) for kind in store.kinds())
        for number in range(max(0, objects - present)):
            team, rest = divmod(number, IN_ONE_NAMESPACE)
            namespace = f"team-{team}"
            if not rest:
                self.cluster.create(
                    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
                )
            metadata = {"name": f"settings-{number}", "namespace": namespace}
            data = {"currency": "EUR", "number": str(number)}
            self.cluster.create(
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
            )
        self.run(60)

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
    """Return what the process has in memory now, or where nobody tells, had at most."""
    gc.collect()
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return pages * resource.getpagesize() / 1024


def many_deployments(bench: Bench, deployments: int, replicas: int, nodes: int) -> Iterator[Row]:
    """Measure a cluster that works: what it takes to bring up and to roll out everything."""
    size = f"{deployments:,} Deployments x {replicas} pods"
    yield f"idle, {nodes} nodes", bench.idle_speed(), "virtual s/s"
    before = memory_kib()
    spent, passed = bench.bring_up(deployments, replicas)
    yield f"bring up {size}", spent, "s"
    yield f"bring up {size}", passed / spent, "virtual s/s"
    share = (memory_kib() - before) / deployments / replicas
    yield "memory of a pod and its share", share, "KiB"
    yield f"idle, {size}", bench.idle_speed(), "virtual s/s"
    spent, passed = bench.roll_out(deployments)
    yield f"roll out all of {size}", spent, "s"
    yield f"roll out all of {size}", passed / spent, "virtual s/s"
    share = (memory_kib() - before) / deployments / replicas
    yield "memory of a pod and its share, with the history of both", share, "KiB"


def many_objects(objects: int, replicas: int, nodes: int) -> Iterator[Row]:
    """Measure whether a Deployment is dearer for what else is in its cluster.

    A few Deployments are rolled out in an empty cluster, and in one that is full.
    """
    empty = Bench(nodes)
    empty.bring_up(SAMPLE, replicas)
    alone = empty.roll_out(SAMPLE)[0]
    full = Bench(nodes)
    before = memory_kib()
    begun = time.process_time()
    full.fill(objects)
    yield f"put in {objects:,} objects", time.process_time() - begun, "s"
    yield f"memory of {objects:,} objects", (memory_kib() - before) / 1024, "MiB"
    yield f"idle, {objects:,} objects", full.idle_speed(), "virtual s/s"
    full.bring_up(SAMPLE, replicas)
    among = full.roll_out(SAMPLE)[0]
    size = f"a Deployment x {replicas} pods"
    yield f"roll out {size}, empty cluster", alone / SAMPLE * 1000, "ms"
    yield f"roll out {size}, {objects:,} objects", among / SAMPLE * 1000, "ms"


def rows(deployments: int, replicas: int, nodes: int, objects: int) -> Iterator[Row]:
    """Yield the figures as they are measured: what, figure, unit."""
    bench = Bench(nodes)
    yield from many_deployments(bench, deployments, replicas, nodes)
    # It is still there: what comes next must not live on the memory that it would give back.
    yield from many_objects(objects, replicas, nodes)


def measure() -> list[Row]:
    """Return the figures: what, figure, unit."""
    return list(rows(deployments=1000, replicas=3, nodes=50, objects=100_000))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deployments", type=int, default=1000)
    parser.add_argument("--replicas", type=int, default=3)
    parser.add_argument("--nodes", type=int, default=50)
    parser.add_argument("--objects", type=int, default=100_000)
    for name, figure, unit in rows(**vars(parser.parse_args())):
        print(f"{name:60} {figure:14,.1f} {unit}", flush=True)
