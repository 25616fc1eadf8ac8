"""Sends recorded requests at a cluster with controllers, in the rhythm of the recording.

Every request takes as long, in virtual time, as it took when it was recorded; what waited for a
state asks again every 100 ms. So controllers get the same time between two requests as the real
ones had, and a run is the same each time.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from gitops_sim.apiserver.users import ANONYMOUS, MASTERS, User
from gitops_sim.clock import Door, VirtualClock
from gitops_sim.cluster import SimulatedCluster
from gitops_sim.journal import Journal
from gitops_sim.registry import Registry
from gitops_sim.server import Front
from gitops_sim.server.answers import Answer
from gitops_sim.server.requests import Request

Step = dict[str, Any]

EVERYONE = "system:authenticated"
USERS = {
    "admin": User("admin", (MASTERS, EVERYONE), "uid-0"),
    "limited": User("limited", ("devs", EVERYONE), "uid-1"),
}
BEFORE = 5.0
"""Seconds that the cluster has been there when the first request comes."""
POLL = 0.1
PATIENCE = 30.0
SETTLE = 0.3
"""Seconds between the start of a watch in the background and the next request."""


@dataclass
class Watching:
    """A watch that is open."""

    answer: Answer
    ends: float
    events: list[dict[str, Any]] = field(default_factory=list)

    def read(self) -> None:
        """Take what there is to be told since the last time."""
        if self.answer.stream is not None:
            self.events += [json.loads(line) for line in self.answer.stream.next_chunks()]


class Replay:
    """One cluster with three nodes as KWOK fakes them, asked over its front without sockets."""

    def __init__(self) -> None:
        self.clock = VirtualClock(seed=1)
        door = Door(self.clock)
        journal = Journal(self.clock)
        registry = Registry(self.clock, journal, door)
        self.cluster = SimulatedCluster(
            "cluster", self.clock, journal, door, registry, provider=False, kwok=True
        )
        self._front = Front(self.cluster.server, door, logs=self.cluster.logs)
        self._names: dict[str, str] = {}
        self._watches: dict[str, Watching] = {}
        self._pass(BEFORE)

    def scenario(self, steps: list[Step]) -> list[tuple[Step, dict[str, Any]]]:
        """Send the requests of one scenario; return the recorded ones with their answers."""
        self._names, self._watches, answers = {}, {}, []
        for step in steps:
            self._pass(step.get("sleep", 0.0))
            found = self._send(step)
            if found is not None and "expected" in step:
                answers.append((step, found))
        return answers

    def _send(self, step: Step) -> dict[str, Any] | None:
        if "collect" in step:
            return self._collect(step["collect"])
        if "method" not in step:
            return None
        if step.get("stream"):
            watching = self._ask_stream(step)
            self._watches[step["id"]] = watching
            if step.get("background"):
                self._pass(SETTLE)
                return None
            return self._collect(step["id"])
        found = self._ask_until(step)
        for name, path in step.get("capture", {}).items():
            value = at(found.get("body"), path)
            if value is not None:
                self._names[name] = str(value)
        return found

    def _collect(self, name: str) -> dict[str, Any]:
        watching = self._watches[name]
        self._pass(max(0.0, watching.ends - self.clock.now()))
        del self._watches[name]
        if watching.answer.stream is None and watching.answer.status != 200:
            return {"status": watching.answer.status, "body": watching.events[0]}
        return {"status": watching.answer.status, "stream": watching.events}

    def _ask_stream(self, step: Step) -> Watching:
        answer, _ = self._ask(step)
        lasts = step.get("seconds", 10)
        if answer.stream is not None:
            lasts = min(lasts, answer.stream.seconds)
        watching = Watching(answer, self.clock.now() + lasts)
        if answer.stream is None:
            watching.events = [json.loads(answer.body)]
        watching.read()
        return watching

    def _ask_until(self, step: Step) -> dict[str, Any]:
        until = step.get("until")
        deadline = self.clock.now() + (until or {}).get("timeout", PATIENCE)
        while True:
            answer, warnings = self._ask(step)
            found = form(step, answer, warnings)
            if until is None or holds(until, found):
                return found
            if self.clock.now() > deadline:
                return found | {"until": "timed out"}
            self._pass(POLL)

    def _ask(self, step: Step) -> tuple[Answer, list[str]]:
        self._pass(step.get("ms", 3.0) / 1000)
        filled = json.loads(self._fill(json.dumps(step)))
        headers = {name.lower(): text for name, text in filled.get("headers", {}).items()}
        headers |= {"host": "127.0.0.1:6443", "user-agent": "recorder/1.0"}
        body = b""
        if "raw" in filled:
            body = filled["raw"].encode()
        elif "body" in filled:
            body = json.dumps(filled["body"]).encode()
            headers.setdefault("content-type", "application/json")
        path, _, query = filled["path"].partition("?")
        user = USERS.get(step.get("as", "admin"), ANONYMOUS)
        return self._front.respond(Request(user, filled["method"], path, query, headers, body))

    def _fill(self, text: str) -> str:
        for name, value in self._names.items():
            text = text.replace(f"${{{name}}}", value)
        return text

    def _pass(self, seconds: float) -> None:
        if seconds > 0:
            self.clock.run(self.clock.now() + seconds)
        for watching in self._watches.values():
            if self.clock.now() <= watching.ends:
                watching.read()


def form(step: Step, answer: Answer, warnings: list[str]) -> dict[str, Any]:
    """Return an answer in the form of the recording."""
    found: dict[str, Any] = {"status": answer.status}
    text = b"" if step["method"] == "HEAD" else answer.body
    try:
        found["body"] = json.loads(text)
    except ValueError:
        found["text"] = text.decode()
    if step.get("reduce") == "paths":
        found["body"] = {name: _reduced(name, value) for name, value in found["body"].items()}
    told = [text for name, text in answer.all_headers(warnings) if name == "warning"]
    if told:
        found["warning"] = "\n".join(told)
    return found


def _reduced(name: str, value: Any) -> Any:
    if isinstance(value, dict | list):
        return sorted(value) if name in ("paths", "definitions") else "…"
    return value


def holds(until: dict[str, Any], found: dict[str, Any]) -> bool:
    """True when an answer is the one that was waited for."""
    if found["status"] != until.get("status", found["status"]):
        return False
    if "path" not in until:
        return True
    value = at(found.get("body"), until["path"])
    if "equals" in until:
        return bool(value == until["equals"])
    if "in" in until:
        return value in until["in"]
    if "matches" in until:
        return re.search(until["matches"], str(value)) is not None
    return (value is None) if "absent" in until else (value is not None)


def at(value: Any, path: str) -> Any:
    """Return what a dotted path leads to, such as `items.0.conditions[type=Ready].status`."""
    for part in re.findall(r"[^.\[\]]+|\[[^\]]*\]", path):
        if part.startswith("["):
            key, _, wanted = part[1:-1].partition("=")
            value = next((v for v in value or () if str(v.get(key)) == wanted), None)
        elif isinstance(value, list):
            value = value[int(part)] if int(part) < len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value
