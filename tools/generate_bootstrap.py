"""Write the objects that an API server makes at its start: roles, bindings, priority classes.

    python tools/generate_bootstrap.py [--check]

Reads the recorded policy of the Go module `k8s.io/kubernetes` in Go's module cache
(`plugin/pkg/auth/authorizer/rbac/bootstrappolicy/testdata`), and adds the managedFields that the
server's own field manager gives them, so that a new server need not track 140 objects. `--check`
writes nothing and fails when the file differs.
"""

from __future__ import annotations

import argparse
import json
import lzma
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from gitops_sim.apimachinery import managed_fields
from gitops_sim.apimachinery.schemas import Schemas

POLICY = "k8s.io/kubernetes@v1.37.2/plugin/pkg/auth/authorizer/rbac/bootstrappolicy/testdata"
TARGET = Path(__file__).resolve().parent.parent / "gitops_sim/apiserver/data/bootstrap.json.xz"
FILES = (
    "cluster-roles",
    "controller-roles",
    "cluster-role-bindings",
    "controller-role-bindings",
    "namespace-roles",
    "namespace-role-bindings",
)
PRIORITIES = (
    (
        "system-node-critical",
        2000001000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
    (
        "system-cluster-critical",
        2000000000,
        (
            "Used for system critical pods that must run in the cluster, but can be moved to "
            "another node if necessary."
        ),
    ),
)


def objects(cache: Path) -> list[dict[str, Any]]:
    """Return the objects in the order in which the server makes them."""
    found = [
        {
            "kind": "PriorityClass",
            "apiVersion": "scheduling.k8s.io/v1",
            "metadata": {"name": name, "generation": 1},
            "value": value,
            "description": description,
            "preemptionPolicy": "PreemptLowerPriority",
        }
        for name, value, description in PRIORITIES
    ]
    for name in FILES:
        listed = yaml.safe_load((cache / POLICY / f"{name}.yaml").read_text())
        found += listed["items"]
    return [tracked(manifest) for manifest in found]


def tracked(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return an object with the managedFields of its creation; their time is filled in later."""
    group, _, version = manifest["apiVersion"].rpartition("/")
    schema = Schemas().schema_for(group, version, manifest["kind"])
    return managed_fields.after_update(
        None,
        manifest,
        manager="kube-apiserver",
        schema=schema,
        time="",
        api_version=manifest["apiVersion"],
        subresource="",
    )


def main(arguments: list[str] | None = None) -> int:
    """Generate or check; return the exit status."""
    parser = argparse.ArgumentParser(description="generate the objects of a new server")
    parser.add_argument("--check", action="store_true", help="compare only")
    chosen = parser.parse_args(arguments)
    told = subprocess.run(["go", "env", "GOMODCACHE"], check=True, capture_output=True, text=True)
    text = json.dumps(objects(Path(told.stdout.strip())), separators=(",", ":")).encode()
    if chosen.check:
        same = lzma.decompress(TARGET.read_bytes()) == text
        print(f"{TARGET.name} is {'up to date' if same else 'out of date'}")
        return 0 if same else 1
    packed = lzma.compress(text, preset=9 | lzma.PRESET_EXTREME)
    TARGET.write_bytes(packed)
    print(f"{TARGET.name}: {len(text)} bytes, {len(packed)} packed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
