"""WebSockets: how clients hear, on the channel of errors, of a kubelet that is not there."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator

import pytest
from kubernetes.client import CoreV1Api

from gitops_sim.server import ServeOptions, StandaloneCluster, StandaloneOptions

POD = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
PATH = "exec?command=cat&command=%2Fetc%2Fhosts&stdout=true&stderr=true&container=c"


@pytest.fixture(params=[True, False], ids=["faked nodes", "simulated kubelets"])
def served(request: pytest.FixtureRequest) -> Iterator[StandaloneCluster]:
    """A cluster with a pod that runs."""
    options = StandaloneOptions(fakes=request.param, serve=ServeOptions(speed=0))
    with StandaloneCluster(options) as cluster:
        cluster.run("5s")
        with cluster.api_client() as connection:
            pods = CoreV1Api(connection)
            pods.create_namespaced_pod("default", POD)
            cluster.run("20s")
            assert pods.read_namespaced_pod("p", "default").status.phase == "Running"
        yield cluster


def answered(cluster: StandaloneCluster, token: str) -> tuple[str, bytes]:
    """Ask to run a process, as a WebSocket; return the head of the answer and all after it."""
    host, _, port = cluster.url.removeprefix("https://").partition(":")
    lines = [
        f"GET /api/v1/namespaces/default/pods/p/{PATH} HTTP/1.1",
        f"Host: {host}:{port}",
        f"Authorization: Bearer {token}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: v5.channel.k8s.io, v4.channel.k8s.io",
    ]
    context = ssl._create_unverified_context()
    with (
        socket.create_connection((host, int(port)), timeout=10) as plain,
        context.wrap_socket(plain) as secure,
    ):
        secure.sendall("\r\n".join([*lines, "", ""]).encode())
        parts = []
        while part := secure.recv(65536):
            parts.append(part)
    head, _, rest = b"".join(parts).partition(b"\r\n\r\n")
    return head.decode(), rest


def test_a_process_is_refused_where_it_would_run(served: StandaloneCluster) -> None:
    head, rest = answered(served, served.tokens["admin"])
    if not served.options.fakes:
        assert head.startswith("HTTP/1.1 405 ")
        assert b"run no processes" in rest
        return
    assert head.startswith("HTTP/1.1 101 ")
    assert "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
    assert "sec-websocket-protocol: v5.channel.k8s.io" in head
    size = int.from_bytes(rest[2:4], "big")
    frame, close = rest[4 : 4 + size], rest[4 + size :]
    status = json.loads(frame[1:])
    assert (rest[:2], frame[0], status["reason"]) == (b"\x82\x7e", 3, "InternalError")
    query = "command=cat&command=%2Fetc%2Fhosts&error=1&output=1"
    assert status["message"] == (
        "Internal error occurred: error sending request: Post "
        f'"https://127.0.0.1:10250/exec/default/p/c?{query}": '
        "dial tcp 127.0.0.1:10250: connect: connection refused"
    )
    assert close == b"\x88\x02\x03\xe8"


def test_who_may_not_ask_gets_no_websocket(served: StandaloneCluster) -> None:
    head, rest = answered(served, "nobody's")
    assert head.startswith("HTTP/1.1 401 ")
    assert json.loads(rest)["reason"] == "Unauthorized"
