"""`gitops-sim render`."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import gitops_sim
from gitops_sim.cli import main

SHOP = Path(gitops_sim.__file__).parent / "samples" / "shop"


def test_overlay_is_printed_as_manifests(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", str(SHOP / "overlays" / "production")]) == 0
    objects = list(yaml.safe_load_all(capsys.readouterr().out))
    assert {"Namespace", "Deployment", "Service", "ConfigMap"} <= {o["kind"] for o in objects}
    web = next(o for o in objects if (o["kind"], o["metadata"]["name"]) == ("Deployment", "web"))
    assert web["spec"]["replicas"] == 4


def test_folder_outside_the_repository_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", str(SHOP), "--repo", str(tmp_path)]) == 2
    assert "is not inside" in capsys.readouterr().err


def test_missing_folder_and_file_in_its_place_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", str(tmp_path / "nowhere")]) == 2
    assert "nowhere: there is no such folder" in capsys.readouterr().err
    assert main(["render", str(SHOP / "README.md")]) == 2
    assert "this is a file" in capsys.readouterr().err


def test_the_git_working_copy_around_is_what_may_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An overlay reaches its base beside it, and nothing beyond the repository."""
    for name, text in {
        "repo/.git/HEAD": "ref: refs/heads/main\n",
        "repo/base/kustomization.yaml": "resources: [a.yaml]\n",
        "repo/base/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
        "repo/over/kustomization.yaml": "resources: [../base]\nnamePrefix: x-\n",
        "repo/out/kustomization.yaml": "resources: [../../secret.yaml]\n",
        "secret.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: s}\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert main(["render", str(tmp_path / "repo" / "over")]) == 0
    assert "name: x-a" in capsys.readouterr().out
    assert main(["render", str(tmp_path / "repo" / "out")]) == 2
    assert "secret.yaml" in capsys.readouterr().err
