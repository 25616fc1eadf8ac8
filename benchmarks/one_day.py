"""A day in one cluster: a commit every 10 minutes, drift every 30, pushed and pulled side by side.

`day()` is what the ceilings of CI count on, too (tests/architecture/test_budgets.py).
"""

from __future__ import annotations

import resource
import sys
import time

from gitops_sim import Lab
from gitops_sim.journal import facts

FILE = "base/flags.yaml"


def day(hours: int = 24) -> Lab:
    """Return a lab in which so many hours have passed."""
    lab = Lab(seed=7)
    shop = lab.forge.import_repository("samples/shop")
    staging, pushed = lab.cluster("staging"), lab.cluster("pushed")
    staging.flux.bootstrap(shop, path="overlays/staging", interval="1m")
    pushed.pipeline.connect(shop, path="overlays/staging")
    text = shop.read(FILE)
    for turn in range(hours * 6):
        shop.commit({FILE: text.replace("EUR", f"E{turn}")}, f"Turn {turn}")
        lab.run("5m")
        if turn % 3 == 1:
            for cluster in (staging, pushed):
                cluster.patch("Deployment", "web", {"spec": {"replicas": 5 + turn % 2}}, "shop")
        lab.run("5m")
    return lab


def measure() -> list[tuple[str, float, str]]:
    """Return time, writes, events and bytes of a day."""
    before = peak()
    start, own, others = time.perf_counter(), *processor_seconds()
    lab = day()
    seconds = time.perf_counter() - start
    after = processor_seconds()
    writes = len(lab.journal.facts(facts.ObjectChanged))
    return [
        ("a day, first run", seconds, "s"),
        ("processor time of that, in this process", after[0] - own, "s"),
        ("processor time of that, in kubectl kustomize", after[1] - others, "s"),
        ("API writes of the day", writes, ""),
        ("API writes per second", writes / seconds, "1/s"),
        ("clock events of the day", lab.clock.events, ""),
        ("virtual seconds per second", 86400 / seconds, ""),
        ("memory more than before", (peak() - before) / 2**20, "MiB"),
        ("journal as JSON lines", len(lab.journal.to_jsonl()) / 2**20, "MiB"),
    ]


def processor_seconds() -> tuple[float, float]:
    """Return the processor time so far: of this process, and of the processes it started."""
    spent = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    own, others = (usage.ru_utime + usage.ru_stime for usage in spent)
    return own, others


def peak() -> int:
    """Return the largest resident size so far, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
