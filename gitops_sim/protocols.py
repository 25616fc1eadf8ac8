"""The seams between rooms: signatures, no code.

A `Cluster` is a Kubernetes API, simulated or real; push, pull, pictures, labs and notebooks know
only this. Pictures and checks get the `Reader` alone, so that looking cannot change anything.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from gitops_sim.types import Image, Manifest, Result, WatchEvent

__all__ = [
    "Clock",
    "Cluster",
    "GitRemote",
    "ImageSource",
    "Job",
    "JobHandle",
    "PatchType",
    "Propagation",
    "RandomStream",
    "Reader",
    "Signal",
    "Timer",
    "TreeReader",
    "Watch",
    "Writer",
]

RandomStream: TypeAlias = random.Random  # noqa: TID251 - the type; streams come from the clock
PatchType: TypeAlias = Literal["json", "merge", "strategic"]
Propagation: TypeAlias = Literal["Foreground", "Background", "Orphan"]


class Signal(Protocol):
    """Something that jobs park on: level-triggered, and remembered until someone waits."""

    def set(self) -> None:
        """Wake everyone who waits; if nobody does, the next wait returns at once."""

    def wait(self, timeout: float | None = None) -> Any:
        """Return what a job yields to park until `set`, or until `timeout` virtual seconds."""


Job: TypeAlias = Generator[Any, Any, Result | None]
"""A generator that yields `Step`s (work that takes time) or `signal.wait(...)` (parking)."""


class Timer(Protocol):
    """A call that is due later."""

    def cancel(self) -> None:
        """Make it not happen; nothing if it already has."""


class JobHandle(Protocol):
    """A running job."""

    @property
    def alive(self) -> bool:
        """True until the generator has returned, failed or been killed."""

    def kill(self) -> None:
        """Crash it: the generator is dropped at its current yield, nothing is cleaned up."""


class Clock(Protocol):
    """Virtual time, and everything else that must repeat with the seed."""

    def now(self) -> float:
        """Seconds since the lab's epoch."""

    def timestamp(self, at: float | None = None) -> str:
        """`at` (default now) as RFC 3339 UTC with whole seconds: `2026-01-05T09:00:00Z`."""

    def timestamp_micro(self, at: float | None = None) -> str:
        """The same with six digits of a second (Kubernetes MicroTime)."""

    def parse_time(self, text: str) -> float:
        """The moment that RFC 3339, `10:32` (past) or `+90s` (after the epoch) mean, in seconds."""

    def coming_time(self, text: str) -> float:
        """The same, but a time of day that has passed is meant of tomorrow."""

    def random(self, name: str) -> RandomStream:
        """The random stream of that name, derived from the seed; the same object each time."""

    def uid(self, name: str) -> str:
        """The next UUID of the stream of that name."""

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` in `delay` seconds; it must not take time itself."""

    def spawn(self, name: str, job: Job, *, account: Any = None) -> JobHandle:
        """Run a job from now on; what its client `account` owes is charged at each yield."""

    def signal(self) -> Signal:
        """A new signal to park on."""


class Watch(Protocol):
    """An open watch: events wait in it until someone drains them; nothing blocks."""

    @property
    def resource_version(self) -> str:
        """Where to resume: the version of the last event drained, or of the start."""

    def drain(self) -> list[WatchEvent]:
        """Return the events since the last call, oldest first.

        Raises:
            ExpiredError: The log no longer reaches back to where this watch stands: list again.
        """

    def subscribe(self, wake: Callable[[], None]) -> None:
        """Call `wake` (short, must not write) whenever an event for this watch is there."""

    def close(self) -> None:
        """Stop; later drains return nothing."""


@runtime_checkable
class Reader(Protocol):
    """What looks at a cluster.

    `kind` is what people write: `Deployment`, `deployments`, `deploy`, `deployments.apps`,
    `Deployment.apps`, or exactly `apps/v1/Deployment` (`v1/Pod` in the core group), as code does.
    `namespace=None` means all namespaces in a list or watch, and `default` elsewhere for a
    namespaced kind. `at` is a resourceVersion of the past (time travel; simulation only).
    """

    def get(
        self, kind: str, name: str, namespace: str | None = None, *, at: str | None = None
    ) -> Manifest:
        """Return a fresh copy of one object; NotFoundError when there is none."""

    def list(
        self,
        kind: str,
        namespace: str | None = None,
        *,
        labels: str | None = None,
        fields: str | None = None,
        at: str | None = None,
    ) -> Sequence[Manifest]:
        """Return fresh copies, ordered by namespace and name; selectors as in kubectl -l."""

    def watch(
        self,
        kind: str,
        namespace: str | None = None,
        *,
        since: str | None = None,
        labels: str | None = None,
        fields: str | None = None,
    ) -> Watch:
        """Watch from a resourceVersion; None: first the present objects as ADDED, then on."""

    def discover(self) -> Sequence[Mapping[str, Any]]:
        """Return the kinds served.

        Each with group, version, kind, plural, singular, short_names, namespaced, verbs,
        categories, subresources.
        """


class Writer(Protocol):
    """What changes a cluster. Every write returns a fresh copy of the object as stored."""

    def create(
        self, manifest: Manifest, *, field_manager: str = "", dry_run: bool = False
    ) -> Manifest:
        """Store a new object; the manifest names its kind and namespace."""

    def update(
        self,
        manifest: Manifest,
        *,
        subresource: str = "",
        field_manager: str = "",
        dry_run: bool = False,
    ) -> Manifest:
        """Replace an object; metadata.resourceVersion, when given, must be the current one."""

    def patch(
        self,
        kind: str,
        name: str,
        patch: Any,
        namespace: str | None = None,
        *,
        type: PatchType = "merge",  # noqa: A002 - the API's word
        subresource: str = "",
        field_manager: str = "",
        dry_run: bool = False,
    ) -> Manifest:
        """Change an object by a JSON patch (a list), merge patch or strategic merge patch."""

    def apply(
        self,
        manifest: Manifest,
        *,
        field_manager: str,
        force: bool = False,
        subresource: str = "",
        dry_run: bool = False,
    ) -> Manifest:
        """Server-side apply: own these fields, merge, remove what this manager left out.

        Raises:
            ConflictError: Another manager owns a field with another value, and not `force`.
        """

    def delete(
        self,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        propagation: Propagation = "Background",
        resource_version: str | None = None,
        uid: str | None = None,
        grace_period: int | None = None,
        dry_run: bool = False,
    ) -> Manifest:
        """Delete, or mark as deleting while finalizers or grace hold it."""


@runtime_checkable
class Cluster(Reader, Writer, Protocol):
    """A Kubernetes API: reading and writing."""


@runtime_checkable
class TreeReader(Protocol):
    """The files of one revision of a repository, or of a folder: what render reads.

    Paths are relative, with `/`, without a leading or trailing one; the root is "".
    """

    def digest(self) -> str:
        """A hash that changes when any file does (a Git tree id, or a digest over a folder)."""

    def files(self, under: str = "") -> Sequence[str]:
        """The paths of all files below a folder, sorted; symbolic links are not followed."""

    def read(self, path: str) -> bytes:
        """The content of a file, links inside the tree followed.

        Raises:
            UnknownRefError: There is no such file.
            InputError: A link leaves the tree or loops, or the file is over the size limit.
        """

    def is_directory(self, path: str) -> bool:
        """True for a folder (links inside the tree followed)."""

    def blob_id(self, path: str) -> str:
        """The Git blob id of a file: equal content, equal id."""


class GitRemote(Protocol):
    """One repository as an agent or a runner sees it over the network, by its URL."""

    def refs(self) -> Mapping[str, str]:
        """Return full ref names and their commits, as `git ls-remote` does.

        Raises:
            GitError: Nobody answers there, or access is refused; the message is Git's.
        """

    def tree(self, commit: str) -> TreeReader:
        """Return the files of a commit; UnknownRefError when the repository has none such."""

    def message(self, commit: str) -> str:
        """Return what a commit says; UnknownRefError when the repository has none such."""


class ImageSource(Protocol):
    """Where kubelets pull from."""

    def pull(self, reference: str) -> Image:
        """Return what a reference means now.

        Raises:
            ImagePullError: The registry is away, or has no such image; the message is the one
                that the kubelet puts into the container's waiting state.
        """
