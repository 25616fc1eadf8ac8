"""Speed of the API over HTTPS: one keep-alive client, kubectl, and watches.

    ./do bench server
    python benchmarks/server.py [KUBECONFIG …]

With kubeconfigs, the same work is done at each of the clusters they name, in turn in one run, so
that a real API server can be measured beside the simulator; everything is made in a namespace of
its own, which is deleted at the end. Requests are written to the socket by hand, since Python's
HTTP client costs more than the server. Each rate is the median of three rounds.
"""

from __future__ import annotations

import base64
import json
import os
import selectors
import socket
import ssl
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter, time_ns
from typing import Any
from urllib.parse import urlsplit

import yaml

ROUNDS = 3
REQUESTS = 300
WATCHERS = 100
EVENTS = 50
KUBECTL = Path(sysconfig.get_path("scripts")) / "kubectl"
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "x"},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "x"}},
        "template": {
            "metadata": {"labels": {"app": "x"}},
            "spec": {
                "containers": [
                    {
                        "name": name,
                        "image": f"{name}:1",
                        "env": [{"name": f"E{n}", "value": "v" * 20} for n in range(10)],
                        "resources": {"limits": {"cpu": "100m", "memory": "64Mi"}},
                        "ports": [{"containerPort": 8080}],
                    }
                    for name in ("web", "side")
                ]
            },
        },
    },
}
Figure = tuple[str, float, str]


def measure() -> list[Figure]:
    """Return the figures of a simulated API server: at 1,000 and at 100,000 objects."""
    rows: list[Figure] = []
    for size in (1_000, 100_000):
        with simulated(size) as kubeconfig, Cluster(kubeconfig) as cluster:
            figures = list(requests(cluster))
            if size == 1_000:
                figures += [*with_kubectl(cluster), *fan_out(cluster)]
            rows += [(f"{what}, {size:,} objects", number, unit) for what, number, unit in figures]
    return rows


@contextmanager
def simulated(objects: int) -> Iterator[Path]:
    """Serve a simulated API server that holds so many ConfigMaps, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kubeconfig"
        command = [sys.executable, __file__, "--serve", str(objects), str(path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as serving:
            assert serving.stdin is not None
            assert serving.stdout is not None
            serving.stdout.readline()
            yield path
            serving.stdin.close()


def serve(objects: int, path: Path) -> None:
    """Serve until standard input ends."""
    from gitops_sim.apiserver import InProcessClient, new_server
    from gitops_sim.clock import Door, VirtualClock
    from gitops_sim.journal import Journal
    from gitops_sim.server import Served, ServeOptions, Server

    clock = VirtualClock()
    api = new_server(clock, Journal(clock), name="cluster")
    client = InProcessClient(api, "fill")
    client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "fill"}})
    for number in range(objects):
        metadata = {"name": f"f{number}", "namespace": "fill"}
        client.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    with Server({"cluster": Served(api)}, clock, Door(clock), ServeOptions(kubeconfig=path)):
        print("READY", flush=True)
        sys.stdin.read()


class Cluster:
    """One API server, reached by what a kubeconfig says; a namespace is made and deleted there."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        told = yaml.safe_load(kubeconfig.read_text())
        named = {
            kind: {entry["name"]: entry[kind.removesuffix("s")] for entry in told[kind]}
            for kind in ("contexts", "clusters", "users")
        }
        context = named["contexts"][told["current-context"]]
        cluster, self._user = named["clusters"][context["cluster"]], named["users"][context["user"]]
        self.address = urlsplit(cluster["server"])
        authority = _decoded(cluster.get("certificate-authority-data", ""))
        self._tls = ssl.create_default_context(
            cafile=cluster.get("certificate-authority"), cadata=authority.decode() or None
        )
        if "client-certificate-data" in self._user:
            with tempfile.NamedTemporaryFile("wb", suffix=".pem") as pair:
                pair.write(_decoded(self._user["client-certificate-data"]))
                pair.write(_decoded(self._user["client-key-data"]))
                pair.flush()
                self._tls.load_cert_chain(pair.name)
        self.namespace = f"bench-{time_ns()}"
        self._connection = self.connect()

    def __enter__(self) -> Cluster:
        """Make the namespace."""
        self.ask("POST", "/api/v1/namespaces", {"metadata": {"name": self.namespace}})
        return self

    def __exit__(self, *_: object) -> None:
        """Delete it."""
        self.ask("DELETE", f"/api/v1/namespaces/{self.namespace}")
        self._connection.close()

    def connect(self) -> ssl.SSLSocket:
        """Return a new connection."""
        plain = socket.create_connection((self.address.hostname, self.address.port), timeout=60)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._tls.wrap_socket(plain, server_hostname=self.address.hostname)

    def head(self, method: str, path: str, *lines: str) -> bytes:
        """Return the head of a request."""
        told = [f"{method} {path} HTTP/1.1", f"Host: {self.address.netloc}", *lines]
        if "token" in self._user:
            told.append(f"Authorization: Bearer {self._user['token']}")
        return ("\r\n".join(told) + "\r\n\r\n").encode()

    def ask(
        self, method: str, path: str, body: Any = None, form: str = "application/json"
    ) -> bytes:
        """Send one request over the kept connection; return the body of the answer."""
        data = b"" if body is None else json.dumps(body).encode()
        lines = ["Accept: application/json", f"Content-Length: {len(data)}"]
        if data:
            lines.append(f"Content-Type: {form}")
        self._connection.sendall(self.head(method, path, *lines) + data)
        status, answer = _answer(self._connection)
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {answer[:200]!r}")
        return answer


