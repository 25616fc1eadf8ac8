"""The quality of service of pods, by what their containers ask for."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.apimachinery.pod_qos import qos_class

FULL = {"cpu": "1", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("containers", "wanted"),
    [
        ([{}, {}], "BestEffort"),
        ([{"requests": {"cpu": "0", "ephemeral-storage": "1Gi"}}], "BestEffort"),
        ([{"requests": {"cpu": "1m"}}, {}], "Burstable"),
        ([{"limits": FULL, "requests": {"cpu": "1000m", "memory": "1024Mi"}}], "Guaranteed"),
        ([{"limits": FULL, "requests": FULL}, {}], "Burstable"),
        ([{"limits": FULL, "requests": FULL | {"cpu": "500m"}}], "Burstable"),
        ([{"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}], "Burstable"),
    ],
)
def test_requests_and_limits_decide(containers: list[dict[str, Any]], wanted: str) -> None:
    assert (
        qos_class({"spec": {"containers": [{"resources": told} for told in containers]}}) == wanted
    )


def test_what_is_asked_for_the_whole_pod_decides_alone() -> None:
    spec = {"resources": {"limits": FULL, "requests": FULL}, "containers": [{"name": "a"}]}
    assert qos_class({"spec": spec}) == "Guaranteed"


def test_init_containers_count() -> None:
    spec = {"initContainers": [{"resources": {"limits": FULL}}], "containers": [{}]}
    assert qos_class({"spec": spec}) == "Burstable"
