"""The stored form of built-in objects: what vanishes, what is always there, what is shared."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apimachinery.decoding import decode_problem
from gitops_sim.apimachinery.go_forms import WrongTypeError, go_form
from gitops_sim.apimachinery.schemas import Schema, Schemas


def schema(group: str, kind: str, version: str = "v1") -> Schema:
    found = Schemas().schema_for(group, version, kind)
    assert found is not None
    return found


DEPLOYMENT, EVENT, POD = schema("apps", "Deployment"), schema("", "Event"), schema("", "Pod")


def deployment(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {}, "spec": spec}


def test_what_go_cannot_tell_from_unset_goes() -> None:
    formed = go_form(deployment(paused=False, minReadySeconds=0, replicas=0), DEPLOYMENT)
    assert formed["spec"].keys() == {"selector", "template", "strategy", "replicas"}
    assert formed["spec"]["replicas"] == 0, "a pointer tells 0 from unset"


def test_nulls_empty_lists_and_empty_maps_go() -> None:
    sent = deployment(replicas=None)
    sent["metadata"] = {"labels": {}, "finalizers": [], "annotations": {"a": "1"}}
    formed = go_form(sent, DEPLOYMENT)
    assert formed["metadata"] == {"annotations": {"a": "1"}}
    assert "replicas" not in formed["spec"]


def test_structs_are_always_there_and_times_are_null() -> None:
    assert go_form(deployment(), DEPLOYMENT)["status"] == {}
    event = go_form({"apiVersion": "v1", "kind": "Event"}, EVENT)
    assert event["source"] == {}
    assert event["firstTimestamp"] is None


def test_unknown_fields_go() -> None:
    assert "nonsense" not in go_form(deployment() | {"nonsense": 1}, DEPLOYMENT)


def test_quantities_become_canonical() -> None:
    resources = {"limits": {"cpu": 0.5, "memory": "1024Mi"}}
    pod = {"spec": {"containers": [{"name": "c", "resources": resources}]}}
    container = go_form(pod, POD)["spec"]["containers"][0]
    assert container["resources"]["limits"] == {"cpu": "500m", "memory": "1Gi"}


def test_a_null_in_a_map_of_text_is_empty_text() -> None:
    sent = {"metadata": {"annotations": {"a": None}}}
    assert go_form(sent, POD)["metadata"]["annotations"] == {"a": ""}


@pytest.mark.parametrize(
    "sent",
    [
        deployment(replicas="two"),
        deployment(replicas=True),
        deployment(replicas=2**31),
        deployment(replicas=2**70),
        deployment(strategy={"rollingUpdate": {"maxSurge": 2**31}}),
        deployment(template={"spec": {"containers": {}}}),
        {"metadata": {"creationTimestamp": "yesterday"}},
        {"metadata": {"labels": {"a": 1}}},
    ],
)
def test_what_cannot_be_read_has_words_for_it(sent: Any) -> None:
    with pytest.raises(WrongTypeError):
        go_form(sent, DEPLOYMENT)
    assert decode_problem(sent, DEPLOYMENT)


MEMBERS = st.sampled_from(
    [
        *("spec", "template", "metadata", "labels", "containers", "name", "replicas", "paused"),
        *("resources", "limits", "cpu", "strategy", "status", "conditions", "type"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "25%", "1Gi"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            MEMBERS,
            inner,
            max_size=5,
        )
    ),
    max_leaves=14,
)


@given(content=st.dictionaries(st.sampled_from(["spec", "metadata", "status"]), JSON))
def test_the_form_is_reached_at_once_and_shared_from_then_on(content: dict[str, Any]) -> None:
    untouched = fresh_copy(content)
    try:
        once = go_form(content, DEPLOYMENT)
    except WrongTypeError:
        assert decode_problem(content, DEPLOYMENT) is not None
        return
    finally:
        assert content == untouched, "nothing is changed in place"
    assert decode_problem(content, DEPLOYMENT) is None
    assert go_form(once, DEPLOYMENT) is once
    assert go_form(once | {"extra": 1}, DEPLOYMENT, once) == once
