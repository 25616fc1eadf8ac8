"""A cluster as a person has it at hand: the Kubernetes API, kubectl, and what delivers to it."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitops_sim.clock import outside, parse_duration
from gitops_sim.cluster import SimulatedCluster
from gitops_sim.forge import Repository
from gitops_sim.journal import users_series
from gitops_sim.journal.facts import FaultEnded, FaultStarted
from gitops_sim.kubectl import CommandResult, KubectlCommand
from gitops_sim.lab.arguments import (
    check_objective,
    command_words,
    existing_directory,
    the_repository,
)
from gitops_sim.lab.boards import View
from gitops_sim.lab.comparison import Comparison
from gitops_sim.lab.declared import Connection
from gitops_sim.lab.flux import FluxHandle
from gitops_sim.lab.parts import LabParts
from gitops_sim.lab.rollouts import rollouts_behind
from gitops_sim.lab.users import OBJECTIVE, UsersView, find_route
from gitops_sim.push import Run, Workspace

__all__ = ["ClusterHandle", "CommandOutput", "PipelineHandle"]

KUBECTL_TIMEOUT = 24 * 3600.0
"""Virtual seconds after which a command that still waits is given up."""


@dataclass(frozen=True, slots=True)
class CommandOutput:
    """What a command printed, and its exit status."""

    stdout: str
    stderr: str = ""
    exit_code: int = 0

    def __repr__(self) -> str:
        """Return what a terminal would show."""
        return (self.stdout + self.stderr).rstrip("\n")


class PipelineHandle:
    """Push-based delivery to one cluster: `staging.pipeline.connect(shop)`."""

    def __init__(self, cluster: SimulatedCluster, parts: LabParts) -> None:
        self.connections: list[Connection] = []
        self._cluster = cluster
        self._pipelines = parts.pipelines
        self._door = parts.door
        self._address = f"pipeline/{cluster.name}"
        self._door.register(self._address, self)

    @outside
    def connect(self, repository: Repository, *, path: str = "", branch: str = "") -> None:
        """Give a repository's pipelines credentials for this cluster.

        Args:
            repository: Its workflows may use `kubectl` from now on.
            path: The directory that they apply; for pictures, which show it as desired state.
            branch: The branch they deploy from; "" is the default one.

        Raises:
            LabError: `repository` is none, or has no such directory.
            UnknownRefError: It has no such branch.
        """
        repository = the_repository(repository)
        existing_directory(repository, branch, path)
        self._pipelines.connect(repository.name, self._cluster.name, self._cluster)
        connection = Connection(repository.name, branch or repository.default_branch, path)
        self.connections = [c for c in self.connections if c.repository != repository.name]
        self.connections.append(connection)

    def start(self, repository: Repository) -> None:
        """Start what a first push of the default branch would start; an import starts nothing."""
        self._pipelines.run_push(the_repository(repository).name)

    @property
    def runs(self) -> Sequence[Run]:
        """The runs of the repositories that are connected, oldest first."""
        names = {connection.repository for connection in self.connections}
        return [run for run in self._pipelines.runs if run.source.repository in names]


@dataclass(slots=True)
class _Finished:
    result: CommandResult | None = field(default=None)


class ClusterHandle:
    """One cluster of a lab; a `gitops_sim.protocols.Cluster`.

    Attributes:
        name: The cluster's.
        simulated: The cluster itself: nodes and controllers (simulation only).
        faults: What can be broken on purpose: `faults.api_down("5m")` (simulation only).
        traffic: How many users there are: `traffic.set_users(…)` (simulation only).
        flux: Pull-based delivery: `flux.bootstrap(repository, path=…)`.
        pipeline: Push-based delivery: `pipeline.connect(repository)`.
    """

    def __init__(self, cluster: SimulatedCluster, parts: LabParts) -> None:
        self.name = cluster.name
        self.simulated = cluster
        self.faults, self.traffic = cluster.faults, cluster.traffic
        self.pipeline = PipelineHandle(cluster, parts)
        self.flux = FluxHandle(cluster, parts)
        self.get, self.list, self.watch = cluster.get, cluster.list, cluster.watch
        self.discover, self.create, self.update = cluster.discover, cluster.create, cluster.update
        self.patch, self.apply, self.delete = cluster.patch, cluster.apply, cluster.delete
        self._parts = parts
        self._door = parts.door
        self._address = f"handle/{cluster.name}"
        self._door.register(self._address, self)
        self.faults.offer("kubectl", self._kubectl_by_hand)

    def __repr__(self) -> str:
        """Return the cluster in one line."""
        nodes, pods = len(self.list("v1/Node")), len(self.list("v1/Pod"))
        return f"<cluster {self.name}: {nodes} nodes, {pods} pods>"

    @outside
    def kubectl(
        self,
        command: str,
        *,
        files: Mapping[str, str] | None = None,
        repository: Repository | None = None,
        namespace: str = "default",
    ) -> CommandOutput:
        """Run a kubectl command as a person would; virtual time passes until it is done.

        Args:
            command: What stands after `kubectl`, such as `scale deployment/web --replicas=5`.
            files: What `-f` and `-k` can name: text by path.
            repository: Beside these: the files of its default branch.
            namespace: Where namespaced objects are that do not say so.

        Returns:
            Output and exit status; kubectl's errors are in it, not raised.

        Raises:
            LabError: The command is no text, or a quote in it is not closed.
            KeyboardInterrupt: You interrupted it; what it had done by then stays done.
        """
        words = command_words(command)
        tree = Workspace("/home/learner")
        if repository is not None:
            tree.check_out(the_repository(repository).tree())
        for path, text in (files or {}).items():
            tree.write(path, text.encode())
        clock = self._parts.clock
        process = self._kubectl_process(tree, namespace)
        done = _Finished()

        def job() -> Generator[Any, Any, None]:
            done.result = yield from process.run(words)

        running = clock.spawn(f"kubectl {' '.join(words[:2])}", job())
        try:
            clock.run_until(lambda: not running.alive, KUBECTL_TIMEOUT)
        finally:
            running.kill()
        result = done.result
        if result is None:
            return CommandOutput("", "error: timed out waiting for the command to end\n", 1)
        return CommandOutput(result.stdout, result.stderr, result.exit_code)

    def _kubectl_process(self, tree: Workspace, namespace: str) -> KubectlCommand:
        person, parts = self.simulated.client("kubectl"), self._parts
        return KubectlCommand(
            person, parts.clock, tree, parts.renderer, namespace, logs=self.simulated.logs
        )

    def _kubectl_by_hand(self, command: str) -> None:
        """Let a person run a command when it is due, and tell the journal what came of it."""
        words, name = command_words(command), "kubectl by hand"
        process = self._kubectl_process(Workspace("/home/learner"), "default")
        journal = self._parts.journal

        def job() -> Generator[Any, Any, None]:
            journal.record(FaultStarted(name, self.name, f"kubectl {' '.join(words)}"))
            result = yield from process.run(words)
            told = (result.stdout + result.stderr).partition("\n")[0]
            journal.record(FaultEnded(name, self.name, told or f"exit status {result.exit_code}"))

        self._parts.clock.spawn(f"kubectl {' '.join(words[:2])}", job())

    def users(
        self, route: str = "", *, since: str | None = None, objective: float = OBJECTIVE
    ) -> UsersView:
        """Return what users saw while what was rolled out, with outages and the error budget.

        Args:
            route: The name of a Service or an Ingress, or one of the lab's routes; empty: the one
                on which most requests failed.
            since: How far it goes back, such as `1h`; None: to the beginning.
            objective: Part of the requests that shall be answered.

        Raises:
            LabError: Users were never answered there, or the objective is no part of a whole.
        """
        parts, now = self._parts, self._parts.clock.now()
        start = 0.0 if since is None else max(0.0, now - parse_duration(since))
        check_objective(objective)
        found = find_route(parts.journal, self.name, route, until=now)
        series = users_series(parts.journal, self.name, found, since=start, until=now)
        rollouts = rollouts_behind(found, self, parts.journal, self.name, (start, now))
        return UsersView(series, parts.clock, start=start, objective=objective, rollouts=rollouts)

    def compared(self, *, start: float, end: float) -> Comparison:
        """Return desired and actual state at `end`, with the history from `start` on (seconds)."""
        view = View(
            self.name,
            self,
            self.simulated.server.store.revision_at,
            self._parts.forge,
            self._parts.renderer,
            self.pipeline.connections,
            {
                name: [watched.kind.rpartition("/")[2] for watched in controller.watched]
                for name, controller in self.simulated.controllers.items()
            },
        )
        parts = self._parts
        return Comparison(view, parts.journal, parts.clock, start=start, end=end)
