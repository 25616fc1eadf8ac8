"""Custom resources against their schemas: causes in the server's words, defaults, pruning."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apimachinery.schemas import (
    apply_schema_defaults,
    from_crd,
    prune,
    unknown_fields,
    validate,
)


def causes(spec: Any, **schema: Any) -> list[str]:
    root = from_crd({"type": "object", "properties": {"spec": schema}})
    return [str(cause) for cause in validate({"spec": spec}, root)]


@pytest.mark.parametrize(
    ("value", "schema", "cause"),
    [
        (
            "x",
            {"type": "integer"},
            'spec: Invalid value: "string": spec in body must be of type integer: "string"',
        ),
        (
            11,
            {"type": "integer", "maximum": 10},
            "spec: Invalid value: 11: spec in body should be less than or equal to 10",
        ),
        (
            0,
            {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
            "spec: Invalid value: 0: spec in body should be greater than 0",
        ),
        (
            "abcdef",
            {"type": "string", "maxLength": 3},
            "spec: Too long: may not be more than 3 bytes",
        ),
        (
            "b",
            {"type": "string", "pattern": "^a"},
            "spec: Invalid value: \"b\": spec in body should match '^a'",
        ),
        (
            "a" * 40 + "b",
            {"type": "string", "pattern": "^(a+)+$"},
            f"spec: Invalid value: \"{'a' * 40}b\": spec in body should match '^(a+)+$'",
        ),
        (
            "z",
            {"type": "string", "enum": ["x", "y"]},
            'spec: Unsupported value: "z": supported values: "x", "y"',
        ),
        (
            "soon",
            {"type": "string", "format": "date-time"},
            'spec: Invalid value: "soon": spec in body must be of type date-time: "soon"',
        ),
        (
            [1, 2],
            {"type": "array", "maxItems": 1, "items": {"type": "integer"}},
            "spec: Too many: 2: must have at most 1 items",
        ),
        (
            [1, 1],
            {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "integer"}},
            "spec[1]: Duplicate value: 1",
        ),
        ({}, {"type": "object", "required": ["size"]}, "spec.size: Required value"),
        (
            1.5,
            {"x-kubernetes-int-or-string": True},
            'spec: Invalid value: "number": spec in body must be of type integer,string: "number"',
        ),
    ],
)
def test_a_wrong_value_is_told_in_the_words_of_the_server(
    value: Any, schema: Any, cause: str
) -> None:
    assert causes(value, **schema) == [cause]


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (3.0, {"type": "integer"}),
        ("80%", {"x-kubernetes-int-or-string": True}),
        (None, {"type": "string", "nullable": True}),
        ("2026-01-05T09:00:00Z", {"type": "string", "format": "date-time"}),
        ({"any": [1, None]}, {"type": "object", "x-kubernetes-preserve-unknown-fields": True}),
    ],
)
def test_a_good_value_has_no_causes(value: Any, schema: Any) -> None:
    assert causes(value, **schema) == []


def test_a_digest_is_looked_for_in_long_texts_without_trying_all_ways() -> None:
    pattern = r"^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$"
    schema = {"type": "string", "pattern": pattern}
    assert causes({"a": "sha256:" + "0f" * 32}, type="object", properties={"a": schema}) == []
    for text in ("a" * 20_000, "a." * 10_000, "a-b" * 7_000 + "!", "a:" * 10_000):
        assert causes({"a": text}, type="object", properties={"a": schema})


def test_exactly_one_branch_must_hold() -> None:
    schema = {"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}
    assert causes({"a": 1}, **schema) == []
    found = causes({"a": 1, "b": 1}, **schema)
    assert len(found) == 1
    assert "must validate one and only one schema (oneOf). Found 2 valid alternatives" in found[0]


SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "default": {},
            "properties": {
                "size": {"type": "integer", "default": 3},
                "parts": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"on": {"type": "boolean", "default": True}},
                    },
                },
                "note": {"type": "string", "nullable": True, "default": "x"},
            },
        }
    },
}


def test_defaults_fill_what_is_missing_at_every_depth() -> None:
    manifest: dict[str, Any] = {}
    apply_schema_defaults(manifest, from_crd(SCHEMA))
    assert manifest == {"spec": {"size": 3, "note": "x"}}
    manifest = {"spec": {"size": None, "note": None, "parts": [{}, {"on": False}]}}
    apply_schema_defaults(manifest, from_crd(SCHEMA))
    assert manifest["spec"] == {"size": 3, "note": None, "parts": [{"on": True}, {"on": False}]}


def test_defaults_are_fresh_for_each_object() -> None:
    schema = from_crd(SCHEMA)
    first: dict[str, Any] = {}
    second: dict[str, Any] = {}
    apply_schema_defaults(first, schema)
    apply_schema_defaults(second, schema)
    first["spec"]["size"] = 9
    assert second["spec"]["size"] == 3


def test_pruning_takes_exactly_what_is_unknown() -> None:
    schema = from_crd(SCHEMA)
    sent = {"metadata": {"name": "x"}, "spec": {"size": 1, "odd": 1, "parts": [{"odd": 2}]}, "o": 1}
    assert unknown_fields(fresh_copy(sent), schema) == ["spec.odd", "spec.parts[0].odd", "o"]
    kept = prune(sent, schema)
    assert kept == {"metadata": {"name": "x"}, "spec": {"size": 1, "parts": [{}]}}
    assert unknown_fields(kept, schema) == []
    assert "odd" in sent["spec"]


def test_pruning_shares_what_it_leaves_and_skips_what_is_known() -> None:
    schema = from_crd(SCHEMA)
    sent = {"metadata": {"name": "x"}, "spec": {"size": 1, "parts": [{"odd": 2}]}, "odd": 1}
    kept = prune(sent, schema)
    assert kept["metadata"] is sent["metadata"]
    assert prune(kept, schema) is kept
    assert prune(sent, schema, {"spec": sent["spec"]})["spec"] is sent["spec"]


def test_what_is_shared_with_a_valid_object_is_not_judged_again() -> None:
    schema = from_crd(SCHEMA)
    before = {"spec": {"size": "wrong", "parts": [{"n": 1}]}}
    assert validate(before, schema)
    assert not validate({"spec": before["spec"]}, schema, before)
    assert validate({"spec": dict(before["spec"]) | {"size": 1.5}}, schema, before)


def test_defaults_are_not_filled_into_what_is_known_to_have_them() -> None:
    schema = from_crd(SCHEMA)
    shared = {"parts": [{}]}
    fresh = {"spec": {"parts": [{}]}}
    apply_schema_defaults(fresh, schema)
    assert fresh["spec"] != {"parts": [{}]}
    changed = {"spec": shared}
    apply_schema_defaults(changed, schema, {"spec": shared})
    assert changed == {"spec": {"parts": [{}]}}
