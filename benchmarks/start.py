"""How long a learner waits at the start: the import, and a lab that is ready.

In processor time, which is what passes on the wall when nothing else is done.
"""

from __future__ import annotations

import resource
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
        start = time.process_time()
        lab = Lab(seed=seed)
        shop = lab.forge.import_repository("samples/shop")
        lab.cluster("staging").flux.bootstrap(shop, path="overlays/staging", interval="1m")
        times.append(time.process_time() - start)
    return [
        ("import gitops_sim (above a bare Python)", (package - nothing) * 1000, "ms"),
        ("from gitops_sim import Lab (above a bare Python)", (whole - nothing) * 1000, "ms"),
        ("Lab with forge, cluster and Flux", statistics.median(times) * 1000, "ms"),
    ]


def seconds(code: str) -> float:
    """Return the processor time of a process that runs this code."""
    times = []
    for _ in range(RUNS):
        start = of_children()
        subprocess.run([sys.executable, "-c", code], check=True)
        times.append(of_children() - start)
    return statistics.median(times)


def of_children() -> float:
    """Return the processor time of all processes started so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
