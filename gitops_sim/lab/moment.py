"""The lab as it was: clusters read at an old revision, Git at the commit of that moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gitops_sim.lab.arguments import known_cluster
from gitops_sim.lab.comparison import Comparison
from gitops_sim.lab.handle import ClusterHandle
from gitops_sim.protocols import Clock, Reader
from gitops_sim.types import Manifest

__all__ = ["Moment", "PastCluster"]


class PastCluster:
    """A cluster's API at a moment of the past, read-only."""

    def __init__(self, reader: Reader, name: str, resource_version: str) -> None:
        self.name = name
        self.resource_version = resource_version
        self._reader = reader

    def get(self, kind: str, name: str, namespace: str | None = None) -> Manifest:
        """Return one object as it was; NotFoundError when there was none."""
        return self._reader.get(kind, name, namespace, at=self.resource_version)

    def list(
        self,
        kind: str,
        namespace: str | None = None,
        *,
        labels: str | None = None,
        fields: str | None = None,
    ) -> Sequence[Manifest]:
        """Return the objects that there were, ordered by namespace and name."""
        return self._reader.list(
            kind, namespace, labels=labels, fields=fields, at=self.resource_version
        )

    def discover(self) -> Sequence[Mapping[str, Any]]:
        """Return the kinds served (those of today)."""
        return self._reader.discover()


class Moment:
    """A lab at a moment of its past, to look at.

    Attributes:
        seconds: Since the epoch.
        time: The same as RFC 3339.
    """

    def __init__(self, clusters: Mapping[str, ClusterHandle], clock: Clock, seconds: float) -> None:
        self._clusters = clusters
        self.seconds = seconds
        self.time = clock.timestamp(seconds)

    def __repr__(self) -> str:
        """Return which moment it is."""
        return f"<the lab at {self.time}>"

    def cluster(self, name: str) -> PastCluster:
        """Return a cluster as it was; LabError when there is no such cluster."""
        handle = known_cluster(name, self._clusters)
        revision = handle.simulated.server.store.revision_at(self.seconds)
        return PastCluster(handle, name, str(revision))

    def compare(self, cluster: ClusterHandle | str) -> Comparison:
        """Return desired and actual state side by side, as they were; LabError as `cluster`."""
        handle = known_cluster(cluster, self._clusters)
        return handle.compared(start=0.0, end=self.seconds)
