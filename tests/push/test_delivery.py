"""The shop of the samples, pushed into a whole simulated cluster: roll-outs, replays, crashes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_sim import samples
from gitops_sim.clock import Door, VirtualClock
from gitops_sim.cluster import SimulatedCluster
from gitops_sim.forge import Forge
from gitops_sim.journal import Journal
from gitops_sim.journal.facts import ReadyRevision, RevisionApplied
from gitops_sim.journal.measures import convergence
from gitops_sim.push import Pipelines
from gitops_sim.registry import Registry
from gitops_sim.render import Renderer

ROOT = Path(samples.__file__).parent / "shop"
FILES = {
    str(path.relative_to(ROOT).as_posix()): path.read_text()
    for path in sorted(ROOT.rglob("*"))
    if path.is_file()
}
RENDERER = Renderer()  # remembers builds, which are the same in every lab


class Lab:
    """Everything that a push needs, behind one door."""

    def __init__(self, seed: int = 3, shuffle: int | None = None) -> None:
        self.clock = VirtualClock(seed, shuffle=shuffle)
        self.journal = Journal(self.clock)
        self.door = Door(self.clock)
        self.door.register("clock", self.clock)
        self.forge = Forge(self.clock, self.journal, self.door)
        self.pipelines = Pipelines(
            self.forge, self.clock, self.journal, RENDERER, runners=1, door=self.door
        )
        self.registry = Registry(self.clock, self.journal, self.door)
        self.cluster = SimulatedCluster(
            "staging", self.clock, self.journal, self.door, self.registry
        )

    def begin(self) -> Lab:
        """Make the repository, and give its runners the cluster."""
        self.forge.create_repository("shop", FILES)
        self.pipelines.connect("shop", "staging", self.cluster)
        return self

    def run(self, seconds: float) -> None:
        with self.door.running():
            self.clock.run(self.clock.now() + seconds)

    def specs(self) -> dict[str, Any]:
        """What is desired in the cluster's namespace of the shop, without what differs by time."""
        found: dict[str, Any] = {}
        for kind in ("apps/v1/Deployment", "v1/Service", "v1/ConfigMap"):
            for live in self.cluster.list(kind, "shop"):
                wanted = live.get("spec", live.get("data"))
                if kind == "v1/Service":
                    wanted = {k: v for k, v in wanted.items() if not k.startswith("clusterIP")}
                found[f"{kind}/{live['metadata']['name']}"] = wanted
        return found


@pytest.fixture(scope="module")
def clean() -> Lab:
    """A lab in which the shop was delivered and nothing went wrong."""
    lab = Lab().begin()
    lab.run(300)
    return lab


def test_sample_is_delivered_and_its_commit_is_ready(clean: Lab) -> None:
    (run,) = clean.pipelines.runs
    assert run.status == "success"
    (applied,) = clean.journal.facts(RevisionApplied)
    assert (applied.created, applied.agent) == (8, "push:shop/deploy")
    assert len(clean.journal.facts(ReadyRevision)) == 1
    (delivered,) = convergence(clean.journal)
    assert delivered.convergence is not None
    assert 10 < delivered.convergence < 120


def test_image_that_is_not_there_fails_the_run_and_nothing_is_ready() -> None:
    lab = Lab().begin()
    lab.run(300)
    shop = lab.forge.repository("shop")
    path = "overlays/staging/kustomization.yaml"
    broken = f"{shop.read(path)}images: [{{name: shop/web, newTag: missing}}]\n"
    shop.commit({path: broken}, "Take an image that is not there")
    lab.run(400)
    run = lab.pipelines.runs[-1]
    assert run.source.commit == shop.head()
    assert [job.status for job in run.jobs] == ["success", "failure"]
    assert "error: timed out waiting for the condition" in run.log
    assert len(lab.journal.facts(RevisionApplied)) == 2
    assert run.source.commit not in [fact.commit for fact in lab.journal.facts(ReadyRevision)]


def test_replay_of_everything_that_came_from_outside_gives_the_same_journal() -> None:
    lab = Lab().begin()
    lab.run(20)
    lab.pipelines.set_secret("shop", "TOKEN", "x")
    lab.pipelines.kill_runner("runner-1")
    lab.pipelines.rerun("shop/deploy#1")
    lab.run(12)
    lab.pipelines.cancel("shop/deploy#1")
    lab.run(100)
    again = Lab()
    again.door.replay(lab.door.inputs)
    assert again.journal.to_jsonl() == lab.journal.to_jsonl()


@settings(max_examples=8)
@given(at=st.floats(0.5, 28.0))
def test_runner_killed_at_any_moment_and_a_rerun_end_in_the_same_state(
    clean: Lab, at: float
) -> None:
    lab = Lab().begin()
    lab.run(at)
    if lab.pipelines.runs[0].ended is None:
        lab.pipelines.kill_runner("runner-1")
    lab.run(5)
    lab.pipelines.rerun("shop/deploy#1")
    lab.run(300)
    assert lab.pipelines.runs[-1].status == "success"
    assert lab.specs() == clean.specs()


def test_pipeline_reads_the_logs_of_pods() -> None:
    lab = Lab()
    lab.registry.push("shop/web:1.4.0", log=["listening on 8080"])
    lab.begin().run(100)
    text = "on: push\njobs: {a: {runs-on: x, steps: [{run: kubectl logs -n shop deploy/web}]}}\n"
    lab.forge.repository("shop").commit({".github/workflows/logs.yaml": text}, "Read logs")
    lab.run(100)
    logs = next(run for run in lab.pipelines.runs if run.spec.file.endswith("logs.yaml"))
    assert logs.status == "success"
    assert "listening on 8080" in logs.jobs[0].steps[-1].output


@pytest.mark.parametrize("shuffle", [1, 2, 3])
def test_order_of_events_at_one_time_does_not_change_the_end(clean: Lab, shuffle: int) -> None:
    lab = Lab(shuffle=shuffle).begin()
    lab.run(300)
    assert [run.status for run in lab.pipelines.runs] == ["success"]
    assert lab.specs() == clean.specs()
