"""The words that members of the API's types may have, and what each means, read from Go.

Source: k8s.io/kubernetes and k8s.io/apiextensions-apiserver, pkg/generated/openapi.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container
from pathlib import Path
from typing import NamedTuple

__all__ = ["Enum", "go_enums"]

_FUNCTION = re.compile(r"^func schema_(\w+)\(ref", re.M)
_MEMBER = re.compile(r'^\t{5}"(\w+)": \{$', re.M)
_ENUM = re.compile(r"^(\t+)Enum: +\[\]interface\{\}\{(.*)\},$", re.M)
_DESCRIPTION = re.compile(r'^\t{7}Description: (".*"),$', re.M)
_OWN_TABS = 7
_TOLD = "Possible enum values:"


class Enum(NamedTuple):
    """The words of one member, and the end of its description that says what they mean."""

    words: list[str]
    told: str


def go_enums(modules: Path, version: str, wanted: Container[str]) -> dict[str, dict[str, Enum]]:
    """Return the enumerations by component and member.

    Args:
        modules: The folder `k8s.io` of Go's module cache.
        version: Of `k8s.io/kubernetes`, such as `1.37.2`.
        wanted: The components that are kept, such as `io.k8s.api.core.v1.ServicePort`.
    """
    found: dict[str, dict[str, Enum]] = {}
    for module in (
        f"kubernetes@v{version}",
        f"apiextensions-apiserver@v0.{version.partition('.')[2]}",
    ):
        text = (modules / module / "pkg/generated/openapi/zz_generated.openapi.go").read_text()
        _, *parts = _FUNCTION.split(text)
        for function, body in zip(parts[::2], parts[1::2], strict=True):
            name = _component(function)
            members = _members(body) if name in wanted else {}
            if members:
                found[name] = members
    return found


def _component(function: str) -> str:
    """Return the component of a function: `k8sio_api_core_v1_Pod` is `io.k8s.api.core.v1.Pod`."""
    for prefix, package in (
        ("k8sio_api_", "io.k8s.api."),
        ("pkg_apis_apiextensions_", "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions."),
    ):
        if function.startswith(prefix):
            return package + function.removeprefix(prefix).replace("_", ".")
    return ""


def _members(body: str) -> dict[str, Enum]:
    _, *parts = _MEMBER.split(body)
    found = {}
    for member, told in zip(parts[::2], parts[1::2], strict=True):
        enum = _ENUM.search(told)
        if enum is None:
            continue
        words: list[str] = json.loads(f"[{enum[2]}]")
        text = _DESCRIPTION.search(told)
        _, mark, meaning = (json.loads(text[1]) if text else "").partition(_TOLD)
        is_own = len(enum[1]) == _OWN_TABS
        found[member if is_own else f"{member}[]"] = Enum(words, mark + meaning)
    return found
