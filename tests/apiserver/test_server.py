"""What writes tell the journal, reads of the past, and the client's own courtesies."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.apiserver import ApiServer, InProcessClient
from gitops_sim.apiserver.changed_paths import MOST_PATHS, changed_paths
from gitops_sim.clock import VirtualClock
from gitops_sim.errors import BadRequestError, ExpiredError, NotFoundError, RequestTimeoutError
from gitops_sim.journal.facts import ConditionChanged, EventSeen, ObjectChanged


def deployment(replicas: int = 1) -> dict[str, Any]:
    labels = {"app": "web"}
    pod_spec = {"containers": [{"name": "c", "image": "web:1"}]}
    template = {"metadata": {"labels": labels}, "spec": pod_spec}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    metadata = {"name": "web", "namespace": "default"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def test_each_write_is_a_fact_with_manager_and_paths(
    client: InProcessClient, server: ApiServer
) -> None:
    client.create(deployment())
    client.patch("Deployment", "web", {"spec": {"replicas": 3}}, "default", field_manager="hand")
    client.delete("Deployment", "web", "default")
    told = [f for f in server.journal.facts(ObjectChanged) if f.name == "web"]
    assert [(f.verb, f.field_manager, f.paths, f.generation) for f in told] == [
        ("create", "tester", ("metadata", "spec", "status"), 1),
        ("patch", "hand", ("spec.replicas",), 2),
        ("delete", "tester", ("metadata", "spec", "status"), 2),
    ]
    versions = [int(fact.resource_version) for fact in told]
    assert versions == sorted(versions)


def test_a_dry_run_is_no_fact(client: InProcessClient, server: ApiServer) -> None:
    before = len(server.journal)
    client.create(deployment(), dry_run=True)
    assert len(server.journal) == before


def test_a_condition_is_told_when_it_turns(client: InProcessClient, server: ApiServer) -> None:
    client.create(deployment())
    for status in ("False", "False", "True"):
        condition = {"type": "Available", "status": status, "reason": "R", "message": "m"}
        body = {"status": {"conditions": [condition]}}
        client.patch("Deployment", "web", body, "default", subresource="status")
    told = server.journal.facts(ConditionChanged)
    assert [(f.subject, f.status) for f in told] == [
        ("Deployment/default/web", "False"),
        ("Deployment/default/web", "True"),
    ]


def test_events_are_told_as_events(client: InProcessClient, server: ApiServer) -> None:
    about = {"kind": "Pod", "namespace": "default", "name": "p"}
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e", "namespace": "default"},
        "involvedObject": about,
        "type": "Warning",
        "reason": "Failed",
        "message": "no",
        "source": {"component": "kubelet"},
    }
    client.create(event)
    (told,) = server.journal.facts(EventSeen)
    assert (told.subject, told.reason, told.source) == ("Pod/default/p", "Failed", "kubelet")


def test_the_past_is_read_at_a_version_or_a_moment(
    client: InProcessClient, server: ApiServer, clock: VirtualClock
) -> None:
    old = client.create(deployment())
    clock.run(60)
    client.patch("Deployment", "web", {"spec": {"replicas": 3}}, "default")
    clock.run(120)
    client.delete("Deployment", "web", "default")
    version = old["metadata"]["resourceVersion"]
    assert client.get("Deployment", "web", "default", at=version) == old
    at_90 = str(server.store.revision_at(90))
    assert client.get("Deployment", "web", "default", at=at_90)["spec"]["replicas"] == 3
    assert [m["metadata"]["name"] for m in client.list("Deployment", "default", at=at_90)] == [
        "web"
    ]
    with pytest.raises(NotFoundError):
        client.get("Deployment", "web", "default")


def test_versions_that_cannot_be_read_are_refused(
    client: InProcessClient, server: ApiServer
) -> None:
    with pytest.raises(RequestTimeoutError, match="Too large resource version"):
        client.list("ConfigMap", at="99999")
    with pytest.raises(BadRequestError):
        client.list("ConfigMap", at="abc")
    client.create(deployment())
    server.store.compact(server.store.revision)
    with pytest.raises(ExpiredError):
        client.list("ConfigMap", at="2")


def test_answers_are_copies(client: InProcessClient) -> None:
    client.create(deployment())["spec"]["replicas"] = 99
    client.get("Deployment", "web", "default")["spec"]["replicas"] = 99
    assert client.get("Deployment", "web", "default")["spec"]["replicas"] == 1


def test_lists_select_by_labels_and_fields(client: InProcessClient) -> None:
    for name in ("a", "b", "c"):
        metadata = {"name": name, "namespace": "default", "labels": {"tier": name}}
        client.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})

    def names(**options: str) -> list[str]:
        found = client.list("ConfigMap", "default", **options)
        return [m["metadata"]["name"] for m in found]

    assert names(labels="tier in (a,b)") == ["a", "b"]
    assert names(fields="metadata.name!=b") == ["a", "c"]
    with pytest.raises(BadRequestError):
        names(fields="data.x=1")


def test_a_binding_puts_a_pod_on_a_node(client: InProcessClient) -> None:
    spec = {"containers": [{"name": "c", "image": "web:1"}]}
    metadata = {"name": "p", "namespace": "default"}
    client.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": metadata,
        "target": {"kind": "Node", "name": "node-1"},
    }
    client.create(binding)
    assert client.get("Pod", "p", "default")["spec"]["nodeName"] == "node-1"


def test_at_most_so_many_paths_are_told() -> None:
    before = {"data": {f"k{n}": 1 for n in range(50)}}
    after = {"data": {f"k{n}": 2 for n in range(50)}}
    assert len(changed_paths(before, after)) == MOST_PATHS


def test_a_new_server_has_flow_schemas_whose_levels_exist(client: InProcessClient) -> None:
    group = "flowcontrol.apiserver.k8s.io/v1"
    levels = {
        item["metadata"]["name"] for item in client.list(f"{group}/PriorityLevelConfiguration")
    }
    schemas = client.list(f"{group}/FlowSchema")
    assert (len(levels), len(schemas)) == (8, 11)
    assert {item["spec"]["priorityLevelConfiguration"]["name"] for item in schemas} <= levels
