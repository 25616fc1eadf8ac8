"""Write the data file that `gitops_sim.apimachinery` takes its built-in kinds from.

    python tools/generate_schemas.py [--source FOLDER] [--check]

Reads the Go module `k8s.io/kubernetes` (its folder; by default the one in Go's module cache, got
by `go mod download k8s.io/kubernetes@v1.37.2`): `api/openapi-spec/v3` for the schemas and
`api/discovery` for the resources; and beside it `k8s.io/api`, `apimachinery`,
`apiextensions-apiserver` and `kube-aggregator` at v0.37.2, for how their structs are written as
JSON. Keeps what a server serves by default, which is every stable
version (`v1`, `v2`), and the schemas that these refer to; leaves descriptions and paths out.
`--check` writes nothing and fails when the file differs.
"""

from __future__ import annotations

import argparse
import json
import lzma
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from go_enums import Enum, go_enums
from go_structs import go_forms, go_order, internal_structs

VERSION = "1.37.2"
MODULE = f"k8s.io/kubernetes@v{VERSION}"
TARGET = (
    Path(__file__).resolve().parent.parent
    / "gitops_sim/apimachinery/data"
    / f"kubernetes-{VERSION.rpartition('.')[0]}.json.xz"
)
DESCRIPTIONS = TARGET.with_name(f"descriptions-{VERSION.rpartition('.')[0]}.json.xz")
STABLE = re.compile(r"v[0-9]+")
REFERENCE = "#/components/schemas/"
KINDS = "x-kubernetes-group-version-kind"
ROOTS = ("api", "apis", "apis__apps", "version")
"""Documents of what is no resource: lists of groups and the version."""
INTERNAL = [
    "PersistentVolumeClaimSpec",
    "PersistentVolumeClaimStatus",
    "PersistentVolumeSource",
    "PodSpec",
]
"""Structs of the server that messages show."""
SHARED_KINDS = ("DeleteOptions", "WatchEvent")
"""Types of every group: their list of kinds depends on the document, so it is left out."""


def main(arguments: list[str] | None = None) -> int:
    """Generate or check; return the exit status."""
    parser = argparse.ArgumentParser(description="generate the built-in schemas")
    parser.add_argument("--source", type=Path, help=f"folder of {MODULE}")
    parser.add_argument("--check", action="store_true", help="compare only")
    chosen = parser.parse_args(arguments)
    source = chosen.source or module_folder()
    if source is None or not source.is_dir():
        print(f"no {MODULE}: run `go mod download {MODULE}`", file=sys.stderr)
        return 2
    text = generate(source)
    if chosen.check:
        same = lzma.decompress(TARGET.read_bytes()) == text
        print(f"{TARGET.name} is {'up to date' if same else 'out of date'}")
        return 0 if same else 1
    for target, content in ((TARGET, text), (DESCRIPTIONS, descriptions(source, text))):
        packed = lzma.compress(content, preset=9 | lzma.PRESET_EXTREME)
        target.write_bytes(packed)
        print(f"{target.name}: {len(content)} bytes, {len(packed)} packed")
    return 0


def descriptions(source: Path, kept: bytes) -> bytes:
    """Return what the kept types and members are for, and the words that some are made of.

    `texts` has type, member ("" for the type), text; `enums` type, member (with `[]` when it is a
    list of such words), words.
    """
    wanted = json.loads(kept)["schemas"]
    found = texts_of(source, wanted)
    enums: dict[str, dict[str, list[str]]] = {}
    for name, members in go_enums(source.parent, VERSION, wanted).items():
        for member, enum in members.items():
            enums.setdefault(name, {})[member] = enum.words
            _add_words(found[name], member, enum)
    content = {"enums": enums, "texts": found}
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _add_words(texts: dict[str, str], member: str, enum: Enum) -> None:
    """Let a member's description end as the server's does: with what each word means."""
    if enum.told:
        text = texts.get(member, "")
        texts[member] = f"{text}\n\n{enum.told}" if text else enum.told


