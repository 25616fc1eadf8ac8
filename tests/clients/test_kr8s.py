"""kr8s: objects with verbs, asynchronous underneath."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kr8s
import pytest
from kr8s._async_utils import as_sync_func
from kr8s.objects import ConfigMap, CustomResourceDefinition, Deployment, Namespace, Pod, new_class

from tests.clients.test_official import WEB, WIDGETS

pytestmark = pytest.mark.filterwarnings("ignore:Kubernetes version .* is not supported")
"""Its latest version does not name Kubernetes 1.37 yet."""


@pytest.fixture
def api(simulated_kubeconfig: Path) -> Iterator[Any]:
    made = kr8s.api(kubeconfig=str(simulated_kubeconfig))
    yield made

    async def close() -> None:
        await made._session.aclose()

    as_sync_func(close)()


def config_map(api: Any, name: str, **data: str) -> ConfigMap:
    return ConfigMap({"metadata": {"name": name, "namespace": "default"}, "data": data}, api=api)


def test_create_get_patch_label_delete(api: Any) -> None:
    made = config_map(api, "a", color="red")
    made.create()
    assert made.exists()
    made.patch({"data": {"color": "blue"}})
    made.label(tier="front")
    made.annotate(note="x")
    found = ConfigMap.get("a", namespace="default", api=api)
    assert found.data["color"] == "blue"
    assert found.labels["tier"] == "front"
    assert [item.name for item in api.get("configmaps", label_selector="tier=front")] == ["a"]
    made.delete()
    assert not made.exists()
    with pytest.raises(kr8s.NotFoundError):
        ConfigMap.get("a", namespace="default", api=api)


def test_refusals_are_its_own_errors(api: Any) -> None:
    config_map(api, "a").create()
    with pytest.raises(kr8s.ServerError, match="already exists") as refused:
        config_map(api, "a").create()
    assert refused.value.response.status_code == 409


def test_watch_by_kind(api: Any) -> None:
    config_map(api, "a").create()
    watching = api.watch("configmaps", namespace="default")
    kind, found = next(watching)
    assert (kind, found.name) == ("ADDED", "a")
    found.patch({"data": {"k": "v"}})
    kind, found = next(watching)
    assert (kind, found.data["k"]) == ("MODIFIED", "v")


def test_custom_kinds_are_found_by_discovery(api: Any) -> None:
    CustomResourceDefinition(WIDGETS, api=api).create()
    widgets = new_class(kind="Widget", version="example.com/v1", namespaced=True)
    widgets({"metadata": {"name": "w", "namespace": "default"}, "spec": {}}, api=api).create()
    (found,) = api.get("widgets.example.com", namespace="default")
    assert found.spec.size == 1


def test_version_and_all_kinds(api: Any) -> None:
    assert api.version()["major"] == "1"
    kinds = {resource["kind"] for resource in api.api_resources()}
    assert {"Pod", "Deployment", "Lease"} <= kinds


@pytest.mark.all
@pytest.mark.simulated_cluster(controllers=True, nodes=2, speed=20.0)
def test_deployment_scales_and_its_pods_are_waited_for(api: Any) -> None:
    web = Deployment(WEB | {"metadata": {"name": "web", "namespace": "default"}}, api=api)
    web.create()
    web.wait("condition=Available", timeout=60)
    web.scale(3)
    web.wait("jsonpath='{.status.readyReplicas}'=3", timeout=60)
    pods = web.pods()
    assert len(pods) == 3
    assert all(isinstance(pod, Pod) and pod.ready() for pod in pods)
    assert "".join(pods[0].logs()) is not None
    web.delete(propagation_policy="Foreground")
    web.wait("delete", timeout=60)
    namespace = Namespace({"metadata": {"name": "shop"}}, api=api)
    namespace.create()
    namespace.delete()
    namespace.wait("delete", timeout=60)
