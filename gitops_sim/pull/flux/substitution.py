"""`${var}` in built manifests: the functions of envsubst that Flux offers.

Source: fluxcd/pkg envsubst (README.md, funcs.go), kustomize/kustomize_varsub.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

__all__ = ["check_names", "substitute"]

NAME_RULE: Final = "^[_[:alpha:]][_[:alpha:][:digit:]]*$"
_NAME: Final = re.compile(r"[_A-Za-z][_A-Za-z0-9]*")
_MOST_CHARACTERS: Final = 3 * 1024 * 1024
"""What a text may grow to: no API server takes more."""
_MOST_DEEP: Final = 50
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
        ValueError: The text cannot be parsed, a value is missing, or it grows too large.

    Differs: what grows beyond 3 MiB, and `${` more than 50 deep, is refused.
    """
    _check_depth(text)
    return _substituted(text, variables, strict=strict)


def _check_depth(text: str) -> None:
    depth = 0
    for mark in re.finditer(r"\$\{|\}", text):
        depth = depth + 1 if mark[0] == "${" else max(depth - 1, 0)
        if depth > _MOST_DEEP:
            raise ValueError(f"nested more than {_MOST_DEEP} deep")


def _substituted(text: str, variables: Mapping[str, str], *, strict: bool) -> str:
    out: list[str] = []
    at = size = 0
    while True:
        if size > _MOST_CHARACTERS:
            raise ValueError(f"the text grows beyond {_MOST_CHARACTERS:,} characters")
        start = text.find("${", at)
        if start < 0:
            return "".join((*out, text[at:]))
        if start > at and text[start - 1] == "$":
            end = _end(text, start)
            out.append(text[at : start - 1] + text[start : end + 1])
        else:
            end = _end(text, start)
            out.append(text[at:start] + _value(text[start + 2 : end], variables, strict=strict))
        size += len(out[-1])
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
                return _substituted(default, variables, strict=strict)
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
    argument = _substituted(function, variables, strict=strict)
    if argument.startswith(("#", "%")):
        return _trimmed(value, argument)
    if argument.startswith("/"):
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
    pattern = function.lstrip(mark) if longest else function[1:]
    if mark == "#":
        lengths = list(_lengths(pattern, value))
    else:
        lengths = list(_lengths(pattern[::-1], value[::-1]))
    if not lengths:
        return value
    cut = max(lengths) if longest else min(lengths)
    return value[cut:] if mark == "#" else value[: len(value) - cut]


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


def _lengths(glob: str, text: str) -> Iterator[int]:
    """Yield the lengths of the beginnings of a text that a glob with `*` and `?` matches.

    All places in the glob are followed at once, so that many `*` take no longer than one.
    """
    places = _with_skipped(glob, {0})
    if len(glob) in places:
        yield 0
    for length, character in enumerate(text, 1):
        moved = {
            place if glob[place] == "*" else place + 1
            for place in places
            if place < len(glob) and glob[place] in ("*", "?", character)
        }
        places = _with_skipped(glob, moved)
        if not places:
            return
        if len(glob) in places:
            yield length


def _with_skipped(glob: str, places: set[int]) -> set[int]:
    """Return places, and those behind a `*` that stands for nothing."""
    found = set(places)
    for place in places:
        at = place
        while at < len(glob) and glob[at] == "*":
            at += 1
            found.add(at)
    return found
