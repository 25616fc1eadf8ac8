from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.clock import VirtualClock
from gitops_sim.clock.door import Door
from gitops_sim.cluster import SimulatedCluster
from gitops_sim.errors import LabError
from gitops_sim.journal import Journal
from gitops_sim.journal.facts import FaultEnded, FaultStarted
from gitops_sim.registry import Registry


def deployment(replicas: int = 2) -> dict[str, Any]:
    container = {"name": "main", "image": "shop/web:1"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [container]},
            },
        },
    }


def available(lab: Any) -> int:
    return int(lab.cluster.get("deploy", "web")["status"].get("availableReplicas", 0))


def told(lab: Any) -> list[str]:
    found = []
    for entry in lab.journal.entries(FaultStarted, FaultEnded):
        word = "start" if isinstance(entry.fact, FaultStarted) else "end"
        found.append(f"{word} {entry.fact.name}")  # type: ignore[attr-defined]
    return found


def test_while_the_api_is_down_nothing_inside_acts_and_then_everything_does(lab: Any) -> None:
    lab.cluster.faults.api_down("10m")
    lab.cluster.create(deployment())
    lab.run(599)
    assert lab.cluster.list("v1/Pod", "default") == []
    lab.run(40)
    assert available(lab) == 2
    assert told(lab) == ["start API down", "end API down"]


def test_an_outage_in_the_middle_of_a_roll_out_only_delays_it(lab: Any) -> None:
    lab.cluster.create(deployment(4))
    lab.run(1.5)
    lab.cluster.faults.api_down()
    lab.run(300)
    lab.cluster.faults.api_up()
    lab.run(60)
    assert available(lab) == 4
    assert len(lab.cluster.list("v1/Pod", "default")) == 4


def test_a_controller_started_while_the_api_is_down_waits_for_it(lab: Any) -> None:
    lab.cluster.kill("replicaset-controller")
    lab.cluster.faults.api_down()
    lab.cluster.start("replicaset-controller")
    lab.cluster.create(deployment())
    lab.run(100)
    lab.cluster.faults.api_up()
    lab.run(60)
    assert available(lab) == 2


def test_a_slow_api_makes_everything_take_longer(make_lab: Any) -> None:
    times = []
    for latency in ("", "2s"):
        lab = make_lab()
        if latency:
            lab.cluster.faults.api_slow(latency)
        lab.cluster.create(deployment())
        began = lab.clock.now()
        lab.clock.run_until(lambda lab=lab: available(lab) == 2, timeout=3600)
        times.append(lab.clock.now() - began)
    assert times[1] > times[0] + 10


def test_stalled_watches_hold_back_what_happened_until_they_go_on(lab: Any) -> None:
    lab.cluster.create(deployment())
    lab.run(30)
    lab.cluster.faults.stall_watches()
    lab.cluster.patch("deploy", "web", {"spec": {"replicas": 5}}, "default")
    lab.run(60)
    assert len(lab.cluster.list("v1/Pod", "default")) == 2
    lab.cluster.faults.resume_watches()
    lab.run(60)
    assert available(lab) == 5


def test_the_informers_of_one_controller_grow_stale_while_others_go_on(lab: Any) -> None:
    lab.cluster.create(deployment())
    lab.run(30)
    lab.cluster.faults.stall_watches("5m", "replicaset-controller")
    lab.cluster.patch("deploy", "web", {"spec": {"replicas": 5}}, "default")
    lab.run(60)
    (replica_set,) = lab.cluster.list("apps/v1/ReplicaSet", "default")
    assert replica_set["spec"]["replicas"] == 5  # the Deployment controller sees
    assert len(lab.cluster.list("v1/Pod", "default")) == 2
    lab.run(300)
    assert available(lab) == 5
    assert told(lab) == [
        "start watches stalled replicaset-controller",
        "end watches stalled replicaset-controller",
    ]


def test_watches_that_are_stalled_for_all_stay_so_for_one(lab: Any) -> None:
    lab.cluster.create(deployment())
    lab.run(30)
    lab.cluster.faults.stall_watches(controller="replicaset-controller")
    lab.cluster.faults.stall_watches("1m")
    lab.cluster.patch("deploy", "web", {"spec": {"replicas": 5}}, "default")
    lab.run(120)
    assert len(lab.cluster.list("v1/Pod", "default")) == 2
    lab.cluster.faults.resume_watches("replicaset-controller")
    lab.run(60)
    assert available(lab) == 5


