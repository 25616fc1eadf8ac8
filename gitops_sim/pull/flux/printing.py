"""What the `flux` command line prints.

Source: fluxcd/flux2 cmd/flux (get.go, tree_kustomization.go), pkg/printers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gitops_sim.apimachinery import conditions
from gitops_sim.delivery import Inventory, InventoryEntry
from gitops_sim.errors import NotFoundError
from gitops_sim.protocols import Reader
from gitops_sim.pull.flux.names import KUSTOMIZATION, KUSTOMIZE_GROUP
from gitops_sim.types import Manifest

__all__ = ["inventory_tree", "status_table"]

_COMMIT = re.compile(r"(sha1:[0-9a-f]{8})[0-9a-f]{32}")


def status_table(manifests: Sequence[Manifest], *, all_namespaces: bool) -> str:
    """Return the table of `flux get`; commits are cut to 8 digits."""
    heading = ["NAME", "REVISION", "SUSPENDED", "READY", "MESSAGE"]
    rows = [_row(manifest) for manifest in manifests]
    if all_namespaces:
        heading = ["NAMESPACE", *heading]
        rows = [[m["metadata"]["namespace"], *row] for m, row in zip(manifests, rows, strict=True)]
    if not rows:
        return "no objects found"
    widths = [max(map(len, column)) for column in zip(heading, *rows, strict=True)]
    return "\n".join(
        "\t".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (heading, *rows)
    )


def _row(manifest: Manifest) -> list[str]:
    status = manifest.get("status") or {}
    revision = status.get("lastAppliedRevision") or ""
    if manifest["kind"] == "GitRepository":
        revision = (status.get("artifact") or {}).get("revision", "")
    ready = conditions.get(manifest, "Ready")
    return [
        manifest["metadata"]["name"],
        _COMMIT.sub(r"\1", revision),
        "True" if manifest["spec"].get("suspend") else "False",
        ready.status if ready else "Unknown",
        _COMMIT.sub(r"\1", ready.message) if ready else "",
    ]


def inventory_tree(reader: Reader, name: str, namespace: str) -> str:
    """Return what a Kustomization applied as an indented tree, Kustomizations below it opened."""
    lines = [f"Kustomization/{namespace}/{name}"]
    lines += _branches(reader, name, namespace, frozenset({(namespace, name)}))
    return "\n".join(lines)


def _branches(
    reader: Reader, name: str, namespace: str, above: frozenset[tuple[str, str]]
) -> list[str]:
    lines: list[str] = []
    entries = _entries(reader, name, namespace)
    for number, entry in enumerate(entries, 1):
        is_last = number == len(entries)
        lines.append(f"{'└──' if is_last else '├──'} {entry.key}")
        place = (entry.key.namespace, entry.key.name)
        is_nested = (entry.key.group, entry.key.kind) == (KUSTOMIZE_GROUP, "Kustomization")
        if is_nested and place not in above:
            inner = _branches(reader, entry.key.name, entry.key.namespace, above | {place})
            lines += [f"{'    ' if is_last else '│   '}{line}" for line in inner]
    return lines


def _entries(reader: Reader, name: str, namespace: str) -> list[InventoryEntry]:
    try:
        found = reader.get(KUSTOMIZATION, name, namespace)
    except NotFoundError:
        return []
    return list(Inventory.from_status((found.get("status") or {}).get("inventory")))
