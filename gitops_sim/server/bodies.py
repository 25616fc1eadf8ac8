"""Request bodies: JSON, YAML or protobuf, decoded to JSON values as the real server does.

Source: k8s.io/apimachinery, pkg/runtime/serializer; k8s.io/apiserver, pkg/endpoints/handlers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gitops_sim.apimachinery import causes
from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apimachinery.go_json import GoJsonError, duplicate_fields, parse
from gitops_sim.apimachinery.go_text import json_kind, quoted
from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apimachinery.status_errors import generic_invalid
from gitops_sim.apimachinery.yaml_loader import load_all
from gitops_sim.errors import BadRequestError, ManifestError, UnsupportedMediaTypeError
from gitops_sim.server import protobuf
from gitops_sim.server.media import JSON, PROTOBUF, YAML
from gitops_sim.server.requests import Request

__all__ = [
    "MOST_BYTES",
    "Body",
    "decode_body",
    "decode_foreign",
    "decode_options",
    "go_yaml_problem",
    "media_type",
    "repeated_keys",
]

MOST_BYTES = 3 * 1024 * 1024
"""What a body may hold. Source: k8s.io/apiserver, pkg/server/config.go, MaxRequestBodyBytes."""

_SUMMARY = 30
_NO_KIND = "couldn't get version/kind"
_HEADER = (
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; '
    'Kind string "json:\\"kind,omitempty\\"" }'
)
_OLD_APPS = ("apps/v1beta1", "apps/v1beta2", "extensions/v1beta1")
_OLD_VERSIONS = {
    "CronJob": ("batch/v1beta1",),
    "DaemonSet": ("apps/v1beta2", "extensions/v1beta1"),
    "Deployment": _OLD_APPS,
    "HorizontalPodAutoscaler": ("autoscaling/v1", "autoscaling/v2"),
    "Ingress": ("extensions/v1beta1", "networking.k8s.io/v1beta1"),
    "NetworkPolicy": ("extensions/v1beta1",),
    "PodDisruptionBudget": ("policy/v1beta1",),
    "ReplicaSet": ("apps/v1beta2", "extensions/v1beta1"),
    "StatefulSet": ("apps/v1beta1", "apps/v1beta2"),
}
"""Versions of kinds that the server can read though it does not serve them at this path."""
_UNKNOWN_FORMAT = (
    "the body of the request was in an unknown format - accepted media types include: "
    f"{JSON}, {YAML}, {PROTOBUF}"
)


@dataclass(frozen=True, slots=True)
class Body:
    """A decoded body: the object, and what is to be said of members that were written twice."""

    value: dict[str, Any]
    duplicates: tuple[str, ...] = ()


def media_type(request: Request) -> str:
    """Return the Content-Type without its parameters."""
    return request.header("content-type").partition(";")[0].strip().lower()


def decode_body(
    request: Request, resource_type: ResourceType, kind: str = "", *, custom: bool = False
) -> Body:
    """Return the object in a body, its apiVersion and kind checked and filled in.

    Args:
        request: Holds it.
        resource_type: What the path is about.
        kind: The kind that the body must be where it is not the resource's own.
        custom: It is a custom one, whose objects must tell what they are.

    Raises:
        BadRequestError: It does not decode, or is of another kind.
        InvalidError: A custom resource is of another kind.
        UnsupportedMediaTypeError: Neither JSON, YAML nor protobuf.
    """
    wanted = kind or resource_type.kind
    value, duplicates = _decode(request, wanted)
    if custom:
        _check_custom(request, value, resource_type)
    _check_kind(request, value, resource_type.api_version, wanted)
    return Body(value, duplicates)


def decode_foreign(request: Request, api_version: str, kind: str) -> dict[str, Any]:
    """Return the object in a body that is not of the resource's own kind, such as a Scale.

    Raises:
        BadRequestError: It does not decode, or is of another kind.
    """
    value, _ = _decode(request, kind)
    _check_kind(request, value, api_version, kind)
    return value


def decode_options(request: Request, kind: str) -> dict[str, Any]:
    """Return the options in the body of a delete; empty without a body.

    Raises:
        BadRequestError: It is no such kind.
    """
    if not request.body:
        return {}
    value, _ = _decode(request, "")
    found = str(value.get("kind") or kind)
    if found != kind:
        version = value.get("apiVersion") or "v1"
        raise BadRequestError(
            f'no kind "{found}" is registered for version "{version}" in scheme '
            '"pkg/runtime/scheme.go:111"'
        )
    return value


def _decode(request: Request, wanted: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    kind = media_type(request)
    if kind == PROTOBUF:
        return protobuf.decode(request.body), ()
    if kind not in ("", JSON, YAML):
        raise UnsupportedMediaTypeError(_UNKNOWN_FORMAT)
    try:
        value, duplicates = _from_yaml(request.body) if kind == YAML else _from_json(request.body)
    except GoJsonError as problem:
        told = f"{_NO_KIND}; json parse error: {problem}"
        raise _unrecognized(request.body, wanted, told) from None
    except ManifestError as problem:
        raise _unrecognized(request.body, wanted, go_yaml_problem(problem)) from None
    if value is None:
        return {}, ()
    if not isinstance(value, dict):
        found = f"json: cannot unmarshal {json_kind(value)} into Go value of type {_HEADER}"
        raise _unrecognized(request.body, wanted, f"{_NO_KIND}; json parse error: {found}")
    return value, duplicates


def _from_json(body: bytes) -> tuple[Any, tuple[str, ...]]:
    # Go replaces bytes that are no UTF-8 inside text, and refuses them elsewhere.
    value = parse(body.decode("utf-8", "replace"))
    duplicates = tuple(f'duplicate field "{path}"' for path in duplicate_fields(value))
    return (fresh_copy(value) if duplicates else value), duplicates


def _from_yaml(body: bytes) -> tuple[Any, tuple[str, ...]]:
    repeated: list[tuple[int, str]] = []
    documents = load_all(body, repeated=repeated)
    return (documents[0].manifest if documents else None), repeated_keys(repeated)


def repeated_keys(repeated: list[tuple[int, str]]) -> tuple[str, ...]:
    """Return what the server says of keys of a YAML document that were there already."""
    return tuple(f"line {line}: key {quoted(key)} already set in map" for line, key in repeated)


def go_yaml_problem(error: ManifestError) -> str:
    """Return a YAML error in Go's words: its parser counts lines from 0, its scanner from 1."""
    if error.line <= 1:  # counted as 0, which is not told
        return f"yaml: {error.problem}"
    line = error.line - error.problem.startswith("did not find expected")
    return f"yaml: line {line}: {error.problem}"


