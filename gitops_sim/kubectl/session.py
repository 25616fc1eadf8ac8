"""One kubectl process: what it was given, what it has printed, and what its requests cost."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Protocol, TypeAlias, runtime_checkable

from gitops_sim.errors import LabError
from gitops_sim.kubectl.arguments import Arguments
from gitops_sim.kubectl.mapping import Kinds, Mapped
from gitops_sim.kubectl.messages import REFUSED
from gitops_sim.protocols import Clock, Cluster, TreeReader
from gitops_sim.render import Renderer
from gitops_sim.types import Step

__all__ = [
    "APPLY_TAKES",
    "REQUEST_TAKES",
    "START_TAKES",
    "LogReader",
    "Output",
    "Session",
    "Work",
    "log_reader",
]

START_TAKES = 0.07
"""Seconds until a kubectl process has started and found out what the server serves."""
APPLY_TAKES = 0.07
"""Seconds for one object of a client-side apply: read, compare, write."""
REQUEST_TAKES = 0.01
"""Seconds for one other request.

Source: measured with kubectl 1.37.1 and kube-apiserver 1.37.2 on 2 cores: `kubectl get` 0.07 s,
100 ConfigMaps client-side 7.2 s, server-side 0.4 s.
"""

Work: TypeAlias = Generator[Any, Any, int]
"""A command at work: yields steps, returns its exit status."""


class LogReader(Protocol):
    """Where logs of pods come from: a cluster's kubelets."""

    def __call__(self, pod: str, namespace: str, *, container: str, previous: bool) -> str:
        """Return what a container has printed; an empty name means the first one.

        Raises:
            ApiError: There is no such pod or container, or it has not started.
        """


@runtime_checkable
class _LogKeeper(Protocol):
    logs: LogReader


def log_reader(cluster: object) -> LogReader | None:
    """Return what reads the logs of a cluster that keeps them, as a simulated one does."""
    return cluster.logs if isinstance(cluster, _LogKeeper) else None


class Output:
    """What was printed to one stream.

    Args:
        tell: Is told each piece at once, so that what a killed command printed is seen; or None.
    """

    def __init__(self, tell: Callable[[str], None] | None) -> None:
        self._parts: list[str] = []
        self._tell = tell

    def append(self, text: str) -> None:
        """Print a text."""
        self._parts.append(text)
        if self._tell is not None and text:
            self._tell(text)

    @property
    def text(self) -> str:
        """All that was printed."""
        return "".join(self._parts)


class Session:
    """What a command works with.

    Attributes:
        cluster, clock, files, renderer: As in `KubectlCommand`.
        directory: The working directory, a path in `files`.
        stdin: What the command reads from `-`.
        namespace: Where namespaced objects are that do not say so.
        namespace_given: True when the command line names it.
        out, err: What was printed so far.
        done: What was done to objects, a word for each: `created`, `configured`, `unchanged`,
            `pruned`, `rolled out`, `waited for`; nothing for a dry run.
        logs: As in `KubectlCommand`.
    """

    def __init__(
        self,
        cluster: Cluster | None,
        clock: Clock,
        files: TreeReader,
        renderer: Renderer,
        *,
        directory: str = "",
        stdin: str = "",
        namespace: str = "default",
        out: Callable[[str], None] | None = None,
        err: Callable[[str], None] | None = None,
        logs: LogReader | None = None,
    ) -> None:
        self._cluster = cluster
        self.clock = clock
        self.files = files
        self.renderer = renderer
        self.directory = directory
        self.stdin = stdin
        self.namespace = namespace
        self.namespace_given = False
        self.out = Output(out)
        self.err = Output(err)
        self.done: list[str] = []
        self.logs = logs
        self._kinds: Kinds | None = None

    @property
    def cluster(self) -> Cluster:
        """Where requests go; LabError, as kubectl says it, without a cluster."""
        if self._cluster is None:
            raise LabError(REFUSED)
        return self._cluster

    @property
    def kinds(self) -> Kinds:
        """The kinds that the server served when the command first asked."""
        if self._kinds is None:
            self._kinds = Kinds.discovered(self.cluster.discover())
        return self._kinds

    def use(self, arguments: Arguments) -> None:
        """Take the namespace from the command line, when it is there."""
        if arguments.text("namespace"):
            self.namespace = arguments.text("namespace")
            self.namespace_given = True

    def say(self, line: str) -> None:
        """Print one line."""
        self.out.append(f"{line}\n")

    def warn(self, line: str) -> None:
        """Print one warning."""
        self.err.append(f"Warning: {line}\n")

    def namespace_of(self, kind: Mapped, namespace: str = "") -> str | None:
        """Return the namespace of an object for a request; None for a cluster-scoped kind."""
        return (namespace or self.namespace) if kind.namespaced else None

    def step(
        self,
        doing: str,
        kind: Mapped,
        name: str,
        *,
        namespace: str = "",
        takes: float = REQUEST_TAKES,
    ) -> Step:
        """Return the step that stands before a request about one object."""
        where = self.namespace_of(kind, namespace) or ""
        subject = "/".join(part for part in (kind.kind, where, name) if part)
        return Step(f"kubectl {doing}", takes, subject)
