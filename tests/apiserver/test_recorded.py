"""Objects as a real API server stored and refused them (tests/data/api)."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from gitops_sim.apiserver import InProcessClient, new_server
from gitops_sim.clock import VirtualClock
from gitops_sim.errors import AlreadyExistsError, InvalidError
from gitops_sim.journal import Journal

FOLDER = Path(__file__).parent.parent / "data/api"


def recorded(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / name).read_text().splitlines()]


def label(case: dict[str, Any]) -> str:
    sent = case["sent"]
    return f"{sent['kind']}-{sent['metadata'].get('name', '')}-{case['namespace']}"


STORED, REFUSED = recorded("stored.jsonl"), recorded("refused.jsonl")


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    """What the simulated server answers to each, in the order of the recording."""
    clock = VirtualClock(seed=1)
    client = InProcessClient(new_server(clock, Journal(clock)), "recorder")
    found: dict[str, Any] = {}
    for case in STORED + REFUSED:
        sent = json.loads(json.dumps(case["sent"]))
        if case["namespace"]:
            with suppress(AlreadyExistsError):
                metadata = {"name": case["namespace"]}
                client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
            sent["metadata"].setdefault("namespace", case["namespace"])
        try:
            found[json.dumps(case["sent"])] = client.create(sent)
        except InvalidError as error:
            found[json.dumps(case["sent"])] = error
    return found


@pytest.mark.parametrize("case", STORED, ids=label)
def test_a_created_object_is_what_the_real_server_stores(
    case: dict[str, Any], answers: dict[str, Any]
) -> None:
    assert comparable(answers[json.dumps(case["sent"])]) == comparable(case["answer"])


@pytest.mark.parametrize("case", REFUSED, ids=label)
def test_a_wrong_object_is_refused_with_the_causes_of_the_real_server(
    case: dict[str, Any], answers: dict[str, Any]
) -> None:
    answer = answers[json.dumps(case["sent"])]
    assert isinstance(answer, InvalidError)
    assert sorted(answer.details["causes"], key=str) == case["causes"]


UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
ADDRESS = re.compile(r"10\.96\.\d+\.\d+")


def comparable(value: Any, name: str = "") -> Any:
    """Leave out what the server makes up: uids, versions, times, addresses, ports, suffixes."""
    if isinstance(value, dict):
        generated = value.get("generateName")
        return {
            key: f"{generated}*" if key == "name" and generated else comparable(inner, key)
            for key, inner in value.items()
            if key not in ("uid", "resourceVersion", "creationTimestamp", "time")
        }
    if isinstance(value, list):
        return [comparable(item, name) for item in value]
    if isinstance(value, str):
        return ADDRESS.sub("address", TIME.sub("time", UUID.sub("uid", value)))
    return "port" if name in ("nodePort", "healthCheckNodePort") else value
