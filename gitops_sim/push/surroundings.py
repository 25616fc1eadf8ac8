"""What runs can reach: the forge, clusters by credential, secrets; and what they deliver."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gitops_sim.forge import Forge
from gitops_sim.journal import Journal
from gitops_sim.journal.facts import ReadyRevision, RevisionApplied
from gitops_sim.protocols import Clock, Cluster
from gitops_sim.push.runs import Run
from gitops_sim.render import Renderer
from gitops_sim.types import Revision

__all__ = ["Access", "Deliveries", "Surroundings"]


@dataclass(slots=True)
class Access:
    """What the runners of one repository may use.

    Attributes:
        clusters: Name -> cluster; the first is the one that kubectl means without a context.
        secrets: Name -> value.
    """

    clusters: dict[str, Cluster] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, str]:
        """The repository's variables: `vars.CLUSTER` names what it may deploy to, if anything."""
        return {"CLUSTER": next(iter(self.clusters))} if self.clusters else {}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The lab around all runs."""

    forge: Forge
    clock: Clock
    journal: Journal
    renderer: Renderer
    access: Mapping[str, Access]


class Deliveries:
    """What one run brought to clusters, told as facts.

    A revision is applied when a `kubectl apply` has succeeded. It is ready when a later `kubectl
    rollout status` or `kubectl wait` has, and the job that asked has ended well: only then is
    it known that no further one was to come.
    """

    def __init__(self, run: Run, journal: Journal) -> None:
        self._run = run
        self._journal = journal
        self._applied: set[str] = set()
        self._waited: set[str] = set()

    def told(self, cluster: str, done: Sequence[str]) -> None:
        """Take note of a kubectl command that succeeded; see `CommandResult.done`."""
        counts = Counter(done)
        if counts.keys() & {"created", "configured", "unchanged"}:
            self._applied.add(cluster)
            self._waited.discard(cluster)
            self._journal.record(
                RevisionApplied(
                    self._run.agent,
                    cluster,
                    self._revision(),
                    self._run.source.commit,
                    created=counts["created"],
                    configured=counts["configured"],
                    unchanged=counts["unchanged"],
                    pruned=counts["pruned"],
                )
            )
        elif cluster in self._applied:
            self._waited.add(cluster)

    def job_succeeded(self) -> None:
        """Tell what is ready now."""
        for cluster in sorted(self._waited):
            self._journal.record(
                ReadyRevision(self._run.agent, cluster, self._revision(), self._run.source.commit)
            )
        self._waited.clear()

    def _revision(self) -> str:
        return str(Revision(self._run.source.branch, self._run.source.commit))
