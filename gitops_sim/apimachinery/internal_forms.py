"""Pod specs and claims as the server's messages show them: as its internal Go structs.

A refused change of what is immutable prints the whole struct, or the difference of two, with Go's
names, in Go's order, unset members included.

Source: k8s.io/kubernetes, pkg/apis/core/types.go, by `tools/go_structs.py`; k8s.io/apimachinery,
pkg/util/diff.
"""

from __future__ import annotations

import difflib
import json
from typing import Any

from gitops_sim.apimachinery import builtin_data

__all__ = ["go_difference", "internal_form"]

_RENAMED = {"DeprecatedServiceAccount": "serviceaccount"}


def internal_form(value: dict[str, Any], struct: str) -> dict[str, Any]:
    """Return a value of the API as the internal struct prints it.

    Args:
        value: Part of an object of the core group, such as a pod spec.
        struct: `PodSpec` or `PersistentVolumeClaimSpec`, or what is inside them.
    """
    given = {name.lower(): member for name, member in value.items()}
    shown: dict[str, Any] = {}
    for name, below, unset in builtin_data.internal_structs()[struct]:
        member = given.get(_RENAMED.get(name, name.lower()))
        if member is None:
            member = json.loads(unset)
            shown[name] = internal_form({}, below) if member == {} and below else member
        elif below and isinstance(member, list):
            shown[name] = [internal_form(item, below) for item in member]
        elif below and isinstance(member, dict):
            shown[name] = internal_form(member, below)
        else:
            shown[name] = member
    return shown


def go_difference(old: dict[str, Any], new: dict[str, Any], struct: str) -> str:
    """Return the difference of two values as the server shows it: a unified one of their JSON."""
    before, after = (
        json.dumps(internal_form(value, struct), indent=1, ensure_ascii=False).splitlines()
        for value in (old, new)
    )
    lines = list(difflib.unified_diff(before, after, n=3, lineterm=""))[2:]
    return "".join(f"{line}\n" for line in lines)
