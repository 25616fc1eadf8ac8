"""`kubectl describe`: everything of an object, and its events.

Source: k8s.io/kubectl pkg/describe/describe.go (printUnstructuredContent), Go's text/tabwriter.
Differs: only ConfigMap and Secret have a form of their own; every other kind is shown as kubectl
shows a custom resource.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import Any

from gitops_sim.kubectl.arguments import Arguments, Flag
from gitops_sim.kubectl.eventing import events_of, table_of_events
from gitops_sim.kubectl.loading import FILE_FLAGS
from gitops_sim.kubectl.session import Session, Work
from gitops_sim.kubectl.targets import targets_of
from gitops_sim.types import Manifest

__all__ = ["DESCRIBE_FLAGS", "describe"]

DESCRIBE_FLAGS = {**FILE_FLAGS, "show-events": Flag(takes_value=False)}
SHOWN_APART = ("name", "namespace", "labels", "annotations", "managedFields")
ACRONYMS = ("API", "URL", "UID", "OSB", "GUID")
PADDING = 2
Lines = list[list[str]]


def describe(session: Session, arguments: Arguments) -> Work:
    """Describe objects: `describe deploy/web`, `describe pods -l app=web`."""
    everything = not arguments.text("selector") and len(arguments.words) == 1
    arguments.values.setdefault("all", [str(everything).lower()])
    texts = []
    for target in targets_of(session, arguments, arguments.words):
        yield session.step("describe", target.kind, target.name, namespace=target.namespace)
        live = session.cluster.get(target.kind.exact, target.name, target.namespace or None)
        lines = _head(live) + _body(live)
        if arguments.on("show-events", default=True) and live["kind"] != "Secret":
            lines += table_of_events(events_of(session, live))
        texts.append(_aligned(lines))
    if not texts:
        session.err.append(f"No resources found in {session.namespace} namespace.\n")
    session.out.append("\n\n".join(texts))
    return 0


def _head(live: Manifest) -> Lines:
    metadata = live["metadata"]
    lines = [["Name:", metadata["name"]], ["Namespace:", metadata.get("namespace", "")]]
    for title, field, joint in (("Labels:", "labels", "="), ("Annotations:", "annotations", ": ")):
        members = metadata.get(field) or {}
        shown = sorted(f"{key}{joint}{value}" for key, value in members.items() if _shown(key))
        first = [title, *(shown[:1] or ["<none>"])]
        lines += [first, *(["", text] for text in shown[1:])]
    return lines


def _shown(annotation: str) -> bool:
    return annotation != "kubectl.kubernetes.io/last-applied-configuration"


def _body(live: Manifest) -> Lines:
    if live["kind"] == "ConfigMap":
        lines = [[], ["Data"], ["===="]]
        for key, value in sorted((live.get("data") or {}).items()):
            lines += [[f"{key}:"], ["----"], *([line] for line in value.split("\n")), []]
        lines += [[], ["BinaryData"], ["===="]]
        for key, value in sorted((live.get("binaryData") or {}).items()):
            lines.append([f"{key}: {len(base64.b64decode(value))} bytes"])
        return [*lines, []]
    if live["kind"] == "Secret":
        lines = [[], ["Type:", live.get("type", "Opaque")], [], ["Data"], ["===="]]
        for key, value in sorted((live.get("data") or {}).items()):
            lines.append([f"{key}:", f"{len(base64.b64decode(value))} bytes"])
        return lines
    lines = [["API Version:", live["apiVersion"]], ["Kind:", live["kind"]]]
    metadata = {key: value for key, value in live["metadata"].items() if key not in SHOWN_APART}
    rest = {key: value for key, value in live.items() if key not in ("apiVersion", "kind")}
    return lines + _members({**rest, "metadata": metadata}, 0)


def _members(content: dict[str, Any], level: int) -> Lines:
    """Return the lines of a mapping, keys sorted, nested values indented below their key."""
    blank = "  " * level
    lines: Lines = []
    for key, value in sorted(content.items()):
        title = f"{blank}{_title(key)}:"
        if isinstance(value, dict):
            lines += [[title], *_members(value, level + 1)]
        elif isinstance(value, list):
            lines.append([title])
            for item in value:
                if isinstance(item, dict):
                    lines += _members(item, level + 1)
                else:
                    lines.append([f"{blank}  {_text(item)}"])
        else:
            lines.append([title, _text(value)])
    return lines


def _text(value: Any) -> str:
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _title(key: str) -> str:
    """Return a field's name as words: `creationTimestamp` becomes `Creation Timestamp`."""
    if "." in key or "/" in key:
        return key
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[^A-Z]+|[A-Z]", key)
    return " ".join(
        word.upper() if word.upper() in ACRONYMS else word[:1].upper() + word[1:] for word in words
    )


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    """Return lines with their cells in columns; a column lasts while lines have it."""
    widths: list[list[int]] = [[0] * max(len(line) - 1, 0) for line in lines]
    for column in range(max((len(line) for line in lines), default=0)):
        begun: list[int] = []
        for place in range(len(lines) + 1):
            if place < len(lines) and len(lines[place]) > column + 1:
                begun.append(place)
                continue
            width = max((len(lines[i][column]) for i in begun), default=0) + PADDING
            for i in begun:
                widths[i][column] = width
            begun = []
    texts = []
    for line, of_line in zip(lines, widths, strict=True):
        padded = [cell.ljust(width) for cell, width in zip(line, of_line, strict=False)]
        texts.append("".join([*padded, *line[-1:]]) + "\n")
    return "".join(texts)
