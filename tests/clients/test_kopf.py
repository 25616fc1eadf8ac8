"""A kopf operator: a CRD, handlers with retries, a timer, a daemon, finalizers, peering, events."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, dynamic
from kubernetes.client import ApiClient
from kubernetes.dynamic.exceptions import NotFoundError

from tests.clients.test_official import WIDGETS

pytestmark = [
    pytest.mark.all,
    pytest.mark.simulated_cluster(controllers=True, nodes=1, speed=1.0),
]
OPERATOR = Path(__file__).with_name("widgets_operator.py")


@pytest.fixture
def widgets(simulated_api_client: ApiClient) -> Any:
    """The dynamic client's resource of a new custom kind, one whose schema knows no status."""
    api = dynamic.DynamicClient(simulated_api_client)
    crds = api.resources.get(api_version="apiextensions.k8s.io/v1", kind="CustomResourceDefinition")
    (version,) = WIDGETS["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]
    open_status = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    properties = schema["properties"] | {"status": open_status}
    opened = version | {
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": schema | {"properties": properties}},
    }
    crds.create(body=WIDGETS | {"spec": WIDGETS["spec"] | {"versions": [opened]}})
    return api.resources.get(api_version="example.com/v1", kind="Widget")


@pytest.fixture
def operator(widgets: Any, simulated_kubeconfig: Path, tmp_path: Path) -> Iterator[Path]:
    """The operator in a process of its own; gives its log."""
    log = tmp_path / "operator.log"
    command = [
        sys.executable,
        "-m",
        "kopf",
        "run",
        "--all-namespaces",
        "--standalone",
        str(OPERATOR),
    ]
    with (
        log.open("w") as out,
        subprocess.Popen(
            command,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, "KUBECONFIG": str(simulated_kubeconfig)},
        ) as running,
    ):
        yield log
        running.terminate()
        assert running.wait(20) == 0, log.read_text()


def until(seen: Callable[[], Any], log: Path, *, seconds: float = 60) -> Any:
    """Return what `seen` returns as soon as it is something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = seen()
        if found:
            return found
        threading.Event().wait(0.1)
    raise AssertionError(log.read_text())


def widget(name: str, size: int = 2) -> dict[str, Any]:
    return {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": name},
        "spec": {"size": size},
    }


def test_operator_runs_a_widget_from_birth_to_death(
    widgets: Any, operator: Path, simulated_api_client: ApiClient
) -> None:
    widgets.create(namespace="default", body=widget("w"))

    def status() -> dict[str, Any]:
        return widgets.get(namespace="default", name="w").to_dict().get("status") or {}

    until(lambda: status().get("ticks") == 3 and status().get("tries") == 2, operator)
    assert status()["phase"] == "Made"
    assert status()["create"] == {"size": 2}
    assert "guards w" in operator.read_text()
    until(lambda: "kopf" not in status(), operator)

    widgets.patch(
        namespace="default",
        name="w",
        body={"spec": {"size": 5}},
        content_type="application/merge-patch+json",
    )
    until(lambda: status().get("resized") == "2 to 5", operator)

    events = client.CoreV1Api(simulated_api_client).list_namespaced_event("default").items
    about = [event for event in events if event.involved_object.kind == "Widget"]
    assert any("succeeded" in event.message for event in about)

    assert widgets.get(namespace="default", name="w").metadata.finalizers == ["example.com/widgets"]
    widgets.delete(namespace="default", name="w")

    def is_gone() -> bool:
        try:
            widgets.get(namespace="default", name="w")
        except NotFoundError:
            return True
        return False

    until(is_gone, operator)
    assert "guards w no more" in operator.read_text()
    assert "cleaned up after w" in operator.read_text()


def test_operator_takes_up_what_was_there_before_it(
    widgets: Any, request: pytest.FixtureRequest
) -> None:
    for number in range(5):
        widgets.create(namespace="default", body=widget(f"w{number}"))
    log = request.getfixturevalue("operator")

    def phases() -> list[str | None]:
        items = widgets.get(namespace="default").to_dict()["items"]
        return [(item.get("status") or {}).get("phase") for item in items]

    until(lambda: None not in phases(), log)
    assert phases() == ["Made"] * 5