def _decoded(text: str) -> bytes:
    return base64.b64decode(text)


def _answer(connection: ssl.SSLSocket) -> tuple[int, bytes]:
    """Read one answer, with a length or in chunks."""
    got = connection.recv(1 << 18)
    while b"\r\n\r\n" not in got:
        got += connection.recv(1 << 18)
    head, _, body = got.partition(b"\r\n\r\n")
    status, lower = int(head[9:12]), head.lower()
    mark = b"content-length:"
    if mark in lower:
        length = int(lower.partition(mark)[2].partition(b"\r\n")[0])
        parts, size = [body], len(body)
        while size < length:
            parts.append(connection.recv(1 << 18))
            size += len(parts[-1])
        return status, b"".join(parts)
    while not body.endswith(b"0\r\n\r\n"):
        body += connection.recv(1 << 18)
    return status, body


def rate(work: Callable[[int], object], times: int = REQUESTS) -> float:
    """Return how often a second the work is done: the median of some rounds."""
    rates = []
    for _ in range(ROUNDS):
        began = perf_counter()
        for number in range(times):
            work(number)
        rates.append(times / (perf_counter() - began))
    return statistics.median(rates)


def requests(cluster: Cluster) -> Iterator[Figure]:
    """Yield the rates of one client's requests."""
    maps = f"/api/v1/namespaces/{cluster.namespace}/configmaps"
    deployments = f"/apis/apps/v1/namespaces/{cluster.namespace}/deployments"
    made = iter(range(1_000_000))

    def create(_: int) -> None:
        name = f"c{next(made):06}"
        cluster.ask("POST", maps, {"metadata": {"name": name}, "data": {"a": "b" * 100}})

    def patch(_: int) -> None:
        body = {"data": {"a": str(time_ns())}}
        cluster.ask("PATCH", f"{maps}/c000001", body, "application/merge-patch+json")

    def apply(name: str, value: str) -> None:
        body = json.loads(json.dumps(DEPLOYMENT))
        body["metadata"]["name"] = name
        body["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = value
        path = f"{deployments}/{name}?fieldManager=bench&force=true"
        cluster.ask("PATCH", path, body, "application/apply-patch+yaml")

    yield "create", rate(create), "1/s"
    yield "get", rate(lambda _: cluster.ask("GET", f"{maps}/c000001")), "1/s"
    yield "list of 500", rate(lambda _: cluster.ask("GET", f"{maps}?limit=500"), 20), "1/s"
    yield "merge patch", rate(patch), "1/s"
    yield "server-side apply that changes", rate(lambda _: apply("x", str(time_ns()))), "1/s"
    yield "server-side apply that does not", rate(lambda _: apply("y", "same")), "1/s"


def with_kubectl(cluster: Cluster) -> Iterator[Figure]:
    """Yield how long whole runs of kubectl take."""
    maps = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"m{n}"}, "data": {"a": "b"}}
        for n in range(100)
    ]
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": maps})
    with tempfile.TemporaryDirectory() as cache:

        def seconds(*words: str, stdin: str = "") -> float:
            began = perf_counter()
            subprocess.run(
                [KUBECTL, "--kubeconfig", cluster.kubeconfig, "-n", cluster.namespace, *words],
                input=stdin,
                env={**os.environ, "KUBECACHEDIR": cache},
                text=True,
                capture_output=True,
                check=True,
            )
            return perf_counter() - began

        yield "first kubectl get", seconds("get", "configmap", "c000001"), "s"
        get = statistics.median(seconds("get", "configmap", "c000001") for _ in range(5))
        yield "kubectl get", get, "s"
        yield "kubectl apply -f of 100, new", seconds("apply", "-f", "-", stdin=listed), "s"
        yield "kubectl apply -f of 100, again", seconds("apply", "-f", "-", stdin=listed), "s"
        server_side = ("apply", "--server-side", "--force-conflicts", "-f", "-")
        yield "kubectl apply --server-side of 100", seconds(*server_side, stdin=listed), "s"


