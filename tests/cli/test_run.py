"""`gitops-sim run`: real repositories into a simulated cluster, and what it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gitops_sim
from gitops_sim.cli import main

SAMPLES = Path(gitops_sim.__file__).parent / "samples"
SHOP = SAMPLES / "shop"
PUBLIC = Path(__file__).parents[3] / "shared" / "repos"
CRONTAB = """\
apiVersion: stable.example.com/v1
kind: CronTab
metadata: {name: nightly}
"""
PODS = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  replicas: 2
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      containers: [{name: c, image: IMAGE}]
"""

Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command with --json; return its code and its document."""

    def call(*words: str) -> tuple[int, Any]:
        code = main(["run", *words, "--json"])
        printed = capsys.readouterr()
        return code, json.loads(printed.out) if printed.out else printed.err

    return call


def repository(tmp_path: Path, **files: str) -> str:
    for name, text in files.items():
        file = tmp_path / "repo" / "apps" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return str(tmp_path / "repo")


def deployment(name: str, image: str) -> str:
    return PODS.replace("NAME", name).replace("IMAGE", image)


@pytest.mark.parametrize("deliver", ["push", "flux"])
def test_sample_is_delivered(run: Run, deliver: str) -> None:
    code, told = run("--repo", str(SHOP), "--path", "overlays/staging", "--deliver", deliver)
    assert code == 0
    assert told["delivered"] is True
    assert {(o["sync"], o["health"]) for o in told["objects"]} == {("Synced", "Current")}
    assert {o["kind"] for o in told["objects"]} >= {"Namespace", "Deployment", "Service"}
    assert told["revision"].startswith("main@sha1:")
    assert {"BranchMoved", "RevisionApplied"} <= {entry["fact"] for entry in told["journal"]}


@pytest.mark.parametrize("deliver", ["push", "flux"])
def test_what_is_not_available_is_named_with_its_reason(
    run: Run, tmp_path: Path, deliver: str
) -> None:
    repo = repository(
        tmp_path,
        good=deployment("good", "shop/web:1"),
        bad=deployment("bad", "nowhere/web:1"),
    )
    code, told = run("--repo", repo, "--path", "apps", "--deliver", deliver, "--until", "15m")
    assert code == 1
    by_name = {o["name"]: o for o in told["objects"]}
    assert by_name["good"]["reason"] == ""
    assert by_name["bad"]["sync"] == "Synced"
    assert "ImagePullBackOff" in by_name["bad"]["reason"]


@pytest.mark.parametrize("deliver", ["push", "flux"])
def test_kind_that_the_cluster_lacks_is_such_a_reason(
    run: Run, tmp_path: Path, deliver: str
) -> None:
    repo = repository(tmp_path, a=CRONTAB, b=deployment("web", "shop/web:1"))
    code, told = run("--repo", repo, "--path", "apps", "--deliver", deliver, "--until", "15m")
    assert code == 1
    crontab = next(o for o in told["objects"] if o["kind"] == "CronTab")
    assert crontab["sync"] == "Missing"
    assert "CronTab" in crontab["reason"]


def test_text_has_one_line_per_object_that_is_not_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = repository(
        tmp_path, a=deployment("good", "shop/web:1"), b=deployment("bad", "nowhere/web:1")
    )
    assert main(["run", "--repo", repo, "--path", "apps", "--until", "10m"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("Deployment/")] == [
        line for line in lines if line.startswith("Deployment/default/bad: InProgress: ")
    ]
    assert lines[-1] == "1 of 2 objects are as declared and available"


def test_repository_without_workflow_gets_one_and_is_told(run: Run, tmp_path: Path) -> None:
    repo = repository(tmp_path, a=deployment("web", "shop/web:1"))
    code, told = run("--repo", repo, "--path", "apps", "--deliver", "push")
    assert code == 0
    assert told["remarks"] == [
        "the repository has no workflow, a built-in one ran: kubectl apply -f apps"
    ]


def test_object_that_stands_there_twice_is_left_out_below_and_told(
    run: Run, tmp_path: Path
) -> None:
    """As in public examples that hold an all-in-one file beside single ones."""
    repo = repository(tmp_path, a=deployment("web", "shop/web:1"))
    again = tmp_path / "repo" / "apps" / "all-in-one"
    again.mkdir()
    (again / "all.yaml").write_text(deployment("web", "shop/web:1"))
    for deliver in ("push", "flux"):
        code, told = run("--repo", repo, "--path", "apps", "--deliver", deliver)
        assert code == 0, told
        assert [remark for remark in told["remarks"] if "left out" in remark]


def test_same_seed_tells_the_same(run: Run) -> None:
    words = ("--repo", str(SHOP), "--path", "overlays/staging", "--until", "10m", "--seed", "5")
    assert run(*words) == run(*words)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "which repository?"),
        (["--repo", "nowhere/at/all"], "nowhere/at/all"),
        (["--repo", str(SHOP), "--path", "overlays/stagin"], "did you mean overlays/staging?"),
        (["--repo", str(SHOP), "--until", "10 parsecs"], "is no duration"),
        (["--repo", str(SHOP), "--until", "10"], "has no unit"),
        (["nowhere.yaml"], "there is no such file"),
        ([str(SAMPLES / "drift.yaml"), "--repo", "x"], "leave --repo out"),
    ],
)
def test_wrong_input_is_code_2_with_a_way_out(
    words: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", *words]) == 2
    printed = capsys.readouterr()
    assert problem in printed.err
    assert "Traceback" not in printed.err
    assert not printed.out


@pytest.mark.parametrize("deliver", ["push", "flux"])
def test_broken_file_is_named_with_its_line(
    tmp_path: Path, deliver: str, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = repository(tmp_path, a="apiVersion: v1\nkind: [\n")
    assert main(["run", "--repo", repo, "--path", "apps", "--deliver", deliver]) == 2
    assert "apps/a.yaml:" in capsys.readouterr().err


def test_scenario_runs_its_timeline(run: Run) -> None:
    code, told = run("samples/drift.yaml")
    assert code == 0
    facts = [entry["fact"] for entry in told["journal"]]
    assert facts.count("FaultStarted") == facts.count("FaultEnded") == 1
    repaired = [e for e in told["journal"] if e["fact"] == "DriftRepaired"]
    assert [e["with"]["subject"] for e in repaired] == ["Deployment/shop/web"] * 2
    assert told["seed"] == 7


def test_timeline_that_cannot_be_done_names_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(
        "repository: samples/shop\npath: overlays/staging\ndeliver: flux\nuntil: 10m\n"
        "timeline:\n- at: 1m\n  commit: x\n  replace: {base/flags.yaml: {nothing-like-it: y}}\n"
    )
    assert main(["run", str(file)]) == 2
    assert f"{file}:7: " in capsys.readouterr().err


def test_report_is_one_page_with_pictures_and_nothing_from_outside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "out.html"
    words = ["--repo", str(SHOP), "--path", "overlays/staging", "--until", "10m"]
    assert main(["run", *words, "--report", str(page)]) == 0
    capsys.readouterr()
    text = page.read_text()
    assert text.count("data:image/svg+xml;base64,") >= 3
    assert "Everything is delivered." in text
    for outside in ('src="http', 'href="http', "@import"):
        assert outside not in text


@pytest.mark.parametrize("deliver", ["push", "flux"])
@pytest.mark.parametrize(
    ("name", "path", "code"),
    [
        ("microservices-demo", "kubernetes-manifests", 0),
        ("microservices-demo", "kustomize", 0),
        ("kubernetes-examples", "web/guestbook", 0),
        ("kubernetes-examples", "databases/mysql-cinder-pd", 0),
        ("flux2-kustomize-helm-example", "apps/staging", 1),
    ],
)
@pytest.mark.all
def test_public_repository(run: Run, name: str, path: str, code: int, deliver: str) -> None:
    if not PUBLIC.is_dir():
        pytest.skip("the public repositories are not here: put them into ../shared/repos")
    found, told = run("--repo", str(PUBLIC / name), "--path", path, "--deliver", deliver)
    unwell = [o for o in told["objects"] if o["reason"]]
    assert found == code, unwell
    assert bool(unwell) == bool(code)


def test_broken_workflow_is_told_with_file_line_and_fix(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = repository(tmp_path, a=deployment("web", "shop/web:1"))
    folder = Path(repo) / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "d.yaml").write_text(
        "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n    - rum: true\n"
    )
    words = ["run", "--repo", repo, "--path", "apps", "--deliver", "push", "--until", "5m"]
    assert main(words) == 1
    shown = capsys.readouterr().out
    assert ".github/workflows/d.yaml:6: " in shown
    assert "'rum'" in shown
    assert "Deployment/default/web: Missing: Invalid workflow file: " in shown


def test_workflows_beside_the_manifests_are_no_manifests_to_flux(run: Run, tmp_path: Path) -> None:
    """Flux's source-controller leaves .github and the like out of an artifact."""
    repo = repository(tmp_path, a=deployment("web", "shop/web:1"))
    folder = Path(repo) / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "d.yaml").write_text("on: workflow_dispatch\njobs: {}\n")
    code, told = run("--repo", repo, "--deliver", "flux", "--until", "5m")
    assert code == 0, told
