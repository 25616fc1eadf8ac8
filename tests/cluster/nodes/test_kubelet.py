from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

HTTP = {"httpGet": {"path": "/", "port": 80}}


def config_map(name: str, **data: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def test_a_pod_is_pulled_started_and_ready_with_the_real_events(lab: Any) -> None:
    lab.registry.push("shop/web:1", pull="2s", start="1s")
    lab.create_pod("shop/web:1")
    lab.run(1)
    assert lab.waits_for() == "ContainerCreating"
    assert lab.pod()["status"]["phase"] == "Pending"
    assert lab.condition("ContainersReady")["message"] == "containers with unready status: [main]"
    lab.run(3)
    status = lab.pod()["status"]
    assert status["phase"] == "Running"
    assert status["podIP"].startswith("10.244.")
    assert status["hostIP"] == "172.18.0.2"
    container = lab.container()
    assert container["ready"]
    assert container["started"]
    assert container["imageID"].startswith("shop/web@sha256:")
    assert container["containerID"].startswith("containerd://")
    assert [c["type"] for c in status["conditions"]] == [
        "PodReadyToStartContainers",
        "Initialized",
        "Ready",
        "ContainersReady",
        "PodScheduled",
    ]
    assert all(c["status"] == "True" for c in status["conditions"])
    events = dict(lab.events())
    assert lab.reasons() == ["Scheduled", "Pulling", "Pulled", "Created", "Started"]
    assert events["Pulling"] == 'Pulling image "shop/web:1"'
    assert events["Pulled"].startswith('Successfully pulled image "shop/web:1" in 2s (2s including')


def test_an_image_on_the_machine_is_not_pulled_again(lab: Any) -> None:
    lab.create_pod("shop/web:1", "first", nodeName="node-1")
    lab.run(10)
    lab.create_pod("shop/web:1", "second", nodeName="node-1")
    lab.run(2)
    assert dict(lab.events("second"))["Pulled"] == (
        'Container image "shop/web:1" already present on machine and can be accessed by the pod'
    )
    assert "Pulling" not in lab.reasons("second")


def test_policy_always_pulls_what_a_moved_tag_means_now(lab: Any) -> None:
    lab.registry.push("shop/web:latest", version="1")
    lab.create_pod("shop/web:latest", "first", nodeName="node-1")
    lab.run(10)
    digest = lab.registry.push("shop/web:latest", version="2")
    lab.create_pod("shop/web:latest", "second", nodeName="node-1")
    lab.run(10)
    assert digest in lab.container("second")["imageID"]
    assert digest not in lab.container("first")["imageID"]


def test_a_missing_image_backs_off_and_is_found_once_it_is_pushed(lab: Any) -> None:
    lab.create_pod("shop/web:missing")
    lab.run(1.5)
    assert lab.waits_for() == "ErrImagePull"
    message = lab.container()["state"]["waiting"]["message"]
    assert message.startswith("rpc error: code = NotFound desc = failed to pull and unpack image")
    lab.run(2)
    waiting = lab.container()["state"]["waiting"]
    assert waiting["reason"] == "ImagePullBackOff"
    assert waiting["message"].startswith('Back-off pulling image "shop/web:missing": ErrImagePull')
    told = lab.events()
    assert ("BackOff", 'Back-off pulling image "shop/web:missing"') in told
    assert ("Failed", "Error: ErrImagePull") in told
    assert ("Failed", "Error: ImagePullBackOff") in told
    lab.registry.push("shop/web:missing")
    lab.run(15)
    assert lab.is_ready()


def test_pulls_are_tried_after_10_20_40_seconds_and_then_every_5_minutes(lab: Any) -> None:
    lab.create_pod("shop/web:missing")
    lab.run(3600)
    event = next(
        event
        for event in lab.cluster.list("v1/Event")
        if event["message"] == 'Pulling image "shop/web:missing"'
    )
    assert event["count"] == 6 + (3600 - 310) // 300


def test_a_name_that_is_none_is_invalid(lab: Any) -> None:
    lab.create_pod("Shop Web")
    lab.run(5)
    assert lab.waits_for() == "InvalidImageName"
    assert "InspectFailed" in lab.reasons()


def test_policy_never_does_not_pull(lab: Any) -> None:
    lab.create_pod("shop/web:1", container={"imagePullPolicy": "Never"})
    lab.run(5)
    assert lab.waits_for() == "ErrImageNeverPull"


def test_a_crashing_container_backs_off_for_10_seconds_and_twice_as_long_each_time(
    lab: Any,
) -> None:
    lab.registry.push("shop/web:1", start="0s", crash_after="2s", exit_code=3)
    lab.create_pod("shop/web:1")
    restarts_at: list[float] = []
    for _ in range(3000):
        lab.run(0.5)
        if "containerStatuses" in lab.pod()["status"]:
            count = lab.container()["restartCount"]
            if count > len(restarts_at):
                restarts_at.append(lab.clock.now())
    gaps = [round(b - a) for a, b in pairwise(restarts_at)]
    assert gaps == [12, 22, 42, 82, 162, 302, 302, 302]
    lab.run(3)
    container = lab.container()
    assert container["lastState"]["terminated"]["exitCode"] == 3
    assert container["lastState"]["terminated"]["reason"] == "Error"
    waiting = container["state"]["waiting"]
    assert waiting["reason"] == "CrashLoopBackOff"
    uid = lab.pod()["metadata"]["uid"]
    assert waiting["message"] == (
        f"back-off 5m0s restarting failed container=main pod=web_default({uid})"
    )
    assert ("BackOff", f"Back-off restarting failed container main in pod web_default({uid})") in (
        lab.events()
    )
    assert lab.pod()["status"]["phase"] == "Running"


def test_backoff_is_forgotten_after_a_run_of_ten_minutes(lab: Any) -> None:
    lab.registry.push("shop/web:1", start="0s", crash_after="11m")
    lab.create_pod("shop/web:1")
    lab.run(3 * 672)
    assert lab.container()["restartCount"] >= 2
    assert lab.waits_for() == ""


def test_without_a_needed_variable_a_container_crashes(lab: Any) -> None:
    lab.registry.push("shop/web:1", needs_env=["DB"])
    lab.create_pod("shop/web:1", "without")
    lab.create_pod("shop/web:1", "with", container={"env": [{"name": "DB", "value": "db:5432"}]})
    lab.run(10)
    assert lab.waits_for("without") == "CrashLoopBackOff"
    assert lab.is_ready("with")
    assert "DB is not set" in lab.cluster.logs("without", previous=True)


def test_more_memory_than_the_limit_is_an_oom_kill(lab: Any) -> None:
    lab.registry.push("shop/web:1", memory_mib=300)
    resources = {"limits": {"memory": "256Mi"}}
    lab.create_pod("shop/web:1", container={"resources": resources})
    lab.run(10)
    last = lab.container()["lastState"]["terminated"]
    assert (last["reason"], last["exitCode"]) == ("OOMKilled", 137)


def test_a_missing_config_map_in_the_environment_stops_the_container(lab: Any) -> None:
    source = {"configMapKeyRef": {"name": "settings", "key": "level"}}
    lab.create_pod("shop/web:1", container={"env": [{"name": "LEVEL", "valueFrom": source}]})
    lab.run(10)
    assert lab.container()["state"]["waiting"] == {
        "reason": "CreateContainerConfigError",
        "message": 'configmap "settings" not found',
    }
    assert ("Failed", 'Error: configmap "settings" not found') in lab.events()
    lab.cluster.create(config_map("settings", other="x"))
    lab.run(1)
    message = lab.container()["state"]["waiting"]["message"]
    assert message == "couldn't find key level in ConfigMap default/settings"
    lab.cluster.patch("cm", "settings", {"data": {"level": "debug"}}, "default")
    lab.run(5)
    assert lab.is_ready()


def test_an_optional_source_may_be_missing(lab: Any) -> None:
    source = {"secretRef": {"name": "credentials", "optional": True}}
    lab.create_pod("shop/web:1", container={"envFrom": [source]})
    lab.run(10)
    assert lab.is_ready()


def test_a_missing_volume_source_keeps_the_pod_from_its_sandbox(lab: Any) -> None:
    volume = {"name": "config", "secret": {"secretName": "tls"}}
    lab.create_pod("shop/web:1", volumes=[volume])
    lab.run(10)
    assert lab.waits_for() == "ContainerCreating"
    assert lab.condition("PodReadyToStartContainers")["status"] == "False"
    text = 'MountVolume.SetUp failed for volume "config" : secret "tls" not found'
    assert ("FailedMount", text) in lab.events()
    metadata = {"name": "tls", "namespace": "default"}
    lab.cluster.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata})
    lab.run(10)
    assert lab.is_ready()


