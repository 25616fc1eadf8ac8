"""What only kubectl builds exactly, or refuses, is left to it, and known to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_sim.apimachinery.yaml_dump import dump
from gitops_sim.errors import BuildError
from gitops_sim.render import BuildOptions, FolderTree, Renderer
from gitops_sim.render.inprocess import NotInProcessError, PlainFiles
from tests.render.inprocess_cases import WEB, overlay
from tests.render.oracle import by_kubectl, in_process, write

LATER = {
    "sortOptions": overlay("sortOptions: {order: fifo}"),
    "vars": overlay("vars: [{name: A, objref: {apiVersion: v1, kind: Service, name: web}}]"),
    "replacements": overlay(
        "replacements: [{source: {kind: Service, name: web, fieldPath: metadata.name},"
        " targets: [{select: {kind: ConfigMap}, fieldPaths: [data.a]}]}]"
    ),
    "buildMetadata": overlay("buildMetadata: [managedByLabel]"),
    "label fields": overlay("labels: [{pairs: {a: b}, fields: [{path: spec/x, create: true}]}]"),
    "image pattern": overlay("images: [{name: 'ngin.?', newTag: '2'}]"),
    "patch options": overlay(
        "patches: [{patch: '{apiVersion: v1, kind: Service, metadata: {name: web, labels: {a: b}}}'"
        ","
        " options: {allowNameChange: true}}]"
    ),
    "a repeated group in a selector": overlay(
        "patches: [{target: {name: '(w*)*eb'}, patch: "
        '\'[{"op": "add", "path": "/a", "value": "b"}]\'}]'
    ),
    "a list with several keys": overlay(
        "patches: [{patch: '{apiVersion: v1, kind: Service, metadata: {name: web},"
        " spec: {ports: [{port: 80, name: http}]}}'}]"
    ),
    "a label written at two levels": overlay("labels: [{pairs: {team: b}}]")
    | {
        "base/kustomization.yaml": "resources: [web.yaml]\n"
        "labels: [{pairs: {team: a}, includeSelectors: true}]\n"
    },
    "a word of YAML 1.1": overlay("") | {"base/web.yaml": WEB.replace("zone", "on")},
    "a date": overlay("") | {"base/web.yaml": WEB.replace("zone", "2001-01-01")},
    "an octal number": overlay("") | {"base/web.yaml": WEB.replace("8080", "0777")},
    "an anchor": overlay("") | {"base/web.yaml": WEB.replace("{app: web}", "&l {app: web}", 1)},
    "a list of objects": overlay("")
    | {
        "base/web.yaml": "apiVersion: v1\nkind: List\nitems:\n"
        "- {apiVersion: v1, kind: Service, metadata: {name: web}}\n"
    },
    "local configuration": overlay("")
    | {
        "base/web.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n"
        "  annotations: {config.kubernetes.io/local-config: 'true'}\n"
    },
}


@pytest.mark.parametrize("name", LATER)
def test_what_is_not_exact_in_process_is_built_by_kubectl(name: str, tmp_path: Path) -> None:
    write(tmp_path, LATER[name])
    tree = FolderTree(tmp_path)
    with pytest.raises(NotInProcessError):
        in_process(tree, "")
    renderer = Renderer()
    built = renderer.build(tree)
    assert renderer.processes == 1
    assert "---\n".join(dump(item.manifest) for item in built.manifests) == by_kubectl(tree, "")[0]


REFUSED = {
    "an object twice": ("resources: [a.yaml, b.yaml]", "is here and in"),
    "a patch without a target": (
        (
            "resources: [a.yaml]\n"
            "patches: [{patch: '{apiVersion: v1, kind: Pod, metadata: {name: x}}'}]"
        ),
        "no resource Pod/x for a patch",
    ),
    "replicas without a workload": (
        "resources: [a.yaml]\nreplicas: [{name: x, count: 2}]",
        "resource with name x does not match",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_is_kubectls(name: str, tmp_path: Path) -> None:
    text, says = REFUSED[name]
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
    write(tmp_path, {"kustomization.yaml": text, "a.yaml": service, "b.yaml": service})
    renderer = Renderer()
    with pytest.raises(BuildError, match=says):
        renderer.build(FolderTree(tmp_path))
    assert renderer.processes == 1


def test_a_file_outside_the_own_folder_is_refused_without_a_process(tmp_path: Path) -> None:
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
    write(tmp_path, {"app/kustomization.yaml": "resources: [../a.yaml]\n", "a.yaml": service})
    renderer, tree = Renderer(), FolderTree(tmp_path)
    with pytest.raises(BuildError, match=r"app/kustomization.yaml: a.yaml is outside"):
        renderer.build(tree, "app", options=BuildOptions(own_folder_only=True))
    assert len(renderer.build(tree, "app").manifests) == 1
    assert renderer.processes == 0


def test_options_of_flux_are_built_in_process(tmp_path: Path) -> None:
    write(tmp_path, overlay(""))
    options = BuildOptions(
        target_namespace="flux",
        name_prefix="f-",
        patches=(
            {"patch": "- {op: add, path: /data/new, value: x}", "target": {"kind": "ConfigMap"}},
        ),
        images=({"name": "nginx", "newTag": "9"},),
    )
    renderer = Renderer()
    built = renderer.build(FolderTree(tmp_path), options=options)
    assert renderer.processes == 0
    found = {item.key.kind: item for item in built.manifests}
    assert found["ConfigMap"].manifest["data"]["new"] == "x"
    assert found["Deployment"].key.name == "f-web"
    assert found["Deployment"].file == "base/web.yaml"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a: b", True),
        ("a: 'yes'", True),
        ("a: yes", False),
        ("a: 1", True),
        ("a: 01", False),
        ("a: 1_000", False),
        ("a: 1.5", True),
        ("a: 1e3", False),
        ("a: 0x1f", False),
        ("a: 12:30", False),
        ("a: 1.2.3", True),
        ("a: 500m", True),
        ("a: 2001-01-01", False),
        ("a: .inf", False),
        ("a: !!str b", False),
        ("a: *b", False),
        ("a:\n  <<: {b: c}", False),
        ('a: # {"$ref": x}\n  b', False),
        ('{"a": [1, "x", null]}', True),
        ('{"a":\t1}', False),
    ],
)
def test_yaml_that_can_be_read_in_two_ways_is_known(text: str, *, plain: bool) -> None:
    assert PlainFiles().is_plain("id", text.encode) is plain
