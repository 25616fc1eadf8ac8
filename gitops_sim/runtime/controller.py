"""The loop around a reconciler: watch, queue, reconcile, come back.

A controller's life: `start` makes a client, empty caches and the reconciler; its workers list and
watch, and take one request after another; `kill` takes the client away and drops everything, as a
crash does. Whatever it must remember is in the store, so a started one goes on where it was.

Source: sigs.k8s.io/controller-runtime, pkg/internal/controller/controller.go.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from functools import partial
from sys import intern
from typing import Any

from gitops_sim.errors import (
    AlreadyExistsError,
    ApiError,
    ConflictError,
    GitOpsSimError,
    LabError,
    RevokedWriterError,
    TerminalError,
)
from gitops_sim.journal import Journal
from gitops_sim.journal.facts import ReconcileDone
from gitops_sim.protocols import Clock, Cluster, JobHandle, Signal
from gitops_sim.runtime.cache_set import CacheSet
from gitops_sim.runtime.cache_source import OwnCaches
from gitops_sim.runtime.object_cache import CacheChange
from gitops_sim.runtime.requests import (
    Caches,
    ReconcileFunction,
    Request,
    Watched,
    own_request,
)
from gitops_sim.runtime.revocable import RevocableClient
from gitops_sim.runtime.work_queue import Backoff, WorkQueue
from gitops_sim.types import Result

__all__ = ["Controller"]

MakeReconcile = Callable[[Cluster, Caches], ReconcileFunction]

_RELIST_BACKOFF = Backoff(0.8, 30.0)
"""Between attempts to list while the API is away. Source: client-go, tools/cache/reflector.go."""


class Controller:
    """One level-triggered controller.

    A reconcile that fails comes again after its back-off; a TerminalError waits for a change.
    The journal is told reconciles that wrote or failed, not those that found all well.

    Args:
        name: As people know it: `deployment-controller`.
        clock: Gives it time.
        journal: Is told what it did.
        make_client: A fresh client at each start; it pays from its `account`, if it has one.
        make_reconcile: A fresh reconciler at each start, with the client and the caches.
        watched: What it caches; the first is what its requests name.
        workers: How many requests it works on at once.
        backoff: Of failed requests.
        agent: As facts name it; empty means `name`.
        by_priority: Its queue is controller-runtime's, as agents have it, not client-go's.

    Attributes:
        errors: The last error of each request that has not gone well since, as text.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        journal: Journal,
        make_client: Callable[[], Cluster],
        make_reconcile: MakeReconcile,
        watched: Sequence[Watched],
        *,
        workers: int = 1,
        backoff: Backoff | None = None,
        agent: str = "",
        by_priority: bool = False,
    ) -> None:
        if len({entry.kind for entry in watched}) < len(watched):
            raise LabError(f"{name} watches a kind twice", "give each kind one Watched")
        self.name = name
        self.clock = clock
        self.make_client = make_client
        self.make_reconcile = make_reconcile
        self.watched = tuple(watched)
        self.workers = workers
        self.backoff = backoff or Backoff()
        self.by_priority = by_priority
        self.errors: dict[Request, str] = {}
        self._journal = journal
        self._agent = agent or name
        self._life: _Life | None = None

    @property
    def alive(self) -> bool:
        """True between `start` and `kill`."""
        return self._life is not None

    def start(self) -> None:
        """Begin with nothing but what the store holds; nothing if it runs already."""
        if self._life is None:
            self._life = _Life(self)

    def kill(self) -> None:
        """Crash it at this moment: no write comes after, nothing is cleaned up."""
        life, self._life = self._life, None
        if life is not None:
            life.end()

    def enqueue(self, request: Request, *, delay: float = 0.0) -> None:
        """Ask it to look at a name, in `delay` seconds; nothing while it is dead."""
        if self._life is not None:
            self._life.queue.add_after(request, delay)

    def tell(self, subject: str, status: str, seconds: float) -> None:
        """Record one reconcile."""
        self._journal.record(ReconcileDone(self._agent, subject, status, seconds))


