"""What a real API server 1.37.2 answered, request for request.

What differs from run to run becomes a word: a uid or resourceVersion is numbered by its first
appearance in a scenario, so that two answers are alike only when the same ones are equal in both.

`tests/data/conformance/apiserver.json.xz` holds scenarios in order: each request as it was sent,
and status, headers and body of the answer. What the simulated server answers otherwise is listed
in `KNOWN`, with the reason. `apiserver-more.json.xz` holds further scenarios in the same form, with
an answer only where the simulated server gives the same one.
"""

from __future__ import annotations

import json
import lzma
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitops_sim.apiserver.users import ANONYMOUS, User

DATA = Path(__file__).parent.parent / "data/conformance"
FILES = [
    entry
    for name in ("apiserver", "apiserver-more")
    for entry in json.loads(lzma.decompress((DATA / f"{name}.json.xz").read_bytes()))
]
KNOWN = {
    "discovery/47-wrong-token": "tokens are looked at before the front",
    "crd-widgets/06-openapi-v3": "operations of OpenAPI have no descriptions",
}
UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
TIME = re.compile(r"\b20(?:25|26)-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
ADDRESS = re.compile(r"\b(?:10\.96|127\.0)\.\d+\.\d+(?::\d+)?\b")
VERSION_IN_TEXT = (
    re.compile(r"((?:resource version|resourceVersion|current): )\d+"),
    re.compile(r"((?:precondition \(|in record \())\d+"),
    re.compile(r'(resourceVersion\\*"?: ?\\*")\d+'),
)
NAME_ENDS = re.compile(r"\b(kube-api-access-|gen-|p-|x-)[a-z0-9]{5}\b")
AGE = re.compile(r"^(\d+[smhdy])+$|^<invalid>$")
BUILD = {"gitCommit", "gitVersion", "buildDate", "goVersion", "compiler", "platform"}
FIXED = "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize("recorded", FILES, ids=[entry["file"] for entry in FILES])
def test_answers_are_those_of_a_real_server(
    recorded: dict[str, Any], make_site: Callable[[], Any]
) -> None:
    site, wrong = make_site(), []
    scenarios: dict[str, list[dict[str, Any]]] = {}
    for step in recorded["steps"]:
        scenarios.setdefault(step["scenario"], []).append(step)
    for name, steps in scenarios.items():
        for step, told in replay(site, steps):
            known = f"{name}/{step}" in KNOWN
            if told and not known:
                wrong.append(f"{name}/{step}: {'; '.join(told[:3])}")
            if known and not told:
                wrong.append(f"{name}/{step} is as recorded now: take it out of KNOWN")
    assert not wrong, "\n".join(wrong)


def replay(site: Any, steps: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """Send the requests of one scenario; return the differences of each answer."""
    names: dict[str, str] = {}
    ours, theirs = Likeness(), Likeness()
    results = []
    for step in steps:
        reply = send(site, step, names)
        for name, path in step.get("capture", {}).items():
            names[name] = str(at(reply.json, path))
        expected = step.get("expected")
        if expected is not None:
            found = comparable(reply, step, expected)
            results.append((step["id"], differences(theirs.of(expected), ours.of(found))))
    return results


def send(site: Any, step: dict[str, Any], names: dict[str, str]) -> Any:
    """Send one recorded request."""
    filled = json.loads(fill(json.dumps(step), names))
    headers = {k.lower(): v for k, v in filled.get("headers", {}).items()}
    body = filled.get("body")
    if "raw" in filled:
        body = filled["raw"].encode()
    headers["user-agent"] = "recorder/1.0"
    return site.ask(filled["method"], filled["path"], body, by=user(site, step), headers=headers)


def user(site: Any, step: dict[str, Any]) -> User:
    name = step.get("as", "admin")
    return site.users.get(name, ANONYMOUS)


def fill(text: str, names: dict[str, str]) -> str:
    """Put captured values where the recording has `${name}`."""
    for name, value in names.items():
        text = text.replace(f"${{{name}}}", value)
    return text


def at(value: Any, path: str) -> Any:
    """Return what a dotted path leads to."""
    for name in path.split("."):
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


def comparable(reply: Any, step: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """Return an answer in the form of the recording."""
    found: dict[str, Any] = {"status": reply.status}
    if "stream" in expected:
        found["stream"] = reply.events()
    elif "body" in expected:
        found["body"] = reply.json
    else:
        body = b"" if step["method"] == "HEAD" else reply.answer.body
        found["text"] = body.decode()
    if step.get("reduce") == "paths":
        found["body"] = {
            key: sorted(value)
            if key in ("paths", "definitions")
            else "…"
            if isinstance(value, dict | list)
            else value
            for key, value in found["body"].items()
        }
    headers: dict[str, str] = {}
    for name, value in reply.answer.all_headers(reply.warnings):
        if name in ("content-type", "warning"):
            headers[name] = f"{headers[name]}\n{value}" if name in headers else value
    found["headers"] = headers
    return found


class Likeness:
    """The numbering of one scenario."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = {}

    def of(self, value: Any, key: str = "") -> Any:
        """Return a value in its comparable form."""
        if isinstance(value, dict):
            return self._of_map(value)
        if isinstance(value, list):
            items = [self.of(item, key) for item in value]
            if key == "cells":
                return ["<age>" if isinstance(i, str) and AGE.match(i) else i for i in items]
            if key in ("managedFields", "causes", "resourceRules", "nonResourceRules"):
                return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
            return items
        if isinstance(value, str):
            return self._of_text(value, key)
        is_port = key in ("nodePort", "targetPort") and isinstance(value, int) and value >= 6443
        return "<port>" if is_port and value not in (30123, 30124, 30201) else value

    def _of_map(self, value: dict[str, Any]) -> dict[str, Any]:
        is_list = "items" in value or "rows" in value
        told = {}
        for name, member in value.items():
            if name == "metadata" and is_list and isinstance(member, dict):
                # The version of a list depends on what else was written before.
                member = {k: "<some>" if v else v for k, v in member.items()}
            if name in BUILD and "major" in value:
                member = "<build>"
            told[self._of_text(name, "")] = self.of(member, name)
        if told.get("type") == "BOOKMARK":
            told["object"]["metadata"]["resourceVersion"] = "<some>"
        if told.get("kind") == "Status" and ": [" in str(told.get("message")):
            head, _, tail = told["message"].partition(": [")
            told["message"] = f"{head}: {sorted(tail.rstrip(']').split(', '))}"
        return told

    def _of_text(self, text: str, key: str) -> str:
        if key == "resourceVersion" and text.isdigit():
            return text if text in ("0", "1") else self._numbered("version", text)
        if key == "continue" and text:
            return "<continue>"
        text = UUID.sub(lambda m: m[0] if m[0] == FIXED else self._numbered("uid", m[0]), text)
        text = NAME_ENDS.sub(r"\1<end>", TIME.sub("<time>", text))
        for pattern in VERSION_IN_TEXT:
            text = pattern.sub(r"\1<version>", text)
        text = re.sub(r"hash=[0-9A-F]+", "hash=<hash>", text)
        return ADDRESS.sub("<address>", text)

    def _numbered(self, kind: str, found: str) -> str:
        known = self._numbers.setdefault(kind, {})
        return f"<{kind} {known.setdefault(found, len(known))}>"


def differences(wanted: Any, found: Any, path: str = "") -> list[str]:
    """Return the places where two comparable values differ."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        names = [*wanted, *(name for name in found if name not in wanted)]
        missing = object()
        return [
            text
            for name in names
            for text in differences(
                wanted.get(name, missing), found.get(name, missing), f"{path}/{name}"
            )
        ]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return [
            text
            for place, (one, other) in enumerate(zip(wanted, found, strict=True))
            for text in differences(one, other, f"{path}/{place}")
        ]
    return [] if wanted == found else [f"{path}: wanted {wanted!r:.200}, found {found!r:.200}"]
