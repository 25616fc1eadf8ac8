"""A pod template printed as Go prints the struct, which is what Kubernetes hashes.

Every member of every struct is there in its order, set or not: `(*int64)<nil>`, `(string)`,
`([]v1.Container)[{Name:(string)app …}]`. The table of structs comes from the Go sources.

Source: k8s.io/apimachinery, pkg/util/dump (ForHash); github.com/davecgh/go-spew, spew/format.go;
k8s.io/apimachinery, pkg/api/resource/quantity.go (ParseQuantity).
Differs: a quantity with more than 18 digits, or a binary one with a fraction, is printed as its
text is, not in the form that Go computes.
"""

from __future__ import annotations

import json
import lzma
import re
from functools import cache
from importlib.resources import files
from typing import Any

from gitops_sim.types import Manifest

__all__ = ["dump_template"]

_FILE = "pod-template-1.37.json.xz"
_NIL = "<nil>"
_MAP = re.compile(r"map\[(.*?)\](.*)")
_QUANTITY = re.compile(r"([-+]?[0-9]*)(?:\.([0-9]*))?([a-zA-Z]*)")
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_NO_TIME = "{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}"


def dump_template(template: Manifest) -> str:
    """Return a defaulted pod template as Go's `%#v` of a v1.PodTemplateSpec."""
    return _with_type("v1.PodTemplateSpec", template)


@cache
def _table() -> dict[str, dict[str, Any]]:
    packed = (files("gitops_sim.cluster.workloads") / "data" / _FILE).read_bytes()
    found: dict[str, dict[str, Any]] = json.loads(lzma.decompress(packed))
    return found


@cache
def _behind(go_type: str) -> str:
    """Return what a named type is: `string` behind `v1.DNSPolicy`."""
    named: dict[str, str] = _table()["named"]
    return _behind(named[go_type]) if go_type in named else go_type


def _with_type(go_type: str, value: Any) -> str:
    return f"({go_type}){_print(go_type, value)}"


def _print(go_type: str, value: Any) -> str:
    kind = _behind(go_type)
    if kind.startswith("*"):
        return _NIL if value is None else _print(kind[1:], value)
    if kind.startswith("[]"):
        return f"[{' '.join(_item(kind[2:], item) for item in value)}]" if value else _NIL
    mapped = _MAP.fullmatch(kind)
    if mapped:
        pairs = (f"{key}:{_item(mapped[2], item)}" for key, item in sorted((value or {}).items()))
        return f"map[{' '.join(pairs)}]" if value else _NIL
    if kind in _table()["structs"]:
        return _struct(kind, value or {})
    return _scalar(kind, value)


def _item(go_type: str, value: Any) -> str:
    """Print what a list or map holds: without its type, a pointer as `<*>`."""
    return f"<*>{_print(go_type, value)}" if go_type.startswith("*") else _print(go_type, value)


def _struct(kind: str, value: Manifest) -> str:
    members = []
    for go_name, go_type, name in _table()["structs"][kind]:
        held = value.get(name) if name else value
        members.append(f"{go_name}:{_with_type(go_type, held)}")
    return f"{{{' '.join(members)}}}"


def _scalar(kind: str, value: Any) -> str:
    match kind:
        case "v1.Time":
            return _NO_TIME
        case "intstr.IntOrString":
            text = value if isinstance(value, str) else ""
            number = 0 if isinstance(value, str) else value or 0
            type_ = int(isinstance(value, str))
            return f"{{Type:(intstr.Type){type_} IntVal:(int32){number} StrVal:(string){text}}}"
        case "resource.Quantity":
            return _quantity("" if value is None else str(value))
        case "bool":
            return "true" if value else "false"
        case "string":
            return str(value or "")
    return str(value or 0)


def _quantity(text: str) -> str:
    found = _QUANTITY.fullmatch(text)
    amount, scale, form = 0, 0, ""
    if text and found is not None:
        digits, decimals, suffix = found[1], found[2] or "", found[3]
        if suffix in _BINARY:
            amount, form = int(digits or 0) << _BINARY[suffix], "BinarySI"
        else:
            amount, form = int(digits + decimals), "DecimalSI"
            scale = _DECIMAL.get(suffix, 0) - len(decimals)
    return (
        f"{{i:(resource.int64Amount){{value:(int64){amount} scale:(resource.Scale){scale}}} "
        "d:(resource.infDecAmount){Dec:(*inf.Dec)<nil>} "
        f"s:(string){text} Format:(resource.Format){form}}}"
    )
