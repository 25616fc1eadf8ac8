"""Label selectors, as text and as objects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.apimachinery.labels import (
    EVERYTHING,
    NOTHING,
    from_label_selector,
    from_set,
    parse_selector,
)
from gitops_sim.errors import BadRequestError

WEB = {"app": "web", "env": "prod", "size": "10"}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("app=web", True),
        ("app==web", True),
        (" app = web , env != dev ", True),
        ("app!=web", False),
        ("missing!=x", True),
        ("env in (dev, prod)", True),
        ("env notin (dev,prod)", False),
        ("missing notin (x)", True),
        ("missing in (x)", False),
        ("app", True),
        ("!app", False),
        ("!missing,app=web", True),
        ("size>9", True),
        ("size<10", False),
        ("env>9", False),
        ("missing>1", False),
        ("app=", False),
        ("in in (in)", False),
        ("env in (,)", False),
    ],
)
def test_selectors_select_as_kubectl_does(text: str, *, matches: bool) -> None:
    assert parse_selector(text).matches(WEB) is matches


def test_a_selector_prints_sorted_and_reads_its_own_text() -> None:
    selector = parse_selector("z notin (), b,a==1,!c,x in (q,,a),n>5")
    assert str(selector) == "a==1,b,!c,n>5,x in (,a,q),z notin ()"
    assert parse_selector(str(selector)) == selector


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        # answers of a real API server
        ("a===b", "unable to parse requirement: found '=', expected: identifier"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        # k8s.io/apimachinery, pkg/labels/selector_test.go
        ("a,", "found '', expected: identifier after ','"),
        ("(a)", "found '(', expected: !, identifier, or 'end of string'"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("a in x", "unable to parse requirement: found 'x' expected: '('"),
        ("a in (=)", "unable to parse requirement: found '=', expected: ',', ')' or identifier"),
        ("a in (b,=)", "unable to parse requirement: found '=', expected: ',', or identifier"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
    ],
)
def test_wrong_text_is_refused_in_the_servers_words(text: str, problem: str) -> None:
    with pytest.raises(BadRequestError) as error:
        parse_selector(text)
    assert str(error.value) == problem


@pytest.mark.parametrize("text", ["a>x", "-a=b", "a=-b", "a/b/c", "a in (" + "x" * 64 + ")"])
def test_keys_and_values_must_be_those_of_labels(text: str) -> None:
    with pytest.raises(BadRequestError, match="Invalid value"):
        parse_selector(text)


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ({}, True),
        (None, False),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "api"}}, False),
        ({"matchExpressions": [{"key": "env", "operator": "In", "values": ["prod"]}]}, True),
        ({"matchExpressions": [{"key": "env", "operator": "NotIn", "values": ["prod"]}]}, False),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, False),
    ],
)
def test_label_selectors_of_objects(selector: dict[str, object] | None, *, matches: bool) -> None:
    assert from_label_selector(selector).matches(WEB) is matches


@pytest.mark.parametrize(
    "expression",
    [
        {"key": "a", "operator": "Near"},
        {"key": "a", "operator": "In", "values": []},
        {"key": "a", "operator": "Exists", "values": ["x"]},
        {"key": "no good", "operator": "Exists"},
    ],
)
def test_wrong_expressions_are_refused(expression: dict[str, object]) -> None:
    with pytest.raises(BadRequestError):
        from_label_selector({"matchExpressions": [expression]})


def test_everything_and_nothing() -> None:
    assert EVERYTHING.empty
    assert EVERYTHING.matches(None)
    assert not NOTHING.empty
    assert not NOTHING.matches({})
    assert from_set({"b": "2", "a": "1"}).matches({"a": "1", "b": "2", "c": "3"})
    assert from_set(None) == EVERYTHING


@given(st.text(alphabet="ab=!(),<> in", max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        selector = parse_selector(text)
    except BadRequestError:
        return
    assert parse_selector(str(selector)) == selector
