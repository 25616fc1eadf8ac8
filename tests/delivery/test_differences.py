from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.delivery import ABSENT, FieldDifference, declared_diff, diff, is_same
from gitops_sim.types import Manifest


def deployment(**spec: Any) -> Manifest:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}},
        "spec": spec,
    }


def container(name: str, **fields: Any) -> Manifest:
    return {"name": name, **fields}


def test_a_changed_field_is_told_with_both_values() -> None:
    assert diff(deployment(replicas=2), deployment(replicas=5)) == [
        FieldDifference("spec.replicas", 2, 5)
    ]


def test_what_the_server_sets_does_not_count() -> None:
    live = deployment(replicas=2)
    live["metadata"] |= {"uid": "u", "resourceVersion": "7", "managedFields": [{}]}
    live["status"] = {"replicas": 2}
    assert diff(deployment(replicas=2), live) == []
    assert is_same(deployment(replicas=2), live)


def test_labels_and_annotations_count() -> None:
    live = deployment()
    live["metadata"]["annotations"] = {"kubectl.kubernetes.io/restartedAt": "now"}
    assert [str(found) for found in diff(deployment(), live)] == [
        "metadata.annotations.kubectl.kubernetes.io/restartedAt: absent (live: 'now')"
    ]


def test_containers_are_compared_by_name_whatever_their_order() -> None:
    wanted = deployment(containers=[container("a", image="x:1"), container("b", image="y:1")])
    live = deployment(containers=[container("b", image="y:2"), container("a", image="x:1")])
    assert [found.path for found in diff(wanted, live)] == ['spec.containers[name="b"].image']


def test_an_added_container_is_one_difference() -> None:
    wanted = deployment(containers=[container("a", image="x:1")])
    live = deployment(containers=[container("a", image="x:1"), container("b", image="y:1")])
    (found,) = diff(wanted, live)
    assert (found.path, found.desired) == ('spec.containers[name="b"]', ABSENT)
    assert declared_diff(wanted, live) == []


def test_ports_with_the_default_protocol_left_out_are_the_same_port() -> None:
    wanted = deployment(ports=[{"port": 80, "targetPort": 8080}])
    live = deployment(ports=[{"port": 80, "targetPort": 9090, "protocol": "TCP"}])
    assert [found.path for found in declared_diff(wanted, live)] == [
        "spec.ports[port=80].targetPort"
    ]


def test_a_list_without_names_is_compared_by_place() -> None:
    wanted, live = deployment(args=["a", "b"]), deployment(args=["a", "c"])
    assert [found.path for found in diff(wanted, live)] == ["spec.args[1]"]
    assert [found.path for found in diff(wanted, deployment(args=["a"]))] == ["spec.args"]


def test_defaults_of_the_server_are_no_declared_difference() -> None:
    live = deployment(replicas=1, revisionHistoryLimit=10)
    assert declared_diff(deployment(replicas=1), live) == []
    assert [found.path for found in diff(deployment(replicas=1), live)] == [
        "spec.revisionHistoryLimit"
    ]


@pytest.mark.parametrize(("wanted", "live"), [(True, 1), (0, False), (None, 0)])
def test_values_of_another_type_differ(wanted: Any, live: Any) -> None:
    assert diff(deployment(x=wanted), deployment(x=live))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "x", "y"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(JSON, JSON)
def test_no_difference_is_found_exactly_when_both_are_the_same(one: Any, other: Any) -> None:
    wanted, live = deployment(x=one), deployment(x=other)
    assert diff(wanted, wanted) == []
    assert bool(diff(wanted, live)) == (not is_same(wanted, live))
    assert [f.path for f in diff(wanted, live)] == [f.path for f in diff(live, wanted)]
    assert {f.path for f in declared_diff(wanted, live)} <= {f.path for f in diff(wanted, live)}
