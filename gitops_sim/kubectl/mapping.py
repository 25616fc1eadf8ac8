"""What the cluster calls things: `deploy/web` on a command line, apps/v1 Deployment in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from gitops_sim.errors import LabError
from gitops_sim.types import Manifest

__all__ = ["Kinds", "Mapped", "names_of"]

ALL = ("pods", "services", "daemonsets", "deployments", "replicasets", "statefulsets", "jobs")
"""What `all` means: the built-in kinds of that category, in kubectl's order.

Differs: autoscalers, cron jobs and custom kinds of the category are left out.
"""


@dataclass(frozen=True, slots=True)
class Mapped:
    """A kind as the server serves it."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool

    @property
    def exact(self) -> str:
        """The name for the Cluster protocol: `apps/v1/Deployment`, `v1/Pod`."""
        return f"{self.api_version}/{self.kind}"

    @property
    def api_version(self) -> str:
        """`apps/v1`, or `v1` in the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """`deployments.apps`, or `pods` in the core group."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def shown(self, name: str) -> str:
        """Return an object's name as kubectl prints it: `deployment.apps/web`."""
        return f"{self.singular}/{name}"

    @property
    def singular(self) -> str:
        """`deployment.apps`, or `pod` in the core group."""
        return f"{self.kind.lower()}.{self.group}" if self.group else self.kind.lower()

    @property
    def described(self) -> str:
        """Resource and kind, as in messages about a failed patch."""
        version = f"{self.group}/{self.version}"
        return (
            f'Resource: "{version}, Resource={self.plural}", '
            f'GroupVersionKind: "{version}, Kind={self.kind}"'
        )


class _Row(NamedTuple):
    """What is used of one row of discovery."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    names: tuple[str, ...]


class Kinds:
    """The kinds of a cluster, by every name that people use; read-only."""

    def __init__(self, rows: Sequence[_Row]) -> None:
        self._by_kind: dict[tuple[str, str, str], Mapped] = {}
        self._by_name: dict[str, Mapped] = {}
        for row in rows:
            mapped = Mapped(row.group, row.version, row.kind, row.plural, row.namespaced)
            self._by_kind.setdefault((mapped.group, mapped.version, mapped.kind), mapped)
            for name in row.names:
                if name:
                    for known in (
                        name,
                        f"{name}.{mapped.group}",
                        f"{name}.{mapped.version}.{mapped.group}",
                    ):
                        self._by_name.setdefault(known.lower(), mapped)

    @staticmethod
    def discovered(found: Sequence[Mapping[str, Any]]) -> Kinds:
        """Return the kinds that `Reader.discover` returns; equal ones are looked through once."""
        return _kinds(
            tuple(
                _Row(
                    row["group"],
                    row["version"],
                    row["kind"],
                    row["plural"],
                    bool(row["namespaced"]),
                    (
                        row["plural"],
                        row.get("singular") or "",
                        row["kind"],
                        *row.get("short_names", ()),
                    ),
                )
                for row in found
            )
        )

    def of(self, manifest: Manifest) -> Mapped | None:
        """Return the kind of an object; None when the server does not serve it."""
        group, _, version = str(manifest.get("apiVersion", "")).rpartition("/")
        return self._by_kind.get((group, version, str(manifest.get("kind", ""))))

    def named(self, text: str) -> Mapped:
        """Return the kind that a word on the command line means.

        Raises:
            LabError: The server has none of that name; the text is kubectl's.
        """
        found = self._by_name.get(text.lower())
        if found is None:
            name, _, group = text.partition(".")
            where = f' in group "{group}"' if group else ""
            raise LabError(f'the server doesn\'t have a resource type "{name}"{where}')
        return found


@lru_cache(maxsize=8)
def _kinds(rows: tuple[_Row, ...]) -> Kinds:
    return Kinds(rows)


def names_of(kinds: Kinds, words: Sequence[str]) -> list[tuple[Mapped, str]]:
    """Return the kinds and names of `deploy/web svc/web`, `deploy web db` or `deploy,svc`.

    A name is empty where none is given. `all` becomes several kinds.

    Raises:
        LabError: A kind is unknown, or the two ways of naming are mixed.
    """
    if not words:
        return []
    if any("/" in word for word in words):
        pairs = []
        for word in words:
            kind, slash, name = word.partition("/")
            if not slash:
                problem = "there is no need to specify a resource type as a separate argument when "
                problem += "passing arguments in resource/name form "
                raise LabError(
                    f"{problem}(e.g. 'kubectl get resource/<resource_name>' instead of "
                    "'kubectl get resource resource/<resource_name>'"
                )
            if not name:
                raise LabError("arguments in resource/name form may not have more than one slash")
            pairs.append((kinds.named(kind), name))
        return pairs
    given = [part for part in words[0].split(",") if part]
    expanded = [kind for part in given for kind in (ALL if part == "all" else (part,))]
    return [(kinds.named(kind), name) for kind in expanded for name in (words[1:] or [""])]
