"""The lines of a description: titles and values in columns, and maps one member a line.

Source: k8s.io/kubectl pkg/describe/describe.go, Go's text/tabwriter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from gitops_sim.kubectl.eventing import table_of_events

__all__ = ["Page", "controller_name", "moment"]

_PADDING = 2
_LONGEST_ANNOTATION = 140
_HIDDEN = "kubectl.kubernetes.io/last-applied-configuration"


class Page:
    """What is written so far; a tab ends a cell, and cells stand in columns."""

    def __init__(self) -> None:
        self._lines: list[list[str]] = []

    def add(self, text: str, *, level: int = 0) -> None:
        """Write one line, indented by two blanks a level."""
        self._lines.append(f"{'  ' * level}{text}".split("\t"))

    def add_present(self, title: str, value: Any, *, level: int = 0) -> None:
        """Write a title and its value, unless there is none."""
        if value not in (None, ""):
            self.add(f"{title}:\t{value}", level=level)

    def add_each(self, title: str, values: Sequence[str]) -> None:
        """Write values below each other beside their title."""
        for place, value in enumerate(values or ["<none>"]):
            self.add(f"{title if place == 0 else ''}\t{value}")

    def add_labels(self, title: str, labels: Mapping[str, Any] | None) -> None:
        """Write a map as `key=value`, one a line."""
        self.add_each(f"{title}:", [f"{k}={v}" for k, v in sorted((labels or {}).items())])

    def add_annotations(self, title: str, notes: Mapping[str, str] | None) -> None:
        """Write annotations; a long value, or one of several lines, stands below its key."""
        lines: list[str] = []
        for key, told in sorted((notes or {}).items()):
            value = told.removesuffix("\n")
            if key == _HIDDEN:
                continue
            if len(key) + len(value) + 2 <= _LONGEST_ANNOTATION and "\n" not in value:
                lines.append(f"{key}: {value}")
                continue
            most = _LONGEST_ANNOTATION - 2
            parts = [f"  {s[:most]}{'...' if len(s) > most else ''}" for s in value.split("\n")]
            lines += [f"{key}:", *parts]
        self.add_each(f"{title}:", lines)

    def add_conditions(self, conditions: Iterable[Mapping[str, Any]], *, reasons: bool) -> None:
        """Write the table of conditions, with their reasons or without."""
        found = list(conditions)
        if not found:
            return
        self.add("Conditions:")
        self.add("Type\tStatus\tReason" if reasons else "Type\tStatus", level=1)
        if reasons:
            self.add("----\t------\t------", level=1)
        for entry in found:
            told = f"\t{entry.get('reason', '')}" if reasons else " "
            self.add(f"{entry['type']} \t{entry['status']}{told}", level=1)

    def add_events(self, rows: Sequence[Sequence[str]]) -> None:
        """Write the table of events."""
        self._lines += table_of_events(rows)

    def add_lines(self, lines: Iterable[Sequence[str]]) -> None:
        """Write lines of cells."""
        self._lines += [list(line) for line in lines]

    def raw(self) -> str:
        """Return the page with its tabs, as some commands print it."""
        return "".join("\t".join(line) + "\n" for line in self._lines)

    def text(self) -> str:
        """Return the page; a column is as wide as the lines next to each other that have it."""
        lines = self._lines
        widths: list[list[int]] = [[0] * max(len(line) - 1, 0) for line in lines]
        for column in range(max((len(line) for line in lines), default=0)):
            begun: list[int] = []
            for place in range(len(lines) + 1):
                if place < len(lines) and len(lines[place]) > column + 1:
                    begun.append(place)
                    continue
                width = max((len(lines[i][column]) for i in begun), default=0) + _PADDING
                for i in begun:
                    widths[i][column] = width
                begun = []
        texts = []
        for line, of_line in zip(lines, widths, strict=True):
            padded = [cell.ljust(width) for cell, width in zip(line, of_line, strict=False)]
            texts.append("".join([*padded, *line[-1:]]) + "\n")
        return "".join(texts)


def moment(text: str | None) -> str:
    """Return a time as descriptions write it: `Mon, 05 Jan 2026 09:00:00 +0000`."""
    if not text:
        return "Mon, 01 Jan 0001 00:00:00 +0000"
    return format_datetime(datetime.fromisoformat(text))


def controller_name(manifest: Mapping[str, Any]) -> str:
    """Return `Kind/name` of what controls an object; empty when nothing does."""
    for owner in manifest["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            return f"{owner['kind']}/{owner['name']}"
    return ""
