"""Label selectors: the text of `kubectl -l`, and `matchLabels` with `matchExpressions`.

Source: k8s.io/apimachinery, pkg/labels/selector.go and pkg/apis/meta/v1/helpers.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from gitops_sim.apimachinery import names
from gitops_sim.apimachinery.causes import go_json
from gitops_sim.errors import BadRequestError

__all__ = [
    "EVERYTHING",
    "NOTHING",
    "Requirement",
    "Selector",
    "from_label_selector",
    "from_set",
    "parse_selector",
]

Operator: TypeAlias = Literal["in", "notin", "=", "==", "!=", "exists", "!", "gt", "lt", "never"]

_TOKEN = re.compile(r"[ \t\r\n]*([=!(),<>]+|[^=!(),<> \t\r\n]+|$)")
_SYMBOLS = ("==", "!=", ")", ",", "!", "=", ">", "<", "(")
_BINARY: dict[str, Operator] = {
    "in": "in",
    "notin": "notin",
    "=": "=",
    "==": "==",
    "!=": "!=",
    ">": "gt",
    "<": "lt",
}
_EXPRESSIONS: dict[str, Operator] = {
    "In": "in",
    "NotIn": "notin",
    "Exists": "exists",
    "DoesNotExist": "!",
}
_BINARY_TEXT = "in, notin, =, ==, !=, gt, lt"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label; `values` are sorted."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """True when the labels meet the condition."""
        value = labels.get(self.key)
        match self.operator:
            case "in" | "=" | "==":
                return value is not None and value in self.values
            case "notin" | "!=":
                return value is None or value not in self.values
            case "exists":
                return value is not None
            case "!":
                return value is None
            case "gt" | "lt":
                return value is not None and self._compares(value)
            case _:
                return False

    def _compares(self, value: str) -> bool:
        if not re.fullmatch(r"[-+]?[0-9]+", value):
            return False
        found, limit = int(value), int(self.values[0])
        return found > limit if self.operator == "gt" else found < limit

    def __str__(self) -> str:
        """Print in the syntax of kubectl."""
        match self.operator:
            case "exists":
                return self.key
            case "!":
                return f"!{self.key}"
            case "in" | "notin":
                return f"{self.key} {self.operator} ({','.join(self.values)})"
            case "gt" | "lt":
                return f"{self.key}{'>' if self.operator == 'gt' else '<'}{self.values[0]}"
            case _:
                return f"{self.key}{self.operator}{self.values[0]}"


@dataclass(frozen=True, slots=True)
class Selector:
    """Requirements that must all be met; without any it matches everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        """True when these labels (None: no labels) are selected."""
        found = labels or {}
        return all(requirement.matches(found) for requirement in self.requirements)

    @property
    def empty(self) -> bool:
        """True when it selects everything."""
        return not self.requirements

    def __str__(self) -> str:
        """Print in the syntax of kubectl, sorted by key."""
        return ",".join(str(requirement) for requirement in self.requirements)


EVERYTHING = Selector()
NOTHING = Selector((Requirement("", "never"),))


def parse_selector(text: str) -> Selector:
    """Read `app=web,tier!=cache,env in (a,b),!canary,gpu`; empty text selects everything.

    Raises:
        BadRequestError: Worded as the API server does.
    """
    return _sorted(_Parser(text).parse())


def from_label_selector(selector: Mapping[str, Any] | None) -> Selector:
    """Return the selector of a `LabelSelector`; None selects nothing, `{}` everything.

    Raises:
        BadRequestError: An operator or value that is not allowed.
    """
    if selector is None:
        return NOTHING
    requirements = [
        _requirement(key, "=", [value])
        for key, value in (selector.get("matchLabels") or {}).items()
    ]
    for expression in selector.get("matchExpressions") or []:
        name = str(expression.get("operator", ""))
        if name not in _EXPRESSIONS:
            raise BadRequestError(f"{go_json(name)} is not a valid label selector operator")
        values = [str(value) for value in expression.get("values") or []]
        requirements.append(
            _requirement(str(expression.get("key", "")), _EXPRESSIONS[name], values)
        )
    return _sorted(requirements)


def from_set(labels: Mapping[str, str] | None) -> Selector:
    """Return the selector of a plain map, as a Service has it; nothing is checked."""
    return _sorted(Requirement(key, "=", (value,)) for key, value in (labels or {}).items())


