"""Rules of CEL expressions in configuration: they must compile, and give what is asked for.

Source: k8s.io/apiserver, pkg/admission/plugin/cel/compile.go; k8s.io/kubernetes,
pkg/apis/admissionregistration/validation.
Differs: types inside of objects are not known, so that members which a kind has not are found when
an expression is evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from gitops_sim.apimachinery import causes
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.cel import POLICY_VARIABLES, CelError, compile_expression

__all__ = ["expression_causes", "is_identifier"]

_STRING = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")
_VARIABLE = re.compile(r"(?<![\w.])variables\.([A-Za-z_]\w*)")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def expression_causes(
    holder: dict[str, Any],
    path: str,
    *,
    required: str,
    result: str = "",
    declared: Collection[str] | None = None,
) -> Iterator[Cause]:
    """Yield what is wrong with an expression.

    Args:
        holder: Has it.
        path: Where it is; its last step is the name of the member.
        required: What to say when there is none.
        result: The type that it must give, several apart by spaces; empty: any.
        declared: The names of the variables that it may use; None: not checked.
    """
    text = str(holder.get(path.rpartition(".")[2]) or "")
    if not text.strip():
        yield causes.required(path, required)
        return
    try:
        program = compile_expression(text, POLICY_VARIABLES)
    except CelError as error:
        yield causes.invalid(path, text, str(error))
        return
    unknown = None if declared is None else _undeclared(text, declared)
    if unknown is not None:
        yield causes.invalid(path, text, unknown)
        return
    wanted = result.split()
    if wanted and program.result not in (*wanted, "dyn"):
        many = f"one of [{' '.join(wanted)}]" if len(wanted) > 1 else wanted[0]
        yield causes.invalid(path, text, f"must evaluate to {many} but got {program.result}")


def is_identifier(name: str) -> bool:
    """True for what may be the name of a variable."""
    return _IDENTIFIER.fullmatch(name) is not None


def _undeclared(text: str, declared: Collection[str]) -> str | None:
    """Return what the compiler says of the first variable that nobody declared."""
    masked = _STRING.sub(lambda found: " " * len(found[0]), text)
    for found in _VARIABLE.finditer(masked):
        if found[1] not in declared:
            before = masked[: found.start(1) - 1]
            line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1)
            shown = text.splitlines()[line - 1]
            place = f"<input>:{line}:{column + 1}: undefined field '{found[1]}'"
            return f"compilation failed: ERROR: {place}\n | {shown}\n | {'.' * column}^"
    return None
