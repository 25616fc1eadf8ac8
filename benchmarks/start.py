"""How long a learner waits at the start: the import, and a lab that is ready."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 7


def measure() -> list[tuple[str, float, str]]:
    """Return medians of several processes."""
    nothing = seconds("pass")
    package = seconds("import gitops_sim")
    whole = seconds("from gitops_sim import Lab")
    from gitops_sim import Lab

    Lab(seed=1).cluster("warm")
    times = []
    for seed in range(RUNS):
        start = time.perf_counter()
        lab = Lab(seed=seed)
        shop = lab.forge.import_repository("samples/shop")
        lab.cluster("staging").flux.bootstrap(shop, path="overlays/staging", interval="1m")
        times.append(time.perf_counter() - start)
    return [
        ("import gitops_sim (above a bare Python)", (package - nothing) * 1000, "ms"),
        ("from gitops_sim import Lab (above a bare Python)", (whole - nothing) * 1000, "ms"),
        ("Lab with forge, cluster and Flux", statistics.median(times) * 1000, "ms"),
    ]


def seconds(code: str) -> float:
    """Return how long a process takes that runs this code."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)
