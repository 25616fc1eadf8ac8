"""Renderer: what a directory gives, and when it is really built."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gitops_sim.errors import BuildError, InputError
from gitops_sim.render import Build, BuildOptions, FolderTree, Renderer, build, repeated_folders

DATA = Path(__file__).parent.parent / "data" / "render"
SHARED = Path(__file__).parents[2].parent / "shared" / "repos"
needs_repos = pytest.mark.skipif(not SHARED.is_dir(), reason="the public repositories are not here")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A copy of the sample that a test may change."""
    return Path(shutil.copytree(DATA / "shop", tmp_path / "shop"))


def names(built: Build) -> list[str]:
    return [str(item.key) for item in built.manifests]


def test_plain_files_give_their_objects_in_walk_order(shop: Path) -> None:
    built = build(FolderTree(shop), "plain")
    assert built.mode == "plain"
    assert names(built) == [
        "Namespace/shop",
        "ConfigMap/shop/one",
        "ConfigMap/shop/two",
        "ConfigMap/shop/three",
    ]
    places = [(item.file, item.line) for item in built.manifests]
    assert places[1] == places[2] == ("plain/more/configs.yml", 2)
    assert places[3] == ("plain/more/configs.yml", 14)


def test_a_directory_is_visited_before_a_file_that_sorts_after_it(tmp_path: Path) -> None:
    for path in ("b.yaml", "b/x.yaml", "b-1.yaml", "a.yaml"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        name = path.replace("/", "-").removesuffix(".yaml")
        (tmp_path / path).write_text(f"{{apiVersion: v1, kind: Pod, metadata: {{name: {name}-}}}}")
    assert names(build(FolderTree(tmp_path))) == ["Pod/a-", "Pod/b-x-", "Pod/b-1-", "Pod/b-"]


def test_an_overlay_is_built_with_the_place_of_each_object(shop: Path) -> None:
    built = build(FolderTree(shop), "./overlays/staging/")
    assert built.mode == "kustomize"
    by_kind = {item.key.kind: item for item in built.manifests}
    web = by_kind["Deployment"].manifest
    assert (web["metadata"]["name"], web["metadata"]["namespace"]) == ("stg-web", "staging")
    assert web["spec"]["replicas"] == 2
    assert web["spec"]["template"]["spec"]["containers"][0]["image"] == "shop/web:1.1"
    assert "annotations" not in web["metadata"]
    assert (by_kind["Deployment"].file, by_kind["Deployment"].line) == ("base/web.yaml", 1)
    assert (by_kind["Service"].file, by_kind["Service"].line) == ("base/web.yaml", 17)
    assert by_kind["ConfigMap"].manifest["data"] == {"app.properties": "mode=staging\n"}
    assert by_kind["ConfigMap"].file == "overlays/staging/kustomization.yaml"
    assert "overlays/staging/app.properties" in built.files


def test_a_plain_directory_with_a_kustomization_below_is_built_by_kustomize(shop: Path) -> None:
    (shop / "plain/web").mkdir()
    (shop / "plain/web/kustomization.yaml").write_text("resources: [../../base]\n")
    (shop / "plain/web/not-listed.yaml").write_text("no manifest at all")
    built = build(FolderTree(shop), "plain")
    assert built.mode == "kustomize"
    assert "Deployment/web" in names(built)
    assert "ConfigMap/shop/three" in names(built)


def test_a_generated_kustomization_gives_what_the_files_give(shop: Path) -> None:
    plain = build(FolderTree(shop), "plain")
    asked = BuildOptions(build_metadata=("originAnnotations",))
    by_kustomize = build(FolderTree(shop), "plain", options=asked)
    assert by_kustomize.mode == "kustomize"
    noted = {item.key: item.manifest for item in by_kustomize.manifests}
    for item in plain.manifests:
        metadata = dict(noted[item.key]["metadata"])
        origin = metadata.pop("annotations")["config.kubernetes.io/origin"]
        assert noted[item.key] | {"metadata": metadata} == item.manifest
        assert origin.strip() == f"path: {item.file.removeprefix('plain/')}"


def test_flux_options_change_the_build(shop: Path) -> None:
    options = BuildOptions(
        target_namespace="prod",
        name_suffix="-x",
        images=({"name": "shop/web", "newTag": "9"},),
        patches=(
            {
                "patch": "- {op: replace, path: /spec/replicas, value: 7}",
                "target": {"kind": "Deployment"},
            },
        ),
        labels={"team": "a"},
        annotations={"why": "test"},
    )
    built = build(FolderTree(shop), "base", options=options)
    web = next(item for item in built.manifests if item.key.kind == "Deployment").manifest
    assert web["metadata"] == {
        "name": "web-x",
        "namespace": "prod",
        "labels": {"team": "a"},
        "annotations": {"why": "test"},
    }
    assert web["spec"]["replicas"] == 7
    assert web["spec"]["template"]["spec"]["containers"][0]["image"] == "shop/web:9"
    assert web["spec"]["template"]["metadata"]["labels"] == {"app": "web"}


def test_images_of_flux_are_merged_into_those_of_the_file(shop: Path) -> None:
    (shop / "base/kustomization.yaml").write_text(
        "resources: [web.yaml]\n"
        "images: [{name: shop/web, newName: mirror/web, digest: 'sha256:1'}]\n"
    )
    options = BuildOptions(images=({"name": "shop/web", "newTag": "2"},))
    built = build(FolderTree(shop), "base", options=options)
    web = next(item for item in built.manifests if item.key.kind == "Deployment").manifest
    assert web["spec"]["template"]["spec"]["containers"][0]["image"] == "mirror/web:2"


def test_components_of_flux_may_be_missing_when_allowed(shop: Path) -> None:
    (shop / "two").mkdir()
    (shop / "two/kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: two-\n"
    )
    options = BuildOptions(components=("../two", "../nope"), ignore_missing_components=True)
    assert "Deployment/two-web" in names(build(FolderTree(shop), "base", options=options))
    with pytest.raises(BuildError, match=r"components\[1\]: \.\./nope is not a directory"):
        build(FolderTree(shop), "base", options=BuildOptions(components=("../two", "../nope")))


def test_an_empty_directory_is_an_error_unless_allowed(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("hello")
    with pytest.raises(BuildError, match=r"no \.yaml or \.yml file in this directory"):
        build(FolderTree(tmp_path))
    allowed = build(FolderTree(tmp_path), options=BuildOptions(allow_empty=True))
    assert allowed.manifests == []


def test_an_empty_kustomization_is_an_error_unless_allowed(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("# nothing\n")
    with pytest.raises(BuildError, match="kustomization file is empty"):
        build(FolderTree(tmp_path))
    assert build(FolderTree(tmp_path), options=BuildOptions(allow_empty=True)).manifests == []


def test_files_outside_the_own_directory_are_refused_when_asked(shop: Path) -> None:
    (shop / "base/kustomization.yaml").write_text(
        "configMapGenerator: [{name: a, files: [../overlays/staging/app.properties]}]\n"
    )
    assert names(build(FolderTree(shop), "base"))[0].startswith("ConfigMap/a-")
    with pytest.raises(BuildError, match=r"overlays/staging/app\.properties is outside"):
        build(FolderTree(shop), "base", options=BuildOptions(own_folder_only=True))


def test_local_configuration_is_not_given_out(tmp_path: Path) -> None:
    note = "annotations: {config.kubernetes.io/local-config: 'true'}"
    (tmp_path / "a.yaml").write_text(
        f"{{apiVersion: v1, kind: Pod, metadata: {{name: a, {note}}}}}\n---\n"
        "{apiVersion: v1, kind: Pod, metadata: {name: b}}\n"
    )
    assert names(build(FolderTree(tmp_path))) == ["Pod/b"]


def test_the_label_stands_before_file_names(shop: Path) -> None:
    with pytest.raises(InputError, match=r"^shop/nope: no such directory"):
        build(FolderTree(shop), "nope", file_label="shop")


def test_a_misspelt_directory_is_guessed(shop: Path) -> None:
    with pytest.raises(BuildError, match=r"did you mean overlays/staging\?"):
        build(FolderTree(shop), "overlays/stagging")


# What is built again


def test_the_same_files_are_built_once(shop: Path) -> None:
    renderer = Renderer()
    first = renderer.build(FolderTree(shop), "overlays/staging")
    parses = renderer.parses
    (shop / "plain/more/configs.yml").write_text("broken: [")
    assert renderer.build(FolderTree(shop), "overlays/staging") is first
    assert (renderer.builds, renderer.processes, renderer.parses) == (1, 0, parses)


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("base/web.yaml", "shop/web:1.0", "shop/other:1.0"),
        ("base/kustomization.yaml", "- web.yaml", "- ./web.yaml\nnameSuffix: -b"),
        ("overlays/staging/app.properties", "staging", "other"),
        ("overlays/staging/replicas.yaml", "replicas: 2", "replicas: 3"),
    ],
)
def test_a_change_of_any_file_of_the_build_builds_again(
    shop: Path, path: str, old: str, new: str
) -> None:
    renderer = Renderer()
    first = renderer.build(FolderTree(shop), "overlays/staging")
    text = (shop / path).read_text()
    assert old in text
    (shop / path).write_text(text.replace(old, new))
    second = renderer.build(FolderTree(shop), "overlays/staging")
    assert renderer.builds == 2
    assert second.digest != first.digest
    assert [item.manifest for item in second.manifests] != [
        item.manifest for item in first.manifests
    ]


def test_options_are_part_of_the_key(shop: Path) -> None:
    renderer = Renderer()
    tree = FolderTree(shop)
    digests = {
        renderer.build(tree, "base", options=options).digest
        for options in (
            BuildOptions(),
            BuildOptions(target_namespace="a"),
            BuildOptions(labels={"a": "b"}),
        )
    }
    assert len(digests) == 3
    assert renderer.builds == 3


def test_a_new_file_in_a_plain_directory_is_seen(shop: Path) -> None:
    renderer = Renderer()
    assert len(renderer.build(FolderTree(shop), "plain").manifests) == 4
    (shop / "plain/z.yaml").write_text("{apiVersion: v1, kind: Pod, metadata: {name: z}}")
    assert len(renderer.build(FolderTree(shop), "plain").manifests) == 5
    assert renderer.builds == 2


def test_only_changed_files_are_parsed_again(shop: Path) -> None:
    renderer = Renderer()
    renderer.build(FolderTree(shop), "plain")
    parses = renderer.parses
    (shop / "plain/z.yaml").write_text("{apiVersion: v1, kind: Pod, metadata: {name: z}}")
    renderer.build(FolderTree(shop), "plain")
    assert renderer.parses == parses + 1


def test_an_error_of_kustomize_is_remembered_for_the_same_files(shop: Path) -> None:
    renderer = Renderer()
    (shop / "overlays/staging/replicas.yaml").write_text(
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: nope}}"
    )
    for _ in range(2):
        with pytest.raises(BuildError, match="no resource Deployment/nope for a patch"):
            renderer.build(FolderTree(shop), "overlays/staging")
    assert renderer.processes == 1


