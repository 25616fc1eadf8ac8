"""The kinds that an API server serves, and how people name them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["Kind", "ResourceType"]


class Kind(NamedTuple):
    """A kind of a group, whatever the version."""

    group: str
    kind: str


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One resource of one version of one group, as discovery tells it.

    `group` is empty for the core group; `subresources` are names such as `status` and `scale`;
    `selectable` are fields of a custom resource that a field selector may name.

    Attributes:
        api_version: `apps/v1`, or `v1` in the core group.
        group_kind: Group and kind alone.
    """

    group: str
    version: str
    kind: str
    plural: str
    singular: str = ""
    short_names: tuple[str, ...] = ()
    namespaced: bool = True
    verbs: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    selectable: tuple[str, ...] = ()
    api_version: str = field(init=False, repr=False, compare=False)
    group_kind: Kind = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Put together what every request asks for."""
        version = f"{self.group}/{self.version}" if self.group else self.version
        object.__setattr__(self, "api_version", version)
        object.__setattr__(self, "group_kind", Kind(self.group, self.kind))

    @property
    def resource(self) -> str:
        """The plural with its group, as in messages: `deployments.apps`, `pods`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural
