"""Whatever order equal times come in, and whoever is killed when: the end is the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.cluster.housekeeping import HOUSEKEEPING, STANDARD_CLASS
from gitops_sim.cluster.workloads import WORKLOADS

SPECS = [*WORKLOADS.values(), *HOUSEKEEPING.values()]
CLAIM = {
    "metadata": {"name": "data"},
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    },
}
NAMES = sorted(spec.name for spec in SPECS)


def new_image(world: Any, kind: str, name: str) -> None:
    template = {"spec": {"containers": [{"name": "app", "image": "nginx:1.28"}]}}
    world.user.patch(kind, name, {"spec": {"template": template}}, type="strategic")


def end_state(world: Any) -> dict[str, Any]:
    """Return what must not depend on order: statuses without times and names."""

    def counts(kind: str, name: str) -> dict[str, Any]:
        status = world.get(kind, name)["status"]
        return {key: value for key, value in status.items() if isinstance(value, int)}

    return {
        "web": counts("Deployment", "web"),
        "db": counts("StatefulSet", "db"),
        "agent": counts("DaemonSet", "agent"),
        "pi": counts("Job", "pi"),
        "sets": sorted(s["spec"]["replicas"] for s in world.sets()),
        "pods": sorted(
            (pod["metadata"]["labels"]["app"], pod["spec"]["containers"][0]["image"])
            for pod in world.pods()
        ),
        "claims": [
            (c["metadata"]["name"], c["status"]["phase"])
            for c in world.user.list("PersistentVolumeClaim", "default")
        ],
        "volumes": len(world.user.list("PersistentVolume")),
        "revisions": len(world.user.list("ControllerRevision", "default")),
        "namespace": world.find("Namespace", "x"),
    }


def story(world: Any, workload: Any, kills: list[tuple[float, str]]) -> dict[str, Any]:
    world.user.create(STANDARD_CLASS)
    world.user.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}})
    world.user.create(workload("Deployment", "web", replicas=3))
    world.user.create(workload("StatefulSet", "db", replicas=2, volumeClaimTemplates=[CLAIM]))
    world.user.create(workload("DaemonSet", "agent"))
    world.user.create(workload("Job", "pi", image="done", completions=2))
    world.run(10)
    for kind, name in (("Deployment", "web"), ("StatefulSet", "db"), ("DaemonSet", "agent")):
        new_image(world, kind, name)
    world.user.delete("Namespace", "x")
    for wait, name in kills:
        world.run(wait)
        world.restart(name)
    world.run(120)
    return end_state(world)


@pytest.fixture(scope="module")
def undisturbed(make_world, workload) -> dict[str, Any]:
    return story(make_world(SPECS), workload, [])


def test_undisturbed_all_is_rolled_out(undisturbed) -> None:
    assert undisturbed["sets"] == [0, 3]
    assert undisturbed["namespace"] is None
    assert {image for _, image in undisturbed["pods"]} == {"nginx:1.28", "done"}
    assert undisturbed["claims"] == [("data-db-0", "Bound"), ("data-db-1", "Bound")]


def test_the_end_does_not_depend_on_the_order_of_equal_times(
    make_world, workload, undisturbed
) -> None:
    for shuffle in (1, 2):
        assert story(make_world(SPECS, shuffle=shuffle), workload, []) == undisturbed


def test_every_controller_may_be_killed_in_the_middle(make_world, workload, undisturbed) -> None:
    kills = [(0.2, name) for name in NAMES]
    assert story(make_world(SPECS), workload, kills) == undisturbed


@pytest.mark.all
@given(
    kills=st.lists(st.tuples(st.floats(0.0, 4.0), st.sampled_from(NAMES)), max_size=8),
    shuffle=st.integers(0, 10_000),
)
def test_the_end_depends_on_neither_order_nor_crashes(
    make_world, workload, undisturbed, kills, shuffle
) -> None:
    assert story(make_world(SPECS, shuffle=shuffle), workload, kills) == undisturbed
