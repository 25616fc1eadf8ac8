"""A forge on a virtual clock; and, for real Git clients, that forge behind a loopback server."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from gitops_sim.clock import Door, VirtualClock
from gitops_sim.forge import Forge, GitHttp, HttpRequest
from gitops_sim.journal import Journal

NAMES = (("NAME", "Dora"), ("EMAIL", "dora@example.com"))


@dataclass
class World:
    """What a lab has of a forge: clock, journal, door."""

    seed: int = 3
    clock: VirtualClock = field(init=False)
    journal: Journal = field(init=False)
    door: Door = field(init=False)
    forge: Forge = field(init=False)

    def __post_init__(self) -> None:
        self.clock = VirtualClock(self.seed)
        self.journal = Journal(self.clock)
        self.door = Door(self.clock)
        self.door.register("clock", self.clock)
        self.forge = Forge(self.clock, self.journal, self.door)

    def replayed(self) -> World:
        """Return another world to which the same was done, read back from the saved log."""
        other = World(self.seed)
        other.door.replay(Door.from_jsonl(self.door.to_jsonl()))
        return other

    def run(self, seconds: float) -> None:
        with self.door.running():
            self.clock.run(self.clock.now() + seconds)

    def facts(self, kind: type) -> list[Any]:
        return [entry.fact for entry in self.journal.entries() if isinstance(entry.fact, kind)]


@pytest.fixture(scope="session")
def make_world() -> Callable[[], World]:
    return World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def git(tmp_path: Path) -> Callable[..., str]:
    """Run the real git, with no configuration but its own; returns output and errors."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.fspath(tmp_path),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_DATE": "1767603600 +0000",
        "GIT_COMMITTER_DATE": "1767603600 +0000",
        **{
            f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in NAMES
        },
    }

    def run(*arguments: str | Path, cwd: Path = tmp_path, fails: bool = False, **more: Any) -> str:
        done = subprocess.run(
            ["git", *map(os.fspath, arguments)],
            cwd=cwd,
            env=environment,
            check=False,
            capture_output=True,
            **more,
        )
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        assert bool(done.returncode) == fails, said
        return said

    return run


class _Handler(BaseHTTPRequestHandler):
    """Hands each request to `GitHttp` under one lock."""

    protocol_version = "HTTP/1.1"
    git: GitHttp
    lock = threading.Lock()

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.lock:
            request = HttpRequest(self.command, path, query, headers, self._body())
            answer = self.git.handle(request, "dora")
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_POST = do_PUT = do_GET  # noqa: N815 - the names of http.server

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def git_server(world: World) -> Iterator[str]:
    """Serve the world's forge to real clients; gives the URL below which its repositories are."""
    handler = type("Handler", (_Handler,), {"git": GitHttp(world.forge)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
