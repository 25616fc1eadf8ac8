"""The official Python client: typed, dynamic, watch, create_from_yaml, leases, leader election."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config, dynamic, utils, watch
from kubernetes.client import ApiClient, ApiException
from kubernetes.dynamic.exceptions import ConflictError, ResourceNotFoundError
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

from gitops_sim.server import StandaloneCluster

WEB: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "web:1"}]},
        },
    },
}
WIDGETS: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "names": {"kind": "Widget", "plural": "widgets"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {
                    "status": {},
                    "scale": {
                        "specReplicasPath": ".spec.size",
                        "statusReplicasPath": ".status.size",
                    },
                },
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {
                                    "size": {"type": "integer", "minimum": 1, "default": 1}
                                },
                            },
                            "status": {
                                "type": "object",
                                "properties": {"size": {"type": "integer"}},
                            },
                        },
                    }
                },
            }
        ],
    },
}


@pytest.fixture
def core(simulated_api_client: ApiClient) -> client.CoreV1Api:
    return client.CoreV1Api(simulated_api_client)


@pytest.fixture
def apps(simulated_api_client: ApiClient) -> client.AppsV1Api:
    return client.AppsV1Api(simulated_api_client)


def config_map(name: str, **data: str) -> client.V1ConfigMap:
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name), data=data)


def test_typed_create_read_replace_patch_delete(core: client.CoreV1Api) -> None:
    made = core.create_namespaced_config_map("default", config_map("a", color="red"))
    assert made.metadata.uid
    assert made.metadata.creation_timestamp.tzinfo is not None
    made.data = {"color": "blue"}
    replaced = core.replace_namespaced_config_map("a", "default", made)
    assert int(replaced.metadata.resource_version) > int(made.metadata.resource_version)
    with pytest.raises(ApiException) as stale:
        core.replace_namespaced_config_map("a", "default", made)
    assert (stale.value.status, stale.value.reason) == (409, "Conflict")
    patched = core.patch_namespaced_config_map("a", "default", {"data": {"size": "1"}})
    assert patched.data == {"color": "blue", "size": "1"}
    core.patch_namespaced_config_map("a", "default", [{"op": "remove", "path": "/data/size"}])
    assert core.read_namespaced_config_map("a", "default").data == {"color": "blue"}
    assert core.delete_namespaced_config_map("a", "default")["status"] == "Success"
    with pytest.raises(ApiException) as gone:
        core.read_namespaced_config_map("a", "default")
    assert gone.value.status == 404


def test_typed_lists_by_pages_and_selectors(core: client.CoreV1Api) -> None:
    for number in range(7):
        body = config_map(f"c{number}")
        body.metadata.labels = {"even": str(number % 2 == 0).lower()}
        core.create_namespaced_config_map("default", body)
    names, token, pages = [], None, 0
    while True:
        page = core.list_namespaced_config_map("default", limit=3, _continue=token)
        names += [item.metadata.name for item in page.items]
        token, pages = page.metadata._continue, pages + 1
        if not token:
            break
    assert (names, pages) == ([f"c{number}" for number in range(7)], 3)
    even = core.list_namespaced_config_map("default", label_selector="even=true")
    assert len(even.items) == 4
    one = core.list_namespaced_config_map("default", field_selector="metadata.name=c3")
    assert [item.metadata.name for item in one.items] == ["c3"]


def test_invalid_objects_are_refused_with_causes(apps: client.AppsV1Api) -> None:
    wrong = WEB | {"spec": WEB["spec"] | {"replicas": -1}}
    with pytest.raises(ApiException) as refused:
        apps.create_namespaced_deployment("default", wrong)
    assert refused.value.status == 422
    assert "spec.replicas" in refused.value.body


def test_typed_deployment_and_scale(apps: client.AppsV1Api) -> None:
    made = apps.create_namespaced_deployment("default", WEB)
    assert made.spec.strategy.rolling_update.max_surge == "25%"
    scale = apps.read_namespaced_deployment_scale("web", "default")
    assert scale.spec.replicas == 2
    scale.spec.replicas = 5
    apps.replace_namespaced_deployment_scale("web", "default", scale)
    assert apps.read_namespaced_deployment("web", "default").spec.replicas == 5
    dry = apps.patch_namespaced_deployment(
        "web", "default", {"spec": {"replicas": 9}}, dry_run="All"
    )
    assert dry.spec.replicas == 9
    assert apps.read_namespaced_deployment("web", "default").spec.replicas == 5


def test_watch_tells_changes_and_stops_at_its_timeout(core: client.CoreV1Api) -> None:
    core.create_namespaced_config_map("default", config_map("a"))
    listed = core.list_namespaced_config_map("default")
    core.patch_namespaced_config_map("a", "default", {"data": {"k": "v"}})
    core.create_namespaced_config_map("default", config_map("b"))
    core.delete_namespaced_config_map("b", "default")
    seen = [
        (event["type"], event["object"].metadata.name)
        for event in watch.Watch().stream(
            core.list_namespaced_config_map,
            "default",
            resource_version=listed.metadata.resource_version,
            timeout_seconds=1,
        )
    ]
    assert seen == [("MODIFIED", "a"), ("ADDED", "b"), ("DELETED", "b")]


def test_watch_wakes_for_a_change_by_another_client(core: client.CoreV1Api) -> None:
    watching = watch.Watch()
    later = threading.Timer(
        0.2, lambda: core.create_namespaced_config_map("default", config_map("late"))
    )
    later.start()
    for event in watching.stream(core.list_namespaced_config_map, "default", timeout_seconds=30):
        if event["object"].metadata.name == "late":
            watching.stop()
    later.join()
    assert watching.resource_version


def test_dynamic_client_on_a_custom_kind(simulated_api_client: ApiClient, tmp_path: Path) -> None:
    found = dynamic.DynamicClient(simulated_api_client, cache_file=str(tmp_path / "cache"))
    with pytest.raises(ResourceNotFoundError):
        found.resources.get(api_version="example.com/v1", kind="Widget")
    crds = found.resources.get(
        api_version="apiextensions.k8s.io/v1", kind="CustomResourceDefinition"
    )
    crds.create(body=WIDGETS)
    found.resources.invalidate_cache()
    widgets = found.resources.get(api_version="example.com/v1", kind="Widget")
    made = widgets.create(
        namespace="default",
        body={
            "apiVersion": "example.com/v1",
            "kind": "Widget",
            "metadata": {"name": "w"},
            "spec": {},
        },
    )
    assert made.spec.size == 1
    applied = found.server_side_apply(
        widgets,
        body={
            "apiVersion": "example.com/v1",
            "kind": "Widget",
            "metadata": {"name": "w"},
            "spec": {"size": 3},
        },
        namespace="default",
        field_manager="one",
        force_conflicts=True,
    )
    assert applied.spec.size == 3
    with pytest.raises(ConflictError, match="conflict with"):
        found.server_side_apply(
            widgets,
            body={
                "apiVersion": "example.com/v1",
                "kind": "Widget",
                "metadata": {"name": "w"},
                "spec": {"size": 4},
            },
            namespace="default",
            field_manager="two",
        )
    widgets.status.patch(
        name="w",
        namespace="default",
        body={"status": {"size": 2}},
        content_type="application/merge-patch+json",
    )
    assert widgets.scale.get(name="w", namespace="default").spec.replicas == 3
    seen = [event["type"] for event in widgets.watch(namespace="default", timeout=1)]
    assert seen == ["ADDED"]


def test_create_from_yaml(simulated_api_client: ApiClient, tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n"
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\n"
        "stringData: {a: b}\n---\n"
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n"
        "metadata: {name: r, namespace: shop}\n"
        "rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]\n"
    )
    utils.create_from_yaml(simulated_api_client, str(tmp_path / "all.yaml"))
    secret = client.CoreV1Api(simulated_api_client).read_namespaced_secret("s", "shop")
    assert secret.data == {"a": "Yg=="}
    with pytest.raises(utils.FailToCreateError) as twice:
        utils.create_from_yaml(simulated_api_client, str(tmp_path / "all.yaml"))
    assert [error.status for error in twice.value.api_exceptions] == [409, 409, 409]


def test_kubeconfig_is_all_that_the_client_needs(simulated_kubeconfig: Path) -> None:
    config.load_kube_config(str(simulated_kubeconfig))
    try:
        assert client.VersionApi().get_code().git_version.startswith("v1.37")
        assert len(client.ApisApi().get_api_versions().groups) > 15
    finally:
        client.Configuration.set_default(None)


@pytest.mark.all
def test_one_of_two_candidates_leads(simulated_cluster: StandaloneCluster) -> None:
    """Leader election by a Lease: the second leads only when the first has let go."""
    turns: list[str] = []
    leads = {name: threading.Event() for name in ("first", "second")}
    fails = {name: threading.Event() for name in ("first", "second")}

    def candidate(name: str, api: ApiClient) -> threading.Thread:
        lock = LeaseLock("lead", "default", name)
        lock.api_instance = client.CoordinationV1Api(api)

        def lead() -> None:
            turns.append(f"{name} leads")
            leads[name].set()
            fails[name].wait(30)
            raise RuntimeError("the work fails, so the lease is given up")

        chosen = electionconfig.Config(
            lock,
            lease_duration=3,
            renew_deadline=2.5,
            retry_period=1.1,
            onstarted_leading=lead,
            onstopped_leading=lambda: turns.append(f"{name} stops"),
        )
        thread = threading.Thread(target=leaderelection.LeaderElection(chosen).run, daemon=True)
        thread.start()
        return thread

    with simulated_cluster.api_client() as one, simulated_cluster.api_client() as two:
        first = candidate("first", one)
        assert leads["first"].wait(10)
        second = candidate("second", two)
        assert not leads["second"].wait(4)
        fails["first"].set()
        first.join(10)
        assert leads["second"].wait(20)
        fails["second"].set()
        second.join(10)
        lease = client.CoordinationV1Api(one).read_namespaced_lease("lead", "default")
    assert turns == ["first leads", "first stops", "second leads", "second stops"]
    assert lease.spec.holder_identity == "second"


def test_many_threads_share_one_client(core: client.CoreV1Api) -> None:
    threads = [
        threading.Thread(
            target=core.create_namespaced_config_map, args=("default", config_map(f"c{number}"))
        )
        for number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(core.list_namespaced_config_map("default").items) == 20
