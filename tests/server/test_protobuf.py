"""Protobuf bodies: what kubectl and client-go send, as JSON."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.errors import BadRequestError
from gitops_sim.server.protobuf import decode

PROTOBUF = {"content-type": "application/vnd.kubernetes.protobuf", "accept": "application/json"}


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def part(number: int, data: bytes | int) -> bytes:
    """One field: a number, or bytes with their length."""
    if isinstance(data, int):
        return varint(number << 3) + varint(data)
    return varint(number << 3 | 2) + varint(len(data)) + data


def text(number: int, value: str) -> bytes:
    return part(number, value.encode())


def envelope(api_version: str, kind: str, raw: bytes) -> bytes:
    return b"k8s\0" + part(1, text(1, api_version) + text(2, kind)) + part(2, raw)


def named(name: str) -> bytes:
    return part(1, text(1, name))


def entry(number: int, key: str, value: str) -> bytes:
    return part(number, text(1, key) + text(2, value))


def test_a_config_map_is_decoded() -> None:
    body = envelope("v1", "ConfigMap", named("a") + entry(2, "x", "1") + entry(2, "y", ""))
    assert decode(body) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a"},
        "data": {"x": "1", "y": ""},
    }


def test_pointers_lists_and_special_types_are_decoded() -> None:
    port = text(2, "TCP") + part(3, 80) + part(4, part(1, 1) + text(3, "web"))
    spec = part(1, port)
    body = envelope("v1", "Service", named("s") + part(2, spec))
    (found,) = decode(body)["spec"]["ports"]
    assert found == {"protocol": "TCP", "port": 80, "targetPort": "web"}


def test_a_replica_count_of_zero_is_kept() -> None:
    body = envelope("apps/v1", "Deployment", named("d") + part(2, part(1, 0)))
    assert decode(body)["spec"]["replicas"] == 0


def test_a_protobuf_body_creates_an_object(site: Any) -> None:
    body = envelope("v1", "ConfigMap", named("a") + entry(2, "x", "1"))
    target = "/api/v1/namespaces/default/configmaps"
    reply = site.ask("POST", target, body, headers=PROTOBUF)
    assert (reply.status, reply.json["data"]) == (201, {"x": "1"})


def test_an_unknown_kind_is_told() -> None:
    with pytest.raises(BadRequestError, match='no kind "Nothing" is registered'):
        decode(envelope("v1", "Nothing", b""))


def test_a_body_without_the_prefix_is_refused() -> None:
    with pytest.raises(BadRequestError, match="expected prefix"):
        decode(b"{}")


@given(st.binary(max_size=80))
def test_no_bytes_meet_an_unhandled_error(data: bytes) -> None:
    for body in (data, b"k8s\0" + data, envelope("v1", "Pod", data)):
        try:
            found, told = decode(body), ""
        except BadRequestError as refused:
            found, told = {}, str(refused)
        assert told or {"apiVersion", "kind"} <= found.keys()
