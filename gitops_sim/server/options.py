"""Options in the query: numbers, dry run, field manager, field validation.

Source: k8s.io/apimachinery, pkg/apis/meta/v1/validation.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import get_args

from gitops_sim.apimachinery import causes
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.go_text import quoted
from gitops_sim.apimachinery.status_errors import invalid_options
from gitops_sim.apiserver.users import FieldValidation
from gitops_sim.errors import BadRequestError
from gitops_sim.server.requests import Request

__all__ = [
    "WriteOptions",
    "check_timeout",
    "dry_run_problems",
    "field_validation",
    "integer",
    "write_options",
]

_LONGEST_MANAGER = 128
_NUMBER = re.compile(r"\d+\.?\d*|\.\d+")
_UNIT = re.compile(r"[^.\d]*")
_UNITS = frozenset({"ns", "us", "\u00b5s", "\u03bcs", "ms", "s", "m", "h"})


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """What every write may say; `manager` is who owns the fields written."""

    manager: str
    dry_run: bool = False


def integer(request: Request, name: str) -> int | None:
    """Return a number in the query; None when it is not there.

    Raises:
        BadRequestError: It is no number, or none of 64 bits.
    """
    text = request.parameter(name)
    if not text:
        return None
    body = text[1:] if text[0] in "+-" else text
    if not (body.isascii() and body.isdigit()):
        raise BadRequestError(f"strconv.ParseInt: parsing {quoted(text)}: invalid syntax")
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise BadRequestError(f"strconv.ParseInt: parsing {quoted(text)}: value out of range")
    return number


def check_timeout(request: Request) -> None:
    """Refuse a `timeout` that is no duration of Go; how long it is makes no difference here.

    Raises:
        BadRequestError: Worded as the API server does.

    Source: k8s.io/apiserver, pkg/endpoints/filters/request_deadline.go; Go, time.ParseDuration.
    """
    text = request.parameter("timeout")
    problem = _duration_problem(text) if text else ""
    if problem:
        raise BadRequestError(f"invalid timeout specified in the request URL - time: {problem}")


def _duration_problem(text: str) -> str:
    rest = text[1:] if text[0] in "+-" else text
    if rest == "0":
        return ""
    invalid = f"invalid duration {quoted(text)}"
    if not rest:
        return invalid
    while rest:
        number = _NUMBER.match(rest)
        if number is None:
            return invalid
        unit = _UNIT.match(rest, number.end())
        word = unit[0] if unit else ""
        if not word:
            return f"missing unit in duration {quoted(text)}"
        if word not in _UNITS:
            return f"unknown unit {quoted(word)} in duration {quoted(text)}"
        rest = rest[number.end() + len(word) :]
    return ""


def field_validation(request: Request) -> FieldValidation:
    """Return what happens to unknown fields: a warning unless the client says otherwise."""
    found = request.parameter("fieldValidation")
    for known in get_args(FieldValidation):
        if found == known:
            chosen: FieldValidation = known
            return chosen
    return "Warn"


def write_options(request: Request, kind: str, *, is_apply: bool = False) -> WriteOptions:
    """Return the options of a create, update or patch.

    Args:
        request: Has them in its query.
        kind: CreateOptions, UpdateOptions or PatchOptions, as refusals name it.
        is_apply: True for a server-side apply, which must name its manager.

    Raises:
        InvalidError: Its causes name the options.
    """
    manager = request.parameter("fieldManager")
    found: list[Cause] = []
    if kind == "PatchOptions":
        if is_apply and not manager:
            found.append(causes.required("fieldManager", "is required for apply patch"))
        if not is_apply and "force" in request.query:
            found.append(causes.forbidden("force", "may not be specified for non-apply patch"))
    found += _manager_problems(manager)
    dry_run = request.query.get("dryRun", [])
    found += dry_run_problems(dry_run)
    validation = request.parameter("fieldValidation")
    if validation and validation not in get_args(FieldValidation):
        supported = ("", "Ignore", "Strict", "Warn")
        found.append(causes.not_supported("fieldValidation", validation, supported))
    if found:
        raise invalid_options(kind, found)
    return WriteOptions(manager or _agent(request), bool(dry_run))


def dry_run_problems(values: list[str]) -> list[Cause]:
    """Return what is wrong with a dry run: only `All` is known."""
    unknown = [value for value in values if value != "All"]
    if not unknown:
        return []
    told = json.dumps(values, separators=(",", ":"))
    return [
        Cause(
            "FieldValueNotSupported",
            f'Unsupported value: {told}: supported values: "All"',
            "dryRun",
        )
    ]


def _manager_problems(manager: str) -> list[Cause]:
    if len(manager.encode()) > _LONGEST_MANAGER:
        return [causes.too_long("fieldManager", _LONGEST_MANAGER)]
    for place, character in enumerate(manager):
        if not character.isprintable():
            text = f"invalid character U+{ord(character):04X} (at position {place})"
            return [causes.invalid("fieldManager", manager, text)]
    return []


def _agent(request: Request) -> str:
    """Return the manager of a client that names none: its program, by its User-Agent."""
    program = request.header("user-agent").partition("/")[0]
    printable = "".join(c for c in program if c.isprintable())
    return printable.encode()[:_LONGEST_MANAGER].decode("utf-8", "ignore") or "unknown"