def test_a_pod_is_ready_when_its_readiness_probe_passes_and_not_before(lab: Any) -> None:
    lab.registry.push("shop/web:1", pull="0s", start="7s")
    probe = HTTP | {"periodSeconds": 5}
    lab.create_pod("shop/web:1", container={"readinessProbe": probe})
    lab.run(2)
    assert lab.pod()["status"]["phase"] == "Running"
    assert not lab.is_ready()
    lab.run(7)
    assert not lab.is_ready()
    lab.run(3)
    assert lab.is_ready()
    address = lab.pod()["status"]["podIP"]
    text = f'Get "http://{address}:80/": dial tcp {address}:80: connect: connection refused'
    assert ("Unhealthy", f"Readiness probe failed: {text}") in lab.events()


def test_a_failing_probe_tells_the_number_of_a_named_port(lab: Any) -> None:
    lab.registry.push("shop/web:1", pull="0s", start="7s")
    probe = {"httpGet": {"path": "/ready", "port": "http"}}
    ports = [{"name": "http", "containerPort": 8080}]
    lab.create_pod("shop/web:1", container={"readinessProbe": probe, "ports": ports})
    lab.run(2)
    address = lab.pod()["status"]["podIP"]
    refused = f"dial tcp {address}:8080: connect: connection refused"
    text = f'Readiness probe failed: Get "http://{address}:8080/ready": {refused}'
    assert ("Unhealthy", text) in lab.events()


