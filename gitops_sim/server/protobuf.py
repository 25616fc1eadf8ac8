"""Protobuf bodies, decoded with a table of the Go types' own tags.

kubectl create and client-go send them, and take a 415 as final. Only requests are read; answers
stay JSON.

Source: k8s.io/apimachinery, pkg/runtime/serializer/protobuf.
"""

from __future__ import annotations

import base64
import json
import lzma
import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from gitops_sim.errors import BadRequestError

__all__ = ["decode"]

_MAGIC = b"k8s\0"
_ZERO_TIME = -62135596800
_DEEPEST = 100
_META = "k8s.io/apimachinery/pkg/apis/meta/v1"
_PACKAGES = {
    "v1": "k8s.io/api/core/v1",
    "meta.k8s.io/v1": _META,
    "apiextensions.k8s.io/v1": "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1",
    "apiregistration.k8s.io/v1": "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1",
}
_EMPTY: dict[str, Any] = {"s": "", "i": 0, "B": False, "d": 0.0, "b": ""}


class _Field(NamedTuple):
    """One field of a message: `kind` is s, i, B, d, b or m; `flags` r, p, o, M or L."""

    name: str
    kind: str
    message: str
    flags: str


def decode(body: bytes) -> dict[str, Any]:
    """Return the object of a body as JSON.

    Raises:
        BadRequestError: It is no such body, or of a type that has no protobuf form.
    """
    if not body.startswith(_MAGIC):
        raise BadRequestError(
            "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
        )
    try:
        return _unknown(body[len(_MAGIC) :])
    except (IndexError, struct.error, ValueError, KeyError, TypeError, OverflowError):
        raise BadRequestError("unable to decode protobuf: unexpected EOF") from None


def _unknown(body: bytes) -> dict[str, Any]:
    envelope = dict(_pairs(body))
    kind_of = dict(_pairs(envelope.get(1, b"")))
    api_version, kind = kind_of[1].decode(), kind_of[2].decode()
    package = _PACKAGES.get(api_version)
    if package is None:
        group, _, version = api_version.partition("/")
        package = f"k8s.io/api/{group.partition('.')[0]}/{version}"
    if kind.endswith("Options") and kind.startswith(("Delete", "Create", "Update", "Patch")):
        package = _META
    name = f"{package}.{kind}"
    if name not in _types():
        raise BadRequestError(
            f'no kind "{kind}" is registered for version "{api_version}" in scheme '
            '"pkg/runtime/scheme.go:111"'
        )
    return {"apiVersion": api_version, "kind": kind, **_message(name, envelope.get(2, b""), 0)}


def _message(name: str, data: bytes, depth: int) -> Any:
    if depth > _DEEPEST:
        raise ValueError("nested too deep")
    fields = _types()[name]
    if 1 in fields and "L" in fields[1].flags:
        return [_value(fields[1], value, depth) for _, value in _pairs(data)]
    found: dict[str, Any] = {}
    for number, value in _pairs(data):
        field = fields.get(number)
        if field is not None:
            _add(found, field, value, depth)
    return found


def _add(found: dict[str, Any], field: _Field, value: Any, depth: int) -> None:
    if "M" in field.flags:
        entry = dict(_pairs(value))
        empty: Any = 0 if field.kind in "iB" else b""
        key = entry.get(1, b"").decode()
        found.setdefault(field.name, {})[key] = _value(field, entry.get(2, empty), depth)
        return
    if "r" in field.flags:
        found.setdefault(field.name, []).append(_value(field, value, depth))
        return
    read = _value(field, value, depth)
    if not field.name:
        found.update(read)
    elif "p" in field.flags or not _is_left_out(field, read):
        found[field.name] = read


def _is_left_out(field: _Field, value: Any) -> bool:
    """True for what JSON would not show: nothing, or a zero with omitempty."""
    return value is None or ("o" in field.flags and value == _EMPTY.get(field.kind, {}))


def _value(field: _Field, value: Any, depth: int) -> Any:
    match field.kind:
        case "s":
            return value.decode()
        case "i":
            return _signed(value)
        case "B":
            return bool(value)
        case "d":
            return struct.unpack("<d", value)[0]
        case "b":
            return base64.b64encode(value).decode()
    special = _SPECIAL.get(field.message.rpartition(".")[2])
    return _message(field.message, value, depth + 1) if special is None else special(value)


def _pairs(data: bytes) -> Iterator[tuple[int, Any]]:
    """Yield field numbers with their raw values: numbers, or bytes."""
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        match tag & 7:
            case 0:
                value, at = _varint(data, at)
                yield tag >> 3, value
            case 2:
                size, at = _varint(data, at)
                if at + size > end:
                    raise ValueError("unexpected EOF")
                yield tag >> 3, data[at : at + size]
                at += size
            case 1:
                yield tag >> 3, data[at : at + 8]
                at += 8
            case 5:
                yield tag >> 3, data[at : at + 4]
                at += 4
            case _:
                raise ValueError("illegal wire type")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while shift < 70:
        byte = data[at]
        at += 1
        result |= (byte & 127) << shift
        if byte < 128:
            return result, at
        shift += 7
    raise ValueError("integer overflow")


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _time(data: bytes) -> str | None:
    moment = _moment(data)
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _micro_time(data: bytes) -> str | None:
    moment = _moment(data)
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _moment(data: bytes) -> datetime | None:
    read = dict(_pairs(data))
    seconds = _signed(read.get(1, 0))
    if not read or seconds == _ZERO_TIME:
        return None
    return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=read.get(2, 0) // 1000)


def _duration(data: bytes) -> str:
    return f"{_signed(dict(_pairs(data)).get(1, 0)) / 1e9:g}s"


def _quantity(data: bytes) -> str:
    text: str = dict(_pairs(data)).get(1, b"").decode()
    return text


def _int_or_string(data: bytes) -> Any:
    read = dict(_pairs(data))
    return read.get(3, b"").decode() if read.get(1) else _signed(read.get(2, 0))


def _raw_json(data: bytes) -> Any:
    return json.loads(dict(_pairs(data)).get(1, b"null") or b"null")


_SPECIAL: dict[str, Callable[[bytes], Any]] = {
    "Time": _time,
    "MicroTime": _micro_time,
    "Duration": _duration,
    "Quantity": _quantity,
    "IntOrString": _int_or_string,
    "RawExtension": _raw_json,
    "FieldsV1": _raw_json,
    "JSON": _raw_json,
}


@cache
def _types() -> dict[str, dict[int, _Field]]:
    packed = (files("gitops_sim.server") / "data" / "protobuf.json.xz").read_bytes()
    table = json.loads(lzma.decompress(packed))
    return {
        name: {
            number: _Field(field, kind, message or "", flags)
            for number, field, kind, message, flags in rows
        }
        for name, rows in table.items()
    }
