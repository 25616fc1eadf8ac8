"""Whatever decodes is stored or refused: random objects of every built-in kind, by schema."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.apimachinery.kind_table import KindTable
from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apimachinery.schemas import Schema, Schemas
from gitops_sim.apiserver import InProcessClient
from gitops_sim.clock import VirtualClock
from gitops_sim.errors import ApiError
from gitops_sim.protocols import RandomStream

STORED = [t for t in KindTable() if {"create", "get", "patch"} <= set(t.verbs)]
WORDS = [
    *("", "a", "x", "a.b", "Bad_", "80", "50%", "1Gi", "100m", "10.0.0.1", "*", "Pod", "Service"),
    *("Always", "Never", "ClusterIP", "None", "RollingUpdate", "Recreate", "Container", "TCP"),
    *("Utilization", "Resource", "Cluster", "Local", "OnDelete", "LoadBalancer", "ExternalName"),
]


def value(schema: Schema, draw: RandomStream, depth: int = 0) -> Any:
    """Return something that the schema may hold, now and then null, less and less the deeper."""
    if draw.random() < 0.08:
        return None
    if schema.type == "map":
        return _map(schema, draw, depth)
    if schema.type == "list":
        assert schema.items is not None
        return [value(schema.items, draw, depth + 1) for _ in range(draw.randint(0, 2))]
    if schema.type == "any":
        return draw.choice([None, 1, "a", {}])
    if schema.int_or_string:
        return draw.choice([0, 80, "50%", "http", "101%", -1])
    by_format = {"quantity": "1", "date-time": "2026-01-05T09:00:00Z", "byte": "YQ=="}
    if schema.format in by_format:
        return by_format[schema.format]
    numbers: dict[str, list[Any]] = {
        "integer": [0, 1, -1, 80, 30000, 70000],
        "number": [1.5],
        "boolean": [True, False],
    }
    return draw.choice(numbers.get(schema.scalar, WORDS))


def _map(schema: Schema, draw: RandomStream, depth: int) -> dict[str, Any]:
    if not schema.properties:
        keys = [draw.choice(["a", "cpu", "memory", "x/y"]) for _ in range(draw.randint(0, 2))]
        below = schema.additional
        return {} if below is None else {key: value(below, draw, depth + 1) for key in keys}
    share = 0.35 if depth < 3 else 0.15 if depth < 6 else 0.02
    return {
        name: value(member, draw, depth + 1)
        for name, member in schema.properties.items()
        if draw.random() < (0.9 if name in schema.required else share)
    }


def content(resource_type: ResourceType, draw: RandomStream) -> dict[str, Any]:
    schema = Schemas().schema_for(resource_type.group, resource_type.version, resource_type.kind)
    assert schema is not None
    made = value(schema, draw) or {}
    return {k: v for k, v in made.items() if k not in ("apiVersion", "kind", "metadata")}


@pytest.mark.parametrize("resource_type", STORED, ids=lambda t: f"{t.api_version}/{t.kind}")
def test_it_is_stored_or_refused_by_the_api(
    resource_type: ResourceType, client: InProcessClient, *, all_histories: bool
) -> None:
    kind = f"{resource_type.api_version}/{resource_type.kind}"
    namespace = "default" if resource_type.namespaced else None
    draw = VirtualClock(seed=1).random(kind)
    for number in range(40 if all_histories else 3):
        metadata = {"name": f"n{number}"} | ({"namespace": namespace} if namespace else {})
        identity = {
            "apiVersion": resource_type.api_version,
            "kind": resource_type.kind,
            "metadata": metadata,
        }
        writes = [
            lambda who=identity: client.create(content(resource_type, draw) | who),
            lambda who=metadata: client.patch(
                kind, who["name"], content(resource_type, draw), namespace
            ),
            lambda who=identity: client.apply(
                content(resource_type, draw) | who, field_manager="m", force=True
            ),
        ]
        for write in writes:
            try:
                answer = write()
            except ApiError:
                continue
            assert client.get(kind, answer["metadata"]["name"], namespace)
