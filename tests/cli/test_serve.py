"""`gitops-sim serve` in a process of its own: one READY line, real clients, a clean end."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from gitops_sim.cli import serve
from gitops_sim.errors import LabError

SCRIPTS = Path(sysconfig.get_path("scripts"))
KUBECTL = SCRIPTS / "kubectl"


@contextmanager
def serving(*options: str) -> Iterator[list[str]]:
    """Run it; give the words of its READY line."""
    command = [SCRIPTS / "gitops-sim", "serve", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        yield running.stdout.readline().split()
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 0


def kubectl(kubeconfig: Path, *words: str) -> str:
    command = [KUBECTL, "--kubeconfig", kubeconfig, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.all
def test_bare_cluster_with_users(tmp_path: Path) -> None:
    path, tokens = tmp_path / "kubeconfig", tmp_path / "tokens.json"
    options = ("--bare", "--nodes", "2", "--user", "dora:devs", "--speed", "20")
    with serving(*options, "--kubeconfig", str(path), "--tokens", str(tokens)) as ready:
        assert ready[0] == "READY"
        assert ready[2:] == ["kubeconfig", str(path)]
        assert kubectl(path, "get", "nodes", "-o", "name").split() == ["node/node-1", "node/node-2"]
        assert set(json.loads(tokens.read_text())) == {"admin", "dora"}
        assert "No resources" not in kubectl(path, "get", "namespaces")
    assert yaml.safe_load(path.read_text())["clusters"] == []


@pytest.mark.all
def test_lab_delivers_the_sample_shop(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    with serving("--kubeconfig", str(path), "--speed", "30") as ready:
        assert ready[4] == "git"
        ready_shop = ("--for=condition=Ready", "--timeout=60s")
        kubectl(path, "wait", "-n", "flux-system", "kustomization/flux-system", *ready_shop)
        assert "web" in kubectl(path, "get", "deployments", "-n", "shop")


@pytest.mark.all
def test_lab_serves_a_repository_by_git(tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "cm.yaml").write_text("kind: ConfigMap\n")
    path = tmp_path / "kubeconfig"
    given = f"mine={tmp_path / 'repository'}"
    with serving("--kubeconfig", str(path), "--repo", given, "--speed", "0"):
        assert "gitrepositories" in kubectl(path, "get", "crds", "-o", "name")
        assert kubectl(path, "get", "namespaces", "-o", "name").count("shop") == 0


@pytest.mark.parametrize(
    "words",
    [
        ("--bare", "--repo", "a=b"),
        ("--user", "dora"),
        ("--no-controllers",),
        ("--bare", "--nodes", "-1"),
        ("--bare", "--user", ":devs"),
        ("--repo", "nothing"),
    ],
    ids=" ".join,
)
def test_what_does_not_go_together_is_told(words: tuple[str, ...]) -> None:
    parser = argparse.ArgumentParser()
    serve.configure(parser)
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(LabError):
            serve.run(parser.parse_args(words))
    finally:
        for number, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
            signal.signal(number, handler)
