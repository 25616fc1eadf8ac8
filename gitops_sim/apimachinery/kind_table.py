"""Which kinds a server serves, found by what people write for one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery.builtin_data import groups
from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.errors import NotFoundError

__all__ = ["KindTable"]


class KindTable:
    """The resource types of one server; CRDs add to it.

    Per group the preferred version comes first, as discovery lists it.
    """

    def __init__(self) -> None:
        self._types: dict[tuple[str, str, str], ResourceType] = {}
        self._by_word: dict[str, list[ResourceType]] = {}
        for listed in groups():
            for resource_type in _built_in(listed):
                self.add(resource_type)

    def __iter__(self) -> Iterator[ResourceType]:
        """All types, in the order in which they came."""
        return iter(self._types.values())

    def add(self, resource_type: ResourceType) -> None:
        """Serve a type, or its new form."""
        self.remove(resource_type)
        key = (resource_type.group, resource_type.version, resource_type.kind)
        self._types[key] = resource_type
        for word in _words(resource_type):
            self._by_word.setdefault(word, []).append(resource_type)

    def remove(self, resource_type: ResourceType) -> None:
        """Serve it no more; nothing when it is not served."""
        key = (resource_type.group, resource_type.version, resource_type.kind)
        known = self._types.pop(key, None)
        if known is None:
            return
        for word in _words(known):
            self._by_word[word].remove(known)

    def resource(self, group: str, version: str, plural: str) -> ResourceType | None:
        """Return the type that a path means; None when it is not served."""
        return next(
            (
                found
                for found in self._by_word.get(plural, ())
                if (found.group, found.version, found.plural) == (group, version, plural)
            ),
            None,
        )

    def groups(self) -> dict[str, list[str]]:
        """Return the groups with their versions, preferred ones first; the core group is ""."""
        found: dict[str, list[str]] = {}
        for resource_type in self._types.values():
            versions = found.setdefault(resource_type.group, [])
            if resource_type.version not in versions:
                versions.append(resource_type.version)
        return found

    def has_group(self, group: str) -> bool:
        """True when any kind of the group is served."""
        return any(resource_type.group == group for resource_type in self._types.values())

    def exact(self, api_version: str, kind: str) -> ResourceType:
        """Return the type of a manifest.

        Raises:
            NotFoundError: It is not served, worded as kubectl does.
        """
        group, _, version = api_version.rpartition("/")
        found = self._types.get((group, version, kind))
        if found is None:
            raise NotFoundError(f'no matches for kind "{kind}" in version "{api_version}"')
        return found

    def lookup(self, text: str) -> ResourceType:
        """Return the type that people mean.

        Args:
            text: `Deployment`, `deployments`, `deploy`, with `.group` or `.version.group`, or
                exactly `apps/v1/Deployment` (`v1/Pod` in the core group).

        Raises:
            NotFoundError: Nothing is served under it, worded as kubectl does.
        """
        if "/" in text:
            api_version, _, kind = text.rpartition("/")
            return self.exact(api_version, kind)
        found = self._by_word.get(text.lower())
        if found:
            return found[0]
        word, _, rest = text.lower().partition(".")
        for resource_type in self._by_word.get(word, ()):
            versioned = f"{resource_type.version}.{resource_type.group}".rstrip(".")
            if rest in (resource_type.group, versioned):
                return resource_type
        raise NotFoundError(f'the server doesn\'t have a resource type "{text}"')

    def versions(self, group: str, kind: str) -> list[ResourceType]:
        """Return all served versions of a kind, the preferred one first."""
        return [t for t in self._types.values() if t.group == group and t.kind == kind]


def _words(resource_type: ResourceType) -> set[str]:
    words = {resource_type.plural, resource_type.singular, resource_type.kind.lower()}
    return {word for word in words | set(resource_type.short_names) if word}


def _built_in(listed: dict[str, Any]) -> Iterator[ResourceType]:
    group = listed["metadata"].get("name", "")
    for version in listed["versions"]:
        for resource in version["resources"]:
            yield ResourceType(
                group,
                version["version"],
                resource["responseKind"]["kind"],
                resource["resource"],
                resource.get("singularResource", ""),
                tuple(resource.get("shortNames", ())),
                resource["scope"] == "Namespaced",
                tuple(resource.get("verbs", ())),
                tuple(resource.get("categories", ())),
                tuple(part["subresource"] for part in resource.get("subresources", ())),
            )
