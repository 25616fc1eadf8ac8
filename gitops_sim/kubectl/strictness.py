"""What kubectl asks of the server by `fieldValidation=Strict`: no field that the kind has not.

The Cluster protocol has no such option; kubectl's in-process twin looks at the schema itself, and
says what the server says. A server-side apply needs none of it: it knows no other fields anyway.

Source: k8s.io/apiserver pkg/endpoints/handlers/create.go, patch.go.
Differs: a field given twice is refused by the YAML loader, whatever `--validate` says.
"""

from __future__ import annotations

from typing import Literal

from gitops_sim.apimachinery import causes, go_text
from gitops_sim.apimachinery.builtin_schemas import compiled
from gitops_sim.apimachinery.schemas import Schema, decode_problem, from_crd, unknown_fields
from gitops_sim.apimachinery.status_errors import generic_invalid
from gitops_sim.errors import ApiError, BadRequestError, LabError
from gitops_sim.kubectl.arguments import Arguments
from gitops_sim.kubectl.loading import Found
from gitops_sim.kubectl.mapping import Mapped
from gitops_sim.kubectl.messages import with_source
from gitops_sim.kubectl.session import Session
from gitops_sim.types import Manifest

__all__ = ["definition_of", "refuse_unknown_fields", "schema_of", "warn_of_unknown_fields"]

LEVELS = {
    "": "strict",
    "true": "strict",
    "strict": "strict",
    "warn": "warn",
    "false": "ignore",
    "ignore": "ignore",
}
"""What `--validate` may be, and which validation it asks for."""


def schema_of(kind: Mapped) -> Schema | None:
    """Return the schema that kubectl patches by: that of a built-in kind, None for a custom one."""
    return compiled(kind.group, kind.version, kind.kind)


def refuse_unknown_fields(
    session: Session,
    arguments: Arguments,
    item: Found,
    doing: Literal["creating", "patching", "replacing"],
    *,
    patch: Manifest | None = None,
) -> None:
    """Refuse an object with fields that its kind has not, as the server would, or warn of them.

    Args:
        session: The command.
        arguments: Its `--validate` says how strict to be.
        item: What is about to be sent.
        doing: For the message.
        patch: What is sent instead of the whole object.

    Raises:
        ApiError: There are such fields, and the validation is strict.
        LabError: `--validate` has no such value.
    """
    level = _level(arguments)
    schema = schema_of(item.kind)
    custom = schema is None
    if level == "ignore":
        return
    if schema is None:
        schema = _custom_schema(session, item.kind)
    if schema is None or (not custom and decode_problem(item.manifest, schema)):
        return  # the server says what is wrong
    fields = unknown_fields(item.manifest, schema)
    if not fields:
        return
    if level == "warn":
        for field in fields:
            session.warn(f'unknown field "{field}"')
        return
    raise with_source(_refusal(item, fields, patch), doing, item.source)


def warn_of_unknown_fields(session: Session, kind: Mapped, patch: Manifest) -> None:
    """Warn of fields of a merge patch that the kind has not, as the server does for `patch`."""
    schema = schema_of(kind) or _custom_schema(session, kind)
    for field in unknown_fields(patch, schema) if schema else ():
        session.warn(f'unknown field "{field}"')


def _level(arguments: Arguments) -> str:
    value = arguments.text("validate").lower()
    if value not in LEVELS:
        problem = f'invalid - validate option "{value}"; must be one of: strict (or true), warn, '
        raise LabError(f"{problem}ignore (or false)")
    return LEVELS[value]


def _refusal(item: Found, fields: list[str], patch: Manifest | None) -> ApiError:
    """Return the server's answer: of a patch it says that the patch is invalid."""
    unknown = ", ".join(f'unknown field "{field}"' for field in fields)
    problem = f"strict decoding error: {unknown}"
    if patch is None:
        kind, version = item.kind.kind, item.kind.version
        handled = f'{kind} in version "{version}" cannot be handled as a {kind}'
        return BadRequestError(f"{handled}: {problem}")
    return generic_invalid("", "", "", [causes.invalid("patch", go_text.plain(patch), problem)])


def _custom_schema(session: Session, kind: Mapped) -> Schema | None:
    """Return the schema in a kind's definition; None when it cannot be read."""
    try:
        version = definition_of(session, kind)
    except ApiError:
        return None
    return from_crd((version.get("schema") or {}).get("openAPIV3Schema") or {}) if version else None


def definition_of(session: Session, kind: Mapped) -> Manifest:
    """Return the entry of a custom kind's version in its definition; empty when there is none.

    Raises:
        ApiError: The definition is not there, or may not be read.
    """
    found = session.cluster.get("apiextensions.k8s.io/v1/CustomResourceDefinition", kind.resource)
    versions: list[Manifest] = found["spec"]["versions"]
    return next((version for version in versions if version["name"] == kind.version), {})
