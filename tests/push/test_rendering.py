"""Pipelines and the renderer: how often it builds, and what hostile files do to a run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from gitops_sim.render import Renderer

KUSTOMIZATION = "resources: [web.yaml]\nnamePrefix: my-\n"
CHECKOUT = "uses: actions/checkout@v4"


def test_100_commits_to_other_folders_cost_one_build(world: Any) -> None:
    world.shop.commit(
        {"deploy/kustomization.yaml": KUSTOMIZATION, "deploy/web.yaml": world.settings("web")},
        "Add",
    )
    renderer = Renderer()
    for number in range(100):
        world.shop.commit({f"docs/{number % 7}.md": f"text {number}"}, f"Write {number}")
        built = renderer.build(world.shop.tree(), "deploy")
        assert [str(item.key) for item in built.manifests] == ["ConfigMap/my-web"]
    assert (renderer.processes, renderer.builds) == (0, 1)


BOMB = "l0: &l0 [x]\n" + "".join(
    f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 30)
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kind: [\n", "deploy/b.yaml"),
        (BOMB, "aliases"),
        ("a: " + "[" * 100_000, "nested deeper than"),
        ("x" * (4 * 1024 * 1024), "over the limit of 3 MiB"),
        ("apiVersion: x/v1\nkind: Nope\nmetadata: {name: x}\n", 'no matches for kind "Nope"'),
        ("- just\n- a list\n", "Object 'Kind' is missing"),
    ],
    ids=["broken", "bomb", "deep", "large", "unknown kind", "no object"],
)
def test_bad_file_fails_the_step_with_its_name_and_the_lab_goes_on(
    world: Any, text: str, says: str
) -> None:
    workflow = world.steps(CHECKOUT, "kubectl apply -f deploy")
    files = {"deploy__a_yaml": world.settings("a"), "deploy__c_yaml": world.settings("c")}
    run = world.connect().push(workflow, **files, deploy__b_yaml=text)
    world.clock.run(100)
    assert run.status == "failure"
    assert says in run.log
    assert "deploy/b.yaml" in run.log
    assert world.names() == ["a", "c"]  # as kubectl does: the other files are applied
    world.shop.commit({"deploy/b.yaml": world.settings("b")}, "Mend")
    world.clock.run(200)
    assert world.pipelines.runs[-1].status == "success"
    assert world.names() == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("kustomization", "says"),
    [
        ("resources: [../../../etc/passwd]\n", "reaches outside the repository"),
        ("resources: [nope.yaml]\n", "no such file or directory: nope.yaml"),
        ("resources: [https://example.com/x.yaml]\n", "is not fetched"),
        ("resource: [web.yaml]\n", "deploy/kustomization.yaml:1: resource"),
    ],
)
def test_bad_kustomization_applies_nothing(world: Any, kustomization: str, says: str) -> None:
    run = world.connect().push(
        world.steps(CHECKOUT, "kubectl apply -k deploy"),
        deploy__kustomization_yaml=kustomization,
        deploy__web_yaml=world.settings("web"),
    )
    world.clock.run(100)
    assert run.status == "failure"
    assert "error: deploy/kustomization.yaml:1: " in run.log
    assert says in run.log
    assert world.names() == []


def test_link_that_loops_or_leaves_is_told(world: Any, tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    os.symlink("b.yaml", tmp_path / "deploy/a.yaml")
    os.symlink("a.yaml", tmp_path / "deploy/b.yaml")
    os.symlink("/etc/passwd", tmp_path / "deploy/c.yaml")
    workflow = tmp_path / ".github/workflows/ci.yaml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(world.steps(CHECKOUT, "kubectl apply -f deploy"))
    world.forge.import_repository(str(tmp_path), "linked")
    world.pipelines.connect("linked", "staging", world.client)
    world.shop = world.forge.repository("linked")
    world.shop.commit({"README.md": "x"}, "Push")
    world.clock.run(100)
    run = world.pipelines.runs[-1]
    assert run.status == "failure"
    assert "deploy/a.yaml" in run.log
    assert world.names() == []