def test_an_image_that_never_gets_ready_leaves_its_pod_running_and_unready(lab: Any) -> None:
    lab.registry.push("shop/web:bad", ready=False)
    lab.create_pod("shop/web:bad", container={"readinessProbe": HTTP})
    lab.run(600)
    assert lab.pod()["status"]["phase"] == "Running"
    assert not lab.is_ready()
    assert lab.container()["restartCount"] == 0


def test_a_failing_liveness_probe_restarts_the_container(lab: Any) -> None:
    lab.registry.push("shop/web:bad", ready=False)
    lab.create_pod("shop/web:bad", container={"livenessProbe": HTTP | {"initialDelaySeconds": 5}})
    lab.run(40)
    assert lab.container()["restartCount"] == 1
    assert lab.container()["lastState"]["terminated"]["exitCode"] == 137
    assert ("Killing", "Container main failed liveness probe, will be restarted") in lab.events()


def test_a_startup_probe_gives_a_slow_start_its_time(lab: Any) -> None:
    lab.registry.push("shop/slow:1", start="50s")
    liveness = HTTP | {"periodSeconds": 5}
    startup = HTTP | {"periodSeconds": 10, "failureThreshold": 10}
    probes = {"livenessProbe": liveness, "startupProbe": startup}
    lab.create_pod("shop/slow:1", "patient", container=probes)
    lab.create_pod("shop/slow:1", "hasty", container={"livenessProbe": liveness})
    lab.run(70)
    assert lab.container("patient")["restartCount"] == 0
    assert lab.is_ready("patient")
    assert lab.container("hasty")["restartCount"] > 0


def test_init_containers_run_one_after_the_other_before_the_others(lab: Any) -> None:
    lab.registry.push("shop/init:1", pull="0s", start="5s")
    inits = [{"name": name, "image": "shop/init:1"} for name in ("one", "two")]
    lab.create_pod("shop/web:1", initContainers=inits)
    lab.run(3)
    assert "running" in lab.container(container="one")["state"]
    assert lab.container(container="two")["state"] == {"waiting": {"reason": "PodInitializing"}}
    assert lab.waits_for() == "PodInitializing"
    initialized = lab.condition("Initialized")
    assert initialized["message"] == "containers with incomplete status: [one two]"
    lab.run(5)
    assert lab.container(container="one")["state"]["terminated"]["reason"] == "Completed"
    assert "running" in lab.container(container="two")["state"]
    lab.run(15)
    assert lab.is_ready()
    assert lab.condition("Initialized")["status"] == "True"


