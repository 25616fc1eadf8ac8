"""JSON bodies read as Go's encoding/json reads them: its syntax errors, and duplicate members.

Python's parser is fast and right about what is valid; only when it refuses a body is the text
scanned again for the words of Go.

Source: Go, encoding/json/scanner.go; sigs.k8s.io/json (duplicates).
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

__all__ = ["MAX_DEPTH", "GoJsonError", "duplicate_fields", "parse"]

MAX_DEPTH = 500
"""Levels of nesting that are read; Go takes 10,000, Python's recursion does not.

Differs: deeper bodies are refused.
"""

_SPACE = " \t\r\n"
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_BRACKETS = re.compile(r'[][{}]|"(?:\\.|[^"\\])*"', re.DOTALL)
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_END = "unexpected end of JSON input"


class GoJsonError(ValueError):
    """A body that is not JSON; its text is Go's."""


class _Repeated(dict[str, Any]):
    """A map of which some members were written twice."""

    repeated: tuple[str, ...] = ()


def parse(text: str) -> Any:
    """Return the value of a JSON text; of members written twice the last one holds.

    Raises:
        GoJsonError: It is no JSON, or nested too deep.
    """
    try:
        value = json.loads(text, object_pairs_hook=_members, parse_constant=_refuse)
        return _without_halves(value) if _HALF.search(text) else value
    except RecursionError:
        raise GoJsonError(f"invalid character '{_too_deep(text)}' exceeded max depth") from None
    except ValueError:
        raise GoJsonError(_Scanner(text).problem()) from None


def _too_deep(text: str) -> str:
    """Return the bracket that opens one level more than there may be, or the last one before."""
    depth, last = 0, "["
    for found in _BRACKETS.finditer(text):
        if found[0] in ("[", "{"):
            depth, last = depth + 1, found[0]
            if depth > MAX_DEPTH:
                break
        elif found[0] in ("]", "}"):
            depth -= 1
    return last


def duplicate_fields(value: Any) -> list[str]:
    """Return the paths of members that were written twice in what `parse` returned."""
    found: list[str] = []
    _collect(value, "", found)
    return found


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    names = [name for name, _ in pairs]
    twice = _Repeated(members)
    twice.repeated = tuple(dict.fromkeys(name for name in names if names.count(name) > 1))
    return twice


def _without_halves(value: Any) -> Any:
    """Replace each half of a surrogate pair that stands alone, as Go does."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_halves(item) for item in value]
    if isinstance(value, dict):
        pairs = [(_without_halves(name), _without_halves(item)) for name, item in value.items()]
        members = _members(pairs)
        if isinstance(value, _Repeated):
            members = _Repeated(members)
            members.repeated = value.repeated
        return members
    return value


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _collect(value: Any, path: str, found: list[str]) -> None:
    if isinstance(value, list):
        for place, item in enumerate(value):
            _collect(item, f"{path}[{place}]", found)
    elif isinstance(value, dict):
        if isinstance(value, _Repeated):
            found += [f"{path}.{name}" if path else name for name in value.repeated]
        for name, member in value.items():
            if isinstance(member, dict | list):
                _collect(member, f"{path}.{name}" if path else name, found)


class _Scanner:
    """Finds the first character that Go's scanner refuses, and says why."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def problem(self) -> str:
        """Return Go's message for the first thing that is wrong."""
        try:
            self._value(0)
            self._skip()
            if self._at < len(self._text):
                self._fail("after top-level value")
        except GoJsonError as found:
            return str(found)
        return _END

    def _value(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            self._fail("exceeded max depth")
        first = self._peek()
        if first == "{":
            self._object(depth)
        elif first == "[":
            self._array(depth)
        elif first == '"':
            self._string()
        elif first == "-" or first.isdigit():
            self._number()
        elif first in "tfn":
            self._literal({"t": "true", "f": "false", "n": "null"}[first])
        else:
            self._fail("looking for beginning of value")

    def _object(self, depth: int) -> None:
        self._at += 1
        if self._peek() == "}":
            self._at += 1
            return
        while True:
            if self._peek() != '"':
                self._fail("looking for beginning of object key string")
            self._string()
            if self._peek() != ":":
                self._fail("after object key")
            self._at += 1
            self._value(depth + 1)
            following = self._peek()
            if following not in ",}":
                self._fail("after object key:value pair")
            self._at += 1
            if following == "}":
                return

    def _array(self, depth: int) -> None:
        self._at += 1
        if self._peek() == "]":
            self._at += 1
            return
        while True:
            self._value(depth + 1)
            following = self._peek()
            if following not in ",]":
                self._fail("after array element")
            self._at += 1
            if following == "]":
                return

    def _string(self) -> None:
        found = _STRING.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
            return
        self._at += 1
        while self._at < len(self._text):
            character = self._text[self._at]
            if character == "\\":
                self._escape()
                continue
            if character < " ":
                self._fail("in string literal")
            self._at += 1
        raise GoJsonError(_END)

    def _escape(self) -> None:
        self._at += 1
        letter = self._next()
        if letter == "u":
            for _ in range(4):
                if self._next() not in "0123456789abcdefABCDEF":
                    self._at -= 1
                    self._fail("in \\u hexadecimal character escape")
        elif letter not in '"\\/bfnrt':
            self._at -= 1
            self._fail("in string escape code")

    def _number(self) -> None:
        found = _NUMBER.match(self._text, self._at)
        if found is None:
            self._at += 1
            self._next()
            self._at -= 1
            self._fail("in numeric literal")
        self._at = found.end()
        rest = self._text[self._at : self._at + 1]
        if rest in (".", "e", "E") and rest:
            self._at += 1
            self._next()
            self._at -= 1
            where = "after decimal point in" if rest == "." else "in exponent of"
            self._fail(f"{where} numeric literal")

    def _literal(self, word: str) -> None:
        for place, letter in enumerate(word):
            if self._at >= len(self._text):
                raise GoJsonError(_END)
            if self._text[self._at] != letter:
                self._fail(f"in literal {word} (expecting {_quoted(word[place])})")
            self._at += 1

    def _skip(self) -> None:
        while self._at < len(self._text) and self._text[self._at] in _SPACE:
            self._at += 1

    def _peek(self) -> str:
        self._skip()
        if self._at >= len(self._text):
            raise GoJsonError(_END)
        return self._text[self._at]

    def _next(self) -> str:
        if self._at >= len(self._text):
            raise GoJsonError(_END)
        self._at += 1
        return self._text[self._at - 1]

    def _fail(self, where: str) -> NoReturn:
        # Go looks at bytes, and prints one as if it were a character.
        byte = chr(self._text[self._at].encode("utf-8", "surrogateescape")[0])
        raise GoJsonError(f"invalid character {_quoted(byte)} {where}")


def _quoted(character: str) -> str:
    if character == "'":
        return r"'\''"
    if character == '"':
        return "'\"'"
    escapes = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\\": r"\\", "\0": r"\x00"}
    if character in escapes:
        return f"'{escapes[character]}'"
    return f"'{character}'" if character.isprintable() else f"'\\x{ord(character):02x}'"
