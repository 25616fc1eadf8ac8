"""The tables of `kubectl get`: the server's columns and cells, laid out as kubectl prints them.

Source: k8s.io/cli-runtime pkg/printers/tableprinter.go, tabwriter.go; apimachinery
pkg/util/duration.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gitops_sim.apiserver.store import Kind
from gitops_sim.apiserver.tables import make_table
from gitops_sim.errors import ApiError
from gitops_sim.kubectl.mapping import Mapped
from gitops_sim.kubectl.session import Session
from gitops_sim.kubectl.strictness import definition_of, schema_of
from gitops_sim.types import Manifest

__all__ = ["in_columns", "table_of"]


def table_of(
    session: Session, kind: Mapped, found: Sequence[Manifest], *, wide: bool
) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of objects of one kind; the first column is the name.

    Args:
        session: The command; a custom kind's definition is read with it.
        kind: Their kind.
        found: The objects.
        wide: With the columns of `-o wide`.
    """
    declared = None if schema_of(kind) is not None else _declared(session, kind)
    now = session.clock.timestamp()
    table = make_table(Kind(kind.group, kind.kind), found, now, declared)
    definitions = table["columnDefinitions"]
    shown = [
        place for place, column in enumerate(definitions) if wide or not column.get("priority")
    ]
    header = [str(definitions[place]["name"]).upper() for place in shown]
    rows = [[_cell(row["cells"][place]) for place in shown] for row in table["rows"]]
    return header, rows


def _declared(session: Session, kind: Mapped) -> Sequence[Manifest]:
    """Return the printer columns of a custom kind; none when its definition cannot be read."""
    try:
        version = definition_of(session, kind)
    except ApiError:
        return ()
    columns: Sequence[Manifest] = version.get("additionalPrinterColumns") or ()
    return columns


def _cell(value: Any) -> str:
    """Return a cell as text, up to the end of its first line."""
    if value is None:
        return "<none>"
    if isinstance(value, bool):
        return "true" if value else "false"
    first, line_end, _ = str(value).partition("\n")
    return f"{first}..." if line_end else first


def in_columns(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as text, columns three blanks apart, as kubectl prints them."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        padded = [cell.ljust(width + 3) for cell, width in zip(row, widths, strict=True)]
        lines.append("".join([*padded[:-1], row[-1]]).rstrip(" ") + "\n")
    return "".join(lines)
