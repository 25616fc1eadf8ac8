"""Clients that write what no client should: all get an answer or are hung up on, nobody waits."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from gitops_sim.server import Server

MAPS = "/api/v1/namespaces/default/configmaps"


class Raw:
    """A client that writes bytes, however wrong, to a served cluster."""

    def __init__(self, server: Server) -> None:
        self.address = urlsplit(server.url)
        self.token = server.tokens["admin"]
        self._context = ssl.create_default_context(cafile=server.kubeconfig.parent / "ca.pem")

    def connect(self) -> ssl.SSLSocket:
        plain = socket.create_connection((self.address.hostname, self.address.port), timeout=20)
        return self._context.wrap_socket(plain, server_hostname="127.0.0.1")

    def head(self, method: str, target: str, *lines: str) -> bytes:
        told = [
            f"{method} {target} HTTP/1.1",
            f"Host: {self.address.netloc}",
            f"Authorization: Bearer {self.token}",
            *lines,
        ]
        return ("\r\n".join(told) + "\r\n\r\n").encode()

    def status(self, sent: bytes) -> int:
        """Send and return the status that comes back; 0 when the server hangs up."""
        with closing(self.connect()) as connection:
            try:
                connection.sendall(sent)
                answer = connection.recv(65536)
            except (ConnectionError, ssl.SSLEOFError):
                return 0
            return int(answer.split(b" ")[1]) if answer else 0


@pytest.fixture
def raw(served: Server) -> Raw:
    return Raw(served)


def test_lines_that_are_no_http_are_refused(raw: Raw) -> None:
    for sent in (
        b"\x00\x01\x02\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        raw.head("GET", "/version", "Content-Length: -1"),
        raw.head("GET", "/version", "Content-Length: 1", "Content-Length: 2"),
        raw.head("GET", "/version", "X: " + "y" * 3_000_000),
        raw.head("POST", MAPS, "Transfer-Encoding: chunked") + b"zz\r\n",
    ):
        assert raw.status(sent) in (0, 400, 421, 431), sent[:60]
    assert raw.status(raw.head("GET", "/version")) == 200


def test_odd_targets_and_headers_are_answered(raw: Raw) -> None:
    for target in ("*", "/%", "/api/v1/%ff%fe", "//", "/..;/x", "/version?%=%&=&&", "/a" * 2000):
        assert raw.status(raw.head("GET", target)) in (200, 400, 404)
    assert raw.status(raw.head("GET", "/version", "Accept: \xe9")) in (200, 406)


def test_slow_clients_hold_up_nobody(raw: Raw) -> None:
    body = b'{"metadata":{"name":"slow"}}'
    head = raw.head("POST", MAPS, "Content-Type: application/json", f"Content-Length: {len(body)}")
    slow = [raw.connect() for _ in range(20)]
    for connection in slow:
        connection.sendall(head + body[:5])
    assert raw.status(raw.head("GET", "/version")) == 200
    slow[0].sendall(body[5:])
    assert b" 201 " in slow[0].recv(65536)
    for connection in slow:
        connection.close()
    assert raw.status(raw.head("GET", f"{MAPS}/slow")) == 200


def test_a_half_closed_connection_gets_its_answer_or_ends(raw: Raw) -> None:
    for sent in (raw.head("GET", "/version"), raw.head("GET", f"{MAPS}?watch=1"), b"GET /ver"):
        with closing(raw.connect()) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
    assert raw.status(raw.head("GET", "/version")) == 200


def test_a_watcher_that_does_not_read_holds_up_no_writer(raw: Raw, served: Server) -> None:
    watching = raw.connect()
    watching.sendall(raw.head("GET", f"{MAPS}?watch=1"))
    assert b" 200 " in watching.recv(65536)
    big = json.dumps({"metadata": {"generateName": "b-"}, "data": {"k": "x" * 500_000}}).encode()
    head = raw.head("POST", MAPS, "Content-Type: application/json", f"Content-Length: {len(big)}")
    for _ in range(20):
        assert raw.status(head + big) == 201
    assert raw.status(raw.head("GET", "/version")) == 200
    watching.close()
    served.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "gitops-sim-server"]


def test_plain_http_on_the_tls_port_ends(raw: Raw) -> None:
    with socket.create_connection((raw.address.hostname, raw.address.port), timeout=20) as plain:
        plain.sendall(b"GET /api HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"namespaces" not in plain.recv(65536)
    assert raw.status(raw.head("GET", "/version")) == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "", "localhost:1", "127.0.0.1.evil.example"]
)
def test_another_host_name_reads_nothing(raw: Raw, host: str) -> None:
    head = raw.head("GET", "/api/v1/namespaces").replace(raw.address.netloc.encode(), host.encode())
    assert raw.status(head) in (400, 421)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost"])
def test_a_page_of_another_origin_reads_nothing(raw: Raw, origin: str) -> None:
    assert raw.status(raw.head("GET", "/api/v1/namespaces", f"Origin: {origin}")) == 403
    preflight = raw.head(
        "OPTIONS", MAPS, f"Origin: {origin}", "Access-Control-Request-Method: POST"
    )
    assert raw.status(preflight) == 403


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/apis",
        "/api/v1/namespaces",
        MAPS,
        "/openapi/v3",
        "/openapi/v2",
        "/metrics",
        "/git/",
    ],
)
def test_without_a_token_nothing_is_readable(raw: Raw, path: str) -> None:
    head = raw.head("GET", path)
    without = b"\r\n".join(line for line in head.split(b"\r\n") if not line.startswith(b"Auth"))
    assert raw.status(without) in (401, 403, 404)
