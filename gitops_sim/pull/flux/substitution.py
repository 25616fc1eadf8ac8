"""`${var}` in built manifests: the functions of envsubst that Flux offers.

Source: fluxcd/pkg envsubst (README.md, funcs.go), kustomize/kustomize_varsub.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

__all__ = ["check_names", "substitute"]

NAME_RULE: Final = "^[_[:alpha:]][_[:alpha:][:digit:]]*$"
_NAME: Final = re.compile(r"[_A-Za-z][_A-Za-z0-9]*")
_SLICE: Final = re.compile(r":\s*(-?\d+)(?::(-?\d+))?")


def check_names(variables: Mapping[str, str]) -> None:
    """Refuse names that no variable may have.

    Raises:
        ValueError: Names the first one.
    """
    for name in variables:
        if not _NAME.fullmatch(name):
            raise ValueError(f"'{name}' var name is invalid, must match '{NAME_RULE}'")


def substitute(text: str, variables: Mapping[str, str], *, strict: bool) -> str:
    """Return the text with its `${...}` replaced; `$name` stays, `$${` becomes `${`.

    Args:
        text: YAML, or anything else.
        variables: Values by name.
        strict: A variable without a value and without a default is an error; else it is empty.

    Raises:
        ValueError: The text cannot be parsed, or a value is missing.
    """
    out: list[str] = []
    at = 0
    while True:
        start = text.find("${", at)
        if start < 0:
            return "".join((*out, text[at:]))
        if start > at and text[start - 1] == "$":
            end = _end(text, start)
            out.append(text[at : start - 1] + text[start : end + 1])
        else:
            end = _end(text, start)
            out.append(text[at:start] + _value(text[start + 2 : end], variables, strict=strict))
        at = end + 1


def _end(text: str, start: int) -> int:
    """Return where the brace closes that is opened by the `${` at `start`."""
    depth = 0
    at = start
    while at < len(text):
        if text.startswith("${", at):
            depth += 1
            at += 1
        elif text[at] == "}":
            depth -= 1
            if not depth:
                return at
        at += 1
    raise ValueError("missing closing brace")


def _value(expression: str, variables: Mapping[str, str], *, strict: bool) -> str:
    if expression.startswith("#"):
        return str(len(_plain(expression[1:], variables, strict=strict)))
    found = _NAME.match(expression)
    if not found:
        raise ValueError("unable to parse variable name")
    name, function = found[0], expression[found.end() :]
    for mark in (":-", ":=", "-", "="):
        if function.startswith(mark):
            default = function[len(mark) :]
            value = variables.get(name)
            if value is None or (mark.startswith(":") and not value):
                return substitute(default, variables, strict=strict)
            return value
    value = _plain(name, variables, strict=strict)
    return _apply(value, function, variables, strict=strict) if function else value


def _plain(name: str, variables: Mapping[str, str], *, strict: bool) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("unable to parse variable name")
    value = variables.get(name)
    if value is None and strict:
        raise ValueError(f'variable not set (strict mode): "{name}"')
    return value or ""


def _apply(value: str, function: str, variables: Mapping[str, str], *, strict: bool) -> str:
    changed = _changed_case(value, function)
    if changed is not None:
        return changed
    part = _SLICE.fullmatch(function)
    if part:
        return _slice(value, int(part[1]), None if part[2] is None else int(part[2]))
    argument = substitute(function, variables, strict=strict)
    if argument[0] in "#%":
        return _trimmed(value, argument)
    if argument[0] == "/":
        return _replaced(value, argument)
    raise ValueError(f"bad substitution: unknown function {function!r}")


def _changed_case(value: str, function: str) -> str | None:
    match function:
        case "^^":
            return value.upper()
        case ",,":
            return value.lower()
        case "^":
            return value[:1].upper() + value[1:]
        case ",":
            return value[:1].lower() + value[1:]
        case _:
            return None


def _slice(value: str, start: int, length: int | None) -> str:
    if start < 0:
        start = max(len(value) + start, 0)
    if length is None:
        return value[start:]
    return value[start : start + length] if length >= 0 else value[start:length]


def _trimmed(value: str, function: str) -> str:
    """Cut a pattern off the front (`#`) or the back (`%`), the longest match when doubled."""
    mark = function[0]
    longest = function.startswith(mark * 2)
    pattern = _glob(function.lstrip(mark) if longest else function[1:])
    ends = range(len(value) + 1)
    if mark == "#":
        for end in reversed(ends) if longest else ends:
            if pattern.fullmatch(value[:end]):
                return value[end:]
        return value
    for start in ends if longest else reversed(ends):
        if pattern.fullmatch(value[start:]):
            return value[:start]
    return value


def _replaced(value: str, function: str) -> str:
    """`/p/r` the first, `//p/r` all, `/#p/r` at the front, `/%p/r` at the back; texts, no globs."""
    mode = function[1:2] if function[1:2] in ("/", "#", "%") else ""
    old, _, new = function[1 + len(mode) :].partition("/")
    if not old:
        return value
    if mode == "/":
        return value.replace(old, new)
    if mode == "#":
        return new + value[len(old) :] if value.startswith(old) else value
    if mode == "%":
        return value[: -len(old)] + new if value.endswith(old) else value
    return value.replace(old, new, 1)


def _glob(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(char, re.escape(char)) for char in pattern), re.DOTALL)
