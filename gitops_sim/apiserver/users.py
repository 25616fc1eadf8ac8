"""Who asks: a user with groups, and what else belongs to one request on its way to the verbs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

__all__ = ["ANONYMOUS", "INSIDE", "MASTERS", "Caller", "FieldValidation", "User"]

FieldValidation: TypeAlias = Literal["Ignore", "Warn", "Strict"]
MASTERS = "system:masters"
"""The group that may do anything, whatever the roles say."""


@dataclass(frozen=True, slots=True)
class User:
    """A user as authentication gives it; `extra` maps a key to values."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def is_master(self) -> bool:
        """True for a member of system:masters."""
        return MASTERS in self.groups

    def to_json(self) -> dict[str, Any]:
        """Return the `userInfo` form of the authentication group."""
        told: dict[str, Any] = {"username": self.name}
        if self.uid:
            told["uid"] = self.uid
        if self.groups:
            told["groups"] = list(self.groups)
        if self.extra:
            told["extra"] = {key: list(values) for key, values in self.extra}
        return told

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> User:
        """Read what `to_json` wrote."""
        extra = tuple((key, tuple(values)) for key, values in told.get("extra", {}).items())
        return cls(told["username"], tuple(told.get("groups", ())), told.get("uid", ""), extra)


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))
"""Who sent no credentials."""

INSIDE = User("system:apiserver", (MASTERS, "system:authenticated"))
"""Who writes in process: the lab's own controllers and agents, which nobody has to let in."""


@dataclass(slots=True)
class Caller:
    """One request as the verbs and admission see it.

    `warnings` collects what is to be sent in Warning headers; `field_validation` says what
    happens to unknown and duplicate fields, and `problems` collects those that were found before
    the object was decoded. `annotations` are what admission adds to the audit of the request.
    """

    user: User = INSIDE
    field_validation: FieldValidation = "Ignore"
    warnings: list[str] = field(default_factory=list)
    agent: str = ""
    problems: list[str] = field(default_factory=list)
    annotations: dict[str, str] = field(default_factory=dict)

    def warn(self, text: str) -> None:
        """Add a warning, once."""
        if text not in self.warnings:
            self.warnings.append(text)
