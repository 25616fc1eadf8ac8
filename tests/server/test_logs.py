"""Logs over the front: the whole, a tail, and one that is followed."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.server import Front
from gitops_sim.server.requests import Request

PODS = "/api/v1/namespaces/default/pods"
MERGE = {"content-type": "application/merge-patch+json"}


class Printer:
    """A pod whose container prints what a test says."""

    def __init__(self, site: Any) -> None:
        spec = {"containers": [{"name": "c", "image": "i"}]}
        site.make("/api/v1/namespaces/default/serviceaccounts", "ServiceAccount", "default")
        site.make(PODS, "Pod", "p", spec=spec)
        self.site = site
        self.text = "one\ntwo\n"
        self.front = Front(site.api, None, logs=lambda *_, **__: self.text)
        self.set_state({"running": {"startedAt": "2026-01-01T00:00:00Z"}})

    def set_state(self, state: Any, restarts: int = 0) -> None:
        told = {"name": "c", "image": "i", "imageID": "", "ready": True, "restartCount": restarts}
        patch = {"status": {"containerStatuses": [told | {"state": state}]}}
        self.site.ask("PATCH", f"{PODS}/p/status", patch, headers=MERGE)

    def log(self, query: str) -> Any:
        user = self.site.users["admin"]
        return self.front.respond(Request(user, "GET", f"{PODS}/p/log", query, {}, b""))[0]


@pytest.fixture
def printer(site: Any) -> Printer:
    return Printer(site)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "one\ntwo\n"),
        ("tailLines=1", "two\n"),
        ("tailLines=0", ""),
        ("tailLines=9", "one\ntwo\n"),
    ],
)
def test_a_log_is_plain_text(printer: Printer, query: str, expected: str) -> None:
    answer = printer.log(query)
    assert answer.stream is None
    assert answer.body.decode() == expected


def test_a_followed_log_goes_on_until_the_container_ends(printer: Printer) -> None:
    stream = printer.log("follow=true").stream
    woken: list[str] = []
    stream.subscribe(lambda: woken.append("news"))
    assert stream.next_chunks() == [b"one\ntwo\n"]
    assert stream.next_chunks() == []
    printer.text += "three\n"
    printer.set_state({"terminated": {"exitCode": 1}})
    assert woken
    assert stream.next_chunks() == [b"three\n"]
    assert stream.ended
    assert stream.next_chunks() == []


def test_a_followed_log_begins_with_its_tail(printer: Printer) -> None:
    stream = printer.log("follow=true&tailLines=1").stream
    assert stream.next_chunks() == [b"two\n"]


def test_a_followed_log_ends_when_the_pod_is_gone_or_runs_anew(printer: Printer) -> None:
    first = printer.log("follow=true").stream
    first.next_chunks()
    printer.set_state({"running": {"startedAt": "2026-01-01T00:01:00Z"}}, restarts=1)
    assert first.next_chunks() == []
    assert first.ended
    second = printer.log("follow=true").stream
    printer.site.ask("DELETE", f"{PODS}/p?gracePeriodSeconds=0")
    second.next_chunks()
    assert second.ended


def test_the_log_of_a_container_that_ended_is_not_waited_for(printer: Printer) -> None:
    printer.set_state({"terminated": {"exitCode": 0}})
    stream = printer.log("follow=true").stream
    assert stream.next_chunks() == [b"one\ntwo\n"]
    assert stream.ended


def test_nobody_listens_on_the_nodes_that_are_faked(site: Any) -> None:
    site.make("/api/v1/namespaces/default/serviceaccounts", "ServiceAccount", "default")
    faked = {"name": "n", "annotations": {"kwok.x-k8s.io/node": "fake"}}
    site.make("/api/v1/nodes", "Node", "n", metadata=faked)
    address = {"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}]}
    site.ask("PATCH", "/api/v1/nodes/n/status", {"status": address}, headers=MERGE)
    spec = {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]}
    site.make(PODS, "Pod", "p", spec=spec)
    asked = "tailLines=5&previous=true&timestamps=false&container=c"
    refused = site.ask("GET", f"{PODS}/p/log?{asked}").json
    url = "https://127.0.0.1:10250/containerLogs/default/p/c?previous=true&tailLines=5"
    problem = "dial tcp 127.0.0.1:10250: connect: connection refused"
    assert (refused["code"], refused["message"]) == (500, f'Get "{url}": {problem}')
    reply = site.ask("POST", f"{PODS}/p/portforward")
    assert (reply.status, reply.answer.body) == (500, f"error dialing backend: {problem}".encode())


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("container=z", 400, "container z is not valid for pod p"),
        ("tailLines=-1", 422, "tailLines: Invalid value: -1: must be greater than or equal to 0"),
        ("limitBytes=0", 422, "limitBytes: Invalid value: 0: must be greater than 0"),
        ("sinceSeconds=0", 422, "sinceSeconds: Invalid value: 0: must be greater than 0"),
        ("sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z", 422, "at most one of `sinceTime` or"),
    ],
)
def test_wrong_options_are_refused(printer: Printer, query: str, code: int, message: str) -> None:
    answer = printer.log(query)
    assert answer.status == code
    assert message in answer.body.decode()


def test_of_several_containers_one_is_to_be_named(printer: Printer) -> None:
    spec = {"containers": [{"name": name, "image": "i"} for name in ("a", "b")]}
    printer.site.make(PODS, "Pod", "two", spec=spec)
    reply = printer.site.ask("GET", f"{PODS}/two/log")
    told = "a container name must be specified for pod two, choose one of: [a b]"
    assert (reply.status, reply.json["message"]) == (400, told)


def test_a_node_that_is_not_there_has_no_logs(printer: Printer) -> None:
    spec = {"nodeName": "gone", "containers": [{"name": "c", "image": "i"}]}
    printer.site.make(PODS, "Pod", "lost", spec=spec)
    reply = printer.site.ask("GET", f"{PODS}/lost/log")
    assert (reply.status, reply.json["message"]) == (404, 'pods "gone" not found')