def test_a_component_that_starts_while_watches_are_stalled_sees_what_was_there(lab: Any) -> None:
    lab.cluster.create(deployment())
    lab.run(30)
    lab.cluster.faults.stall_watches()
    lab.cluster.kill("replicaset-controller")
    lab.cluster.start("replicaset-controller")
    lab.run(60)
    assert len(lab.cluster.list("v1/Pod", "default")) == 2


def test_lost_watches_lose_nothing(lab: Any) -> None:
    lab.cluster.create(deployment())
    for _ in range(20):
        lab.run(0.3)
        lab.cluster.faults.drop_watches()
    lab.run(60)
    assert available(lab) == 2
    assert len(lab.cluster.list("v1/Pod", "default")) == 2


def test_a_zone_that_is_cut_off_takes_its_nodes_with_it(make_lab: Any) -> None:
    lab = make_lab(nodes=6)
    lab.cluster.faults.zone_down("zone-b", "10m")
    down = [machine.name for machine in lab.cluster.machines if machine.down_since is not None]
    assert down == ["node-2", "node-5"]
    lab.run(601)
    assert all(machine.down_since is None for machine in lab.cluster.machines)


def test_a_skewed_clock_shows_in_what_its_kubelet_writes(lab: Any) -> None:
    lab.cluster.faults.clock_skew("node-1", 3600)
    lab.create_pod("shop/web:1", nodeName="node-1")
    lab.run(10)
    created = lab.pod()["metadata"]["creationTimestamp"]
    started = lab.container()["state"]["running"]["startedAt"]
    assert created == "2026-01-05T09:00:01Z"
    assert started.startswith("2026-01-05T10:00:")
    lab.cluster.faults.clock_skew("node-1", 0)
    assert told(lab) == ["start clock skew node-1", "end clock skew node-1"]


def test_a_crash_and_a_start_are_told_once(lab: Any) -> None:
    lab.cluster.kill("kubelet")
    lab.cluster.start("kubelet")
    lab.cluster.start("kubelet")
    assert told(lab) == ["start controller down", "end controller down"]


def test_an_end_without_a_start_is_no_news(lab: Any) -> None:
    lab.cluster.faults.api_up()
    lab.cluster.faults.api_fast()
    lab.cluster.faults.resume_watches()
    assert told(lab) == []


def test_a_fault_that_began_anew_outlives_the_end_of_the_first(lab: Any) -> None:
    lab.cluster.faults.api_down("1m")
    lab.run(10)
    lab.cluster.faults.api_up()
    lab.cluster.faults.api_down("5m")
    lab.run(200)
    assert told(lab) == ["start API down", "end API down", "start API down"]
    lab.run(101)
    assert told(lab)[3:] == ["end API down"]


def test_nodes_and_controllers_come_back_after_a_duration(lab: Any) -> None:
    lab.cluster.faults.node_down("node-2", "2m")
    lab.cluster.faults.node_down("node-2", "1m")  # it is down already
    lab.cluster.faults.controller_down("kubelet", "3m")
    lab.run(61)
    assert told(lab) == ["start node down", "start controller down"]
    lab.run(60)
    assert told(lab)[2:] == ["end node down"]
    lab.run(60)
    assert told(lab)[3:] == ["end controller down"]


def test_a_clock_goes_wrong_for_a_while(lab: Any) -> None:
    lab.cluster.faults.clock_skew("node-1", -30, "1m")
    assert lab.cluster.machines.known("node-1").skew == -30
    lab.run(61)
    assert lab.cluster.machines.known("node-1").skew == 0


def test_faults_are_scheduled_for_a_time_of_day(lab: Any) -> None:
    lab.cluster.faults.schedule("09:30", "node_down", "node-2", "10m")
    lab.run(1790)
    assert told(lab) == []
    lab.run(20)
    assert told(lab) == ["start node down"]
    lab.run(600)
    (start,) = lab.journal.entries(FaultStarted)
    (end,) = lab.journal.entries(FaultEnded)
    assert (start.time, end.time) == (1800, 2400)


