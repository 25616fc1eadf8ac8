"""Intervals, timeouts and back-off: the numbers of Flux's documentation."""

from __future__ import annotations

import random
from typing import Any

import pytest

from gitops_sim.pull.flux.jitter import jittered
from gitops_sim.pull.flux.kustomization_spec import KustomizationSpec
from gitops_sim.pull.flux.options import FluxOptions
from gitops_sim.runtime import Backoff


class Fixed(random.Random):  # noqa: TID251
    """A stream that always draws the same."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def random(self) -> float:
        return self.value


@pytest.mark.parametrize(("drawn", "expected"), [(0.0, 570.0), (0.5, 600.0), (0.9999, 629.994)])
def test_an_interval_of_ten_minutes_is_moved_by_up_to_five_percent(
    drawn: float, expected: float
) -> None:
    assert jittered(600.0, Fixed(drawn), 0.05) == expected


def test_without_jitter_an_interval_is_exact() -> None:
    assert jittered(600.0, Fixed(0.0), 0.0) == 600.0


def test_failures_back_off_from_750_ms_to_15_minutes() -> None:
    options = FluxOptions()
    backoff = Backoff(options.min_retry_delay, options.max_retry_delay)
    assert [backoff.delay(n) for n in range(12)] == [
        *(0.75 * 2**n for n in range(10)),
        768.0,
        900.0,
    ]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"interval": "1m"}, 30.0),
        ({"interval": "10m"}, 570.0),
        ({"interval": "10m", "timeout": "5s"}, 30.0),
        ({"interval": "10m", "timeout": "2m"}, 120.0),
    ],
)
def test_a_timeout_is_the_interval_without_30_s_and_never_below_30_s(
    spec: dict[str, Any], expected: float
) -> None:
    manifest = {
        "metadata": {"name": "a", "namespace": "b"},
        "spec": {"prune": True, "sourceRef": {"kind": "GitRepository", "name": "x"}} | spec,
    }
    assert KustomizationSpec.from_manifest(manifest).timeout == expected


def test_a_retry_comes_after_the_interval_unless_said_otherwise() -> None:
    manifest: dict[str, Any] = {
        "metadata": {"name": "a", "namespace": "b"},
        "spec": {
            "interval": "10m",
            "prune": True,
            "sourceRef": {"kind": "GitRepository", "name": "x"},
        },
    }
    assert KustomizationSpec.from_manifest(manifest).retry_interval == 600.0
    manifest["spec"]["retryInterval"] = "1m"
    assert KustomizationSpec.from_manifest(manifest).retry_interval == 60.0
