"""Two answers are alike when they differ only in what no two real control planes have in common.

What a run makes up becomes a word: times, addresses, resourceVersions, ends of names. A uid
becomes kind and name of its object. Which node a pod came to is left out (the real scheduler
chooses among equals at random), and so is the order of what is made at the same time: items of a
list are sorted, and events of a watch are compared per object, in their order for each object.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
TIME = re.compile(r"\b20(?:25|26)-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
ADDRESS = re.compile(r"\b(?:10\.(?:96|0|244)|127\.0)\.\d+\.\d+(?::\d+)?\b")
NODE = re.compile(r"\bnode-\d\b")
AGE = re.compile(r"^(\d+[smhdy])+$|^<(invalid|unknown)>$")
END = "[bcdfghjklmnpqrstvwxz2456789]"
TEXTS: tuple[tuple[str, str], ...] = (
    (
        r"(resource ?[vV]ersion|current|in record|precondition)(\\*\"?[ :=(]+\\*\"?)\d+",
        r"\1\2<version>",
    ),
    (r"(\.)[0-9a-f]{16}\b", r"\1<event>"),
    (rf"-{END}{{8,10}}-{END}{{5}}\b", "-<hash>-<end>"),
    (rf"-{END}{{8,10}}\b", "-<hash>"),
    (rf"<hash>-{END}{{5}}\b", "<hash>-<end>"),
    (r"hash=[0-9A-F]+", "hash=<hash>"),
    (r"\b(kube-api-access-)\w{5}\b", r"\1<end>"),
    (r"\b(default-scheduler-)[a-z-]+", r"\1<host>"),
    (r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", "<certificate>"),
)
UNSTABLE_FIELDS = {"managedFields", "nodeName", "matchFields"}
BUILD = {"gitCommit", "gitVersion", "buildDate", "goVersion", "compiler", "platform"}
UNORDERED = {"causes", "resourceRules", "nonResourceRules", "items", "rows"}
FIXED = "11111111-2222-3333-4444-555555555555"


class Likeness:
    """The comparable form of the answers of one scenario."""

    def __init__(self, answers: list[dict[str, Any]]) -> None:
        self._ends: dict[str, str] = {}
        self._owners: dict[str, str] = {}
        for answer in answers:
            for found in _maps(answer):
                self._learn_name(found)
        for answer in answers:
            for found in _maps(answer):
                self._learn_uid(found)

    def of(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return an answer in its comparable form."""
        told = self._value({k: v for k, v in answer.items() if k != "stream"}, "")
        if "stream" in answer:
            told["stream"] = self._per_object(answer["stream"])
        result: dict[str, Any] = told
        return result

    def _learn_name(self, found: dict[str, Any]) -> None:
        metadata = found.get("metadata")
        if not isinstance(metadata, dict):
            return
        stem, name = metadata.get("generateName"), metadata.get("name")
        if isinstance(stem, str) and isinstance(name, str) and name[:-5] == stem:
            self._ends[name] = f"{stem}<end>"
        labels = metadata.get("labels")
        for label in ("pod-template-hash", "controller-revision-hash"):
            value = labels.get(label) if isinstance(labels, dict) else None
            if isinstance(value, str):
                self._ends[value.rsplit("-", 1)[-1]] = "<hash>"

    def _learn_uid(self, found: dict[str, Any]) -> None:
        """An object, a reference to one, or a row of a table tells whose a uid is."""
        metadata = found.get("metadata")
        holder = metadata if isinstance(metadata, dict) else found
        uid, name, kind = holder.get("uid"), holder.get("name"), found.get("kind", "")
        if isinstance(uid, str) and isinstance(name, str) and kind:
            self._owners.setdefault(uid, f"<uid of {kind} {self._named(name)}>")

    def _named(self, text: str) -> str:
        for name in sorted(self._ends, key=len, reverse=True):
            if name in text:
                text = text.replace(name, self._ends[name])
        return text

    def _text(self, text: str) -> str:
        text = UUID.sub(
            lambda m: m[0] if m[0] == FIXED else self._owners.get(m[0], "<uid>"), self._named(text)
        )
        for pattern, word in TEXTS:
            text = re.sub(pattern, word, text, flags=re.S)
        return NODE.sub("<node>", ADDRESS.sub("<address>", TIME.sub("<time>", text)))

    def _value(self, value: Any, key: str) -> Any:
        if isinstance(value, dict):
            return self._map(value)
        if isinstance(value, list):
            items = [self._value(item, "") for item in value]
            if key == "cells":
                return ["<age>" if isinstance(i, str) and AGE.match(i) else i for i in items]
            return sorted(items, key=_written) if key in UNORDERED else items
        if isinstance(value, str):
            if key in ("resourceVersion", "continue", "ip", "podIP", "clusterIP"):
                return "<some>" if value not in ("", "0", "None") else value
            return self._text(value)
        is_port = key in ("nodePort", "targetPort") and isinstance(value, int) and value >= 6443
        return "<port>" if is_port and value not in (30123, 30124, 30201) else value

    def _map(self, value: dict[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for name, member in value.items():
            if name in UNSTABLE_FIELDS:
                continue
            is_build = name in BUILD and "major" in value
            told[self._text(name)] = "<build>" if is_build else self._value(member, name)
        if told.get("kind") == "Status" and ": [" in str(told.get("message")):
            head, _, tail = told["message"].partition(": [")
            told["message"] = f"{head}: {sorted(tail.rstrip(']').split(', '))}"
        return told

    def _per_object(self, events: list[dict[str, Any]]) -> list[Any]:
        """Return what a watch told of each object, but for bookmarks that time brings."""
        streams: dict[str, list[Any]] = {}
        for event in events:
            metadata = (event.get("object") or {}).get("metadata") or {}
            if event.get("type") == "BOOKMARK" and not metadata.get("annotations"):
                continue
            streams.setdefault(str(metadata.get("uid")), []).append(self._value(event, ""))
        return sorted(streams.values(), key=_written)


def _written(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _maps(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    members: Callable[[], Any] = value.values if isinstance(value, dict) else lambda: value
    if isinstance(value, dict | list):
        for member in members():
            yield from _maps(member)


def differences(wanted: Any, found: Any, path: str = "") -> list[str]:
    """Return the places where two comparable values differ."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        names = [*wanted, *(name for name in found if name not in wanted)]
        return [
            text
            for name in names
            for text in differences(wanted.get(name, ...), found.get(name, ...), f"{path}/{name}")
        ]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return [
            text
            for place, (one, other) in enumerate(zip(wanted, found, strict=True))
            for text in differences(one, other, f"{path}/{place}")
        ]
    return [] if wanted == found else [f"{path}: wanted {wanted!r:.200}, found {found!r:.200}"]