def texts_of(source: Path, wanted: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return the descriptions in the module's documents."""
    found: dict[str, dict[str, str]] = {}
    for file in sorted((source / "api/openapi-spec/v3").glob("*_openapi.json")):
        for name, schema in json.loads(file.read_bytes())["components"].get("schemas", {}).items():
            if name in wanted:
                members = {"": schema, **schema.get("properties", {})}
                texts = {k: m["description"] for k, m in members.items() if "description" in m}
                found.setdefault(name, texts)
    return found


def module_folder() -> Path | None:
    """Return the module's folder in Go's module cache; None without Go or the module."""
    go = shutil.which("go")
    if go is None:
        return None
    cache = subprocess.run(
        [go, "env", "GOMODCACHE"], check=True, capture_output=True, text=True
    ).stdout.strip()
    folder = Path(cache) / MODULE
    return folder if folder.is_dir() else None


def generate(source: Path) -> bytes:
    """Return the content of the data file; the members of a type stand in Go's order."""
    groups = [core_group(source), *stable_groups(source)]
    schemas: dict[str, Any] = {}
    for group in groups:
        for version in group["versions"]:
            schemas |= document_schemas(source, group["metadata"]["name"], version["version"])
    for name in ROOTS:
        schemas |= file_schemas(source / "api/openapi-spec/v3" / f"{name}_openapi.json")
    modules, version = source.parent, f"v0.{VERSION.partition('.')[2]}"
    for name, schema in schemas.items():
        if "properties" in schema:
            order = go_order(modules, version, name)
            schema["properties"] = in_order(schema["properties"], order)
    content = {
        "forms": go_forms(modules, version, sorted(schemas)),
        "groups": groups,
        "internal": internal_structs(source, INTERNAL),
        "schemas": dict(sorted(schemas.items())),
        "version": VERSION,
    }
    return json.dumps(content, separators=(",", ":")).encode()


def in_order(properties: dict[str, Any], order: list[str]) -> dict[str, Any]:
    """Return the members of a type as its struct has them; others after them."""
    known = [name for name in order if name in properties]
    return {name: properties[name] for name in dict.fromkeys([*known, *properties])}


def document_schemas(source: Path, group: str, version: str) -> dict[str, Any]:
    """Return the schemas of one group and version, without descriptions."""
    path = f"apis__{group}__{version}" if group else f"api__{version}"
    return file_schemas(source / "api/openapi-spec/v3" / f"{path}_openapi.json")


def file_schemas(file: Path) -> dict[str, Any]:
    """Return the schemas of one document."""
    schemas: dict[str, Any] = json.loads(file.read_bytes())["components"]["schemas"]
    for name, schema in schemas.items():
        if name.rpartition(".")[2] in SHARED_KINDS:
            schema.pop(KINDS, None)
    return {name: stripped(schema) for name, schema in schemas.items()}


def stripped(schema: Any) -> Any:
    """Return a schema without descriptions; a property called `description` stays."""
    if isinstance(schema, list):
        return [stripped(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.keys() == {"$ref"}:
        return {"$ref": schema["$ref"].removeprefix(REFERENCE)}
    return {
        key: stripped(value)
        for key, value in sorted(schema.items())
        if not (key == "description" and isinstance(value, str))
    }


def stable_groups(source: Path) -> list[Any]:
    """Return the named groups, in the server's order, with their stable versions."""
    listed = json.loads((source / "api/discovery/aggregated_v2.json").read_bytes())["items"]
    groups = []
    for group in listed:
        versions = [v for v in group["versions"] if STABLE.fullmatch(v["version"])]
        if versions:
            groups.append({"metadata": {"name": group["metadata"]["name"]}, "versions": versions})
    return groups


def core_group(source: Path) -> Any:
    """Return the core group in the same form, from its plain list of resources."""
    listed = json.loads((source / "api/discovery/api__v1.json").read_bytes())["resources"]
    resources: dict[str, Any] = {}
    for entry in listed:
        name, _, subresource = entry["name"].partition("/")
        kind = {
            "group": entry.get("group", ""),
            "kind": entry["kind"],
            "version": entry.get("version", ""),
        }
        if subresource:
            parent = resources.setdefault(name, {"resource": name})
            parent.setdefault("subresources", []).append(
                {"responseKind": kind, "subresource": subresource, "verbs": entry["verbs"]}
            )
            continue
        resource = resources.setdefault(name, {"resource": name})
        resource |= {
            "responseKind": kind,
            "scope": "Namespaced" if entry["namespaced"] else "Cluster",
            "singularResource": entry["singularName"],
            "verbs": entry["verbs"],
        }
        resource |= {key: entry[key] for key in ("categories", "shortNames") if key in entry}
    version = {"freshness": "Current", "resources": list(resources.values()), "version": "v1"}
    return {"metadata": {"name": ""}, "versions": [version]}


if __name__ == "__main__":
    sys.exit(main())
