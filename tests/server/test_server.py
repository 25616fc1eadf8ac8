"""The server on its socket: who is let in, streams, threads, and what stays when it stops."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from gitops_sim.apiserver import new_server
from gitops_sim.clock import Door, VirtualClock
from gitops_sim.errors import LabError
from gitops_sim.journal import Journal
from gitops_sim.server import Served, ServeOptions, Server
from gitops_sim.server.kubeconfig import write_private
from gitops_sim.server.server import _listen

MAPS = "/api/v1/namespaces/default/configmaps"


class Client:
    """A plain HTTPS client that trusts the lab's authority alone."""

    def __init__(self, server: Server) -> None:
        told = yaml.safe_load(server.kubeconfig.read_text())
        cluster = told["clusters"][0]["cluster"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self.token = told["users"][0]["user"]["token"]
        self.address = urlsplit(cluster["server"])
        self.context = ssl.create_default_context(cadata=authority)

    def connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(
            self.address.hostname or "", self.address.port, context=self.context, timeout=20
        )

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        connection = self.connect()
        sent = {"Authorization": f"Bearer {self.token}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        data = None if body is None else json.dumps(body)
        connection.request(method, path, data, {k: v for k, v in sent.items() if v})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, json.loads(text) if text.startswith("{") else text


@pytest.fixture
def client(served: Server) -> Client:
    return Client(served)


def test_a_client_with_the_kubeconfig_is_the_admin(client: Client) -> None:
    status, told = client.ask("GET", "/api/v1/namespaces/default")
    assert (status, told["metadata"]["name"]) == (200, "default")


def test_without_a_token_next_to_nothing_is_readable(client: Client) -> None:
    assert client.ask("GET", "/version", Authorization="")[0] == 200
    status, told = client.ask("GET", "/api/v1/namespaces", Authorization="")
    assert (status, told["reason"]) == (403, "Forbidden")
    assert 'User "system:anonymous"' in told["message"]


def test_a_wrong_token_is_unauthorized(client: Client) -> None:
    status, told = client.ask("GET", "/version", Authorization="Bearer wrong")
    assert (status, told["reason"]) == (401, "Unauthorized")


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
def test_pages_of_other_origins_are_refused(client: Client, headers: dict[str, str]) -> None:
    status, told = client.ask("GET", "/api/v1/namespaces", **headers)
    assert status in (403, 421)
    assert "default" not in str(told)


def test_the_kubeconfig_is_private_and_goes_with_the_server() -> None:
    clock = VirtualClock()
    api = new_server(clock, Journal(clock), name="cluster")
    server = Server({"cluster": Served(api)}, clock, Door(clock), ServeOptions(speed=0)).start()
    path = server.kubeconfig
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    server.stop()
    assert not path.parent.exists()
    assert not [t for t in threading.enumerate() if t.name.startswith("gitops-sim-")]


def test_a_kubeconfig_asked_for_by_path_names_no_cluster_afterwards(tmp_path: Path) -> None:
    clock = VirtualClock()
    api = new_server(clock, Journal(clock), name="cluster")
    options = ServeOptions(speed=0, kubeconfig=tmp_path / "kubeconfig")
    with Server({"cluster": Served(api)}, clock, Door(clock), options) as server:
        assert yaml.safe_load(server.kubeconfig.read_text())["current-context"] == "cluster"
    told = yaml.safe_load((tmp_path / "kubeconfig").read_text())
    assert (told["clusters"], told["current-context"]) == ([], "no-lab-is-serving")


def test_a_taken_port_is_told(served: Server) -> None:
    port = urlsplit(served.url).port or 0
    clock = VirtualClock()
    api = new_server(clock, Journal(clock), name="cluster")
    other = Server({"cluster": Served(api)}, clock, Door(clock), ServeOptions(port=port, speed=0))
    with pytest.raises(LabError, match="cannot be had"):
        other.start()
    other.stop()


def test_a_watch_is_woken_by_a_write_and_ends_with_the_server(
    served: Server, client: Client
) -> None:
    connection = client.connect()
    headers = {"Authorization": f"Bearer {client.token}"}
    connection.request("GET", f"{MAPS}?watch=1", headers=headers)
    answer = connection.getresponse()
    client.ask("POST", MAPS, {"metadata": {"name": "a"}})
    event = json.loads(answer.readline())
    assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "a")
    served.stop()
    assert answer.readline() == b""
    connection.close()


def test_a_watch_ends_after_its_timeout(client: Client) -> None:
    connection = client.connect()
    headers = {"Authorization": f"Bearer {client.token}"}
    connection.request("GET", f"{MAPS}?watch=1&timeoutSeconds=1", headers=headers)
    assert connection.getresponse().read() == b""
    connection.close()


def test_parallel_writers_lose_no_update(client: Client) -> None:
    client.ask("POST", MAPS, {"metadata": {"name": "count"}, "data": {"n": "0"}})

    def raise_by_one(_: int) -> None:
        while True:
            _, now = client.ask("GET", f"{MAPS}/count")
            now["data"]["n"] = str(int(now["data"]["n"]) + 1)
            status, _ = client.ask("PUT", f"{MAPS}/count", now)
            if status == 200:
                return
            assert status == 409

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(raise_by_one, range(40)))
    assert client.ask("GET", f"{MAPS}/count")[1]["data"]["n"] == "40"


