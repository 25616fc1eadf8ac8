"""A learner interrupts a cell: what was done stays done, and is part of the lab's history."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_sim.lab import Lab


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A lab that is interrupted at the first thing that happens after a virtual minute."""
    made = Lab(seed=3)
    pressed = False

    def press(_: object) -> None:
        nonlocal pressed
        if not pressed and made.clock.now() > 60.0:
            pressed = True
            signal.raise_signal(signal.SIGINT)

    made.journal.subscribe(press)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield made
    signal.signal(signal.SIGINT, before)


def same(lab: Lab, other: Lab) -> bool:
    return lab.journal.to_jsonl() == other.journal.to_jsonl()


def test_an_interrupted_kubectl_is_saved_and_forked_as_far_as_it_came(
    lab: Lab, tmp_path: Path
) -> None:
    staging = lab.cluster("staging")
    staging.kubectl("create deployment web --image=web:missing")
    with pytest.raises(KeyboardInterrupt):
        staging.kubectl("rollout status deployment/web")
    assert 60.0 < lab.clock.now() < 120.0, "it would have waited for ten minutes"
    assert staging.kubectl("scale deployment/web --replicas=2").exit_code == 0
    lab.run("20m")
    lab.save(tmp_path / "interrupted.lab")
    assert same(Lab.load(tmp_path / "interrupted.lab"), lab)
    assert same(lab.fork(), lab)


def test_an_interrupted_run_is_saved_as_far_as_it_came(lab: Lab, tmp_path: Path) -> None:
    lab.cluster("staging").kubectl("create deployment web --image=web:missing")
    with pytest.raises(KeyboardInterrupt):
        lab.run("1h")
    assert 60.0 < lab.clock.now() < 120.0
    lab.save(tmp_path / "interrupted.lab")
    assert same(Lab.load(tmp_path / "interrupted.lab"), lab)
