"""Write the table by which `gitops_sim.server.protobuf` reads protobuf bodies.

    python tools/generate_protobuf.py [--check]

Reads the struct tags of the Go modules `k8s.io/api`, `apimachinery`, `apiextensions-apiserver` and
`kube-aggregator` in Go's module cache (`go mod download k8s.io/api@v0.37.2`, and so on). A type
becomes a list of fields `[number, JSON name, kind, message, flags]`: the name is empty where the
struct is embedded; kinds are s (text), b (bytes), i (integer), B (boolean), d (double) and m
(message); flags are r (repeated), p (pointer), o (left out when empty), M (map with text keys) and
L (the message is a bare list). `--check` writes nothing and fails when the file differs.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import packed_data

VERSION = "v0.37.2"
TARGET = Path(__file__).resolve().parent.parent / "gitops_sim/server/data/protobuf.json.xz"
STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"^type (\w+) (?!struct|interface)=?\s*(\S+)$", re.MULTILINE)
FIELD = re.compile(r"^\t([A-Za-z0-9_.*\[\]]+)(?:\s+([^\s`]+))?\s+`([^`]*)`")
IMPORT = re.compile(r'^(?:\t|import )(?:(\w+) )?"([^"]+)"', re.MULTILINE)
SCALARS = {
    "string": "s",
    "bool": "B",
    "float64": "d",
    **dict.fromkeys(("int", "int32", "int64", "uint32", "uint8", "byte"), "i"),
}
TYPES = "k8s.io/apimachinery/pkg/types"


@dataclass(frozen=True)
class GoType:
    """What a Go type is on the wire."""

    kind: str
    message: str = ""
    repeated: bool = False
    pointer: bool = False
    mapped: bool = False

    @property
    def flags(self) -> str:
        """The flags of a field of this type."""
        marks = (("r", self.repeated), ("p", self.pointer), ("M", self.mapped))
        return "".join(letter for letter, is_set in marks if is_set)


Name = tuple[str, str]


class Sources:
    """The structs and named types of the Go packages that hold API types."""

    def __init__(self, cache: Path) -> None:
        self.structs: dict[Name, tuple[str, dict[str, str]]] = {}
        self.named: dict[Name, tuple[str, dict[str, str]]] = {}
        for package, folder in packages(cache):
            for file in sorted(folder.glob("*.go")):
                if not re.search(r"types|group_version", file.name):
                    continue
                text = file.read_text()
                imports = {
                    short or path.rpartition("/")[2]: path for short, path in IMPORT.findall(text)
                }
                for name, body in STRUCT.findall(text):
                    self.structs[package, name] = (body, imports)
                for name, meant in NAMED.findall(text):
                    self.named[package, name] = (meant, imports)

    def resolve(self, package: str, text: str, imports: dict[str, str]) -> GoType:
        """Return what a Go type expression is on the wire."""
        pointer, text = text.startswith("*"), text.lstrip("*")
        if text == "[]byte":
            return GoType("b", pointer=pointer)
        if text.startswith("[]"):
            return replace(self.resolve(package, text[2:], imports), repeated=True, pointer=pointer)
        if text.startswith("map["):
            value = self.resolve(package, text[text.index("]") + 1 :], imports)
            return replace(value, pointer=pointer, mapped=True)
        if text in SCALARS:
            return GoType(SCALARS[text], pointer=pointer)
        short, _, name = text.rpartition(".")
        home = imports.get(short, short) if short else package
        if home == TYPES:
            return GoType("s", pointer=pointer)
        if (home, name) not in self.named:
            return GoType("m", f"{home}.{name}", pointer=pointer)
        meant = self.resolve(home, *self.named[home, name])
        if meant.repeated and not meant.mapped:
            return GoType("m", f"{home}.{name}", pointer=pointer)
        return replace(meant, pointer=pointer or meant.pointer)

    def fields(self, package: str, name: str) -> list[list[object]]:
        """Return the rows of one struct."""
        body, imports = self.structs[package, name]
        rows: list[list[object]] = []
        for line in body.split("\n"):
            found = FIELD.match(line)
            tags = found.group(3) if found else ""
            wire = re.search(r'protobuf:"([^"]*)"', tags)
            told = re.search(r'json:"([^"]*)"', tags)
            if found is None or wire is None or told is None:
                continue
            written, number = wire.group(1).split(",")[:2]
            json_name, *options = told.group(1).split(",")
            go_type = self.resolve(package, found.group(2) or found.group(1), imports)
            if written == "varint" and go_type.kind == "m":
                go_type = replace(go_type, kind="i", message="")
            flags = go_type.flags + ("o" if {"omitempty", "omitzero"} & set(options) else "")
            json_name = "" if "inline" in options else json_name
            rows.append([int(number), json_name, go_type.kind, go_type.message, flags])
        return rows


def packages(cache: Path) -> list[tuple[str, Path]]:
    """Return import paths and folders of the packages with API types."""
    api = cache / f"k8s.io/api@{VERSION}"
    found = [(f"k8s.io/api/{d.relative_to(api)}", d) for d in sorted(api.glob("*/v*"))]
    for module, below in (
        ("apimachinery", "pkg/apis/meta/v1"),
        ("apiextensions-apiserver", "pkg/apis/apiextensions/v1"),
        ("kube-aggregator", "pkg/apis/apiregistration/v1"),
    ):
        found.append((f"k8s.io/{module}/{below}", cache / f"k8s.io/{module}@{VERSION}" / below))
    return found


def generate(cache: Path) -> bytes:
    """Return the content of the data file."""
    sources = Sources(cache)
    table = {
        f"{package}.{name}": sources.fields(package, name) for package, name in sources.structs
    }
    for (package, name), (meant, imports) in sources.named.items():
        if meant.startswith("[]"):
            item = sources.resolve(package, meant[2:], imports)
            table[f"{package}.{name}"] = [[1, "", item.kind, item.message, "rL"]]
    return json.dumps(table, separators=(",", ":"), sort_keys=True).encode()


if __name__ == "__main__":
    sys.exit(packed_data.run("generate the protobuf table", TARGET, generate))
