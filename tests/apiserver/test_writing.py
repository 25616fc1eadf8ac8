"""Create, update and patch: what is stored, what is refused, what a write leaves alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.apiserver import ApiServer, InProcessClient, new_server
from gitops_sim.clock import VirtualClock
from gitops_sim.errors import (
    AlreadyExistsError,
    ApiError,
    BadRequestError,
    ConflictError,
    InvalidError,
    NotFoundError,
    UnknownError,
)
from gitops_sim.journal import Journal


def config_map(name: str = "a", **data: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def deployment(name: str = "web", **spec: Any) -> dict[str, Any]:
    labels = {"app": name}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "c", "image": "web:1"}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"selector": {"matchLabels": labels}, "template": template} | spec,
    }


class TestCreate:
    def test_the_server_sets_identity_and_time(self, client: InProcessClient) -> None:
        sent = config_map(k="1")
        sent["metadata"] |= {"uid": "mine", "deletionTimestamp": "2020-01-01T00:00:00Z"}
        metadata = client.create(sent)["metadata"]
        assert metadata["uid"] != "mine"
        assert metadata["creationTimestamp"] == "2026-01-05T09:00:00Z"
        assert "deletionTimestamp" not in metadata

    def test_a_generation_sent_with_a_config_map_stays(self, client: InProcessClient) -> None:
        sent = config_map()
        sent["metadata"]["generation"] = 7
        assert client.create(sent)["metadata"]["generation"] == 7

    def test_a_taken_name_is_refused_even_dry(self, client: InProcessClient) -> None:
        client.create(config_map())
        with pytest.raises(AlreadyExistsError, match='configmaps "a" already exists'):
            client.create(config_map(), dry_run=True)

    def test_a_name_that_is_being_deleted_is_told(self, client: InProcessClient) -> None:
        sent = config_map()
        sent["metadata"]["finalizers"] = ["example.com/hold"]
        client.create(sent)
        client.delete("ConfigMap", "a", "default")
        with pytest.raises(AlreadyExistsError, match="object is being deleted: "):
            client.create(config_map())

    def test_a_version_is_refused_as_by_a_failing_server(self, client: InProcessClient) -> None:
        sent = config_map()
        sent["metadata"]["resourceVersion"] = "5"
        with pytest.raises(UnknownError, match="resourceVersion should not be set"):
            client.create(sent)

    def test_generated_names_differ_and_repeat_with_the_seed(self) -> None:
        def names() -> list[str]:
            clock = VirtualClock(seed=3)
            client = InProcessClient(new_server(clock, Journal(clock)), "t")
            sent = config_map()
            del sent["metadata"]["name"]
            sent["metadata"]["generateName"] = "job-"
            return [client.create(sent)["metadata"]["name"] for _ in range(3)]

        first = names()
        assert len(set(first)) == 3
        assert all(len(name) == len("job-") + 5 for name in first)
        assert names() == first

    def test_a_dry_run_stores_nothing(self, client: InProcessClient, server: ApiServer) -> None:
        revision = server.store.revision
        assert client.create(config_map(k="1"), dry_run=True)["data"] == {"k": "1"}
        assert server.store.revision == revision
        with pytest.raises(NotFoundError):
            client.get("ConfigMap", "a", "default")

    def test_a_missing_namespace_refuses(self, client: InProcessClient) -> None:
        sent = config_map()
        sent["metadata"]["namespace"] = "nowhere"
        with pytest.raises(NotFoundError, match='namespaces "nowhere" not found'):
            client.create(sent)

    def test_a_wrong_type_is_told_as_go_does(self, client: InProcessClient) -> None:
        with pytest.raises(BadRequestError) as refused:
            client.create(deployment(replicas="two"))
        assert str(refused.value) == (
            'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal '
            "string into Go struct field DeploymentSpec.spec.replicas of type int32"
        )

    def test_what_is_sent_is_not_changed(self, client: InProcessClient) -> None:
        sent = deployment()
        text = json.dumps(sent)
        client.create(sent)
        assert json.dumps(sent) == text


class TestUpdate:
    def test_a_stale_version_conflicts(self, client: InProcessClient) -> None:
        old = client.create(config_map(k="1"))
        client.update(old | {"data": {"k": "2"}})
        with pytest.raises(ConflictError, match="the object has been modified"):
            client.update(old | {"data": {"k": "3"}})

    def test_another_uid_conflicts(self, client: InProcessClient) -> None:
        old = client.create(config_map())
        old["metadata"] |= {"uid": "11111111-2222-3333-4444-555555555555"}
        with pytest.raises(ConflictError, match="Precondition failed: UID in precondition"):
            client.update(old)

    def test_nothing_changed_is_no_new_version_and_no_event(
        self, client: InProcessClient, server: ApiServer, clock: VirtualClock
    ) -> None:
        old = client.create(deployment())
        watch = client.watch("Deployment", since=old["metadata"]["resourceVersion"])
        clock.run(60)
        revision = server.store.revision
        again = {k: v for k, v in old.items() if k != "status"}
        again["metadata"] = {k: v for k, v in old["metadata"].items() if k != "managedFields"}
        assert client.update(again) == old
        assert client.patch("Deployment", "web", {"metadata": {"labels": None}}, "default") == old
        assert server.store.revision == revision
        assert watch.drain() == []

    def test_an_update_of_what_is_not_there_is_404(self, client: InProcessClient) -> None:
        with pytest.raises(NotFoundError):
            client.update(config_map())

    def test_some_kinds_want_the_version_that_was_seen(self, client: InProcessClient) -> None:
        lease = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": "l", "namespace": "default"},
            "spec": {"leaseDurationSeconds": 10},
        }
        client.create(lease)
        with pytest.raises(InvalidError, match="must be specified for an update"):
            client.update(lease)

    def test_the_status_is_written_only_through_its_subresource(
        self, client: InProcessClient
    ) -> None:
        client.create(deployment())
        both = {"status": {"replicas": 1}, "spec": {"replicas": 3}}
        assert client.patch("Deployment", "web", both, "default")["status"] == {}
        after = client.patch(
            "Deployment", "web", {**both, "spec": {"replicas": 9}}, "default", subresource="status"
        )
        assert (after["status"], after["spec"]["replicas"]) == ({"replicas": 1}, 3)


class TestGeneration:
    @pytest.mark.parametrize(
        ("patch", "subresource", "generation"),
        [
            ({"spec": {"replicas": 2}}, "", 2),
            ({"metadata": {"annotations": {"a": "1"}}}, "", 2),
            ({"metadata": {"labels": {"a": "1"}}}, "", 1),
            ({"status": {"replicas": 1}}, "status", 1),
        ],
    )
    def test_it_counts_changes_of_what_is_desired(
        self, client: InProcessClient, patch: Any, subresource: str, generation: int
    ) -> None:
        client.create(deployment())
        after = client.patch("Deployment", "web", patch, "default", subresource=subresource)
        assert after["metadata"]["generation"] == generation


class TestPatch:
    def test_a_strategic_patch_merges_containers_by_name(self, client: InProcessClient) -> None:
        client.create(deployment())
        body = {"spec": {"template": {"spec": {"containers": [{"name": "d", "image": "d:1"}]}}}}
        after = client.patch("Deployment", "web", body, "default", type="strategic")
        names = [c["name"] for c in after["spec"]["template"]["spec"]["containers"]]
        assert names == ["d", "c"]

    def test_another_name_is_refused(self, client: InProcessClient) -> None:
        client.create(config_map())
        body = [{"op": "replace", "path": "/metadata/name", "value": "b"}]
        with pytest.raises(BadRequestError, match=r"the name of the object \(b\) does not match"):
            client.patch("ConfigMap", "a", body, "default", type="json")

    def test_a_wrong_type_shows_the_patched_object(self, client: InProcessClient) -> None:
        client.create(config_map(k="1"))
        with pytest.raises(InvalidError, match=r'patch: Invalid value: "\{\\"apiVersion\\":'):
            client.patch("ConfigMap", "a", {"data": 5}, "default")

    def test_a_strategic_patch_of_a_wrong_type_shows_the_patch(
        self, client: InProcessClient
    ) -> None:
        client.create(deployment())
        body = {"spec": {"replicas": "two"}}
        with pytest.raises(InvalidError) as refused:
            client.patch("Deployment", "web", body, "default", type="strategic")
        assert str(refused.value) == (
            ' "" is invalid: patch: Invalid value: "map[spec:map[replicas:two]]": '
            "unrecognized type: int32"
        )

    def test_copied_parts_are_not_tied_to_the_stored_object(self, client: InProcessClient) -> None:
        before = client.create(deployment())
        body = [
            {"op": "copy", "from": "/spec/template/spec/containers/0", "path": p}
            for p in ("/spec/template/spec/initContainers",)
        ]
        body[0]["path"] = "/spec/template/spec/containers/1"
        body.append(
            {"op": "replace", "path": "/spec/template/spec/containers/1/name", "value": "d"}
        )
        client.patch("Deployment", "web", body, "default", type="json")
        version = before["metadata"]["resourceVersion"]
        assert client.get("Deployment", "web", "default", at=version) == before


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab/~", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab$", max_size=8), inner),
    max_leaves=8,
)
PARTS = st.sampled_from(
    [
        *("metadata", "labels", "annotations", "finalizers", "name", "spec", "template", "image"),
        *("containers", "replicas", "strategy", "ports", "status", "$patch", "$retainKeys"),
        *("-", "0", "1"),
    ]
)
PATHS = st.lists(PARTS, max_size=5).map(lambda parts: "".join(f"/{part}" for part in parts))
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "nonsense"])},
    optional={"path": PATHS, "from": PATHS, "value": JSON},
)


@given(
    body=st.recursive(JSON, lambda inner: st.dictionaries(PARTS, inner, max_size=4), max_leaves=9),
    operations=st.lists(OPERATIONS, max_size=4),
    kind=st.sampled_from(["merge", "strategic", "json"]),
)
def test_any_patch_changes_the_object_or_is_refused_by_the_api(
    body: Any, operations: Any, kind: Any
) -> None:
    clock = VirtualClock(seed=1)
    client = InProcessClient(new_server(clock, Journal(clock)), "t")
    before = client.create(deployment())
    sent = operations if kind == "json" else body
    after, code = before, 200
    try:
        after = client.patch("Deployment", "web", sent, "default", type=kind)
    except ApiError as refused:
        code = refused.code
    assert code in (200, 400, 422, 500)
    assert client.get("Deployment", "web", "default") == after
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    version = before["metadata"]["resourceVersion"]
    assert client.get("Deployment", "web", "default", at=version) == before


def test_the_other_source_of_a_claim_is_nobodys(client: InProcessClient) -> None:
    source = {"apiGroup": None, "kind": "PersistentVolumeClaim", "name": "old"}
    requests = {"resources": {"requests": {"storage": "1Gi"}}}
    spec = {"accessModes": ["ReadWriteOnce"], "dataSource": source} | requests
    metadata = {"name": "new", "namespace": "default"}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata}
    stored = client.create(claim | {"spec": spec})
    assert stored["spec"]["dataSourceRef"] == stored["spec"]["dataSource"]
    (entry,) = stored["metadata"]["managedFields"]
    assert "f:dataSource" in entry["fieldsV1"]["f:spec"]
    assert "f:dataSourceRef" not in entry["fieldsV1"]["f:spec"]


def test_a_slice_without_ports_and_endpoints_has_null(client: InProcessClient) -> None:
    metadata = {"name": "empty", "namespace": "default"}
    kind = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata}
    stored = client.create(kind | {"addressType": "IPv4", "endpoints": [], "ports": []})
    assert (stored["endpoints"], stored["ports"]) == (None, None)


@pytest.mark.parametrize("kind", ["ResourceClaim", "ResourceClaimTemplate"])
def test_a_claim_of_devices_is_for_one(client: InProcessClient, kind: str) -> None:
    exactly = {"name": "a", "exactly": {"deviceClassName": "c"}}
    either = {"name": "b", "firstAvailable": [{"name": "x", "deviceClassName": "c"}]}
    spec: dict[str, Any] = {"devices": {"requests": [exactly, either]}}
    if kind == "ResourceClaimTemplate":
        spec = {"spec": spec}
    manifest = {"apiVersion": "resource.k8s.io/v1", "kind": kind, "spec": spec}
    stored = client.create(manifest | {"metadata": {"name": "a", "namespace": "default"}})["spec"]
    first, second = stored.get("spec", stored)["devices"]["requests"]
    for wanted in (first["exactly"], *second["firstAvailable"]):
        assert (wanted["allocationMode"], wanted["count"]) == ("ExactCount", 1)


def test_metadata_that_is_text_is_told_with_its_struct(client: InProcessClient) -> None:
    text = (
        r"cannot unmarshal string into Go struct field Deployment\.metadata of type v1\.ObjectMeta"
    )
    with pytest.raises(BadRequestError, match=text):
        client.create(deployment() | {"metadata": "x"})