def fan_out(cluster: Cluster) -> Iterator[Figure]:
    """Yield how fast writes reach all of a hundred watchers."""
    maps = f"/api/v1/namespaces/{cluster.namespace}/configmaps"
    version = json.loads(cluster.ask("GET", f"{maps}?limit=1"))["metadata"]["resourceVersion"]
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        open_watches = []
        for _ in range(WATCHERS):
            watching = stack.enter_context(cluster.connect())
            watching.sendall(cluster.head("GET", f"{maps}?watch=1&resourceVersion={version}"))
            watching.recv(1 << 16)
            watching.settimeout(0)
            selector.register(watching, selectors.EVENT_READ)
            open_watches.append(watching)
        began = perf_counter()
        writer = threading.Thread(target=_write_events, args=(cluster, maps))
        writer.start()
        left = WATCHERS * EVENTS
        while left > 0:
            for key, _ in selector.select(timeout=30):
                left -= _drained(key.fileobj).count(b'{"type":')
        seconds = perf_counter() - began
        writer.join()
    yield f"events to {WATCHERS} watchers", WATCHERS * EVENTS / seconds, "1/s"


def _write_events(cluster: Cluster, maps: str) -> None:
    for number in range(EVENTS):
        cluster.ask("POST", maps, {"metadata": {"name": f"e{number}"}, "data": {"a": "b" * 100}})


def _drained(watching: Any) -> bytes:
    """Return all that there is to read without waiting."""
    parts = []
    while True:
        try:
            part = watching.recv(1 << 16)
        except ssl.SSLWantReadError:
            return b"".join(parts)
        if not part:
            raise RuntimeError("a watch ended")
        parts.append(part)


def main(words: list[str]) -> None:
    """Measure the clusters of kubeconfigs, or serve one."""
    if words[:1] == ["--serve"]:
        serve(int(words[1]), Path(words[2]))
        return
    if not words:
        for what, number, unit in measure():
            print(f"{what:56} {number:12,.4g} {unit}", flush=True)
        return
    with ExitStack() as stack:
        clusters = [stack.enter_context(Cluster(Path(word))) for word in words]
        for part in (requests, with_kubectl, fan_out):
            for figures in zip(*(part(cluster) for cluster in clusters), strict=True):
                numbers = "".join(f"{number:14,.4g}" for _, number, _ in figures)
                print(f"{figures[0][0]:40}{numbers} {figures[0][2]}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