def _unrecognized(body: bytes, wanted: str, problem: str) -> BadRequestError:
    """Return the refusal of a body; for options, which have no `wanted`, the problem alone."""
    if not wanted:
        return BadRequestError(problem)
    return BadRequestError(
        f"the object provided is unrecognized (must be of type {wanted}): {problem} "
        f"({_summary(body)})"
    )


def _summary(body: bytes) -> str:
    if not body:
        return "<empty>"
    start = body[:_SUMMARY]
    text = start.decode("utf-8", "replace") if body.startswith(b"{") else start.hex()
    return f"{text} ..." if len(body) > _SUMMARY else text


def _check_custom(request: Request, value: dict[str, Any], resource_type: ResourceType) -> None:
    """Refuse a custom resource that does not tell what it is, or tells something else."""
    raw = request.body.decode("utf-8", "replace")
    for member, shown in (("kind", "Kind"), ("apiVersion", "apiVersion")):
        if not value.get(member):
            problem = f"Object '{shown}' is missing in '{raw}'"
            raise _unrecognized(request.body, resource_type.kind, problem)
    kind, version, expected = value["kind"], value["apiVersion"], resource_type.api_version
    if not (isinstance(kind, str) and isinstance(version, str)):
        return
    if version.rpartition("/")[0] == resource_type.group and version != expected:
        raise BadRequestError(
            f"the API version in the data ({version}) does not match the expected API version "
            f"({expected})"
        )
    if version == expected and kind != resource_type.kind:
        metadata = value.get("metadata")
        name = metadata.get("name", "") if isinstance(metadata, dict) else ""
        cause = causes.invalid("kind", kind, f"must be {resource_type.kind}")
        raise generic_invalid(resource_type.group, kind, name, [cause])


def _check_kind(request: Request, value: dict[str, Any], expected: str, wanted: str) -> None:
    """Fill apiVersion and kind where they are missing, and refuse other ones."""
    kind, api_version = value.get("kind"), value.get("apiVersion")
    for name, found in (("kind", kind), ("apiVersion", api_version)):
        if found is not None and not isinstance(found, str):
            told = f"json: cannot unmarshal {json_kind(found)} into Go struct field .{name} of type"
            problem = f"{_NO_KIND}; json parse error: {told} string"
            raise _unrecognized(request.body, wanted, problem)
    value["kind"], value["apiVersion"] = kind or wanted, api_version or expected
    if value["kind"] == wanted and value["apiVersion"] == expected:
        return
    group, _, version = value["apiVersion"].rpartition("/")
    if "/" in group:
        problem = f"unexpected GroupVersion string: {value['apiVersion']}"
        raise _unrecognized(request.body, wanted, problem)
    if value["kind"] == wanted and value["apiVersion"] in _OLD_VERSIONS.get(wanted, ()):
        raise BadRequestError(
            f"the API version in the data ({value['apiVersion']}) does not match the expected API "
            f"version ({expected})"
        )
    told = f'{value["kind"]} in version "{version}" cannot be handled as a {wanted}: '
    if value["apiVersion"] == expected:
        package = group.partition(".")[0] or "core"
        found = f"({version}.{value['kind']}) to ({package}.{wanted})"
        raise BadRequestError(f"{told}converting {found}: unknown conversion")
    raise BadRequestError(
        f'{told}no kind "{value["kind"]}" is registered for version "{value["apiVersion"]}" '
        'in scheme "pkg/runtime/scheme.go:111"'
    )