def test_a_failing_init_container_is_tried_again_unless_the_policy_is_never(lab: Any) -> None:
    lab.registry.push("shop/init:bad", crash_after="1s", exit_code=1)
    init = [{"name": "init", "image": "shop/init:bad"}]
    lab.create_pod("shop/web:1", "again", initContainers=init)
    lab.create_pod("shop/web:1", "never", initContainers=init, restartPolicy="Never")
    lab.run(60)
    assert lab.pod("again")["status"]["phase"] == "Pending"
    assert lab.container("again", "init")["restartCount"] >= 2
    assert lab.pod("never")["status"]["phase"] == "Failed"


def test_a_sidecar_starts_first_runs_beside_and_does_not_hold_up_the_end(lab: Any) -> None:
    lab.registry.push("shop/task:1", crash_after="5s", exit_code=0)
    sidecar = {"name": "proxy", "image": "shop/proxy:1", "restartPolicy": "Always"}
    lab.create_pod("shop/task:1", initContainers=[sidecar], restartPolicy="Never")
    lab.run(5)
    assert "running" in lab.container(container="proxy")["state"]
    lab.run(10)
    assert lab.pod()["status"]["phase"] == "Succeeded"
    assert "terminated" in lab.container(container="proxy")["state"]


@pytest.mark.parametrize(
    ("policy", "exit_code", "phase"),
    [
        ("Never", 0, "Succeeded"),
        ("Never", 2, "Failed"),
        ("OnFailure", 0, "Succeeded"),
        ("OnFailure", 2, "Running"),
        ("Always", 0, "Running"),
    ],
)
def test_the_restart_policy_decides_what_an_end_means(
    lab: Any, policy: str, exit_code: int, phase: str
) -> None:
    lab.registry.push("shop/task:1", crash_after="3s", exit_code=exit_code)
    lab.create_pod("shop/task:1", restartPolicy=policy)
    lab.run(30)
    assert lab.pod()["status"]["phase"] == phase


def test_a_pod_of_a_job_ends_well_by_itself(lab: Any) -> None:
    container = {"name": "main", "image": "busybox"}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    metadata = {"name": "task", "namespace": "default"}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata}
    lab.cluster.create(job | {"spec": {"template": template}})
    lab.run(20)
    (name,) = lab.places()
    assert lab.pod(name)["status"]["phase"] == "Succeeded"
    ready = lab.condition("Ready", name)
    assert (ready["status"], ready["reason"]) == ("False", "PodCompleted")


def test_a_deleted_pod_stops_within_its_grace_and_is_gone(lab: Any) -> None:
    lab.create_pod("shop/web:1")
    lab.run(10)
    lab.cluster.delete("pod", "web", "default")
    lab.run(0.5)
    assert "deletionTimestamp" in lab.pod()["metadata"]
    assert ("Killing", "Stopping container main") in lab.events()
    lab.run(1)
    assert lab.cluster.list("v1/Pod", "default") == []


def test_a_pre_stop_sleep_is_waited_for_but_not_beyond_the_grace(lab: Any) -> None:
    for name, grace in (("patient", 60), ("short", 5)):
        lifecycle = {"preStop": {"exec": {"command": ["sh", "-c", "sleep 20"]}}}
        lab.create_pod(
            "shop/web:1",
            name,
            container={"lifecycle": lifecycle},
            terminationGracePeriodSeconds=grace,
        )
    lab.run(10)
    for name in ("patient", "short"):
        lab.cluster.delete("pod", name, "default")
    lab.run(6)
    assert list(lab.places()) == ["patient"]
    lab.run(16)
    assert lab.places() == {}


def test_a_pod_past_its_deadline_fails(lab: Any) -> None:
    lab.create_pod("shop/web:1", activeDeadlineSeconds=20, restartPolicy="Never")
    lab.run(19)
    assert lab.pod()["status"]["phase"] == "Running"
    lab.run(3)
    assert lab.pod()["status"]["phase"] == "Failed"
    assert lab.pod()["status"]["reason"] == "DeadlineExceeded"


def test_a_changed_image_restarts_the_container(lab: Any) -> None:
    lab.create_pod("shop/web:1")
    lab.run(10)
    containers = [{"name": "main", "image": "shop/web:2"}]
    lab.cluster.patch(
        "pod", "web", {"spec": {"containers": containers}}, "default", type="strategic"
    )
    lab.run(10)
    assert lab.container()["image"] == "shop/web:2"
    assert lab.container()["restartCount"] == 1
    assert ("Killing", "Container main definition changed, will be restarted") in lab.events()


