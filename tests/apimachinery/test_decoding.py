"""What does not decode, in the words of Go's decoder."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.apimachinery.decoding import decode_problem, unknown_fields
from gitops_sim.apimachinery.quantities import FORMAT_PROBLEM
from gitops_sim.apimachinery.schemas import Schemas

PODS = Schemas().schema_for("", "v1", "Pod")
MAPS = Schemas().schema_for("", "v1", "ConfigMap")
SECRETS = Schemas().schema_for("", "v1", "Secret")
FIELD = "json: cannot unmarshal {} into Go struct field {} of type {}"


@pytest.mark.parametrize(
    ("schema", "manifest", "problem"),
    [
        (MAPS, {"data": 5}, FIELD.format("number", "ConfigMap.data", "map[string]string")),
        (MAPS, {"data": {"k": 5}}, FIELD.format("number", "ConfigMap.data", "string")),
        (MAPS, {"immutable": "yes"}, FIELD.format("string", "ConfigMap.immutable", "bool")),
        (SECRETS, {"data": {"k": "%%"}}, "illegal base64 data at input byte 0"),
        (
            PODS,
            {"spec": {"activeDeadlineSeconds": 1.5}},
            FIELD.format("number 1.5", "PodSpec.spec.activeDeadlineSeconds", "int64"),
        ),
        (
            PODS,
            {"metadata": {"creationTimestamp": "soon"}},
            'parsing time "soon" as "2006-01-02T15:04:05Z07:00": cannot parse "soon" as "2006"',
        ),
        (
            PODS,
            {"spec": {"containers": [{"resources": {"limits": {"cpu": "lots"}}}]}},
            FORMAT_PROBLEM,
        ),
    ],
)
def test_the_first_wrong_value_is_told(schema: Any, manifest: Any, problem: str) -> None:
    assert decode_problem(manifest, schema) == problem


def test_nulls_and_unknown_fields_are_no_problem_but_unknown_ones_are_found() -> None:
    assert PODS is not None
    manifest = {"spec": {"containers": None, "odd": 1}, "metadata": None, "Kind": "Pod"}
    assert decode_problem(manifest, PODS) is None
    assert unknown_fields(manifest, PODS) == ["spec.odd", "Kind"]
