"""Expressions of workflows, as GitHub evaluates them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.push.expression_values import ExpressionError, text_of
from gitops_sim.push.expressions import parse_condition, parse_template

CONTEXTS: dict[str, Any] = {
    "github": {"ref": "refs/heads/main", "event_name": "push", "sha": "abc"},
    "env": {"N": "3", "EMPTY": ""},
    "secrets": {"TOKEN": "t0p"},
    "needs": {"build": {"result": "success", "outputs": {"image-tag": "v1"}}},
    "matrix": {"on": [1, 2]},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("github.ref == 'refs/heads/main'", True),
        ("github.event_name == 'PUSH'", True),  # text is compared without regard to case
        ("github['sha']", "abc"),
        ("GitHub.SHA", "abc"),
        ("github.nope.deeper", None),
        ("needs.build.outputs.image-tag", "v1"),
        ("needs.build.result != 'success'", False),
        ("matrix.on[1]", 2),
        ("matrix.on[7]", None),
        ("env.N == 3", True),
        ("env.EMPTY == 0", True),
        ("null == ''", True),
        ("'x' == 1", False),
        ("env.N < 10 && env.N >= 3", True),
        ("'' || 'default'", "default"),
        ("'a' && 'b'", "b"),
        ("true || false && false", True),
        ("(true || false) && false", False),
        ("!env.EMPTY", True),
        ("!!github.sha", True),
        ("'it''s'", "it's"),
        ("0xff", 255),
        ("1.5", 1.5),
        ("contains(github.ref, 'MAIN')", True),
        ("contains(matrix.on, 2)", True),
        ("contains(fromJSON('[\"a\"]'), 'A')", True),
        ("startsWith(github.ref, 'refs/tags/')", False),
        ("endsWith(github.ref, '/main')", True),
        ("format('{0}-{1}{{}}', 'a', 2)", "a-2{}"),
        ("join(matrix.on, '+')", "1+2"),
        ("fromJSON('{\"a\": [7]}').a[0]", 7),
        ("toJSON(matrix.on)", "[\n  1,\n  2\n]"),
        ("${{ github.sha }}", "abc"),
    ],
)
def test_expression_has_the_value_that_github_gives(text: str, value: Any) -> None:
    assert parse_condition(text).value(CONTEXTS) == value


@pytest.mark.parametrize(
    ("text", "status", "holds"),
    [
        ("true", "success", True),
        ("true", "failure", False),  # success() is meant where no status function stands
        ("always()", "failure", True),
        ("failure()", "failure", True),
        ("failure()", "success", False),
        ("!failure() && github.sha == 'abc'", "success", True),
        ("success() || failure()", "cancelled", False),
        ("cancelled()", "cancelled", True),
    ],
)
def test_condition_goes_by_the_status_before_it(text: str, status: str, *, holds: bool) -> None:
    assert parse_condition(text).holds(CONTEXTS, status) is holds


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("foo.bar", "unrecognized named-value: 'foo'"),
        ("hashFiles('x')", "unrecognized function: 'hashFiles'"),
        ("github.", "unexpected 'the end'"),
        ("(github.sha", "unexpected 'the end'"),
        ("'open", 'unexpected "\'open"'),
        ("a b", "unrecognized named-value: 'a'"),
        ("github.sha github", "unexpected 'github'"),
        ("success(1)", "success takes 0 to 0 arguments"),
        ("contains('a')", "contains takes 2 to 2 arguments"),
        ("", "an expression is empty"),
        ("${{ github.sha", "write the whole condition as one expression"),
        ("(" * 200 + "1" + ")" * 200, "more than 50 deep"),
        ("'" + "x" * 30_000 + "'", "longer than 21000 characters"),
    ],
)
def test_slip_is_told_when_it_is_parsed(text: str, says: str) -> None:
    with pytest.raises(ExpressionError) as told:
        parse_condition(text)
    assert says in str(told.value)


def test_template_puts_values_into_text() -> None:
    template = parse_template("image: shop/web:${{ github.sha }}-${{ '}}' }} $HOME")
    assert template.text(CONTEXTS) == "image: shop/web:abc-}} $HOME"


def test_unclosed_placeholder_in_text_is_refused() -> None:
    with pytest.raises(ExpressionError, match="is not closed"):
        parse_template("echo ${{ github.sha }")


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (True, "true"), (2, "2"), (2.5, "2.5"), ({}, "Object"), ([], "Array")],
)
def test_values_stand_in_text_as_github_writes_them(value: Any, text: str) -> None:
    assert text_of(value) == text


def test_wrong_json_is_an_expression_error_not_a_crash() -> None:
    with pytest.raises(ExpressionError, match="is no JSON"):
        parse_condition("fromJSON(github.sha)").value(CONTEXTS)


@given(st.text(alphabet="()[]!&|=<>.,' \"abgithub01{}$-", max_size=40))
def test_any_text_is_a_value_or_an_expression_error(text: str) -> None:
    for read in (
        lambda: text_of(parse_condition(text).value(CONTEXTS)),
        lambda: parse_template(text).text(CONTEXTS),
    ):
        try:
            told = read()
        except ExpressionError as refused:
            told = str(refused) or None
        assert isinstance(told, str)


@pytest.mark.parametrize(
    "text",
    [
        "format('{0}{0}{0}{0}{0}{0}{0}{0}{0}', " * 12 + "'xxxxxxxx'" + ")" * 12,
        "join(fromJSON('[" + ", ".join(["1"] * 3000) + "]'), '" + "x" * 2000 + "')",
    ],
    ids=["format", "join"],
)
def test_a_text_that_grows_without_end_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match="longer than 1,048,576 characters"):
        parse_condition(text).value({})


def test_placeholders_that_repeat_a_large_value_are_refused() -> None:
    template = parse_template("${{ env.A }}" * 20)
    assert template.text({"env": {"A": "x" * 1000}}) == "x" * 20_000
    with pytest.raises(ExpressionError, match="longer than 1,048,576 characters"):
        template.text({"env": {"A": "x" * 100_000}})


@pytest.mark.parametrize(
    "text", ["0x" + "f" * 500 + " == 1.5", "format('{" + "9" * 5000 + "}', 1)"]
)
def test_numbers_beyond_all_bounds_are_an_answer_or_an_expression_error(text: str) -> None:
    try:
        told = str(parse_condition(text).value({}))
    except ExpressionError as refused:
        told = str(refused)
    assert told in ("False", f"format: there is no argument for {{{'9' * 5000}}}")
