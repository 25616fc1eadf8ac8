"""`gitops-sim diff`: against a served cluster, named on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import gitops_sim
from gitops_sim.apiserver import InProcessClient, new_server
from gitops_sim.cli import main
from gitops_sim.clock import Door, VirtualClock
from gitops_sim.journal import Journal
from gitops_sim.render import FolderTree, build
from gitops_sim.server import Served, ServeOptions, Server

SHOP = Path(gitops_sim.__file__).parent / "samples" / "shop"
OBJECTS = build(FolderTree(SHOP), "overlays/staging").manifests
WORDS = ["diff", "--repo", str(SHOP), "--path", "overlays/staging"]


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InProcessClient]:
    """A served API server, named by KUBECONFIG as `gitops-sim serve` names it."""
    clock = VirtualClock(1)
    api = new_server(clock, Journal(clock), name="staging")
    file = tmp_path / "kubeconfig"
    options = ServeOptions(kubeconfig=file, speed=0)
    with Server({"staging": Served(api)}, clock, Door(clock), options):
        monkeypatch.setenv("KUBECONFIG", str(file))
        monkeypatch.setenv("KUBECACHEDIR", str(tmp_path / "cache"))
        yield InProcessClient(api, "kubectl-edit")


@pytest.fixture
def applied(cluster: InProcessClient) -> InProcessClient:
    """The same with the shop in it."""
    for rendered in OBJECTS:
        cluster.apply(rendered.manifest, field_manager="kustomize-controller")
    return cluster


def test_what_is_not_there_is_missing(
    cluster: InProcessClient, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(WORDS) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "Deployment/shop/web: missing in the cluster" in lines
    assert len(lines) == len(OBJECTS)


def test_sample_needs_no_folder(
    applied: InProcessClient, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", "--repo", "samples/shop", "--path", "overlays/staging"]) == 0
    assert "objects are as declared" in capsys.readouterr().out


def test_unknown_sample_names_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "--repo", "samples/shpo"]) == 2
    told = capsys.readouterr().err
    assert "there is no sample 'samples/shpo'" in told
    assert "samples/shop" in told


def test_defaults_of_the_server_are_no_differences(
    applied: InProcessClient, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(WORDS) == 0
    assert capsys.readouterr().out == f"{len(OBJECTS)} objects are as declared\n"


def test_edit_is_told_with_both_values_and_who_made_it(
    applied: InProcessClient, capsys: pytest.CaptureFixture[str]
) -> None:
    applied.patch("apps/v1/Deployment", "web", {"spec": {"replicas": 9}}, "shop")
    applied.delete("v1/ConfigMap", "flags", "shop")
    assert main([*WORDS, "--context", "staging"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "ConfigMap/shop/flags: missing in the cluster",
        "Deployment/shop/web: spec.replicas: 2 (live: 9), set by kubectl-edit",
    ]


def test_nothing_is_changed(applied: InProcessClient, capsys: pytest.CaptureFixture[str]) -> None:
    before = applied.get("apps/v1/Deployment", "web", "shop")
    main([*WORDS[:-1], "overlays/production"])
    assert "spec.replicas: 4 (live: 2)" in capsys.readouterr().out
    assert applied.get("apps/v1/Deployment", "web", "shop") == before


def test_kind_that_the_cluster_lacks_is_told(
    applied: InProcessClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yaml").write_text(
        "apiVersion: stable.example.com/v1\nkind: CronTab\nmetadata: {name: nightly}\n"
    )
    assert main(["diff", "--repo", str(tmp_path)]) == 1
    line = capsys.readouterr().out
    assert line.startswith("CronTab/nightly: ")
    assert 'no matches for kind "CronTab"' in line


def test_cluster_is_never_guessed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A kubeconfig in the home folder is not enough."""
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text("current-context: production\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    assert main(WORDS) == 2
    assert "which cluster?" in capsys.readouterr().err


def test_cluster_that_does_not_answer_is_wrong_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text("apiVersion: v1\nkind: Config\ncurrent-context: no-lab-is-serving\n")
    monkeypatch.setenv("KUBECONFIG", str(file))
    assert main(WORDS) == 2
    message = capsys.readouterr().err
    assert "no-lab-is-serving" in message
    assert "Next: " in message
