"""Tokens of service accounts: what is in them, and how long they hold."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

import pytest

from gitops_sim.apiserver import ApiServer, InProcessClient, new_server
from gitops_sim.clock import EPOCH, VirtualClock
from gitops_sim.errors import InvalidError, NotFoundError
from gitops_sim.journal import Journal
from gitops_sim.server.accounts import AccountTokens


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(3)


@pytest.fixture
def server(clock: VirtualClock) -> ApiServer:
    return new_server(clock, Journal(clock))


@pytest.fixture
def client(server: ApiServer) -> InProcessClient:
    client = InProcessClient(server, "tests")
    account = {"apiVersion": "v1", "kind": "ServiceAccount"}
    client.create(account | {"metadata": {"name": "robot", "namespace": "default"}})
    return client


@pytest.fixture
def tokens(server: ApiServer, client: InProcessClient) -> AccountTokens:
    return AccountTokens(server)


def claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_claims_are_those_of_a_real_token(tokens: AccountTokens) -> None:
    issued = tokens.issue("default", "robot", {"spec": {"expirationSeconds": 7200}})
    found = claims(issued["status"]["token"])
    now = int(EPOCH.timestamp())
    assert (found["iat"], found["nbf"], found["exp"]) == (now, now, now + 7200)
    assert found["sub"] == "system:serviceaccount:default:robot"
    ends = datetime.fromisoformat(issued["status"]["expirationTimestamp"])
    assert ends.timestamp() == found["exp"]


def test_token_is_known_until_it_ends(tokens: AccountTokens, clock: VirtualClock) -> None:
    token = tokens.issue("default", "robot", {"spec": {"expirationSeconds": 600}})["status"][
        "token"
    ]
    clock.run(600)
    user = tokens.user(token)
    assert user is not None
    assert "system:serviceaccounts:default" in user.groups
    clock.run(601)
    assert tokens.user(token) is None


def test_token_ends_with_its_account(tokens: AccountTokens, client: InProcessClient) -> None:
    token = tokens.issue("default", "robot", {})["status"]["token"]
    client.delete("ServiceAccount", "robot", "default")
    assert tokens.user(token) is None


@pytest.mark.parametrize("change", ["", "x", ".", "é", "\udc80"])
def test_changed_tokens_are_nobody(tokens: AccountTokens, change: str) -> None:
    token = tokens.issue("default", "robot", {})["status"]["token"]
    assert tokens.user(change) is None
    assert tokens.user(token + change + "x") is None
    head, _, signature = token.rpartition(".")
    assert tokens.user(f"{head}{change}x.{signature}") is None


def test_wishes_out_of_bounds_are_refused(tokens: AccountTokens) -> None:
    with pytest.raises(InvalidError, match="less than 10 minutes"):
        tokens.issue("default", "robot", {"spec": {"expirationSeconds": 599}})
    with pytest.raises(NotFoundError):
        tokens.issue("default", "nobody", {})


def test_token_of_an_account_that_was_made_anew_is_nobodys(
    tokens: AccountTokens, client: InProcessClient
) -> None:
    token = tokens.issue("default", "robot", {})["status"]["token"]
    assert tokens.user(token) is not None
    client.delete("v1/ServiceAccount", "robot")
    assert tokens.user(token) is None
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}}
    client.create(account)
    assert tokens.user(token) is None
