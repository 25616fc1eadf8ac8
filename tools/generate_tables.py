"""Write the columns of the tables that the API server prints for `kubectl get`.

    python tools/generate_tables.py [--check]

Reads `pkg/printers/internalversion/printers.go` of the Go module `k8s.io/kubernetes` and the
generated documentation of `k8s.io/api`, both in Go's module cache, and keeps for each kind the
columns: name, type, format, description, priority. How a row is filled is code, in
`gitops_sim.apiserver.tables`. `--check` writes nothing and fails when the file differs.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import packed_data

KUBERNETES, MODULES = "k8s.io/kubernetes@v1.37.2", "v0.37.2"
TARGET = Path(__file__).resolve().parent.parent / "gitops_sim/apiserver/data/tables.json.xz"
DEFINITIONS = re.compile(
    r"(\w+)\s*:?=\s*(?:append\(\w+, )?\[\]metav1\.TableColumnDefinition\{\n(.*?)\n\t\}", re.DOTALL
)
COLUMN = re.compile(r"^\t+\{(.*)\},$", re.MULTILINE)
HANDLER = re.compile(r"h\.TableHandler\((\w+), (\w+)\)")
PRINTER = re.compile(r"^func (\w+)\(\w+ \*(\w+)\.(\w+),", re.MULTILINE)
DOCUMENTED = re.compile(r"(\w+)\.(\w+)\{\}(?:\.(\w+))?\.SwaggerDoc\(\)\[\"(\w*)\"\]")
IMPORT = re.compile(r'^\t(\w+) "k8s\.io/(api|apimachinery)/([^"]+)"$', re.MULTILINE)
DOC_MAP = re.compile(r"^var map_(\w+) = map\[string\]string\{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
DOC_LINE = re.compile(r'^\t"(\w*)":\s*("(?:[^"\\]|\\.)*"),$', re.MULTILINE)
MEMBERS = {"InvolvedObject": "ObjectReference", "Source": "EventSource"}
"""Types of members whose documentation is asked for."""

GROUPS = {
    "api": "",
    "apps": "apps",
    "autoscaling": "autoscaling",
    "batch": "batch",
    "policy": "policy",
    "rbac": "rbac.authorization.k8s.io",
    "flowcontrol": "flowcontrol.apiserver.k8s.io",
    "nodeapi": "node.k8s.io",
}
"""Packages of internal types whose group is not the package's name with `.k8s.io`."""


Documented = dict[tuple[str, str, str], str]


def documentation(cache: Path, source: str) -> Documented:
    """Return what the API says of fields, by package (as the source calls it), type and field."""
    found = {}
    for short, module, folder in IMPORT.findall(source):
        file = cache / f"k8s.io/{module}@{MODULES}" / folder / "types_swagger_doc_generated.go"
        for name, body in DOC_MAP.findall(file.read_text()) if file.exists() else ():
            for field, text in DOC_LINE.findall(body):
                found[short, name, field] = json.loads(text)
    return found


def column(text: str, documented: Documented) -> dict[str, Any]:
    """Return one column of a Go literal."""

    def part(name: str) -> str:
        found = re.search(rf'{name}: ("(?:[^"\\]|\\.)*")', text)
        return str(json.loads(found.group(1))) if found else ""

    described = DOCUMENTED.search(text)
    description = part("Description")
    if described:
        go_type = MEMBERS.get(described[3] or "", described[2])
        description = documented.get((described[1], go_type, described[4]), "")
    priority = re.search(r"Priority: (\d+)", text)
    return {
        "name": part("Name"),
        "type": part("Type"),
        "format": part("Format"),
        "description": description,
        "priority": int(priority.group(1)) if priority else 0,
    }


def generate(cache: Path) -> bytes:
    """Return the content of the data file."""
    source = (cache / KUBERNETES / "pkg/printers/internalversion/printers.go").read_text()
    documented = documentation(cache, source)
    columns: dict[str, list[dict[str, Any]]] = {}
    for name, body in DEFINITIONS.findall(source):
        added = [column(text, documented) for text in COLUMN.findall(body)]
        columns.setdefault(name, []).extend(added)
    printers = {name: (package, kind) for name, package, kind in PRINTER.findall(source)}
    table = {}
    for defined, printer in HANDLER.findall(source):
        package, kind = printers.get(printer, ("", ""))
        if kind and not kind.endswith("List"):
            group = GROUPS.get(package, f"{package}.k8s.io")
            table[f"{group}/{kind}"] = columns[defined]
    return json.dumps(dict(sorted(table.items())), separators=(",", ":")).encode()


if __name__ == "__main__":
    sys.exit(packed_data.run("generate the columns of tables", TARGET, generate))