def test_a_pipeline_and_an_agent_share_a_build(shop: Path) -> None:
    renderer = Renderer()
    limited = BuildOptions(own_folder_only=True)
    one = renderer.build(FolderTree(shop), "overlays/staging")
    other = renderer.build(FolderTree(shop), "overlays/staging", options=limited)
    assert renderer.builds == 1
    assert one.manifests == other.manifests


def test_the_longest_unused_build_is_forgotten_first(shop: Path) -> None:
    renderer = Renderer(keep=2)
    tree = FolderTree(shop)
    for namespace in ("a", "b", "a", "c", "a", "b"):
        renderer.build(tree, "base", options=BuildOptions(target_namespace=namespace))
    assert renderer.builds == 4


# Public repositories


@needs_repos
@pytest.mark.parametrize(
    ("path", "mode", "count"),
    [
        ("microservices-demo/kubernetes-manifests", "kustomize", 33),
        ("microservices-demo/kustomize", "kustomize", 35),
        ("kubernetes-examples/databases/mysql-cinder-pd", "plain", 2),
        ("kubernetes-examples/databases/cassandra", "plain", 3),
        ("flux2-kustomize-helm-example/apps/staging", "kustomize", 3),
        ("flux2-kustomize-helm-example/clusters/production", "kustomize", None),
        ("flux2-kustomize-helm-example/infrastructure/controllers", "kustomize", None),
    ],
)
def test_public_repositories_build_unchanged(path: str, mode: str, count: int | None) -> None:
    built = build(FolderTree(SHARED), path)
    assert built.mode == mode
    assert built.manifests
    assert count is None or len(built.manifests) == count
    assert all(item.line for item in built.manifests)


@needs_repos
def test_a_public_directory_with_repeated_objects_names_both_places() -> None:
    path = "kubernetes-examples/web/guestbook"
    tree = FolderTree(SHARED)
    with pytest.raises(
        BuildError, match=r"guestbook-all-in-one.yaml:\d+: Service/frontend is here"
    ):
        build(tree, path)
    assert repeated_folders(tree, path) == [f"{path}/all-in-one"]


def test_folders_that_repeat_nothing_are_not_named(shop: Path) -> None:
    assert repeated_folders(FolderTree(shop), "plain") == []
    (shop / "plain/more/broken.yaml").write_text("a: [")
    assert repeated_folders(FolderTree(shop), "plain") == []
