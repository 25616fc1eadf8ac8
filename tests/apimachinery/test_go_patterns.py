"""Patterns that Go refuses."""

from __future__ import annotations

import pytest

from gitops_sim.apimachinery.go_patterns import pattern_problem


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("[", "missing closing ]: `[`"),
        ("a[b", "missing closing ]: `[b`"),
        ("(a", "missing closing ): `(a`"),
        ("a)", "unexpected ): `a)`"),
        ("*a", "missing argument to repetition operator: `*`"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("[b-a]", "invalid character class range: `b-a`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        (r"(a)\1", r"invalid escape sequence: `\1`"),
        ("a{1001}", "invalid repeat count: `{1001}`"),
        ("a\\", "trailing backslash at end of expression: ``"),
    ],
)
def test_go_says_what_is_wrong(pattern: str, problem: str) -> None:
    assert pattern_problem(pattern) == f"error parsing regexp: {problem}"


@pytest.mark.parametrize(
    "pattern",
    ["^[a-z]+$", r"\p{Lu}\pL", "[[:alpha:]]", r"a\z", "a(?i)b", r"\[\(", "(?P<n>a)", "a{2,}"],
)
def test_what_go_knows_is_no_problem(pattern: str) -> None:
    assert not pattern_problem(pattern)
