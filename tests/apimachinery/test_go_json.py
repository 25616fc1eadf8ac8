"""JSON as Go reads it: its words for what is wrong, and members written twice."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.apimachinery.go_json import GoJsonError, duplicate_fields, parse


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{nope", "invalid character 'n' looking for beginning of object key string"),
        ("", "unexpected end of JSON input"),
        ("{", "unexpected end of JSON input"),
        ("[1 2]", "invalid character '2' after array element"),
        ('{"a" 1}', "invalid character '1' after object key"),
        ('{"a":1 "b"}', "invalid character '\"' after object key:value pair"),
        ("tru", "unexpected end of JSON input"),
        ("trux", "invalid character 'x' in literal true (expecting 'e')"),
        ('"a\nb"', r"invalid character '\n' in string literal"),
        (r'"\x"', "invalid character 'x' in string escape code"),
        (r'"\u12g4"', r"invalid character 'g' in \u hexadecimal character escape"),
        ("-x", "invalid character 'x' in numeric literal"),
        ("1.x", "invalid character 'x' after decimal point in numeric literal"),
        ("{} {}", "invalid character '{' after top-level value"),
        ("NaN", "invalid character 'N' looking for beginning of value"),
        ("é", "invalid character 'Ã' looking for beginning of value"),
    ],
)
def test_problems_have_the_words_of_go(text: str, problem: str) -> None:
    with pytest.raises(GoJsonError) as caught:
        parse(text)
    assert str(caught.value) == problem


def test_members_written_twice_are_found_and_the_last_holds() -> None:
    value = parse('{"a":1,"b":[{"c":1,"c":2}],"a":3}')
    assert value["a"] == 3
    assert duplicate_fields(value) == ["a", "b[0].c"]


def test_deep_nesting_is_a_problem_not_a_crash() -> None:
    with pytest.raises(GoJsonError):
        parse("[" * 200_000 + "]" * 200_000)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON)
def test_what_is_json_is_read_as_it_is(value: Any) -> None:
    assert parse(json.dumps(value)) == value


@given(st.text())
def test_any_text_is_a_value_that_can_be_written_or_has_a_problem(text: str) -> None:
    try:
        value = parse(text)
    except GoJsonError as problem:
        value = {"problem": str(problem)}
    assert value != {"problem": ""}
    assert parse(json.dumps(value)) == value


def test_half_of_a_surrogate_pair_is_replaced_as_go_does() -> None:
    text = (
        r'{"a":"\ud800","b":"\ud83d\ude00","c":["x\udc00y\uD83D"],"d":1,"d":2,"\udfff":"\\ud800"}'
    )
    found = parse(text)
    expected = {
        "a": "\ufffd",
        "b": "\U0001f600",
        "c": ["x\ufffdy\ufffd"],
        "d": 2,
        "\ufffd": r"\ud800",
    }
    assert found == expected
    assert duplicate_fields(found) == ["d"]
