"""Webhooks over HTTPS: called without the lab's lock, judged by their certificate, replayed."""

from __future__ import annotations

import base64
import http.server
import json
import socket
import ssl
import threading
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trustme

from gitops_sim.apiserver import InProcessClient, new_server
from gitops_sim.clock import Door, VirtualClock
from gitops_sim.journal import Journal
from gitops_sim.server import Front, Served, ServeOptions, Server
from gitops_sim.server.webhooks import call_webhook

GROUP = "admissionregistration.k8s.io"
Answer = Callable[[dict[str, Any]], dict[str, Any] | bytes]


class Hook:
    """An HTTPS server of somebody else, on this machine."""

    def __init__(self) -> None:
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        self.bundle = base64.b64encode(authority.cert_pem.bytes()).decode()
        self.answer: Answer = allow
        self.calls = 0
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                owner.calls += 1
                sent = json.loads(self.rfile.read(int(self.headers["content-length"])))
                answer = owner.answer(sent)
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        class Quiet(http.server.HTTPServer):
            def handle_error(self, *_: Any) -> None:
                pass  # a client that did not wait for its answer

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}/admit"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def allow(review: dict[str, Any], **response: Any) -> dict[str, Any]:
    told = {"uid": review["request"]["uid"], "allowed": True} | response
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": told}


@pytest.fixture(scope="module")
def running() -> Iterator[Hook]:
    hook = Hook()
    yield hook
    hook.stop()


@pytest.fixture
def hook(running: Hook) -> Hook:
    running.answer, running.calls = allow, 0
    return running


def configuration(hook: Hook, kind: str = "Validating") -> dict[str, Any]:
    rule = {
        "operations": ["CREATE"],
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "resources": ["configmaps"],
    }
    webhook = {
        "name": "check.example.com",
        "clientConfig": {"url": hook.url, "caBundle": hook.bundle},
        "rules": [rule],
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
    }
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": f"{kind}WebhookConfiguration",
        "metadata": {"name": "hooks"},
        "webhooks": [webhook],
    }


class Client:
    """A client of a served cluster, over HTTPS."""

    def __init__(self, server: Server) -> None:
        self._url = server.url
        self._context = ssl.create_default_context()
        self._context.check_hostname, self._context.verify_mode = False, ssl.CERT_NONE
        self._headers = {
            "Authorization": f"Bearer {server.tokens['admin']}",
            "Content-Type": "application/json",
        }

    def ask(self, path: str, body: Any = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, self._headers)
        try:
            with urllib.request.urlopen(request, context=self._context, timeout=10) as answer:
                found: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                found = json.load(refused)
        return found


MAPS = "/api/v1/namespaces/default/configmaps"


def config_map(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}}


def test_a_webhook_calls_the_api_while_it_is_asked_and_a_replay_calls_nobody(hook: Hook) -> None:
    clock = VirtualClock()
    door = Door(clock)
    door.register("clock", clock)
    api = new_server(clock, Journal(clock))
    with Server({"one": Served(api)}, clock, door, ServeOptions(speed=1000.0)) as server:
        client = Client(server)
        client.ask(f"/apis/{GROUP}/v1/validatingwebhookconfigurations", configuration(hook))

        def answer(review: dict[str, Any]) -> dict[str, Any]:
            if review["request"]["name"].startswith("inner"):
                return allow(review)
            present = client.ask(MAPS)["items"]
            client.ask("/api/v1/namespaces/default/secrets", config_map("meanwhile"))
            names = ",".join(item["metadata"]["name"] for item in present)
            return allow(review, warnings=[f"there: {names}"], allowed=False)

        hook.answer = answer
        refused = client.ask(MAPS, config_map("outer"))
        assert refused["message"].startswith('admission webhook "check.example.com" denied')
        assert client.ask("/api/v1/namespaces/default/secrets/meanwhile")["kind"] == "Secret"
    hook.answer = lambda _: pytest.fail("a replay calls nobody")
    calls = hook.calls
    clock2 = VirtualClock()
    again = Door(clock2)
    again.register("clock", clock2)
    api2 = new_server(clock2, Journal(clock2))
    Front(api2, again)
    again.replay(Door.from_jsonl(door.to_jsonl()))
    assert hook.calls == calls
    left, right = (InProcessClient(a, "test").list("v1/Secret") for a in (api, api2))
    assert left == right
    assert api2.journal.to_jsonl().splitlines() == api.journal.to_jsonl().splitlines()


def test_a_certificate_that_is_not_of_the_bundle_is_not_trusted(hook: Hook) -> None:
    other = base64.b64encode(trustme.CA().cert_pem.bytes()).decode()
    found = call_webhook(f"{hook.url}?timeout=1s", {}, ca_bundle=other, seconds=1)
    text = "tls: failed to verify certificate: x509: certificate signed by unknown authority"
    assert found == {"error": f'Post "{hook.url}?timeout=1s": {text}'}


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://127.0.0.1:9/x", "dial tcp 127.0.0.1:9: connect: connection refused"),
        ("https://example.com/x", "dial tcp: lookup example.com: no such host"),
        ("http://127.0.0.1/x", "dial tcp: lookup 127.0.0.1: no such host"),
        ("https://127.0.0.1@example.com/", "dial tcp: lookup example.com: no such host"),
        ("https://example.com#@127.0.0.1/", "dial tcp: lookup example.com: no such host"),
        ("https://127.0.0.1:9/é?a b\r\nX: y", "dial tcp 127.0.0.1:9: connect: connection refused"),
    ],
)
def test_who_cannot_be_called_is_told(url: str, problem: str) -> None:
    found = call_webhook(url, {}, ca_bundle="", seconds=1)
    assert found == {"error": f'Post "{url}": {problem}'}


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.2", "127.1", "localhost.example.com"])
def test_nobody_else_is_even_dialled(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    def dial(*address: Any, **_: Any) -> None:
        raise AssertionError(f"dialled {address}")

    monkeypatch.setattr(socket, "create_connection", dial)
    monkeypatch.setattr(socket, "getaddrinfo", dial)
    found = call_webhook(f"https://{host}/", {}, ca_bundle="", seconds=1)
    assert found == {"error": f'Post "https://{host}/": dial tcp: lookup {host}: no such host'}


@pytest.mark.parametrize("url", ["https://127.0.0.1:99999/", "https://[::1/", "https://::1:x/"])
def test_a_url_that_is_none_is_told(url: str) -> None:
    found = call_webhook(url, {}, ca_bundle="", seconds=1)
    assert found == {"error": f'parse "{url}": invalid host or port'}


@pytest.mark.parametrize("bundle", ["é", "!", "bm9uZQ=="])
def test_a_bundle_that_is_none_is_told(bundle: str) -> None:
    found = call_webhook("https://127.0.0.1:9/", {}, ca_bundle=bundle, seconds=1)
    assert found["error"].startswith("unable to load root certificates")


def test_an_answer_nested_without_end_is_told(hook: Hook) -> None:
    hook.answer = lambda _: b"[" * 200_000
    found = call_webhook(hook.url, {}, ca_bundle=hook.bundle, seconds=5)
    assert "json parse error" in found["error"]


def test_a_webhook_that_takes_too_long_is_given_up(hook: Hook) -> None:
    late = threading.Event()
    hook.answer = lambda _: {"late": late.wait(5)}
    found = call_webhook(hook.url, {}, ca_bundle=hook.bundle, seconds=0.05)
    late.set()
    assert found == {"error": f'Post "{hook.url}": context deadline exceeded'}
