"""What the controllers do, beside what a real control plane 1.37 did with the same objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gitops_sim.cluster.housekeeping import HOUSEKEEPING
from gitops_sim.cluster.workloads import WORKLOADS

DATA = Path(__file__).parents[2] / "data" / "controllers"
ALL = [*WORKLOADS.values(), *HOUSEKEEPING.values()]
TIMES = ("lastTransitionTime", "lastUpdateTime", "lastProbeTime", "startTime", "completionTime")


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    return json.loads((DATA / "deployment.json").read_text())


@pytest.fixture(scope="module")
def others() -> dict[str, Any]:
    return json.loads((DATA / "others.json").read_text())


@pytest.fixture
def history(make_world, workload):
    """The recorded story told again: created, new image, scaled to 3, to 1, to 0."""
    world = make_world([WORKLOADS[n] for n in ("deployment-controller", "replicaset-controller")])
    watches = [world.user.watch(f"apps/v1/{kind}") for kind in ("Deployment", "ReplicaSet")]
    world.user.create(workload("Deployment", "web", replicas=2))
    world.run(20)
    ready = world.get("Deployment", "web"), world.sets()[0]
    image = {"spec": {"containers": [{"name": "app", "image": "nginx:1.28"}]}}
    world.user.patch("Deployment", "web", {"spec": {"template": image}}, type="strategic")
    world.run(20)
    for replicas in (3, 1, 0):
        world.user.patch("Deployment", "web", {"spec": {"replicas": replicas}})
        world.run(20)
    seen = [[event.object for event in watch.drain()] for watch in watches]
    return world, seen, ready


def test_conditions_of_a_deployment_go_through_the_recorded_states(history, recorded) -> None:
    _, (deployments, sets), _ = history
    seen: list[Any] = []
    for manifest in deployments:
        state = [
            [c["type"], c["status"], c["reason"], with_letters(c["message"], sets)]
            for c in (manifest.get("status") or {}).get("conditions", [])
        ]
        if not seen or seen[-1] != state:
            seen.append(state)
    assert seen == recorded["deployment_conditions"]


def test_replica_sets_are_scaled_in_the_recorded_steps(history, recorded) -> None:
    _, (_, sets), _ = history
    seen: dict[str, list[Any]] = {}
    for manifest in sets:
        metadata = manifest["metadata"]
        annotations = {k.split("/")[1]: v for k, v in metadata["annotations"].items()}
        state = [metadata["generation"], manifest["spec"]["replicas"], annotations]
        states = seen.setdefault(with_letters(metadata["name"], sets), [])
        if not states or states[-1] != state:
            states.append(state)
    assert seen == recorded["replica_sets"]


def test_the_deployment_tells_the_recorded_events(history, recorded) -> None:
    world, (_, sets), _ = history
    events = world.user.list("v1/Event")
    told = [
        [e["type"], e["reason"], with_letters(e["message"], sets), e["source"]["component"]]
        for e in sorted(events, key=lambda event: int(event["metadata"]["resourceVersion"]))
        if e["involvedObject"]["kind"] == "Deployment"
    ]
    assert told == recorded["events"]["Deployment"]


def test_a_ready_deployment_and_its_replica_set_look_as_recorded(history, recorded) -> None:
    _, (_, sets), (deployment, replica_set) = history
    wanted = recorded["ready"]
    assert timeless(deployment["status"], sets) == wanted["deployment_status"]
    assert deployment["metadata"]["annotations"] == wanted["annotations"]
    found = timeless(replica_set, sets)
    assert found["spec"]["selector"] == wanted["replica_set"]["spec"]["selector"]
    assert (
        found["spec"]["template"]["metadata"]
        == wanted["replica_set"]["spec"]["template"]["metadata"]
    )
    assert found["status"] == wanted["replica_set"]["status"]
    members = ("name", "labels", "annotations", "generation")
    assert {m: found["metadata"][m] for m in members} == {
        m: wanted["replica_set"]["metadata"][m] for m in members
    }
    owner = found["metadata"]["ownerReferences"][0]
    assert {k: v for k, v in owner.items() if k != "uid"} == wanted["replica_set"]["metadata"][
        "ownerReferences"
    ][0]


def test_the_controllers_own_the_recorded_fields(history, recorded) -> None:
    _, _, (deployment, replica_set) = history
    assert owned(deployment) == recorded["ready"]["deployment_managed"]
    assert owned(replica_set) == recorded["ready"]["replica_set_managed"]


def test_pause_and_resume_leave_the_recorded_status(history, recorded) -> None:
    world, _, _ = history
    image = {"containers": [{"name": "app", "image": "nginx:1.29"}]}
    world.user.patch(
        "Deployment",
        "web",
        {"spec": {"paused": True, "replicas": 1, "template": {"spec": image}}},
        type="strategic",
    )
    world.run(20)
    paused = world.get("Deployment", "web")
    world.user.patch("Deployment", "web", {"spec": {"paused": None}})
    world.run(20)
    resumed, sets = world.get("Deployment", "web"), world.sets()
    sets.sort(key=lambda s: s["metadata"]["creationTimestamp"])
    assert timeless(paused["status"], sets) == recorded["paused_status"]
    assert timeless(resumed["status"], sets) == recorded["resumed_status"]


def test_a_stuck_deployment_times_out_as_recorded(make_world, workload, recorded) -> None:
    world = make_world([WORKLOADS[n] for n in ("deployment-controller", "replicaset-controller")])
    world.user.create(
        workload("Deployment", "stuck", image="bad", replicas=1, progressDeadlineSeconds=3)
    )
    world.run(2)
    progressing, sets = world.get("Deployment", "stuck"), world.sets()
    world.run(10)
    told = [
        timeless(manifest["status"], sets)
        for manifest in (progressing, world.get("Deployment", "stuck"))
    ]
    assert told == recorded["stuck"]


def test_jobs_end_and_are_suspended_as_recorded(make_world, workload, others) -> None:
    world = make_world([WORKLOADS["job-controller"]])
    world.user.create(workload("Job", "pi", image="done", completions=2))
    world.user.create(workload("Job", "sus", image="done", suspend=True))
    world.run(60)
    assert timeless(world.get("Job", "pi")["status"], []) == others["job_status"]
    assert timeless(world.get("Job", "sus")["status"], []) == others["suspended_status"]
    told = [[reason, message.split(": ")[0]] for reason, message in world.events("Job", "pi")]
    assert told == [[reason, message] for _, reason, message, _ in others["job_events"]]


def test_daemon_sets_count_and_shape_pods_as_recorded(make_world, workload, others) -> None:
    world = make_world([WORKLOADS["daemonset-controller"]])
    world.user.create(workload("DaemonSet", "ds"))
    world.run(20)
    ready, pods = world.get("DaemonSet", "ds"), world.pods("app=ds")
    image = {"spec": {"containers": [{"name": "app", "image": "nginx:1.28"}]}}
    world.user.patch("DaemonSet", "ds", {"spec": {"template": image}}, type="strategic")
    world.run(30)
    statuses = [ready["status"], world.get("DaemonSet", "ds")["status"]]
    assert [timeless(status, []) for status in statuses] == others["daemonset_status"]
    wanted = others["daemon_pod"]
    pod = next(p for p in pods if p["spec"]["nodeName"] == wanted["node"])
    assert pod["spec"]["affinity"] == wanted["affinity"]
    assert pod["spec"]["tolerations"] == wanted["tolerations"]
    assert pod["metadata"]["generateName"] == wanted["generateName"]
    assert set(pod["metadata"]["labels"]) == set(wanted["labels"])
    notes = world.get("DaemonSet", "ds")["metadata"]["annotations"]
    assert notes == {"deprecated.daemonset.template.generation": "2"}


def test_a_held_namespace_tells_the_recorded_conditions(make_world, others) -> None:
    world = make_world(ALL)
    world.user.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}})
    world.run(1)
    held = {"name": "held", "namespace": "x", "finalizers": ["x.io/hold"]}
    world.user.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": held})
    bundle = world.get("ConfigMap", "kube-root-ca.crt", "x")
    assert bundle["metadata"]["annotations"] == others["root_ca_annotations"]
    world.user.delete("Namespace", "x")
    world.run(20)
    found = timeless(world.user.get("Namespace", "x")["status"], [])
    assert found == others["namespace_status"]


def with_letters(text: str, sets: list[Any]) -> str:
    """Return text with the hashes of ReplicaSets numbered by the order of their birth."""
    known: list[str] = []
    for replica_set in sets:
        word = replica_set["metadata"]["labels"]["pod-template-hash"]
        if word not in known:
            known.append(word)
    for number, word in enumerate(known, 1):
        text = text.replace(word, f"<hash {number}>")
    return text


def timeless(value: Any, sets: list[Any]) -> Any:
    if isinstance(value, dict):
        return {k: timeless(v, sets) for k, v in value.items() if k not in TIMES}
    if isinstance(value, list):
        return [timeless(entry, sets) for entry in value]
    return with_letters(value, sets) if isinstance(value, str) else value


def owned(manifest: dict[str, Any]) -> list[Any]:
    entries = [
        [entry["manager"], entry["operation"], entry.get("subresource", ""), paths(entry)]
        for entry in manifest["metadata"]["managedFields"]
        if entry["manager"] == "kube-controller-manager"
    ]
    return sorted(entries)


def paths(entry: dict[str, Any]) -> list[str]:
    def walk(fields: dict[str, Any], path: str) -> list[str]:
        found = []
        for name, below in fields.items():
            if name == ".":
                continue
            here = f"{path}/{'k:{uid}' if 'uid' in name else name}"
            found += walk(below, here) if set(below) - {"."} else [here]
        return found

    return sorted(walk(entry["fieldsV1"], ""))
