"""Quantities: exact amounts and the texts that the API server stores."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.apimachinery import quantities


@pytest.mark.parametrize(
    ("text", "stored", "amount"),
    [
        # k8s.io/apimachinery, pkg/api/resource/quantity_test.go
        ("1000m", "1", 1),
        ("0.5", "500m", Fraction(1, 2)),
        ("1.5", "1500m", Fraction(3, 2)),
        (".5", "500m", Fraction(1, 2)),
        ("1024Mi", "1Gi", 2**30),
        ("1536Mi", "1536Mi", 1536 * 2**20),
        ("1.5Gi", "1536Mi", 1536 * 2**20),
        ("0.1Ki", "102400m", Fraction(1024, 10)),
        ("100m", "100m", Fraction(1, 10)),
        ("1500m", "1500m", Fraction(3, 2)),
        ("1e3", "1e3", 1000),
        ("1000e3", "1e6", 10**6),
        ("1000", "1k", 1000),
        ("0", "0", 0),
        ("0Mi", "0", 0),
        ("-1Gi", "-1Gi", -(2**30)),
        ("0.1n", "1n", Fraction(1, 10**9)),
        (1, "1", 1),
        (2.5, "2500m", Fraction(5, 2)),
    ],
)
def test_quantities_are_stored_in_canonical_form(
    text: str | float, stored: str, amount: Fraction
) -> None:
    assert quantities.canonical(text) == stored
    assert quantities.parse(text) == amount


@pytest.mark.parametrize("text", ["", "abc", "1 Gi", " 1", "1Q", "--1", "Ki", "."])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quantities must match"):
        quantities.parse(text)


@pytest.mark.parametrize("text", ["1.1i", "1ki", "1KiB", "1mm"])
def test_unknown_suffixes_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"suffix|must match"):
        quantities.parse(text)


def test_huge_exponents_do_not_fill_the_memory() -> None:
    with pytest.raises(ValueError, match="numeric part"):
        quantities.parse("1e999999999")


def test_an_amount_is_printed_in_the_family_of_another() -> None:
    assert quantities.format_like(Fraction(3 * 2**30), "1Mi") == "3Gi"
    assert quantities.format_like(Fraction(3, 2), "1") == "1500m"
    assert quantities.format_like(Fraction(10**6), "1e3") == "1e6"


@given(
    st.integers(0, 10**12),
    st.sampled_from(["", "m", "k", "M", "G", "Ki", "Mi", "Gi", "e3"]),
)
def test_the_canonical_form_is_the_same_amount_and_stays(number: int, suffix: str) -> None:
    text = f"{number}{suffix}"
    stored = quantities.canonical(text)
    assert quantities.parse(stored) == quantities.parse(text)
    assert quantities.canonical(stored) == stored
