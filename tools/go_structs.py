"""Read how Go writes the structs of the API as JSON: which members vanish, which always show.

A struct's member without `omitempty` is always written; with it, a pointer is written when it is
set, a list, map or scalar when it is not empty, and a struct always. OpenAPI does not tell these
apart, the struct tags of `k8s.io/api` and its neighbours do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"^type (\w+) =?\s*((?:\[\]|map\[|\*)?[\w.\[\]]+)\s*$", re.MULTILINE)
_FIELD = re.compile(r'^\t(?:(\w+)\s+)?(\S+)\s+`[^`]*json:"([^"]*)"', re.MULTILINE)
_NUMBERS = ("int", "int32", "int64", "uint8", "uint32", "float64")
_TIMES = ("metav1.Time", "metav1.MicroTime", "Time", "MicroTime")
_FOLDERS = {
    "io.k8s.api.": "api@{}",
    "io.k8s.apimachinery.": "apimachinery@{}",
    "io.k8s.apiextensions-apiserver.": "apiextensions-apiserver@{}",
    "io.k8s.kube-aggregator.": "kube-aggregator@{}",
}


@dataclass(frozen=True)
class Package:
    """Structs (members: JSON name, options, Go type) and named types of one Go package."""

    structs: dict[str, list[tuple[str, frozenset[str], str]]]
    named: dict[str, str]

    def members(self, struct: str) -> list[tuple[str, frozenset[str], str]]:
        """Return the members of a struct, with those of the structs embedded in it."""
        found = []
        for member, options, go_type in self.structs.get(struct, ()):
            if "inline" in options or not member:
                found += self.members(go_type.rpartition(".")[2])
            else:
                found.append((member, options, go_type))
        return found

    def zero(self, go_type: str) -> Any:
        """Return what Go writes for an unset value of a type."""
        go_type = self.underlying(go_type)
        if go_type.startswith(("*", "[]", "map[", "interface")) or go_type in _TIMES:
            return None
        if go_type in ("string", "bool"):
            return "" if go_type == "string" else False
        if go_type in _NUMBERS or go_type.endswith("IntOrString"):
            return 0
        return {"Quantity": "0", "RawExtension": None}.get(go_type.rpartition(".")[2], {})

    def underlying(self, go_type: str) -> str:
        """Return the type behind a named one of this package, as far as it is known."""
        if go_type in ("types.UID", "types.NodeName"):
            return "string"
        bare = go_type.rpartition(".")[2] if go_type.startswith(("v1.", "corev1.")) else go_type
        known = self.named.get(bare)
        return go_type if known is None else self.underlying(known)


def go_forms(modules: Path, version: str, names: list[str]) -> dict[str, dict[str, Any]]:
    """Return by component name `{"zero": [...], "always": {...}}`; empty parts are left out.

    Args:
        modules: The folder `k8s.io` of Go's module cache.
        version: Of the modules, such as `v0.37.2`.
        names: Components, such as `io.k8s.api.apps.v1.Deployment`.

    `zero` lists scalars that vanish when they are "", 0 or false; `always` holds the members that
    are always written, with what stands for an unset one.
    """
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        folder = _folder(modules, version, name)
        if folder is None:
            continue
        form = _form(_read(folder, modules, version), name.rpartition(".")[2])
        if form:
            found[name] = form
    return found


def go_order(modules: Path, version: str, name: str) -> list[str]:
    """Return the members of a component in the order in which Go writes them.

    Args:
        modules: The folder `k8s.io` of Go's module cache.
        version: Of the modules, such as `v0.37.2`.
        name: The component, such as `io.k8s.api.apps.v1.Deployment`.
    """
    folder = _folder(modules, version, name)
    if folder is None:
        return []
    members = _read(folder, modules, version).members(name.rpartition(".")[2])
    names = [member for member, _, _ in members]
    of_type = [name for name in ("kind", "apiVersion") if name not in names]
    return [*of_type, *names]


def _form(package: Package, struct: str) -> dict[str, Any]:
    zero: list[str] = []
    always: dict[str, Any] = {}
    for member, options, go_type in package.members(struct):
        empty = package.zero(go_type)
        if not options & {"omitempty", "omitzero"}:
            always[member] = empty
        elif "omitzero" in options or package.underlying(go_type).startswith(("*", "[]", "map[")):
            continue
        elif empty in ("", 0) and not go_type.endswith("IntOrString"):
            zero.append(member)
        else:
            always[member] = empty
    form = {"zero": sorted(zero), "always": always}
    return {key: part for key, part in form.items() if part}


def _folder(modules: Path, version: str, name: str) -> Path | None:
    for prefix, module in _FOLDERS.items():
        if name.startswith(prefix):
            inside = name.removeprefix(prefix).rpartition(".")[0].replace(".", "/")
            return modules / module.format(version) / inside
    return None


@cache
def _read(folder: Path, modules: Path, version: str) -> Package:
    structs: dict[str, list[tuple[str, frozenset[str], str]]] = {}
    named: dict[str, str] = {}
    core = modules / f"api@{version}" / "core/v1"
    for source in [*sorted(core.glob("*.go")), *sorted(folder.glob("*.go"))]:
        text = source.read_text()
        named |= {name: target for name, target in _NAMED.findall(text) if target != "struct"}
        if source.parent != folder:
            continue
        for name, body in _STRUCT.findall(text):
            structs[name] = [
                (tag.split(",")[0], frozenset(tag.split(",")[1:]), go_type)
                for _, go_type, tag in _FIELD.findall(body)
                if tag != "-"
            ]
    return Package(structs, named)


_INTERNAL_FIELD = re.compile(r"^\t(?:(\w+) +)?([\w.*\[\]]+)\s*(?:`.*)?$", re.MULTILINE)
_FLAT = {"string": '""', "bool": "false", **dict.fromkeys(_NUMBERS, "0")}


def internal_structs(source: Path, roots: list[str]) -> dict[str, list[list[str]]]:
    """Return the internal structs below some of the core group's, as messages show them.

    Args:
        source: Folder of `k8s.io/kubernetes`.
        roots: Names of structs in `pkg/apis/core/types.go`.

    Each is a list of members in Go's order, `[Go name, type, how an unset one is written]`; the
    type is another struct of the result, or empty.
    """
    text = (source / "pkg/apis/core/types.go").read_text()
    bodies = dict(_STRUCT.findall(text))
    named = dict(_NAMED.findall(text))
    found: dict[str, list[list[str]]] = {}
    waiting = list(roots)
    while waiting:
        struct = waiting.pop()
        if struct not in found:
            found[struct] = _internal_members(struct, bodies, named)
            waiting += [member[1] for member in found[struct] if member[1]]
    return found


def _internal_members(
    struct: str, bodies: dict[str, str], named: dict[str, str]
) -> list[list[str]]:
    members: list[list[str]] = []
    for name, go_type in _INTERNAL_FIELD.findall(bodies[struct]):
        if not name:
            if go_type in bodies:
                members += _internal_members(go_type, bodies, named)
            continue
        inner = go_type.lstrip("*[]")
        while inner in named:
            inner = named[inner]
        nil = go_type.startswith(("*", "[")) or inner.startswith(("map", "[")) or "Time" in inner
        unset = "null" if nil else _FLAT.get(inner, "{}")
        members.append([name, inner if inner in bodies else "", unset])
    return members
