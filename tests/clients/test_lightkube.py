"""lightkube: models of its own for every kind, server-side apply as a verb."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from lightkube import AsyncClient, Client, KubeConfig
from lightkube.core.exceptions import ApiError
from lightkube.generic_resource import create_namespaced_resource, load_in_cluster_generic_resources
from lightkube.models.apps_v1 import DeploymentSpec
from lightkube.models.core_v1 import Container, PodSpec, PodTemplateSpec
from lightkube.models.meta_v1 import LabelSelector, ObjectMeta
from lightkube.resources.apiextensions_v1 import CustomResourceDefinition
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap, Namespace, Pod
from lightkube.types import CascadeType, PatchType

from tests.clients.test_official import WIDGETS


@pytest.fixture
def api(simulated_kubeconfig: Path) -> Iterator[Client]:
    with Client(KubeConfig.from_file(simulated_kubeconfig), field_manager="tests") as client:
        yield client


def config_map(name: str, **data: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name, namespace="default"), data=data)


def test_create_get_replace_patch_delete(api: Client) -> None:
    made = api.create(config_map("a", color="red"))
    made.data = {"color": "blue"}
    replaced = api.replace(made)
    assert replaced.data == {"color": "blue"}
    with pytest.raises(ApiError) as stale:
        api.replace(made)
    assert stale.value.status.code == 409
    patched = api.patch(ConfigMap, "a", {"data": {"size": "1"}}, namespace="default")
    assert patched.data == {"color": "blue", "size": "1"}
    removed = [{"op": "remove", "path": "/data/size"}]
    api.patch(ConfigMap, "a", removed, namespace="default", patch_type=PatchType.JSON)
    api.delete(ConfigMap, "a", namespace="default")
    with pytest.raises(ApiError) as gone:
        api.get(ConfigMap, "a", namespace="default")
    assert gone.value.status.reason == "NotFound"


def test_apply_tells_conflicts(api: Client) -> None:
    applied = api.apply(config_map("a", color="red"))
    assert applied.metadata.managedFields[0].manager == "tests"
    with pytest.raises(ApiError, match='conflict with "tests"'):
        api.apply(config_map("a", color="blue"), field_manager="other")
    forced = api.apply(config_map("a", color="blue"), field_manager="other", force=True)
    assert forced.data == {"color": "blue"}


def test_lists_go_through_all_pages(api: Client) -> None:
    for number in range(7):
        api.create(config_map(f"c{number}"))
    names = [found.metadata.name for found in api.list(ConfigMap, chunk_size=3)]
    assert names == [f"c{number}" for number in range(7)]
    assert [
        found.metadata.name for found in api.list(ConfigMap, fields={"metadata.name": "c3"})
    ] == ["c3"]


def test_watch_goes_on_from_a_version(api: Client) -> None:
    made = api.create(config_map("a"))
    api.patch(ConfigMap, "a", {"data": {"k": "v"}})
    api.delete(ConfigMap, "a")
    seen = []
    for kind, found in api.watch(ConfigMap, resource_version=made.metadata.resourceVersion):
        seen.append((kind, found.metadata.name))
        if kind == "DELETED":
            break
    assert seen == [("MODIFIED", "a"), ("DELETED", "a")]


def test_custom_kinds_and_their_status(api: Client) -> None:
    api.create(CustomResourceDefinition.from_dict(WIDGETS))
    widgets = create_namespaced_resource("example.com", "v1", "Widget", "widgets")
    made = api.create(widgets(metadata=ObjectMeta(name="w", namespace="default"), spec={}))
    assert made.spec == {"size": 1}
    api.patch(widgets.Status, "w", {"status": {"size": 2}}, patch_type=PatchType.MERGE)
    assert api.get(widgets, "w").status == {"size": 2}
    load_in_cluster_generic_resources(api)


def test_asynchronous_client(simulated_kubeconfig: Path) -> None:
    async def use() -> list[str]:
        api = AsyncClient(KubeConfig.from_file(simulated_kubeconfig))
        await asyncio.gather(*(api.create(config_map(f"c{number}")) for number in range(5)))
        names = [found.metadata.name async for found in api.list(ConfigMap)]
        await api.close()
        return names

    assert asyncio.run(use()) == [f"c{number}" for number in range(5)]


@pytest.mark.all
@pytest.mark.simulated_cluster(controllers=True, nodes=2, speed=20.0)
def test_deployment_is_waited_for_and_deleted_with_its_pods(api: Client) -> None:
    labels = {"app": "web"}
    template = PodTemplateSpec(
        metadata=ObjectMeta(labels=labels),
        spec=PodSpec(containers=[Container(name="web", image="web:1")]),
    )
    spec = DeploymentSpec(replicas=2, selector=LabelSelector(matchLabels=labels), template=template)
    api.create(Deployment(metadata=ObjectMeta(name="web", namespace="default"), spec=spec))
    ready = api.wait(Deployment, "web", for_conditions=["Available"])
    assert ready.status.availableReplicas == 2
    api.patch(Deployment.Scale, "web", {"spec": {"replicas": 1}}, patch_type=PatchType.MERGE)
    api.delete(Deployment, "web", cascade=CascadeType.FOREGROUND)
    for kind, found in api.watch(Deployment):
        if kind == "DELETED":
            assert found.metadata.name == "web"
            break
    assert not list(api.list(Pod, labels=labels))
    api.create(Namespace(metadata=ObjectMeta(name="shop")))
    api.delete(Namespace, "shop")