def test_random_faults_repeat_with_the_seed(make_lab: Any) -> None:
    moments = []
    for seed in (5, 5, 6):
        lab = make_lab(seed=seed)
        lab.cluster.faults.at_random(4, "10:00", "12:00", "controller_down", "kubelet", "1s")
        lab.run(4 * 3600)
        moments.append([entry.time for entry in lab.journal.entries(FaultStarted)])
    assert moments[0] == moments[1] != moments[2]
    assert len(moments[0]) == 4
    assert all(3600 <= moment <= 3 * 3600 for moment in moments[0])


def test_what_a_deployment_left_goes_though_another_took_its_name_before_anyone_looked(
    lab: Any,
) -> None:
    """All watches were lost between its deletion and the next list, which has only the other."""
    lab.cluster.create(deployment())
    lab.run(60)
    lab.cluster.faults.api_down()
    lab.cluster.delete("deploy", "web")
    lab.run(60)
    lab.cluster.faults.drop_watches()
    lab.cluster.faults.api_up()
    other = deployment()
    other["spec"]["template"]["spec"]["containers"][0]["image"] = "shop/web:2"
    lab.cluster.create(other)
    lab.run(180)
    (replica_set,) = lab.cluster.list("rs", "default")
    assert replica_set["spec"]["template"]["spec"]["containers"][0]["image"] == "shop/web:2"
    assert len(lab.cluster.list("v1/Pod", "default")) == 2


@pytest.mark.parametrize(
    "call",
    [
        lambda cluster: cluster.kill("nobody"),
        lambda cluster: cluster.node_down("node-9"),
        lambda cluster: cluster.faults.zone_down("zone-x"),
        lambda cluster: cluster.faults.clock_skew("node-9", 1),
        lambda cluster: cluster.faults.api_down("10 parsecs"),
        lambda cluster: cluster.faults.stall_watches("", "nobody"),
        lambda cluster: cluster.faults.controller_down("nobody"),
        lambda cluster: cluster.faults.schedule("09:30", "earthquake"),
        lambda cluster: cluster.faults.schedule("09:30", "node_down"),
        lambda cluster: cluster.faults.schedule("09:30", "node_down", "node-9"),
        lambda cluster: cluster.faults.schedule("09:30", "node_down", "node-1", "soon"),
        lambda cluster: cluster.faults.schedule("09:30", "zone_down", "zone-x"),
        lambda cluster: cluster.faults.schedule("2026-01-05T08:00:00Z", "api_down"),
        lambda cluster: cluster.faults.at_random(1, "10:00", "09:30", "api_down"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(lab: Any, call: Any) -> None:
    with pytest.raises(LabError):
        call(lab.cluster)
    assert told(lab) == []


def test_faults_and_writes_from_outside_replay_to_the_same_bytes() -> None:
    def build() -> tuple[VirtualClock, Journal, Door, SimulatedCluster]:
        clock = VirtualClock(seed=2)
        journal, door = Journal(clock), Door(clock)
        door.register("clock", clock)
        registry = Registry(clock, journal, door)
        return clock, journal, door, SimulatedCluster("dev", clock, journal, door, registry)

    clock, journal, door, cluster = build()
    cluster.create(deployment())
    cluster.faults.api_slow("100ms", "20s")
    with door.running():
        clock.run(10)
    cluster.node_down("node-1")
    cluster.kill("deployment-controller")
    with door.running():
        clock.run(500)
    cluster.start("deployment-controller")
    with door.running():
        clock.run(900)
    assert [entry.method for entry in door.inputs if entry.address != "clock"] == [
        "create",
        "api_slow",
        "node_down",
        "kill",
        "start",
    ]
    _, again, other, _ = build()
    other.replay(Door.from_jsonl(door.to_jsonl()))
    assert again.to_jsonl() == journal.to_jsonl()


def test_faults_show_what_there_is_to_break(lab: Any) -> None:
    shown = repr(lab.cluster.faults)
    assert shown.startswith("<faults: api_down, api_up, ")
    assert "schedule" in shown
