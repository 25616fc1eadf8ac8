from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from gitops_sim.errors import UnknownError


def test_a_pod_runs_the_moment_it_is_bound_with_the_status_of_kwok(make_lab: Any) -> None:
    lab = make_lab(kwok=True)
    lab.create_pod("nowhere/at:all")
    lab.run(0.1)
    status = lab.pod()["status"]
    assert status["phase"] == "Running"
    assert [c["type"] for c in status["conditions"]] == [
        "Initialized",
        "Ready",
        "ContainersReady",
        "PodScheduled",
    ]
    (container,) = status["containerStatuses"]
    assert container["ready"]
    assert (container["image"], container["imageID"]) == ("nowhere/at:all", "")
    assert (status["hostIP"], status["podIP"]) == ("127.0.0.1", "10.244.0.2")
    assert lab.reasons() == ["Scheduled"]


def test_pods_have_addresses_of_their_own_also_after_a_crash(make_lab: Any) -> None:
    lab = make_lab(kwok=True)
    lab.create_pod("a", "one")
    lab.run(1)
    lab.cluster.kill("kwok")
    lab.cluster.start("kwok")
    lab.create_pod("a", "two")
    lab.run(1)
    assert lab.pod("one")["status"]["podIP"] != lab.pod("two")["status"]["podIP"]


def test_a_deleted_pod_is_gone_at_once_unless_a_finalizer_holds_it(make_lab: Any) -> None:
    lab = make_lab(kwok=True)
    lab.create_pod("a", "free")
    lab.create_pod("a", "held", metadata={"finalizers": ["lab/keep"]})
    lab.run(1)
    for name in ("free", "held"):
        lab.cluster.delete("pod", name, "default")
    lab.run(1)
    assert list(lab.places()) == ["held"]
    lab.cluster.patch("pod", "held", {"metadata": {"finalizers": None}}, "default")
    lab.run(1)
    assert lab.places() == {}


def test_a_pod_of_a_job_completes(make_lab: Any) -> None:
    lab = make_lab(kwok=True)
    container = {"name": "main", "image": "busybox"}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    metadata = {"name": "task", "namespace": "default"}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata}
    lab.cluster.create(job | {"spec": {"template": template}})
    lab.run(10)
    assert lab.cluster.get("job", "task")["status"]["succeeded"] == 1


def test_its_nodes_are_ready_and_say_that_they_are_fake(make_lab: Any) -> None:
    lab = make_lab(kwok=True)
    (node, *others) = lab.cluster.list("nodes")
    assert len(others) == 2
    assert node["metadata"]["labels"]["type"] == "kwok"
    assert node["status"]["nodeInfo"]["kubeletVersion"] == "fake"
    assert Counter(c["status"] for c in node["status"]["conditions"]) == {"True": 1, "False": 4}
    assert not node["spec"].get("taints")


def test_nobody_answers_for_the_log_of_a_faked_pod(make_lab: Any) -> None:
    lab = make_lab(kwok=True)
    lab.create_pod("shop/web:1")
    lab.run(1)
    with pytest.raises(UnknownError, match=r"containerLogs/default/web/main.*connection refused"):
        lab.cluster.logs("web")
