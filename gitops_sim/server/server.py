"""A served lab: HTTPS on loopback, in a thread beside a busy notebook, gone without a trace.

`start` makes certificates and tokens, opens a socket a cluster, writes the kubeconfig and lets time
pass; `stop` closes watches, sockets and threads, and leaves a kubeconfig that names no cluster.
"""

from __future__ import annotations

import asyncio
import socket
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from gitops_sim.apiserver.server import ApiServer
from gitops_sim.apiserver.users import User
from gitops_sim.clock import Door, VirtualClock
from gitops_sim.errors import LabError
from gitops_sim.forge import GitHttp, HttpRequest, HttpResponse
from gitops_sim.server.application import Application, Gate, Lock
from gitops_sim.server.beside import Logs, no_logs
from gitops_sim.server.certificates import make_certificates
from gitops_sim.server.front import Front
from gitops_sim.server.git import MOUNT, GitApplication, git_environment, mounted
from gitops_sim.server.kubeconfig import Access, idle_kubeconfig, kubeconfig, write_private
from gitops_sim.server.pump import Pump
from gitops_sim.server.tokens import ADMIN, Tokens
from gitops_sim.server.upgrades import Upgrade
from gitops_sim.server.webhooks import call_webhook

__all__ = ["ServeOptions", "Served", "Server"]

_HOST = "127.0.0.1"
_START_SECONDS = 10.0
_LAST_SECONDS = 1.0
"""What running answers get when the server stops."""
_IDLE_SECONDS = 90
"""How long an idle connection is kept. Source: k8s.io/apiserver, pkg/server/secure_serving.go."""


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """How a lab is served.

    Attributes:
        port: Of the first cluster; 0 takes a free one.
        speed: Virtual seconds per wall second; 0 lets time stand still.
        users: Names and groups of users beside `admin`.
        kubeconfig: Where the kubeconfig is written; None: in a private folder of its own.
    """

    port: int = 0
    speed: float = 1.0
    users: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    kubeconfig: Path | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """One cluster to serve: its API server, and where the logs of its containers are."""

    api: ApiServer
    logs: Logs = no_logs


class Server:
    """Serves clusters until it is stopped; a context manager.

    Args:
        clusters: By name; the first is the current one.
        clock: Passes while the lab is served.
        door: What comes in goes through it; it gets a lock of threads.
        options: How.
        git: The lab's forge, served below `/git/` by the first cluster's server.
    """

    def __init__(
        self,
        clusters: Mapping[str, Served],
        clock: VirtualClock,
        door: Door,
        options: ServeOptions | None = None,
        *,
        git: GitHttp | None = None,
    ) -> None:
        if not clusters:
            raise LabError("there is no cluster to serve", 'make one: lab.cluster("staging")')
        self.options = options or ServeOptions()
        self._door = door
        self._git = git
        self._lock = _thread_lock(door)
        self._pump = Pump(clock, door, speed=self.options.speed) if self.options.speed else None
        self._tokens = Tokens(self.options.users, accounts=self._account)
        self._fronts = {
            name: Front(served.api, door, logs=served.logs) for name, served in clusters.items()
        }
        self._urls: dict[str, str] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._loop: _Loop | None = None

    @property
    def url(self) -> str:
        """The URL of the first cluster."""
        return next(iter(self._urls.values()))

    @property
    def urls(self) -> Mapping[str, str]:
        """The URL of each cluster."""
        return dict(self._urls)

    @property
    def tokens(self) -> Mapping[str, str]:
        """The token of each user."""
        return dict(self._tokens.by_name)

    @property
    def kubeconfig(self) -> Path:
        """The file by which kubectl and every client find the lab."""
        if self.options.kubeconfig is not None:
            return self.options.kubeconfig
        return self._file("kubeconfig")

    @property
    def running(self) -> bool:
        """True between start and stop."""
        return self._loop is not None

    def start(self) -> Server:
        """Begin to serve; returns when every cluster answers."""
        if self.running:
            return self
        listening = self._listening()
        certificates = make_certificates(_HOST, "localhost")
        self._folder = tempfile.TemporaryDirectory(prefix="gitops-sim-")
        self._loop = _Loop(self, listening, certificates.context)
        self._loop.start()
        for front in self._fronts.values():
            front.server.webhooks.outside = call_webhook
        access = {
            name: Access(url, self._tokens.by_name[ADMIN]) for name, url in self._urls.items()
        }
        write_private(self.kubeconfig, kubeconfig(access, certificates.authority))
        write_private(self._file("ca.pem"), certificates.authority.decode())
        write_private(self._file("token"), self._tokens.by_name[ADMIN])
        if self._pump is not None:
            self._pump.start()
        return self

    def _listening(self) -> list[tuple[socket.socket, frozenset[str], Front]]:
        """Open a socket a cluster; the first one has the port that was asked for."""
        opened = []
        port = self.options.port
        for name, front in self._fronts.items():
            bound = _listen(port)
            number = bound.getsockname()[1]
            self._urls[name] = f"https://{_HOST}:{number}"
            hosts = frozenset({f"{_HOST}:{number}", f"localhost:{number}"})
            opened.append((bound, hosts, front))
            port = 0
        return opened

    @property
    def git_url(self) -> str:
        """Below which URL the repositories are: `https://127.0.0.1:8443/git`."""
        return f"{self.url}{MOUNT}"

    @property
    def git_environment(self) -> Mapping[str, str]:
        """Variables by which Git and GitPython reach the lab's repositories as `admin`."""
        return git_environment(self.url, ADMIN, self._file("ca.pem"), self._file("token"))

    def _file(self, name: str) -> Path:
        """Return the place of a private file of this server."""
        if self._folder is None:
            raise LabError("the lab is not served", "start the server first")
        return Path(self._folder.name) / name

    def stop(self) -> None:
        """Close everything; nothing of it stays, but a kubeconfig that was asked for by path."""
        if self._loop is None:
            return
        if self._pump is not None:
            self._pump.stop()
        self._loop.stop()
        self._loop = None
        for front in self._fronts.values():
            front.server.webhooks.outside = None
        if self.options.kubeconfig is not None:
            write_private(self.options.kubeconfig, idle_kubeconfig())
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def application(self, front: Front, hosts: frozenset[str]) -> Application:
        """Return the application of one cluster; made on the loop that runs it."""

        def respond(request: Any) -> Any:
            if self._pump is None:
                return front.respond(request)
            self._pump.catch_up()
            answer = front.respond(request)
            self._pump.wake()
            return answer

        return Application(respond, self._tokens, Gate(self._lock), hosts, may_wait=front.may_wait)

    def git_application(self, hosts: frozenset[str]) -> GitApplication | None:
        """Return the application below `/git`; None when no forge is served."""
        git = self._git
        if git is None:
            return None

        def respond(request: HttpRequest, user: str) -> HttpResponse:
            if self._pump is None:
                return git.handle(request, user)
            self._pump.catch_up()
            answer = git.handle(request, user)
            self._pump.wake()
            return answer

        return GitApplication(respond, self._tokens, Gate(self._lock), hosts)

    def __enter__(self) -> Server:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def _account(self, token: str) -> User | None:
        found = (front.accounts.user(token) for front in self._fronts.values())
        return next((user for user in found if user is not None), None)


