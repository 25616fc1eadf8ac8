"""What becomes of changes that people make with kubectl, on a cluster that lives."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from gitops_sim.clock import VirtualClock
from gitops_sim.cluster import SimulatedCluster
from gitops_sim.forge import Forge
from gitops_sim.journal import Journal, facts
from gitops_sim.kubectl import KubectlCommand
from gitops_sim.pull.flux import FluxOptions, install
from gitops_sim.registry import Registry
from gitops_sim.render import FolderTree, Renderer

RENDERER = Renderer()


class Shop:
    """A Deployment `web` delivered by Flux every 10 s, and kubectl."""

    def __init__(self, folder: Path, **spec: Any) -> None:
        self.clock = VirtualClock()
        self.journal = Journal(self.clock)
        registry = Registry(self.clock, self.journal)
        self.cluster = SimulatedCluster("lab", self.clock, self.journal, None, registry)
        forge = Forge(self.clock, self.journal)
        options = FluxOptions(interval_jitter=0)
        flux = install(
            self.cluster, self.clock, self.journal, forge.remote, RENDERER, options=options
        )
        labels = {"app": "web"}
        template = {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "app", "image": "shop/web:1"}]},
        }
        deployment = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
        }
        forge.create_repository("shop", {"web.yaml": json.dumps(deployment)})
        flux.bootstrap("https://git.example.com/shop.git", sync_interval="10s")
        self.files = FolderTree(folder)
        self.run(30)

    def run(self, seconds: float) -> None:
        self.clock.run(self.clock.now() + seconds)

    def kubectl(self, words: str) -> None:
        running = KubectlCommand(self.cluster, self.clock, self.files, RENDERER).run(
            shlex.split(words)
        )
        while True:
            try:
                next(running)
            except StopIteration as end:
                result = end.value
                break
        assert result.exit_code == 0, result.stderr

    @property
    def web(self) -> dict[str, Any]:
        return self.cluster.get("apps/v1/Deployment", "web", "default")


@pytest.mark.parametrize(("declared", "expected"), [({"replicas": 2}, 2), ({}, 5)])
def test_scaling_is_undone_only_where_git_names_the_replicas(
    tmp_path: Path, declared: dict[str, Any], expected: int
) -> None:
    shop = Shop(tmp_path, **declared)
    shop.kubectl("scale deployment web --replicas=5")
    assert shop.web["spec"]["replicas"] == 5
    shop.run(30)
    assert shop.web["spec"]["replicas"] == expected
    assert shop.web["status"]["readyReplicas"] == expected
    drift = [(fact.paths, fact.manager) for fact in shop.journal.facts(facts.DriftFound)]
    assert drift == ([(("spec.replicas",), "kubectl")] if declared else [])


def test_an_annotation_set_by_kubectl_is_taken_away(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.kubectl("annotate deployment web x=1")
    shop.run(12)
    assert "x" not in shop.web["metadata"]["annotations"]
    (found,) = shop.journal.facts(facts.DriftFound)
    assert (found.paths, found.manager) == (("metadata.annotations.x",), "kubectl-annotate")


def test_a_rollout_restart_is_undone_so_that_pods_roll_twice(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.kubectl("rollout restart deployment web")
    shop.run(30)
    template = shop.web["spec"]["template"]
    assert "kubectl.kubernetes.io/restartedAt" not in template["metadata"].get("annotations", {})
    assert shop.web["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"


def test_a_paused_rollout_goes_on(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.kubectl("rollout pause deployment web")
    assert shop.web["spec"]["paused"] is True
    shop.run(12)
    assert "paused" not in shop.web["spec"]


def test_an_idle_cluster_stays_as_it_is(tmp_path: Path) -> None:
    shop = Shop(tmp_path, replicas=2)
    before = shop.web["metadata"]["generation"]
    shop.run(120)
    assert shop.web["metadata"]["generation"] == before
    assert shop.journal.facts(facts.DriftFound) == []