class _Life:
    """What a controller has between a start and a kill."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._clock = controller.clock
        self._idle: deque[Signal] = deque()
        self._client = RevocableClient(controller.make_client(), controller.name)
        self.queue = WorkQueue(
            self._clock,
            self._wake,
            backoff=controller.backoff,
            by_priority=controller.by_priority,
        )
        source = self._client.caches or OwnCaches(self._client, self._clock)
        self._is_over = False
        # Soon, and not at once: somebody may be in the middle of a write.
        self._caches = CacheSet(source, partial(source.later, self._take_news))
        for watched in controller.watched:
            self._caches.watch(watched)
        self._reconcile = controller.make_reconcile(self._client, self._caches)
        self._wrote: set[Request] = set()
        self._list_failures = 0
        self._subject_kind = controller.watched[0].kind.rpartition("/")[2]
        self._jobs: list[JobHandle] = [
            self._clock.spawn(controller.name, self._work(), account=self._client.account)
            for _ in range(controller.workers)
        ]

    def end(self) -> None:
        """Revoke the client first, then drop the workers, the queue and the watches."""
        self._is_over = True
        self._client.revoke()
        for job in self._jobs:
            job.kill()
        self.queue.close()
        for kind in tuple(self._caches):
            self._caches.unwatch(kind)

    def _wake(self) -> None:
        """Wake one idle worker; busy ones look again before they rest."""
        if self._idle:
            self._idle.popleft().set()

    def _take_news(self) -> None:
        if not (self._is_over or self._drain()):
            self._wake()  # a worker tries again, after a while

    def _work(self) -> Generator[Any, Any, None]:
        signal = self._clock.signal()
        while True:
            if not self._drain():
                self._list_failures += 1
                yield signal.wait(_RELIST_BACKOFF.delay(self._list_failures - 1))
                continue
            self._list_failures = 0
            request = self.queue.take()
            if request is None:
                self._idle.append(signal)
                yield signal.wait()
                continue
            if len(self.queue):
                self._wake()
            calls = self._client.calls
            yield from self._handle(request)
            if self._client.calls != calls:
                # The last requests are paid for, and others may act, before the next reconcile.
                yield signal.wait(0.0)

    def _drain(self) -> bool:
        """Bring all caches up to date, then ask for what the changes ask; False: not possible."""
        drained: list[tuple[Watched, Sequence[CacheChange]]] = []
        complete = True
        for informer in self._caches.with_news():
            try:
                drained.append((informer.watched, informer.drain()))
            except ApiError:
                self._caches.note_news(informer)
                complete = False
        for watched, changes in drained:
            counts = watched.predicate
            for change in changes:
                if counts is None or counts(*change) or _is_another(change):
                    self._ask(watched, change)
        return complete

    def _ask(self, watched: Watched, change: CacheChange) -> None:
        """Ask for what a changed object asks for, as it was and as it is."""
        before, after = change
        if before is not None and after is not None and watched.requests is own_request:
            before = None  # its name has not changed
        for manifest in (before, after):
            if manifest is not None:
                for request in watched.requests(manifest, self._caches):
                    self.queue.add_after(request, watched.delay)

    def _handle(self, request: Request) -> Generator[Any, Any, None]:
        started = self._clock.now()
        try:
            result = yield from self._run(request)
        except RevokedWriterError:
            raise
        except GitOpsSimError as error:
            status = self._failed(request, error)
        else:
            status = self._went_well(request, result)
        self.queue.done(request)
        wrote = request in self._wrote
        self._wrote.discard(request)
        if wrote or status in ("conflict", "error"):
            subject = intern("/".join(part for part in (self._subject_kind, *request) if part))
            self._controller.tell(subject, status, self._clock.now() - started)

    def _went_well(self, request: Request, result: Result | None) -> str:
        self.queue.forget(request)
        self._controller.errors.pop(request, None)
        if result is None or result.requeue_after is None:
            return "success"
        self.queue.add_after(request, result.requeue_after)
        return "requeue"

    def _failed(self, request: Request, error: GitOpsSimError) -> str:
        self._controller.errors[request] = str(error)
        if isinstance(error, TerminalError):
            self.queue.forget(request)
            return "error"
        self.queue.add_rate_limited(request)
        return "conflict" if isinstance(error, ConflictError | AlreadyExistsError) else "error"

    def _run(self, request: Request) -> Generator[Any, Any, Result | None]:
        """Reconcile, and note whether that wrote; other workers write between its stretches."""
        client, before = self._client, self._client.writes
        try:
            outcome = self._reconcile(request)
            if outcome is None or isinstance(outcome, Result):
                return outcome
            while True:
                try:
                    yielded = next(outcome)
                except StopIteration as end:
                    result: Result | None = end.value
                    return result
                if client.writes != before:
                    self._wrote.add(request)
                yield yielded
                before = client.writes
        finally:
            if client.writes != before:
                self._wrote.add(request)


def _is_another(change: CacheChange) -> bool:
    """True when one has come under the name of one that went, unseen: a watch was lost meanwhile.

    Source: k8s.io/kubernetes, pkg/controller/daemon/daemon_controller.go (updateDaemonset).
    """
    before, after = change
    return bool(before and after and before["metadata"]["uid"] != after["metadata"]["uid"])