class _Loop:
    """The thread of the event loop, with a listening HTTP server a cluster."""

    def __init__(self, owner: Server, listening: list[Any], context: Any) -> None:
        self._owner = owner
        self._listening = listening
        self._context = context
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._main, name="gitops-sim-server", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    def start(self) -> None:
        self._thread.start()
        if not self._ready.wait(_START_SECONDS):
            raise LabError("the server did not start in time", "start it again")

    def stop(self) -> None:
        if self._loop is not None and self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _main(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        import uvicorn  # 180 ms to import: only when a server starts

        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        servers: list[Any] = []
        applications: list[Application] = []
        for bound, hosts, front in self._listening:
            application = self._owner.application(front, hosts)
            git = None if servers else self._owner.git_application(hosts)
            config = uvicorn.Config(
                mounted(application, git) if git else application,
                http="h11",
                ws=Upgrade,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=_IDLE_SECONDS,
            )
            config.load()
            config.ssl = self._context
            server = uvicorn.Server(config)
            server.lifespan = config.lifespan_class(config)
            # Not server.serve(): signals belong to the notebook's or the command line's own
            # thread, and its loop would look for an end ten times a second.
            await server.startup(sockets=[bound])
            servers.append(server)
            applications.append(application)
        ticking = [asyncio.ensure_future(server.main_loop()) for server in servers]
        self._ready.set()
        await self._stopping.wait()
        for task in ticking:
            task.cancel()
        for application in applications:
            application.close_streams()
        await asyncio.gather(*(_close(server) for server in servers))


async def _close(server: Any) -> None:
    """Close a server: running answers get a second, idle connections end at once."""
    for listener in server.servers:
        listener.close()
    state, loop = server.server_state, asyncio.get_running_loop()
    for connection in list(state.connections):
        connection.shutdown()
    if state.tasks:
        await asyncio.wait(list(state.tasks), timeout=_LAST_SECONDS)
    for task in list(state.tasks):
        task.cancel()
    deadline = loop.time() + _LAST_SECONDS
    while any(connection.flow.write_paused for connection in state.connections):
        if loop.time() > deadline:
            break
        await asyncio.sleep(0.001)
    for connection in list(state.connections):
        # A TLS connection would wait for the client's goodbye; an idle client says none.
        connection.transport.abort()
    while state.connections and loop.time() < deadline:
        await asyncio.sleep(0.001)


def _listen(port: int) -> socket.socket:
    """Return a listening socket on loopback.

    With protocol 0 asyncio would leave Nagle's algorithm on: 43 ms a request.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((_HOST, port))
    except OSError as error:
        bound.close()
        raise LabError(f"port {port} cannot be had: {error.strerror}", "use another port") from None
    bound.listen(1024)
    return bound


def _thread_lock(door: Door) -> Lock:
    """Return the door's lock, one of threads; put there if there is none yet."""
    if not hasattr(door.lock, "acquire"):
        door.lock = threading.RLock()
    return cast("Lock", door.lock)
