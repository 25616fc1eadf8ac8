"""What the virtual clock costs above bare SimPy: jobs that take a step a second."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

import simpy

from gitops_sim.clock import VirtualClock
from gitops_sim.types import Step

JOBS, STEPS = 100, 2000


def measure() -> list[tuple[str, float, str]]:
    """Return events per second of both, and their ratio."""
    ours, bare = min(of_ours() for _ in range(9)), min(of_simpy() for _ in range(9))
    events = JOBS * STEPS
    return [
        ("steps of jobs on the lab's clock", events / ours, "1/s"),
        ("timeouts of bare SimPy processes", events / bare, "1/s"),
        ("cost of a step, in SimPy timeouts", ours / bare, "x"),
    ]


def of_ours() -> float:
    """Return the processor time that the lab's clock needs."""
    clock = VirtualClock(1)

    def job() -> Generator[Any, Any, None]:
        for _ in range(STEPS):
            yield Step("work", 1.0)

    for number in range(JOBS):
        clock.spawn(f"job-{number}", job())
    start = time.process_time()
    clock.run(STEPS + 1.0)
    return time.process_time() - start


def of_simpy() -> float:
    """Return the processor time that SimPy alone needs."""
    environment = simpy.Environment()

    def process() -> Generator[Any, Any, None]:
        for _ in range(STEPS):
            yield environment.timeout(1.0)

    for _ in range(JOBS):
        environment.process(process())
    start = time.process_time()
    environment.run()
    return time.process_time() - start