def _sorted(requirements: Any) -> Selector:
    return Selector(tuple(sorted(requirements, key=lambda requirement: requirement.key)))


def _requirement(key: str, operator: Operator, values: list[str]) -> Requirement:
    problems: list[tuple[str, Any, str]] = [
        ("key", key, text) for text in [_joined(names.validate_label_key(key))] if text
    ]
    if operator in ("in", "notin") and not values:
        problems.append(
            ("values", values, "for 'in', 'notin' operators, values set can't be empty")
        )
    if operator in ("exists", "!") and values:
        text = "values set must be empty for exists and does not exist"
        problems.append(("values", values, text))
    if operator in ("gt", "lt") and not re.fullmatch(r"[-+]?[0-9]+", values[0]):
        text = "for 'Gt', 'Lt' operators, the value must be an integer"
        problems.append(("values[0]", values[0], text))
    for place, value in enumerate(values):
        text = _joined(names.validate_label_value(value))
        if text:
            problems.append((f"values[{place}][{key}]", value, text))
    if problems:
        texts = [
            f"{field}: Invalid value: {go_json(value)}: {text}" for field, value, text in problems
        ]
        raise BadRequestError(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")
    return Requirement(key, operator, tuple(sorted(dict.fromkeys(values))))


def _joined(problems: list[str]) -> str:
    return "; ".join(problems)


class _Parser:
    """Reads tokens from left to right; `self._tokens` ends with an empty one."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._place = 0

    def parse(self) -> list[Requirement]:
        requirements: list[Requirement] = []
        while self._look():
            if not self._is_name(self._look()) and self._look() != "!":
                raise _refused(self._look(), "!, identifier, or 'end of string'")
            try:
                requirements.append(self._requirement())
            except BadRequestError as problem:
                raise BadRequestError(f"unable to parse requirement: {problem}") from None
            word = self._next()
            if not word:
                return requirements
            if word != ",":
                raise _refused(word, "',' or 'end of string'")
            if not self._is_name(self._look()) and self._look() != "!":
                raise _refused(self._look(), "identifier after ','")
        return requirements

    def _requirement(self) -> Requirement:
        word = self._next()
        negated = word == "!"
        key = self._next() if negated else word
        if not self._is_name(key):
            raise _refused(key, "identifier")
        problems = _joined(names.validate_label_key(key))
        if problems:
            raise BadRequestError(f"<nil>: Invalid value: {go_json(key)}: {problems}")
        if negated:
            return _requirement(key, "!", [])
        if self._look() in ("", ","):
            return _requirement(key, "exists", [])
        word = self._next()
        if word not in _BINARY:
            raise _refused(word, _BINARY_TEXT)
        operator = _BINARY[word]
        values = self._values() if operator in ("in", "notin") else [self._value()]
        return _requirement(key, operator, values)

    def _value(self) -> str:
        if self._look() in ("", ","):
            return ""
        word = self._next()
        if not self._is_name(word):
            raise _refused(word, "identifier")
        return word

    def _values(self) -> list[str]:
        word = self._next()
        if word != "(":
            raise BadRequestError(f"found '{word}' expected: '('")
        values: list[str] = []
        if self._look() == ")":
            self._next()
            return [""]
        if not self._is_name(self._look()) and self._look() != ",":
            raise _refused(self._look(), "',', ')' or identifier")
        while True:
            word = self._next()
            if self._is_name(word):
                values.append(word)
                if self._look() == ")":
                    break
                if self._look() != ",":
                    raise _refused(self._look(), "',' or ')'")
            elif word == ",":
                if not values or self._look() in (")", ","):
                    values.append("")
                if self._look() == ")":
                    break
            else:
                raise _refused(word, "',', or identifier")
        self._next()
        return values

    def _look(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _next(self) -> str:
        word = self._look()
        self._place += 1
        return word

    @staticmethod
    def _is_name(word: str) -> bool:
        return bool(word) and word[0] not in "=!(),<>"


def _refused(found: str, expected: str) -> BadRequestError:
    return BadRequestError(f"found '{found}', expected: {expected}")


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    for token in _TOKEN.findall(text.replace("\0", " ")):
        rest = token
        while rest and rest[0] in "=!(),<>":
            symbol = next(symbol for symbol in _SYMBOLS if rest.startswith(symbol))
            tokens.append(symbol)
            rest = rest[len(symbol) :]
        if rest:
            tokens.append(rest)
    return tokens
