"""Rules of custom resources: where they hold, and what is said when they are broken."""

from __future__ import annotations

from typing import Any

from gitops_sim.apimachinery.custom_rules import broken_rules, rule_problems
from gitops_sim.apimachinery.schemas import from_crd

RAW: dict[str, Any] = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "min": {"type": "integer"},
                "max": {"type": "integer"},
                "when": {"type": "string", "format": "date-time"},
                "a-b": {"type": "string"},
                "fixed": {
                    "type": "string",
                    "x-kubernetes-validations": [{"rule": "self == oldSelf"}],
                },
                "ports": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["port"],
                    "items": {
                        "type": "object",
                        "properties": {
                            "port": {"type": "integer"},
                            "name": {
                                "type": "string",
                                "x-kubernetes-validations": [
                                    {"rule": "self == oldSelf", "message": "names stay"}
                                ],
                            },
                        },
                    },
                },
            },
            "x-kubernetes-validations": [
                {
                    "rule": "!has(self.min) || self.min <= self.max",
                    "messageExpression": "'min is ' + string(self.min)",
                    "fieldPath": ".min",
                    "reason": "FieldValueForbidden",
                },
                {
                    "rule": "!has(self.when) || self.when > timestamp('2026-01-01T00:00:00Z')",
                    "message": "too early",
                },
                {"rule": "!has(self.a__dash__b) || self.a__dash__b != 'no'"},
            ],
        }
    },
}
SCHEMA = from_crd(RAW)


def told(spec: dict[str, Any], before: dict[str, Any] | None = None) -> list[str]:
    old = None if before is None else {"spec": before}
    return [str(cause) for cause in broken_rules({"spec": spec}, SCHEMA, old)]


def test_a_rule_that_holds_says_nothing() -> None:
    assert told({"min": 1, "max": 2, "when": "2026-02-01T00:00:00Z"}) == []


def test_a_broken_rule_names_its_field_and_computes_its_message() -> None:
    assert told({"min": 3, "max": 2}) == ["spec.min: Forbidden: min is 3"]


def test_times_are_compared_as_times() -> None:
    assert told({"when": "2025-02-01T00:00:00Z"}) == ["spec: Invalid value: too early"]


def test_names_that_are_no_identifiers_are_reached_escaped() -> None:
    (problem,) = told({"a-b": "no"})
    assert problem.startswith("spec: Invalid value: failed rule: !has(self.a__dash__b)")


def test_a_rule_about_changes_needs_an_old_value() -> None:
    assert told({"fixed": "one"}) == []
    assert told({"fixed": "two"}, {"fixed": "one"}) == [
        'spec.fixed: Invalid value: "two": failed rule: self == oldSelf'
    ]


def test_items_with_keys_are_compared_with_their_own_past() -> None:
    before = {"ports": [{"port": 1, "name": "a"}, {"port": 2, "name": "b"}]}
    moved = {"ports": [{"port": 2, "name": "b"}, {"port": 1, "name": "a"}]}
    assert told(moved, before) == []
    renamed = {"ports": [{"port": 2, "name": "c"}]}
    assert told(renamed, before) == ['spec.ports[0].name: Invalid value: "c": names stay']


def test_what_did_not_change_is_not_judged_again() -> None:
    broken = {"min": 3, "max": 2}
    assert told(broken, broken) == []


def test_rules_that_do_not_compile_are_found_where_they_stand() -> None:
    raw = {"x-kubernetes-validations": [{"rule": "true"}, {"rule": "self ("}]}
    (problem,) = rule_problems(raw, "spec.validation.openAPIV3Schema.properties[a].items")
    where = "spec.validation.openAPIV3Schema.properties[a].items.x-kubernetes-validations[1].rule"
    assert problem.field == where
    assert "compilation failed: ERROR" in problem.message


def test_a_rule_gives_a_truth_and_its_message_a_text() -> None:
    raw = {"x-kubernetes-validations": [{"rule": "1"}, {"rule": "true", "messageExpression": "2"}]}
    path = "x.x-kubernetes-validations"
    assert [
        (problem.field, problem.message.rpartition("}: ")[2]) for problem in rule_problems(raw, "x")
    ] == [
        (f"{path}[0].rule", "cel expression must evaluate to a bool"),
        (f"{path}[1].messageExpression", "messageExpression must evaluate to a string"),
    ]
