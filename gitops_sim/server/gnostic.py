"""The OpenAPI v2 document in protobuf, as Argo CD and older clients ask for it.

Source: github.com/google/gnostic-models, openapiv2/OpenAPIv2.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

from gitops_sim.apimachinery.yaml_dump import dump

__all__ = ["CONTENT_TYPE", "encode_document"]

CONTENT_TYPE = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
_METHODS = {"get": 2, "put": 3, "post": 4, "delete": 5, "options": 6, "head": 7, "patch": 8}
_LIMITS = {
    "maxLength": 11,
    "minLength": 12,
    "maxItems": 14,
    "minItems": 15,
    "maxProperties": 17,
    "minProperties": 18,
}


def encode_document(document: dict[str, Any]) -> bytes:
    """Return a v2 document as one message."""
    info = _text(1, document["info"]["title"]) + _text(2, document["info"]["version"])
    paths = b"".join(
        _part(2, _named(path, _path_item(item))) for path, item in document["paths"].items()
    )
    definitions = b"".join(
        _part(1, _named(name, _schema(schema))) for name, schema in document["definitions"].items()
    )
    return _text(1, document["swagger"]) + _part(2, info) + _part(8, paths) + _part(9, definitions)


def _path_item(item: dict[str, Any]) -> bytes:
    return b"".join(
        _part(_METHODS[method], _operation(operation)) for method, operation in item.items()
    )


def _operation(operation: dict[str, Any]) -> bytes:
    parameters = b"".join(_part(8, _part(1, _parameter(p))) for p in operation["parameters"])
    responses = b"".join(
        _part(1, _named(code, _part(1, _response(response))))
        for code, response in operation["responses"].items()
    )
    consumed = b"".join(_text(7, kind) for kind in operation.get("consumes", ()))
    return consumed + parameters + _part(9, responses) + _extensions(13, operation)


def _parameter(parameter: dict[str, Any]) -> bytes:
    if parameter["in"] == "body":
        body = _text(2, parameter["name"]) + _text(3, "body") + _flag(4, is_set=True)
        return _part(1, body + _part(5, _schema(parameter["schema"])))
    query = _text(2, "query") + _text(4, parameter["name"]) + _text(6, parameter["type"])
    return _part(2, _part(3, query))


def _response(response: dict[str, Any]) -> bytes:
    told = _text(1, response["description"])
    schema = response.get("schema")
    return told if schema is None else told + _part(2, _part(1, _schema(schema)))


def _schema(schema: dict[str, Any]) -> bytes:
    out = _text(1, schema.get("$ref", "")) + _text(2, schema.get("format", ""))
    out += _text(4, schema.get("description", ""))
    if "default" in schema:
        out += _part(5, _any(schema["default"]))
    for member, number in (("multipleOf", 6), ("maximum", 7), ("minimum", 9)):
        if member in schema:
            out += _number(number, schema[member])
    out += b"".join(
        _integer(number, schema[member]) for member, number in _LIMITS.items() if member in schema
    )
    out += _text(13, schema.get("pattern", ""))
    out += b"".join(_text(19, name) for name in schema.get("required", ()))
    out += b"".join(_part(20, _any(value)) for value in schema.get("enum", ()))
    additional = schema.get("additionalProperties")
    if isinstance(additional, dict):
        out += _part(21, _part(1, _schema(additional)))
    elif additional is not None:
        out += _part(21, _flag(2, is_set=additional))
    if schema.get("type"):
        out += _part(22, _text(1, schema["type"]))
    if isinstance(schema.get("items"), dict):
        out += _part(23, _part(1, _schema(schema["items"])))
    properties = schema.get("properties") or {}
    if properties:
        named = (_part(1, _named(name, _schema(below))) for name, below in properties.items())
        out += _part(25, b"".join(named))
    return out + _extensions(31, schema)


def _extensions(number: int, holder: dict[str, Any]) -> bytes:
    return b"".join(
        _part(number, _named(name, _any(value)))
        for name, value in holder.items()
        if name.startswith("x-")
    )


def _any(value: Any) -> bytes:
    return _text(2, dump(value))


def _named(name: str, value: bytes) -> bytes:
    return _text(1, name) + _part(2, value)


def _varint(number: int) -> bytes:
    out = bytearray()
    number &= (1 << 64) - 1
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _part(number: int, data: bytes | Iterable[int]) -> bytes:
    raw = bytes(data)
    return _varint(number << 3 | 2) + _varint(len(raw)) + raw


def _text(number: int, value: str) -> bytes:
    return _part(number, value.encode()) if value else b""


def _flag(number: int, *, is_set: bool) -> bytes:
    return _varint(number << 3) + _varint(1) if is_set else b""


def _integer(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _number(number: int, value: float) -> bytes:
    return _varint(number << 3 | 1) + struct.pack("<d", value)
