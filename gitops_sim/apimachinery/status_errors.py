"""The refusals of the API server, with the texts and details that the real one sends.

Source: k8s.io/apimachinery, pkg/api/errors/errors.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.errors import (
    AlreadyExistsError,
    ApiError,
    BadRequestError,
    ConflictError,
    ExpiredError,
    ForbiddenError,
    InternalError,
    InvalidError,
    MethodNotAllowedError,
    NotFoundError,
    RequestTimeoutError,
    TooLargeError,
)

__all__ = [
    "already_exists",
    "apply_conflict",
    "bad_request",
    "cannot_handle",
    "conflict",
    "expired",
    "forbidden",
    "generic_invalid",
    "generic_unprocessable",
    "internal",
    "invalid",
    "invalid_options",
    "method_not_allowed",
    "not_found",
    "too_large",
    "too_large_resource_version",
    "too_old_resource_version",
    "unknown_resource",
]

STALE = (
    "the object has been modified; please apply your changes to the latest version and try again"
)


def not_found(resource_type: ResourceType, name: str) -> NotFoundError:
    """Return the 404 for an object that is not there."""
    return NotFoundError(
        f'{resource_type.resource} "{name}" not found', _details(resource_type, name)
    )


def unknown_resource() -> NotFoundError:
    """Return the 404 for a path of a known group that serves no such resource."""
    return NotFoundError("the server could not find the requested resource", {})


def already_exists(resource_type: ResourceType, name: str) -> AlreadyExistsError:
    """Return the 409 for a create of a name that is taken."""
    return AlreadyExistsError(
        f'{resource_type.resource} "{name}" already exists', _details(resource_type, name)
    )


def conflict(resource_type: ResourceType, name: str, detail: str = STALE) -> ConflictError:
    """Return the 409 for a write that names an old resourceVersion, or another uid."""
    return ConflictError(
        f'Operation cannot be fulfilled on {resource_type.resource} "{name}": {detail}',
        _details(resource_type, name),
    )


def apply_conflict(conflicts: Sequence[tuple[str, str]]) -> ConflictError:
    """Return the 409 of a server-side apply.

    Args:
        conflicts: Pairs of the other manager, worded as the server does (`"kubectl" using v1`),
            and the path of the field (`.spec.replicas`), in the server's order.

    Source: k8s.io/apimachinery, pkg/util/managedfields/internal/conflict.go.
    """
    causes = [
        Cause("FieldManagerConflict", f"conflict with {manager}", path)
        for manager, path in conflicts
    ]
    noun = "conflict" if len(causes) == 1 else "conflicts"
    return ConflictError(
        f"Apply failed with {len(causes)} {noun}: {_conflict_text(conflicts)}",
        {"causes": [cause.to_status() for cause in causes]},
    )


def invalid(resource_type: ResourceType, name: str, causes: Iterable[Cause]) -> InvalidError:
    """Return the 422 for an object that breaks rules; the Kind is named, not the resource."""
    return generic_invalid(resource_type.group, resource_type.kind, name, causes)


def generic_invalid(group: str, kind: str, name: str, causes: Iterable[Cause]) -> InvalidError:
    """Return the 422 for anything with a group and kind, such as options or a Scale."""
    listed = list(dict.fromkeys(causes))
    texts = list(dict.fromkeys(str(cause) for cause in listed))
    subject = f"{kind}.{group}" if group else kind
    text = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    details: dict[str, Any] = {"name": name} if name else {}
    if group:
        details["group"] = group
    if kind:
        details["kind"] = kind
    details |= {"causes": [cause.to_status() for cause in listed]}
    return InvalidError(f'{subject} "{name}" is invalid: {text}', details)


def invalid_options(kind: str, causes: Iterable[Cause]) -> InvalidError:
    """Return the 422 for options of a request; `kind` is ListOptions, DeleteOptions, ..."""
    return generic_invalid("meta.k8s.io", kind, "", causes)


def generic_unprocessable() -> InvalidError:
    """Return the 422 for a JSON patch that cannot be applied; the server says no more."""
    return InvalidError("the server rejected our request due to an error in our request", {})


def bad_request(message: str) -> BadRequestError:
    """Return a 400."""
    return BadRequestError(message)


def cannot_handle(resource_type: ResourceType, problem: str) -> BadRequestError:
    """Return the 400 for a body that does not decode, such as a string where a number belongs."""
    kind = resource_type.kind
    return BadRequestError(
        f'{kind} in version "{resource_type.version}" cannot be handled as a {kind}: {problem}'
    )


def forbidden(
    resource_type: ResourceType, name: str, detail: str, causes: Iterable[Cause] = ()
) -> ForbiddenError:
    """Return the 403 of an admission step or of authorisation."""
    subject = f'{resource_type.resource} "{name}"' if name else resource_type.resource
    details = _details(resource_type, name)
    listed = [cause.to_status() for cause in causes]
    if listed:
        details["causes"] = listed
    return ForbiddenError(f"{subject} is forbidden: {detail}", details)


def method_not_allowed() -> MethodNotAllowedError:
    """Return the 405 for a verb that the resource has not."""
    return MethodNotAllowedError(
        "the server does not allow this method on the requested resource", {}
    )


def expired(message: str) -> ExpiredError:
    """Return a 410."""
    return ExpiredError(message)


def too_old_resource_version(asked: int, oldest: int) -> ExpiredError:
    """Return the 410 of a watch that starts before what the server remembers."""
    return ExpiredError(f"too old resource version: {asked} ({oldest})")


def too_large_resource_version(asked: int, current: int) -> RequestTimeoutError:
    """Return the 504 for a read at a resourceVersion that is not there yet."""
    return RequestTimeoutError(
        f"Timeout: Too large resource version: {asked}, current: {current}",
        {
            "causes": [
                {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
            ],
            "retryAfterSeconds": 1,
        },
    )


def too_large(message: str) -> TooLargeError:
    """Return a 413."""
    return TooLargeError(message)


def internal(message: str) -> ApiError:
    """Return a 500."""
    return InternalError(message)


def _details(resource_type: ResourceType, name: str) -> dict[str, Any]:
    """Return name, group and plural, leaving out what is empty, in the server's order."""
    details = {"name": name, "group": resource_type.group, "kind": resource_type.plural}
    return {key: value for key, value in details.items() if value}


def _conflict_text(conflicts: Sequence[tuple[str, str]]) -> str:
    if len(conflicts) == 1:
        manager, path = conflicts[0]
        return f"conflict with {manager}: {path}"
    lines: list[str] = []
    by_manager: dict[str, list[str]] = {}
    for manager, path in conflicts:
        by_manager.setdefault(manager, []).append(path)
    for manager in sorted(by_manager):
        lines.append(f"conflicts with {manager}:")
        lines += [f"- {path}" for path in by_manager[manager]]
    return "\n".join(lines)
