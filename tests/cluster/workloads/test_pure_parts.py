"""Rounding of limits, hashes, indexes of Jobs, shares of scaling, order of deletion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.apimachinery.names import SUFFIX_LETTERS
from gitops_sim.clock import VirtualClock
from gitops_sim.cluster.workloads.deployment_sets import share_of_scaling
from gitops_sim.cluster.workloads.fenceposts import Fenceposts, fenceposts, resolve
from gitops_sim.cluster.workloads.job_indexes import format_indexes, parse_indexes
from gitops_sim.cluster.workloads.pods import deletion_order
from gitops_sim.cluster.workloads.template_hash import (
    revision_hash,
    safe_encode,
    template_hash,
)


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "wanted"),
    [
        (4, "25%", "25%", Fenceposts(1, 1)),
        (2, "25%", "25%", Fenceposts(1, 0)),
        (10, "25%", "25%", Fenceposts(3, 2)),
        (3, 0, "10%", Fenceposts(0, 1)),  # both would be 0: one may lack
        (2, 5, 9, Fenceposts(5, 2)),
        (0, "25%", "25%", Fenceposts(0, 0)),
    ],
)
def test_surge_is_rounded_up_and_unavailable_down(replicas, surge, unavailable, wanted) -> None:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
    assert fenceposts({"spec": {"replicas": replicas, "strategy": strategy}}) == wanted


def test_recreate_has_no_room_to_move() -> None:
    deployment = {"spec": {"replicas": 4, "strategy": {"type": "Recreate"}}}
    assert fenceposts(deployment) == Fenceposts(0, 0)


def test_a_missing_limit_is_none() -> None:
    assert resolve(None, 10, round_up=True) == 0


def nginx(app: str, image: str) -> dict[str, object]:
    """Return a pod template with the defaults that the server fills."""
    return {
        "metadata": {"labels": {"app": app}},
        "spec": {
            "containers": [
                {
                    "name": "app",
                    "image": image,
                    "resources": {},
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File",
                    "imagePullPolicy": "IfNotPresent",
                }
            ],
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "securityContext": {},
            "schedulerName": "default-scheduler",
        },
    }


@pytest.mark.parametrize(
    ("app", "image", "recorded"),
    [
        ("web", "nginx:1.27", "54cb9f4f5f"),
        ("web", "nginx:1.28", "bddf8f8c4"),
        ("web", "nginx:1.29", "8466c99c5c"),
        ("orphan", "nginx:1.27", "7b5796599f"),
        ("foreground", "nginx:1.27", "6c9f7bb79d"),
        ("ds", "nginx:1.27", "6b66b88566"),
    ],
)
def test_hashes_are_those_of_a_real_cluster(app: str, image: str, recorded: str) -> None:
    assert template_hash(nginx(app, image), None) == recorded


def test_a_node_selector_changes_the_hash_as_in_a_real_cluster() -> None:
    template = nginx("stuck", "nginx:1.27")
    template["spec"] = template["spec"] | {"nodeSelector": {"no": "where"}}  # type: ignore[operator]
    assert template_hash(template, None) == "8497cbbf48"


def test_a_collision_makes_another_hash() -> None:
    template = nginx("web", "nginx:1.27")
    assert len({template_hash(template, count) for count in (None, 0, 1)}) == 3
    assert len({revision_hash({"spec": 1}, count) for count in (0, 1)}) == 2


def test_letters_of_a_hash_make_no_words() -> None:
    assert set(revision_hash({"spec": {}}, 0)) <= set(SUFFIX_LETTERS)
    assert safe_encode("0123456789") == "456789bcdf"


@given(st.sets(st.integers(0, 40)))
def test_indexes_survive_being_written(indexes: set[int]) -> None:
    assert parse_indexes(format_indexes(indexes), 41) == indexes


def test_indexes_are_written_as_ranges() -> None:
    assert format_indexes({0, 2, 3, 5, 6, 7}) == "0,2,3,5-7"


@given(
    sizes=st.lists(st.integers(1, 20), min_size=2, max_size=4),
    wanted=st.integers(0, 60),
)
def test_shares_of_scaling_never_go_beyond_what_is_to_be_added(sizes, wanted) -> None:
    before = sum(sizes)
    rolling = {"maxSurge": 0, "maxUnavailable": 1}
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
    deployment = {"spec": {"replicas": wanted, "strategy": strategy}}
    to_add, added = wanted - before, 0
    for size in sorted(sizes, reverse=True):
        note = {"deployment.kubernetes.io/max-replicas": str(before)}
        replica_set = {"metadata": {"annotations": note}, "spec": {"replicas": size}}
        added += share_of_scaling(replica_set, deployment, to_add, added)
        assert min(0, to_add) <= added <= max(0, to_add)


def test_pods_that_lose_least_are_deleted_first() -> None:
    clock = VirtualClock(1)
    clock.run(1000.0)

    def pod(name: str, **told: object) -> dict[str, object]:
        ready = told.get("ready", clock.timestamp(0.0))
        conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": ready}]
        status = {
            "phase": told.get("phase", "Running"),
            "conditions": conditions if ready else [],
            "containerStatuses": [{"restartCount": told.get("restarts", 0)}],
        }
        born = told.get("born", clock.timestamp(0.0))
        return {
            "metadata": {"name": name, "uid": name, "creationTimestamp": born},
            "spec": {"nodeName": told.get("node", name)},
            "status": status,
        }

    pods = [
        pod("old"),
        pod("crowded", node="a"),
        pod("crowd", node="a"),
        pod("young", born=clock.timestamp(990.0)),
        pod("restarted", restarts=3),
        pod("just-ready", ready=clock.timestamp(999.0)),
        pod("unready", ready=""),
        pod("pending", phase="Pending", ready=""),
        pod("unassigned", node="", phase="Pending", ready=""),
    ]
    order = [p["metadata"]["name"] for p in deletion_order(pods, pods, clock)]
    assert order == [
        "unassigned",
        "pending",
        "unready",
        "crowd",
        "crowded",
        "just-ready",
        "restarted",
        "young",
        "old",
    ]
