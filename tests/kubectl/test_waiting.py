"""`kubectl wait` and the waiting of `delete`: on virtual time, woken by changes."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def deployed(kubectl: Any) -> Any:
    kubectl.ok("create deployment web --image=shop/web:1")
    return kubectl


def test_wait_ends_when_the_condition_is_met(deployed: Any) -> None:
    state = deployed.start("wait --for=condition=Available deploy/web --timeout=60s")
    available = [{"type": "Available", "status": "True"}]
    deployed.clock.call_later(12.0, lambda: deployed.status("web", conditions=available))
    assert deployed.clock.run_until(lambda: not state["handle"].alive, 100)
    assert state["result"].stdout == "deployment.apps/web condition met\n"
    assert state["result"].done == ("waited for",)
    assert deployed.clock.now() == pytest.approx(12.0, abs=0.2)


def test_wait_takes_no_notice_of_a_condition_of_an_older_generation(deployed: Any) -> None:
    deployed.status("web", conditions=[{"type": "Available", "status": "True"}])
    deployed.ok("set image deploy/web web=shop/web:2")
    assert "timed out waiting for the condition on deployments/web" in deployed.fails(
        "wait --for=condition=Available deploy/web --timeout=5s"
    )


def test_wait_for_a_value_and_for_a_false_condition(deployed: Any) -> None:
    deployed.status(
        "web", replicas=1, readyReplicas=1, conditions=[{"type": "X", "status": "False"}]
    )
    for wanted in (
        "jsonpath={.status.readyReplicas}=1",
        "jsonpath={.status.readyReplicas}",
        "condition=x=false",
    ):
        told = deployed.ok(["wait", f"--for={wanted}", "deploy/web"])
        assert told == "deployment.apps/web condition met\n"


def test_wait_for_deletion_ends_when_the_object_is_gone(deployed: Any) -> None:
    state = deployed.start("wait --for=delete deploy/web")
    deployed.clock.call_later(3.0, lambda: deployed.client.delete("apps/v1/Deployment", "web"))
    assert deployed.clock.run_until(lambda: not state["handle"].alive, 100)
    assert state["result"].stdout == "deployment.apps/web condition met\n"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("wait --for=soon deploy/web", 'unrecognized condition: "soon"'),
        ("wait --for=condition=X deploy", "no name was specified"),
        ("wait --for=condition=X", "You must provide one or more resources"),
        ("wait --for=condition=X deploy -l a=b", "no matching resources found"),
        ("wait --for=condition=X deploy/nope", 'deployments.apps "nope" not found'),
        ("wait --for=condition=X --timeout=0 deploy/web", "condition not met for deployments/web"),
        ("wait --for=condition=X --timeout=soon deploy/web", 'invalid argument "soon"'),
    ],
)
def test_wait_for_what_cannot_be_is_told(deployed: Any, line: str, says: str) -> None:
    assert says in deployed.fails(line)


def test_delete_waits_for_finalizers_as_long_as_it_may(kubectl: Any) -> None:
    kubectl.ok("create configmap a --from-literal=x=1")
    hold = {"metadata": {"finalizers": ["example.com/hold"]}}
    kubectl.client.patch("v1/ConfigMap", "a", hold, type="merge")
    result = kubectl.run("delete cm a --timeout=5s")
    assert result.stdout == 'configmap "a" deleted from default namespace\n'
    assert result.stderr == "error: timed out waiting for the condition on configmaps/a\n"
    state = kubectl.start("delete cm a")
    release = {"metadata": {"finalizers": None}}
    kubectl.clock.call_later(
        4.0, lambda: kubectl.client.patch("v1/ConfigMap", "a", release, type="merge")
    )
    assert kubectl.clock.run_until(lambda: not state["handle"].alive, 100)
    assert state["result"].exit_code == 0