def test_a_client_that_leaves_a_body_half_sent_harms_nobody(client: Client) -> None:
    connection = client.connect()
    connection.putrequest("POST", MAPS)
    connection.putheader("Authorization", f"Bearer {client.token}")
    connection.putheader("Content-Length", "1000")
    connection.endheaders(b'{"metadata":')
    connection.close()
    assert client.ask("GET", "/version")[0] == 200


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(client: Client) -> None:
    connection = client.connect()
    connection.putrequest("POST", MAPS)
    connection.putheader("Authorization", f"Bearer {client.token}")
    connection.putheader("Content-Length", str(20 * 1024 * 1024))
    connection.endheaders()
    chunk = b" " * 65536
    for _ in range(50):  # a little more than the limit, far less than announced
        connection.send(chunk)
    assert connection.getresponse().status == 413
    connection.close()


def test_time_passes_while_it_is_served() -> None:
    clock = VirtualClock()
    door = Door(clock)
    api = new_server(clock, Journal(clock), name="cluster")
    rung = threading.Event()
    clock.call_later(600.0, rung.set)
    with Server({"cluster": Served(api)}, clock, door, ServeOptions(speed=6000.0)):
        assert rung.wait(20)
    assert clock.now() >= 600.0
    assert {entry.address for entry in door.inputs} == {"clock"}


@pytest.mark.all
def test_five_hundred_watches_stay_open_at_once(client: Client) -> None:
    open_watches = []
    for _ in range(500):
        connection = client.connect()
        headers = {"Authorization": f"Bearer {client.token}"}
        connection.request("GET", f"{MAPS}?watch=1", headers=headers)
        open_watches.append((connection, connection.getresponse()))
    client.ask("POST", MAPS, {"metadata": {"name": "a"}})
    told = [json.loads(answer.readline())["type"] for _, answer in open_watches]
    assert told == ["ADDED"] * 500
    for connection, _ in open_watches:
        connection.close()


@pytest.mark.all
def test_two_hundred_parallel_writers_lose_no_update(client: Client) -> None:
    client.ask("POST", MAPS, {"metadata": {"name": "many"}})
    merge = "application/merge-patch+json"

    def write(number: int) -> int:
        body = {"data": {f"k{number}": "1"}}
        return client.ask("PATCH", f"{MAPS}/many", body, Content_Type=merge)[0]

    with ThreadPoolExecutor(50) as pool:
        assert set(pool.map(write, range(200))) == {200}
    assert len(client.ask("GET", f"{MAPS}/many")[1]["data"]) == 200


def test_a_private_file_is_never_written_through_a_link(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("theirs")
    other.chmod(0o644)
    (tmp_path / ".kubeconfig.new").symlink_to(other)
    write_private(tmp_path / "kubeconfig", "ours")
    assert other.read_text() == "theirs"
    assert (tmp_path / "kubeconfig").read_text() == "ours"
    assert not (tmp_path / "kubeconfig").is_symlink()
    assert (tmp_path / "kubeconfig").stat().st_mode & 0o777 == 0o600


def test_sockets_are_on_loopback_alone() -> None:
    bound = _listen(0)
    with bound:
        assert bound.getsockname()[0] == "127.0.0.1"