def test_a_readiness_gate_must_be_met_too(lab: Any) -> None:
    lab.create_pod("shop/web:1", readinessGates=[{"conditionType": "lab/loaded"}])
    lab.run(10)
    assert lab.condition("ContainersReady")["status"] == "True"
    assert lab.condition("Ready")["reason"] == "ReadinessGatesNotReady"
    gate = {"type": "lab/loaded", "status": "True"}
    patch = {"status": {"conditions": [gate]}}
    lab.cluster.patch("pod", "web", patch, "default", type="strategic", subresource="status")
    lab.run(1)
    assert lab.is_ready()


def test_what_runs_goes_on_while_the_kubelet_is_dead(lab: Any) -> None:
    lab.registry.push("shop/web:1", pull="5s")
    lab.create_pod("shop/web:1")
    lab.run(1)
    lab.cluster.kill("kubelet")
    lab.run(60)
    assert lab.waits_for() == "ContainerCreating"
    lab.cluster.start("kubelet")
    lab.run(1)
    assert lab.pod()["status"]["phase"] == "Running"
    assert lab.reasons().count("Pulling") == 1


def test_a_running_pod_costs_no_events(lab: Any) -> None:
    lab.create_pod("shop/web:1", container={"readinessProbe": HTTP, "livenessProbe": HTTP})
    lab.run(60)
    before = lab.clock.events
    lab.run(86_400)
    assert lab.clock.events == before


def test_logs_are_what_the_image_prints(lab: Any) -> None:
    lab.registry.push("shop/web:1", log=["listening on :80"])
    lab.create_pod("shop/web:1")
    lab.run(10)
    assert lab.cluster.logs("web") == "listening on :80\n"


def test_sidecars_stop_after_the_containers_that_they_serve(lab: Any) -> None:
    sidecars = [
        {"name": name, "image": "shop/web:1", "restartPolicy": "Always"}
        for name in ("first", "second")
    ]
    lab.create_pod("shop/web:1", initContainers=sidecars)
    lab.run(30)
    lab.cluster.delete("v1/Pod", "web", "default")
    seen = []
    for _ in range(40):
        lab.run(0.1)
        if not lab.places():
            break
        for name in ("main", "first", "second"):
            if "terminated" in lab.container(container=name)["state"] and name not in seen:
                seen.append(name)
    assert seen == ["main", "second"]  # with the first one the pod goes
    assert lab.places() == {}


@pytest.mark.parametrize(("code", "starts"), [(42, True), (1, False)])
def test_rules_of_a_container_say_which_ends_start_it_again(
    lab: Any, code: int, *, starts: bool
) -> None:
    lab.registry.push("shop/job:1", crash_after="2s", exit_code=code)
    rule = {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}
    own = {"restartPolicy": "Never", "restartPolicyRules": [rule]}
    lab.create_pod("shop/job:1", container=own, restartPolicy="Never")
    lab.run(60)
    assert (lab.container()["restartCount"] > 0) is starts
    assert lab.pod()["status"]["phase"] == ("Running" if starts else "Failed")


def test_a_policy_of_a_container_outweighs_that_of_its_pod(lab: Any) -> None:
    lab.registry.push("shop/job:1", crash_after="2s", exit_code=0)
    lab.create_pod("shop/job:1", container={"restartPolicy": "Never"})
    lab.run(60)
    assert lab.container()["restartCount"] == 0
    assert lab.pod()["status"]["phase"] == "Succeeded"


def test_an_ephemeral_container_runs_beside_the_others_and_counts_for_nothing(lab: Any) -> None:
    lab.registry.push("shop/debug:1", log=["nothing to see"])
    lab.create_pod("shop/web:1")
    lab.run(30)
    debugger = {"name": "debugger", "image": "shop/debug:1", "targetContainerName": "main"}
    lab.cluster.patch(
        "v1/Pod",
        "web",
        {"spec": {"ephemeralContainers": [debugger]}},
        "default",
        subresource="ephemeralcontainers",
    )
    lab.run(30)
    (status,) = lab.pod()["status"]["ephemeralContainerStatuses"]
    assert "running" in status["state"]
    assert status["ready"] is False
    assert lab.is_ready()
    event = next(
        e
        for e in lab.cluster.list("v1/Event")
        if e["involvedObject"].get("fieldPath") == "spec.ephemeralContainers{debugger}"
    )
    assert event["reason"] == "Pulling"
    assert lab.cluster.logs("web", "default", container="debugger") == "nothing to see\n"
