"""Expressions of workflows: `${{ github.ref == 'refs/heads/main' && !cancelled() }}`.

Parsed once, with the workflow, so that a slip is told with its line before anything runs; then
evaluated against contexts: plain dicts named github, env, secrets, needs, steps, matrix, …

Source: GitHub Actions, "Evaluate expressions in workflows and actions".
Differs: no `hashFiles`, no object filter (`.*`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from gitops_sim.push.expression_values import (
    FUNCTIONS,
    ExpressionError,
    compare,
    is_true,
    joined_text,
    member_of,
    number_of,
    text_of,
)

__all__ = [
    "CONTEXTS",
    "STATUS_FUNCTIONS",
    "Expression",
    "ExpressionError",
    "Template",
    "parse_condition",
    "parse_template",
]

CONTEXTS = (
    *("env", "github", "inputs", "job", "matrix", "needs", "runner", "secrets", "steps", "vars"),
)
STATUS_FUNCTIONS = ("always", "cancelled", "failure", "success")
ARITIES = {
    "contains": (2, 2),
    "endsWith": (2, 2),
    "format": (1, 20),
    "fromJSON": (1, 1),
    "join": (1, 2),
    "startsWith": (2, 2),
    "toJSON": (1, 1),
    **dict.fromkeys(STATUS_FUNCTIONS, (0, 0)),
}
"""Function -> fewest and most arguments."""
MAX_LENGTH = 21_000
"""Characters of one expression: GitHub's limit."""
MAX_DEPTH = 50
TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^']|'')*')
      | (?P<number>[-+]?(?:0x[0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.]))
      | (?P<name>[A-Za-z_][\w-]*)
      | (?P<operator>&&|\|\||==|!=|<=|>=|[<>!()\[\].,])
    )""",
    re.VERBOSE | re.ASCII,
)
PLACEHOLDER = re.compile(r"\$\{\{((?:[^'}]|'(?:[^']|'')*'|\}(?!\}))*)\}\}")
ORDER: Mapping[str, int] = {
    "||": 1,
    "&&": 2,
    **dict.fromkeys(("==", "!="), 3),
    **dict.fromkeys(("<", "<=", ">", ">="), 4),
}
"""Operators and how strongly they bind."""

Contexts: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Node:
    """One part: `kind` is literal, context, member, call, not or an operator."""

    kind: str
    value: Any = None
    parts: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was parsed.

    Attributes:
        source: As written.
        root: Its tree.
        functions: Names of the functions that it calls.
    """

    source: str
    root: Node
    functions: frozenset[str] = frozenset()

    def value(self, contexts: Contexts, status: str = "success") -> Any:
        """Return what it comes to: text, number, boolean, None, dict or list.

        Args:
            contexts: By name; what is missing is null, as are members that are not there.
            status: What `success()`, `failure()` and `cancelled()` go by.

        Raises:
            ExpressionError: `fromJSON` of what is no JSON, `format` with too few arguments.
        """
        return _value(self.root, contexts, status)

    def holds(self, contexts: Contexts, status: str = "success") -> bool:
        """Return whether it is truthy; without a status function, `success()` is meant too."""
        if status != "success" and not self.functions & set(STATUS_FUNCTIONS):
            return False
        return is_true(self.value(contexts, status))


@dataclass(frozen=True, slots=True)
class Template:
    """Text with expressions in it."""

    parts: tuple[str | Expression, ...] = field(default=())

    def text(self, contexts: Contexts, status: str = "success") -> str:
        """Return the text with each expression's value in its place.

        Raises:
            ExpressionError: As `Expression.value`, or the text is too long.
        """
        return joined_text(
            part if isinstance(part, str) else text_of(part.value(contexts, status))
            for part in self.parts
        )

    @property
    def source(self) -> str:
        """The text as it was written, with the expressions unevaluated."""
        return "".join(
            part if isinstance(part, str) else f"${{{{ {part.source} }}}}" for part in self.parts
        )

    @property
    def expressions(self) -> list[Expression]:
        """The expressions in it, in order."""
        return [part for part in self.parts if isinstance(part, Expression)]


def parse_template(text: str) -> Template:
    """Read text with `${{ … }}` in it.

    Raises:
        ExpressionError: An expression is not understood, or not closed.
    """
    parts: list[str | Expression] = []
    end = 0
    for match in PLACEHOLDER.finditer(text):
        parts += [text[end : match.start()], _Parser(match[1]).whole()]
        end = match.end()
    rest = text[end:]
    if "${{" in rest:
        raise ExpressionError(f"{rest[rest.index('${{') :][:60]!r} is not closed by }}}}")
    parts.append(rest)
    return Template(tuple(part for part in parts if part != ""))


