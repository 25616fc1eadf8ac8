"""Quantities of resources: `500m`, `1.5Gi`, `2e3`.

The API server stores them in canonical form (`1000m` becomes `1`, `0.5` becomes `500m`), unless
what was written is near enough to it to be kept.

Source: k8s.io/apimachinery, pkg/api/resource/quantity.go.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

__all__ = ["FORMAT_PROBLEM", "canonical", "format_like", "parse"]

FORMAT_PROBLEM = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)
_SUFFIX_PROBLEM = "unable to parse quantity's suffix"

_PARTS = re.compile(r"([-+]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)", re.ASCII)
_EXPONENT = re.compile(r"[eE]([-+]?[0-9]+)", re.ASCII)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_NANO = Fraction(1, 10**9)
_FACTORS_OF_INT64 = 18
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class _Parsed:
    amount: Fraction
    suffix: str
    digits: str  # without sign, leading zeros and point
    decimals: int
    exponent: int  # of 2 for a binary suffix, of 10 otherwise


def parse(quantity: str | float) -> Fraction:
    """Return the amount, exactly; amounts below 1n are rounded up to it.

    Raises:
        ValueError: Worded as the API server does.
    """
    return _parse(str(quantity)).amount


@lru_cache(maxsize=_REMEMBERED, typed=True)
def canonical(quantity: str | float) -> str:
    """Return what the API server stores for a quantity that a client sends.

    Raises:
        ValueError: Worded as the API server does.
    """
    text = str(quantity)
    if text == "0":
        return text
    parsed = _parse(text)
    return text if _is_kept(parsed) else _print(parsed.amount, parsed.suffix)


def format_like(amount: Fraction, example: str | float) -> str:
    """Print an amount in the family of suffixes (Ki, k or e3) that `example` uses."""
    return _print(amount, _parse(str(example)).suffix)


@lru_cache(maxsize=_REMEMBERED)
def _parse(text: str) -> _Parsed:
    found = _PARTS.fullmatch(text)
    if not text or found is None or not (found[2] or found[3]):
        raise ValueError(FORMAT_PROBLEM)
    sign, whole, decimals, suffix = found[1], found[2].lstrip("0") or "0", found[3] or "", found[4]
    scientific = _EXPONENT.fullmatch(suffix)
    if scientific is not None:
        exponent = int(scientific[1])
    elif suffix in _DECIMAL or suffix in _BINARY:
        exponent = _BINARY.get(suffix, _DECIMAL.get(suffix, 0))
    else:
        raise ValueError(_SUFFIX_PROBLEM)
    if not -100 <= exponent <= 100:
        raise ValueError("unable to parse numeric part of quantity")
    digits = whole + decimals
    amount = Fraction(int(digits), 10 ** len(decimals))
    amount *= Fraction(2 if suffix in _BINARY else 10) ** exponent
    amount = math.ceil(amount / _NANO) * _NANO
    return _Parsed(-amount if sign == "-" else amount, suffix, digits, len(decimals), exponent)


def _is_kept(parsed: _Parsed) -> bool:
    """Tell whether Go keeps the text as it was written: near to canonical, and small."""
    if parsed.suffix in _BINARY:
        room = 15 - len(parsed.digits) - int(parsed.exponent * 3 / 10) - 1
        return not parsed.decimals and room >= 0 and int(parsed.digits) & 7 != 0
    scale = parsed.exponent - parsed.decimals
    return (
        len(parsed.digits) <= _FACTORS_OF_INT64
        and scale >= -9
        and scale % 3 == 0
        and not parsed.digits.endswith("000")
        and not parsed.digits.startswith("0")
    )


def _print(amount: Fraction, suffix: str) -> str:
    if not amount:
        return "0"
    if suffix in _BINARY and abs(amount) >= 1024 and amount.denominator == 1:
        number, times = _without_factors(int(amount), 1024)
        return f"{number}{('', *_BINARY)[times]}" if times < len(_BINARY) + 1 else str(int(amount))
    scaled = amount / _NANO
    number, times = _without_factors(int(scaled), 10)
    exponent = times - 9
    number *= 10 ** (exponent % 3)
    exponent -= exponent % 3
    units = {power: name for name, power in _DECIMAL.items()}
    if _EXPONENT.fullmatch(suffix) or exponent not in units:
        return f"{number}e{exponent}" if exponent else str(number)
    return f"{number}{units[exponent]}"


def _without_factors(number: int, base: int) -> tuple[int, int]:
    times = 0
    while abs(number) >= base and number % base == 0:
        number //= base
        times += 1
    return number, times
