"""The kinds that an API server serves, and how people name them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ResourceType"]


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One resource of one version of one group, as discovery tells it.

    `group` is empty for the core group; `subresources` are names such as `status` and `scale`;
    `selectable` are fields of a custom resource that a field selector may name.
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

    @property
    def api_version(self) -> str:
        """`apps/v1`, or `v1` in the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """The plural with its group, as in messages: `deployments.apps`, `pods`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural
