"""A cluster that is asked over its front, without sockets, as clients ask it over HTTPS."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from gitops_sim.apiserver import ApiServer, new_server
from gitops_sim.apiserver.users import MASTERS, User
from gitops_sim.clock import Door, VirtualClock
from gitops_sim.journal import Journal
from gitops_sim.server import Front, Served, ServeOptions, Server
from gitops_sim.server.answers import Answer
from gitops_sim.server.requests import Request

ADMIN = User("admin", (MASTERS, "system:authenticated"), "uid-0")
LIMITED = User("limited", ("devs", "system:authenticated"), "uid-1")
HOST = "127.0.0.1:6443"


@dataclass
class Reply:
    """An answer as a client sees it."""

    answer: Answer
    warnings: list[str]

    @property
    def status(self) -> int:
        return self.answer.status

    @property
    def json(self) -> Any:
        return json.loads(self.answer.body)

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.answer.all_headers(self.warnings))

    def events(self) -> list[dict[str, Any]]:
        """What a watch has to tell by now; the lines of an answer that is none."""
        stream = self.answer.stream
        lines = self.answer.body.splitlines() if stream is None else stream.next_chunks()
        return [json.loads(line) for line in lines]


@dataclass
class Site:
    """A bare cluster with its front and its door."""

    api: ApiServer
    door: Door
    front: Front
    users: dict[str, User] = field(default_factory=lambda: {"admin": ADMIN, "limited": LIMITED})

    def ask(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        by: User = ADMIN,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one request; a body that is no bytes is sent as JSON."""
        sent = {"host": HOST, "user-agent": "tester/1.0"} | dict(headers or {})
        if body is None:
            data = b""
        elif isinstance(body, bytes):
            data = body
        else:
            data = json.dumps(body).encode()
            sent.setdefault("content-type", "application/json")
        path, _, query = target.partition("?")
        answer, warnings = self.front.respond(Request(by, method, path, query, sent, data))
        return Reply(answer, warnings)

    def make(self, target: str, kind: str, name: str, **parts: Any) -> dict[str, Any]:
        """Create an object; it must be accepted."""
        reply = self.ask("POST", target, {"kind": kind, "metadata": {"name": name}} | parts)
        assert reply.status == 201, reply.answer.body
        made: dict[str, Any] = reply.json
        return made


def new_site(seed: int = 0) -> Site:
    """Return a bare cluster of its own."""
    clock = VirtualClock(seed)
    door = Door(clock)
    door.register("clock", clock)
    api = new_server(clock, Journal(clock), name="cluster")
    return Site(api, door, Front(api, door))


@pytest.fixture
def site() -> Site:
    return new_site()


@pytest.fixture(scope="module")
def module_site() -> Site:
    """One cluster for all examples of a property."""
    return new_site()


@pytest.fixture
def make_site() -> Callable[[], Site]:
    """Make bare clusters."""
    return new_site


@pytest.fixture
def served() -> Iterator[Server]:
    """A bare cluster behind real sockets; time stands still."""
    clock = VirtualClock()
    api = new_server(clock, Journal(clock), name="cluster")
    options = ServeOptions(speed=0, users={"limited": ("devs",)})
    with Server({"cluster": Served(api)}, clock, Door(clock), options) as server:
        yield server
