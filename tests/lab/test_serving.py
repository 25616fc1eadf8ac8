"""A served lab: real kubectl and real git reach it, and what they did is replayed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from kubernetes import client, config
from kubernetes.config import kube_config

from gitops_sim.errors import LabError
from gitops_sim.lab import ClusterHandle, Lab
from gitops_sim.server import idle_kubeconfig


def shell(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(autouse=True)
def _no_kubeconfig(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)


def test_kubectl_reaches_a_served_lab_and_is_replayed_in_a_fork(
    lab: Lab, staging: ClusterHandle
) -> None:
    with lab.serve(speed=0):
        assert "web" in shell("kubectl", "get", "deployments", "-n", "shop")
        shell("kubectl", "-n", "shop", "scale", "deployment/cart", "--replicas=3")
    assert staging.get("Deployment", "cart", "shop")["spec"]["replicas"] == 3
    assert lab.fork().journal.to_jsonl() == lab.journal.to_jsonl()


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed: apt install git")
def test_a_git_push_is_delivered_by_flux(lab: Lab, staging: ClusterHandle, tmp_path: Path) -> None:
    with lab.serve(speed=0) as serving:
        shell("git", "clone", "-q", f"{serving.server.git_url}/shop.git", "copy", cwd=tmp_path)
        copy = tmp_path / "copy"
        file = copy / "base" / "web.yaml"
        file.write_text(file.read_text().replace("replicas: 2", "replicas: 4"))
        identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        shell("git", *identity, "commit", "-qam", "Scale web to 4", cwd=copy)
        shell("git", "push", "-q", cwd=copy)
    lab.run("2m")
    assert staging.get("Deployment", "web", "shop")["spec"]["replicas"] == 4
    assert lab.fork().journal.to_jsonl() == lab.journal.to_jsonl()


def test_time_passes_while_a_lab_is_served(lab: Lab, staging: ClusterHandle) -> None:
    before = lab.clock.now()
    with lab.serve(speed=600):
        shell("kubectl", "get", "namespaces")
        shell("kubectl", "get", "namespaces")
    assert lab.clock.now() > before


def test_the_environment_is_set_back_when_it_stops(lab: Lab, staging: ClusterHandle) -> None:
    before = dict(os.environ)
    serving = lab.serve(speed=0)
    assert os.environ["KUBECONFIG"] == str(serving.server.kubeconfig)
    kubeconfig = serving.server.kubeconfig
    serving.stop()
    assert dict(os.environ) == before
    assert not kubeconfig.exists()
    assert repr(serving) == "not served any more"


def test_the_idle_kubeconfig_of_a_notebook_is_filled_and_emptied_again(
    lab: Lab, staging: ClusterHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = tmp_path / "kubeconfig"
    idle.write_text(idle_kubeconfig())
    monkeypatch.setenv("KUBECONFIG", str(idle))
    with lab.serve(speed=0):
        assert "https://127.0.0.1:" in idle.read_text()
    assert idle.read_text() == idle_kubeconfig()


def test_a_kubeconfig_that_a_dead_lab_left_is_filled_again(
    lab: Lab, staging: ClusterHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / "kubeconfig"
    left.write_text(idle_kubeconfig())
    monkeypatch.setenv("KUBECONFIG", str(left))
    with lab.serve(speed=0):
        dead = left.read_text()
    left.write_text(dead)  # as after a restart of the kernel
    with lab.serve(speed=0):
        assert left.read_text() != dead
        assert "web" in shell("kubectl", "get", "deployments", "-n", "shop")


def test_a_kubeconfig_of_the_learners_own_is_never_written_to(
    lab: Lab, staging: ClusterHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "config"
    own.write_text("apiVersion: v1\nkind: Config\ncurrent-context: production\n")
    monkeypatch.setenv("KUBECONFIG", str(own))
    with lab.serve(speed=0) as serving:
        assert serving.server.kubeconfig != own
    assert own.read_text().endswith("current-context: production\n")
    assert os.environ["KUBECONFIG"] == str(own)


def test_a_lab_without_a_cluster_is_not_served() -> None:
    with pytest.raises(LabError, match="there is no cluster to serve"):
        Lab(1).serve()


def test_official_client_imported_before_finds_the_lab_and_afterwards_not(
    lab: Lab, staging: ClusterHandle
) -> None:
    before = kube_config.KUBE_CONFIG_DEFAULT_LOCATION
    with lab.serve(speed=0) as serving:
        found = client.Configuration()
        config.load_kube_config(client_configuration=found)
        assert found.host == serving.server.url
    assert before == kube_config.KUBE_CONFIG_DEFAULT_LOCATION == config.KUBE_CONFIG_DEFAULT_LOCATION
