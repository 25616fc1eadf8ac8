"""Server-side apply: ownership, conflicts, and the laws that hold for any sequence of applies."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.apiserver import InProcessClient, new_server
from gitops_sim.clock import VirtualClock
from gitops_sim.errors import BadRequestError, ConflictError, NotFoundError, UnknownError
from gitops_sim.journal import Journal


def config_map(**data: str) -> dict[str, Any]:
    metadata = {"name": "a", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def deployment(**spec: Any) -> dict[str, Any]:
    labels = {"app": "web"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "c", "image": "web:1"}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"matchLabels": labels}, "template": template} | spec,
    }


def fresh_client() -> InProcessClient:
    clock = VirtualClock(seed=1)
    return InProcessClient(new_server(clock, Journal(clock)), "tester")


class TestConflicts:
    def test_another_value_conflicts_and_names_manager_and_field(
        self, client: InProcessClient
    ) -> None:
        client.apply(config_map(x="1"), field_manager="m1")
        with pytest.raises(ConflictError) as refused:
            client.apply(config_map(x="2"), field_manager="m2")
        assert str(refused.value) == ('Apply failed with 1 conflict: conflict with "m1": .data.x')
        assert refused.value.details["causes"] == [
            {
                "reason": "FieldManagerConflict",
                "message": 'conflict with "m1"',
                "field": ".data.x",
            }
        ]

    def test_null_for_a_field_of_another_conflicts(self, client: InProcessClient) -> None:
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}}
        spec = {"ports": [{"port": 80, "protocol": "TCP"}], "selector": {"x": "y"}}
        client.apply(service | {"spec": spec}, field_manager="m1")
        with pytest.raises(ConflictError, match=r'conflict with "m1": \.spec\.selector'):
            client.apply(service | {"spec": {"selector": None}}, field_manager="m2")
        kept = client.apply(service | {"spec": {}}, field_manager="m2")
        assert kept["spec"]["selector"] == {"x": "y"}

    def test_an_update_is_named_with_its_version(self, client: InProcessClient) -> None:
        client.create(config_map(x="1"), field_manager="recorder")
        with pytest.raises(ConflictError, match=r'conflict with "recorder" using v1: \.data\.x'):
            client.apply(config_map(x="2"), field_manager="m2")

    def test_force_takes_the_field(self, client: InProcessClient) -> None:
        client.apply(config_map(x="1"), field_manager="m1")
        after = client.apply(config_map(x="2"), field_manager="m2", force=True)
        assert after["data"] == {"x": "2"}
        assert [entry["manager"] for entry in after["metadata"]["managedFields"]] == ["m2"]

    def test_the_same_value_is_shared_without_force(self, client: InProcessClient) -> None:
        client.apply(config_map(x="1"), field_manager="m1")
        client.apply(config_map(x="1"), field_manager="m2")
        after = client.apply(config_map(y="2"), field_manager="m1")
        assert after["data"] == {"x": "1", "y": "2"}, "m2 still owns x"

    def test_cleared_ownership_belongs_to_before_first_apply(self, client: InProcessClient) -> None:
        client.apply(config_map(x="1"), field_manager="m1")
        client.patch("ConfigMap", "a", {"metadata": {"managedFields": [{}]}}, "default")
        with pytest.raises(ConflictError, match=r'"before-first-apply" using v1: \.data\.x'):
            client.apply(config_map(x="2"), field_manager="m1")


class TestRemoval:
    def test_what_nobody_applies_any_more_goes(self, client: InProcessClient) -> None:
        client.apply(config_map(x="1", y="2"), field_manager="m1")
        assert client.apply(config_map(x="1"), field_manager="m1")["data"] == {"x": "1"}

    def test_a_defaulted_field_comes_back(self, client: InProcessClient) -> None:
        client.apply(deployment(replicas=5), field_manager="m1")
        assert client.apply(deployment(), field_manager="m1")["spec"]["replicas"] == 1

    def test_what_an_update_took_stays(self, client: InProcessClient) -> None:
        client.apply(config_map(x="1"), field_manager="m1")
        client.patch("ConfigMap", "a", {"data": {"x": "9"}}, "default", field_manager="hand")
        after = client.apply(config_map(), field_manager="m1")
        assert after["data"] == {"x": "9"}


class TestMigration:
    def test_kubectl_takes_over_its_client_side_applies(self, client: InProcessClient) -> None:
        sent = config_map(x="1", y="2")
        text = '{"apiVersion":"v1","data":{"x":"1","y":"2"},"kind":"ConfigMap"}'
        key = "kubectl.kubernetes.io/last-applied-configuration"
        sent["metadata"]["annotations"] = {key: text}
        client.create(sent, field_manager="kubectl-client-side-apply")
        after = client.apply(config_map(x="3"), field_manager="kubectl")
        assert after["data"]["x"] == "3", "no conflict with itself"


class TestRefusals:
    def test_a_wrong_type_fails_as_the_server_does(self, client: InProcessClient) -> None:
        sent = config_map()
        sent["data"] = {"z": 5}
        with pytest.raises(UnknownError) as refused:
            client.apply(sent, field_manager="m1")
        assert str(refused.value) == (
            "failed to create typed patch object (default/a; /v1, Kind=ConfigMap): .data.z: "
            "expected string, got &value.valueUnstructured{Value:5}"
        )

    def test_an_unknown_field_fails_too(self, client: InProcessClient) -> None:
        sent = config_map() | {"nonsense": {"z": 5}}
        with pytest.raises(UnknownError, match="nonsense: field not declared in schema"):
            client.apply(sent, field_manager="m1")

    def test_managed_fields_may_not_be_sent(self, client: InProcessClient) -> None:
        sent = config_map()
        sent["metadata"]["managedFields"] = []
        with pytest.raises(BadRequestError, match="managedFields must be nil"):
            client.apply(sent, field_manager="m1")

    def test_a_status_of_nothing_is_404(self, client: InProcessClient) -> None:
        with pytest.raises(NotFoundError):
            client.apply(deployment(), field_manager="m1", subresource="status")

    def test_a_version_with_a_create_is_no_matter(self, client: InProcessClient) -> None:
        sent = config_map(x="1")
        sent["metadata"]["resourceVersion"] = "77"
        assert client.apply(sent, field_manager="m1")["data"] == {"x": "1"}

    def test_a_stale_version_conflicts(self, client: InProcessClient) -> None:
        client.apply(config_map(x="1"), field_manager="m1")
        sent = config_map(x="2")
        sent["metadata"]["resourceVersion"] = "1"
        with pytest.raises(ConflictError):
            client.apply(sent, field_manager="m1")


DATA = st.dictionaries(st.sampled_from("vwxyz"), st.sampled_from(["1", "2"]), max_size=4)
SOME_DATA = DATA.filter(bool)
APPLIES = st.lists(st.tuples(st.sampled_from(["m1", "m2", "m3"]), DATA), min_size=1, max_size=6)


class TestLaws:
    @given(applies=APPLIES)
    def test_an_object_is_the_union_of_what_its_managers_applied_last(
        self, applies: list[tuple[str, dict[str, str]]]
    ) -> None:
        client, wanted = fresh_client(), {}
        for manager, data in applies:
            for other, theirs in wanted.items():
                if other != manager:
                    wanted[other] = {k: v for k, v in theirs.items() if data.get(k, v) == v}
            wanted[manager] = data
            after = client.apply(config_map(**data), field_manager=manager, force=True)
        union = {key: value for data in wanted.values() for key, value in data.items()}
        assert (after.get("data") or {}) == union
        assert after == client.get("ConfigMap", "a", "default")

    @given(applies=APPLIES, data=DATA)
    def test_applying_twice_is_applying_once(
        self, applies: list[tuple[str, dict[str, str]]], data: dict[str, str]
    ) -> None:
        client = fresh_client()
        for manager, earlier in applies:
            client.apply(config_map(**earlier), field_manager=manager, force=True)
        once = client.apply(config_map(**data), field_manager="m1", force=True)
        assert client.apply(config_map(**data), field_manager="m1") == once

    @given(first=SOME_DATA, second=SOME_DATA)
    def test_without_force_either_all_is_as_wanted_or_nothing_changed(
        self, first: dict[str, str], second: dict[str, str]
    ) -> None:
        client = fresh_client()
        before = client.apply(config_map(**first), field_manager="m1")
        clash = {key for key in first.keys() & second.keys() if first[key] != second[key]}
        if clash:
            with pytest.raises(ConflictError) as refused:
                client.apply(config_map(**second), field_manager="m2")
            fields = {cause["field"] for cause in refused.value.details["causes"]}
            assert fields == {f".data.{key}" for key in clash}
            assert client.get("ConfigMap", "a", "default") == before
        else:
            after = client.apply(config_map(**second), field_manager="m2")
            assert (after.get("data") or {}) == first | second

    @given(applies=APPLIES)
    def test_a_dry_run_says_what_would_be_and_changes_nothing(
        self, applies: list[tuple[str, dict[str, str]]]
    ) -> None:
        client = fresh_client()
        client.apply(config_map(x="1"), field_manager="m0")
        for manager, data in applies:
            before = client.get("ConfigMap", "a", "default")
            sent = config_map(**data)
            dry = client.apply(sent, field_manager=manager, force=True, dry_run=True)
            assert client.get("ConfigMap", "a", "default") == before
            real = client.apply(sent, field_manager=manager, force=True)
            for manifest in (dry, real):
                manifest["metadata"].pop("resourceVersion")
            assert dry == real
