"""Write the table by which `gitops_sim.cluster.workloads.go_dump` prints pod templates as Go does.

    python tools/generate_template_types.py [--check]

Reads `core/v1/types.go` of the Go module `k8s.io/api` and the types of `meta/v1` in Go's module
cache (`go mod download k8s.io/api@v0.37.2 k8s.io/apimachinery@v0.37.2`), and keeps what a
PodTemplateSpec reaches: per struct its members in Go's order, as `[Go name, type as Go prints it,
JSON name]` (the JSON name is empty where a struct is embedded), and what is behind named types.
`--check` writes nothing and fails when the file differs.
"""

from __future__ import annotations

import argparse
import json
import lzma
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

VERSION = "v0.37.2"
FOLDER = Path(__file__).resolve().parent.parent / "gitops_sim/cluster/workloads/data"
TARGET = FOLDER / "pod-template-1.37.json.xz"
STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"^type (\w+) =?\s*((?:\[\]|map\[|\*)?[\w.\[\]]+)\s*(?://.*)?$", re.MULTILINE)
FIELD = re.compile(r'^\t(?:(\w+)[ \t]+)?(\S+)[ \t]+`[^`]*json:"([^"]*)"', re.MULTILINE)
SCALARS = {"string", "bool", "int32", "int64", "int", "float64", "uint8"}
ROOT = "v1.PodTemplateSpec"
PRINTED_BY_HAND = {"v1.Time", "intstr.IntOrString", "resource.Quantity"}
NEVER_IN_A_TEMPLATE = {"v1.FieldsV1"}


def printed(go_type: str) -> str:
    """Return a type as Go prints it in `%#v`: with its package's name."""
    if go_type.startswith("*"):
        return f"*{printed(go_type[1:])}"
    if go_type.startswith("[]"):
        return f"[]{printed(go_type[2:])}"
    mapped = re.match(r"map\[(.*?)\](.*)", go_type)
    if mapped:
        return f"map[{printed(mapped[1])}]{printed(mapped[2])}"
    if go_type == "byte":
        return "uint8"
    if "." in go_type:
        return go_type.replace("metav1.", "v1.")
    return go_type if go_type in SCALARS else f"v1.{go_type}"


def parts_of(go_type: str) -> list[str]:
    """Return the types that a pointer, list or map is made of."""
    return [part for part in re.split(r"[*\[\]]|map", go_type) if part]


def table(modules: Path) -> dict[str, Any]:
    """Return the structs and named types that a pod template reaches."""
    structs: dict[str, list[list[str]]] = {}
    named = {"types.UID": "string", "types.NodeName": "string"}
    sources = (
        modules / f"api@{VERSION}/core/v1/types.go",
        modules / f"apimachinery@{VERSION}/pkg/apis/meta/v1/types.go",
    )
    for text in (source.read_text() for source in sources):
        for name, body in STRUCT.findall(text):
            members = [
                [go or go_type.rpartition(".")[2], printed(go_type), _json_name(go, tag)]
                for go, go_type, tag in FIELD.findall(body)
            ]
            structs.setdefault(f"v1.{name}", members)
        for name, behind in NAMED.findall(text):
            if behind not in ("struct", "interface"):
                named.setdefault(f"v1.{name}", printed(behind))
    reached: dict[str, Any] = {"structs": {}, "named": {}}
    open_types = [ROOT]
    while open_types:
        name = open_types.pop()
        if name in SCALARS | PRINTED_BY_HAND | NEVER_IN_A_TEMPLATE:
            continue
        if name in structs:
            if name not in reached["structs"]:
                reached["structs"][name] = structs[name]
                open_types += [part for m in structs[name] for part in parts_of(m[1])]
        elif name not in reached["named"]:
            reached["named"][name] = named[name]
            open_types += parts_of(named[name])
    return reached


def _json_name(go_name: str, tag: str) -> str:
    name, *options = tag.split(",")
    return "" if "inline" in options or not (go_name or name) else name


def main() -> int:
    """Write the file, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true")
    told = subprocess.run(["go", "env", "GOMODCACHE"], capture_output=True, text=True, check=False)
    parser.add_argument("--modules", default=told.stdout.strip() or "~/go/pkg/mod")
    options = parser.parse_args()
    found = table(Path(options.modules).expanduser() / "k8s.io")
    text = json.dumps(found, sort_keys=True, separators=(",", ":"))
    packed = lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME)
    if options.check:
        return 0 if json.loads(lzma.decompress(TARGET.read_bytes())) == found else 1
    FOLDER.mkdir(exist_ok=True)
    TARGET.write_bytes(packed)
    print(f"{TARGET.name}: {len(found['structs'])} structs, {len(packed)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
