"""CEL expressions as Kubernetes uses them: compiled once, evaluated against JSON values.

The engine is Google's own (C++), whose parser words syntax errors as the API server does.

Source: cel-spec; k8s.io/apiserver, pkg/cel/environment and pkg/cel/library.
Differs: variables have no declared types, so a wrong type is found when a rule runs, not when it is
stored; of the Kubernetes libraries, lists (but indexOf), regex and quantities are there; url, ip,
cidr, semver and authorizer are not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from gitops_sim.apimachinery import quantities
from gitops_sim.clock import parse_duration
from gitops_sim.errors import DurationError

__all__ = ["POLICY_VARIABLES", "CelError", "Program", "compile_expression", "moment_or_span"]

POLICY_VARIABLES = ("object", "oldObject", "request", "params", "namespaceObject", "variables")
"""What the expressions of an admission policy may speak of."""


_STATUS = re.compile(r"^[A-Z_]+: ")
_SUFFIX = re.compile(r"\s*\[[A-Z_]+\]\s*$")
_MISSING = re.compile(r'Key not found in map : "(.*)"')
_AMOUNT = "quantity"


class CelError(Exception):
    """An expression does not compile, or does not evaluate; the text is the server's."""


class Program:
    """A compiled expression."""

    def __init__(self, expression: str, compiled: Any) -> None:
        self.expression = expression
        self._compiled = compiled

    @property
    def result(self) -> str:
        """The type that the expression gives, as the server names it; `dyn`: not known yet."""
        told = str(self._compiled.return_type()).lower()
        return "null_type" if told == "null" else told

    def evaluate(self, variables: Mapping[str, Any]) -> Any:
        """Return what the expression gives.

        Raises:
            CelError: It fails: a member is missing, types do not fit.
        """
        try:
            result = self._compiled.eval(data=dict(variables))
        except RuntimeError as error:
            raise CelError(_worded(str(error))) from None
        if str(result.type()) == "ERROR":
            raise CelError(_worded(str(result.value())))
        return result.value()


@lru_cache(maxsize=2000)
def compile_expression(expression: str, variables: tuple[str, ...]) -> Program:
    """Return the program of an expression that uses these variables.

    Raises:
        CelError: It does not compile.
    """
    try:
        return Program(expression, _environment(variables).compile(expression))
    except RuntimeError as error:
        raise CelError(f"compilation failed: {_worded(str(error))}") from None


def moment_or_span(text: str, form: str) -> Any:
    """Return a text of format `date-time` or `duration` as CEL's own type; what is none stays.

    Inside of maps and lists the engine knows moments only as protobuf messages.
    """
    from google.protobuf.duration_pb2 import Duration
    from google.protobuf.timestamp_pb2 import Timestamp

    message: Any = Timestamp() if form == "date-time" else Duration()
    try:
        if form == "duration":
            message.FromNanoseconds(round(parse_duration(text) * 1_000_000_000))
        else:
            message.FromJsonString(text)
    except (ValueError, DurationError):
        return text
    return message


def _worded(text: str) -> str:
    """Return the engine's text as the server words it."""
    text = _SUFFIX.sub("", _STATUS.sub("", text))
    missing = _MISSING.fullmatch(text)
    if missing:
        return f"no such key: {missing[1]}"
    return text.replace("divide by zero", "division by zero")


@lru_cache(maxsize=50)
def _environment(variables: tuple[str, ...]) -> Any:
    from cel_expr_python import cel  # 50 MB of native code: only when a rule is met
    from cel_expr_python.ext import ext_bindings, ext_encoders, ext_math, ext_optional, ext_strings

    return cel.NewEnv(
        variables=dict.fromkeys(variables, cel.Type.DYN),
        extensions=[
            ext_strings.ExtStrings(),
            ext_math.ExtMath(),
            ext_optional.ExtOptional(),
            ext_encoders.ExtEncoders(),
            ext_bindings.ExtBindings(),
        ],
        functions=_functions(cel),
    )


def _functions(cel: Any) -> list[Any]:
    kinds = cel.Type
    text, listed, amount, number = kinds.STRING, kinds.LIST, kinds.MAP, kinds.INT
    table = [
        ("isSorted", kinds.BOOL, [listed], _is_sorted),
        ("sum", kinds.DYN, [listed], lambda items: sum(items)),
        ("min", kinds.DYN, [listed], lambda items: min(items)),
        ("max", kinds.DYN, [listed], lambda items: max(items)),
        ("find", text, [text, text], _find),
        ("findAll", listed, [text, text], lambda value, pattern: _find_all(value, pattern)),
        ("isGreaterThan", kinds.BOOL, [amount, amount], lambda a, b: _parsed(a) > _parsed(b)),
        ("isLessThan", kinds.BOOL, [amount, amount], lambda a, b: _parsed(a) < _parsed(b)),
        ("compareTo", number, [amount, amount], _compare),
        ("asInteger", number, [amount], lambda a: int(_parsed(a))),
        ("asApproximateFloat", kinds.DOUBLE, [amount], lambda a: float(_parsed(a))),
    ]
    declared = [
        _declared(cel, name, result, parameters, call, member=True)
        for name, result, parameters, call in table
    ]
    declared.append(_declared(cel, _AMOUNT, amount, [text], _amount, member=False))
    declared.append(_declared(cel, "isQuantity", kinds.BOOL, [text], _is_amount, member=False))
    return declared


def _declared(
    cel: Any, name: str, result: Any, parameters: Sequence[Any], call: Any, *, member: bool
) -> Any:
    overload = cel.Overload(
        f"gitops_sim_{name}",
        return_type=result,
        parameters=list(parameters),
        is_member=member,
        impl=call,
    )
    return cel.FunctionDecl(name, [overload])


def _is_sorted(items: Any) -> bool:
    listed = list(items)
    return all(a <= b for a, b in pairwise(listed))


def _find(value: str, pattern: str) -> str:
    found = re.search(pattern, value)
    return found[0] if found else ""


def _find_all(value: str, pattern: str) -> list[str]:
    return [found[0] for found in re.finditer(pattern, value)]


def _amount(value: str) -> dict[str, str]:
    return {_AMOUNT: quantities.canonical(value)}


def _is_amount(value: str) -> bool:
    try:
        quantities.parse(value)
    except ValueError:
        return False
    return True


def _parsed(amount: Any) -> Any:
    return quantities.parse(amount[_AMOUNT])


def _compare(one: Any, other: Any) -> int:
    left, right = _parsed(one), _parsed(other)
    return int(left > right) - int(left < right)