def parse_condition(text: str) -> Expression:
    """Read an `if:`, which is an expression with or without `${{ }}` around it.

    Raises:
        ExpressionError: It is not understood.
    """
    stripped = text.strip()
    match = PLACEHOLDER.fullmatch(stripped)
    if match:
        return _Parser(match[1]).whole()
    if "${{" in stripped:
        # GitHub takes text around an expression as text, which is true whatever it says.
        raise ExpressionError("write the whole condition as one expression")
    return _Parser(stripped).whole()


class _Parser:
    """Reads one expression: tokens, then operators by how strongly they bind."""

    def __init__(self, source: str) -> None:
        self.source = source.strip()
        self.functions: set[str] = set()
        self._depth = 0
        if not self.source:
            raise ExpressionError("an expression is empty")
        if len(self.source) > MAX_LENGTH:
            raise ExpressionError(f"an expression is longer than {MAX_LENGTH} characters")
        self._tokens: list[tuple[str, str]] = []
        place = 0
        while place < len(self.source):
            match = TOKEN.match(self.source, place)
            if match is None or match.lastgroup is None:
                raise self._unexpected(self.source[place:].strip()[:20])
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            place = match.end()

    def whole(self) -> Expression:
        """Read all of it."""
        root = self._operand(0)
        if self._tokens:
            raise self._unexpected(self._tokens[0][1])
        return Expression(self.source, root, frozenset(self.functions))

    def _operand(self, above: int) -> Node:
        """Read operators that bind more strongly than `above`."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(f"an expression is more than {MAX_DEPTH} deep")
        left = self._unary()
        while self._tokens and ORDER.get(self._tokens[0][1], 0) > above:
            operator = self._tokens.pop(0)[1]
            left = Node(operator, None, (left, self._operand(ORDER[operator])))
        self._depth -= 1
        return left

    def _unary(self) -> Node:
        negations = 0
        while self._take("!"):
            negations += 1
        node = self._members(self._primary())
        for _ in range(negations):
            node = Node("not", None, (node,))
        return node

    def _primary(self) -> Node:
        if self._take("("):
            node = self._operand(0)
            self._expect(")")
            return node
        kind, text = self._tokens.pop(0) if self._tokens else ("", "")
        if kind == "text":
            return Node("literal", text[1:-1].replace("''", "'"))
        if kind == "number":
            return Node("literal", number_of(text))
        if kind != "name":
            raise self._unexpected(text or "the end")
        if text in ("true", "false", "null"):
            return Node("literal", {"true": True, "false": False, "null": None}[text])
        if self._take("("):
            return self._call(text)
        if text.lower() not in CONTEXTS:
            known = ", ".join(CONTEXTS)
            raise ExpressionError(f"unrecognized named-value: {text!r}; there is: {known}")
        return Node("context", text.lower())

    def _call(self, name: str) -> Node:
        known = {function.lower(): function for function in ARITIES}
        function = known.get(name.lower())
        if function is None:
            listed = ", ".join(sorted(ARITIES))
            raise ExpressionError(f"unrecognized function: {name!r}; there is: {listed}")
        arguments: list[Node] = []
        while not self._take(")"):
            if arguments:
                self._expect(",")
            arguments.append(self._operand(0))
        fewest, most = ARITIES[function]
        if not fewest <= len(arguments) <= most:
            raise ExpressionError(f"{function} takes {fewest} to {most} arguments")
        self.functions.add(function)
        return Node("call", function, tuple(arguments))

    def _members(self, node: Node) -> Node:
        """Read `.name` and `['name']` behind something."""
        while True:
            if self._take("."):
                kind, text = self._tokens.pop(0) if self._tokens else ("", "")
                if kind != "name":
                    raise self._unexpected(text or "the end")
                node = Node("member", None, (node, Node("literal", text)))
            elif self._take("["):
                node = Node("member", None, (node, self._operand(0)))
                self._expect("]")
            else:
                return node

    def _take(self, text: str) -> bool:
        if self._tokens and self._tokens[0] == ("operator", text):
            del self._tokens[0]
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise self._unexpected(self._tokens[0][1] if self._tokens else "the end")

    def _unexpected(self, found: str) -> ExpressionError:
        return ExpressionError(f"unexpected {found!r} in the expression {self.source[:80]!r}")


def _value(node: Node, contexts: Contexts, status: str) -> Any:
    """Evaluate one part; `&&` and `||` return one of their operands."""
    if node.kind == "literal":
        return node.value
    if node.kind == "context":
        return contexts.get(node.value)
    if node.kind in ("&&", "||"):
        left = _value(node.parts[0], contexts, status)
        decided = is_true(left) == (node.kind == "||")
        return left if decided else _value(node.parts[1], contexts, status)
    if node.kind == "call" and node.value in STATUS_FUNCTIONS:
        return node.value in ("always", status)
    values = [_value(part, contexts, status) for part in node.parts]
    if node.kind == "call":
        return FUNCTIONS[node.value](*values)
    if node.kind == "not":
        return not is_true(values[0])
    if node.kind == "member":
        return member_of(values[0], values[1])
    return compare(node.kind, values[0], values[1])
