"""What a plain YAML scalar means to Kubernetes: text, number, boolean or null.

Kubernetes reads YAML with sigs.k8s.io/yaml, which is Go's yaml.v2 followed by a trip through
JSON. So `yes`, `on` and `y` are booleans, `0777` is octal, `1_000` a number, dates stay text,
and `1.0` arrives as the integer 1.

Source: go.yaml.in/yaml/v2, resolve.go; sigs.k8s.io/yaml, yaml.go.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from typing import Any

__all__ = ["float_text", "is_text", "key_text", "resolve", "resolve_tagged"]

TAG_PREFIX = "tag:yaml.org,2002:"

_WORDS: dict[str, Any] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE"), True),
    **dict.fromkeys(("on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE"), False),
    **dict.fromkeys(("off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_NUMERIC = frozenset("+-0123456789.")
_MAYBE_WORD = frozenset("yYnNtTfFoO~")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_DOT_FLOAT = re.compile(r"\.[0-9]+([eE][-+]?[0-9]+)?")
_INTEGER = re.compile(
    r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|(?:0[oO]|0)([0-7]+)|(0|[1-9][0-9]*))"
)
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_TIMESTAMP = re.compile(
    r"\d{4}-\d\d?-\d\d?"
    r"([Tt]\d\d?:\d\d?:\d\d?(\.\d+)?(Z|[-+]\d\d:\d\d)| \d\d?:\d\d?:\d\d?(\.\d+)?)?",
    re.ASCII,
)
_INT64 = range(-(2**63), 2**63)
_DIGITS_LIMIT = 400  # longer numbers are infinite, or zero, for a 64-bit float


def resolve(text: str) -> Any:
    """Return the JSON value of a plain scalar without a tag.

    Raises:
        ValueError: It is infinite or not a number, which JSON cannot say.
    """
    first = text[:1]
    if first in _NUMERIC and first:
        return _number(text)
    if first in _MAYBE_WORD or not first:
        return _WORDS.get(text, text)
    return text


def resolve_tagged(tag: str, text: str) -> Any:
    """Return the JSON value of a scalar with an explicit tag; unknown tags leave the text.

    Raises:
        ValueError: The text is not what the tag says.
    """
    name = tag.removeprefix(TAG_PREFIX) if tag.startswith(TAG_PREFIX) else ""
    if name == "binary":
        try:
            return base64.b64decode("".join(text.split()), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as problem:
            raise ValueError("!!binary does not hold text in base64") from problem
    if name not in ("bool", "int", "float", "null"):
        return text
    value = resolve(text)
    types: dict[str, Any] = {"bool": bool, "int": int, "float": (int, float), "null": type(None)}
    if not isinstance(value, types[name]) or (name != "bool" and isinstance(value, bool)):
        raise ValueError(f"{text!r} is no {name}, as its tag !!{name} says")
    return value


def key_text(value: Any) -> str:
    """Return a mapping key as JSON wants it: numbers and booleans as text.

    Raises:
        ValueError: null, which Kubernetes refuses too.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        raise ValueError("a key is null")
    return str(value) if isinstance(value, int) else float_text(value)


def is_text(text: str) -> bool:
    """True when the text can be written without quotes and be read as text again."""
    try:
        value = resolve(text)
    except ValueError:
        return False
    if not isinstance(value, str) or text == "<<":
        return False
    return not (_BASE_60.fullmatch(text) or _TIMESTAMP.fullmatch(text))


def float_text(value: float) -> str:
    """Print a float as Go does in YAML and JSON: the shortest form, `1e+21` for large ones."""
    text = repr(value)
    mantissa, separator, exponent = text.partition("e")
    if not separator:
        return text.removesuffix(".0")
    sign = exponent[0] if exponent[0] in "+-" else "+"
    return f"{mantissa}e{sign}{exponent.lstrip('+-').zfill(2)}"


def _number(text: str) -> Any:
    if text in _WORDS:
        raise ValueError(f"{text} is no number that JSON knows")
    if text[0] == ".":
        return _from_float(text) if _DOT_FLOAT.fullmatch(text) else text
    plain = text.replace("_", "")
    found = _INTEGER.fullmatch(plain)
    if found is not None and len(plain) < _DIGITS_LIMIT:
        sign, hexadecimal, binary, octal, decimal = found.groups()
        digits, base = next(
            (part, base)
            for part, base in ((hexadecimal, 16), (binary, 2), (octal, 8), (decimal, 10))
            if part is not None
        )
        value = int(sign + digits, base)
        return value if value in _INT64 else float(value)
    return _from_float(plain) if _FLOAT.fullmatch(plain) else text


def _from_float(text: str) -> Any:
    """Return a float, or the integer that it is: on the way through JSON 1.0 becomes 1."""
    value = float(text)
    if math.isinf(value):
        return text  # Go's ParseFloat refuses it, so it stays text
    whole = int(value)
    return whole if whole == value and whole in _INT64 else value
