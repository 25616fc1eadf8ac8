"""The way from components to the API server: it can be slow, closed, or lose watches.

Source: how client-go meets it: requests fail with 503, watches deliver nothing until they are back,
a watch that was lost is begun anew.
"""

from __future__ import annotations

from collections.abc import Callable

from gitops_sim.apimachinery.status_errors import too_old_resource_version
from gitops_sim.apiserver import ApiServer, InProcessClient
from gitops_sim.clock import Account
from gitops_sim.errors import UnavailableError
from gitops_sim.protocols import Watch
from gitops_sim.runtime import Listener, Reflector, SharedCaches, Watched
from gitops_sim.types import WatchEvent

__all__ = ["ApiGate", "GatedAccount", "GatedCaches", "GatedClient"]


class ApiGate:
    """What all clients of one cluster pass through.

    Attributes:
        is_closed: No request is answered, no watch delivers.
        stalled: Components whose requests are answered and whose watches deliver nothing: their
            caches grow stale; an empty name means all.
        latency: Seconds that each request takes more.
    """

    def __init__(self) -> None:
        self.is_closed = False
        self.stalled: set[str] = set()
        self.latency = 0.0
        self._watches: list[_GatedWatch] = []
        self._listeners: list[tuple[str, Listener]] = []

    def delivers(self, component: str) -> bool:
        """True when the watches of a component get through."""
        return not (self.is_closed or "" in self.stalled or component in self.stalled)

    def check(self) -> None:
        """Refuse a request while the gate is closed.

        Raises:
            UnavailableError: It is; the words are client-go's for a 503.
        """
        if self.is_closed:
            raise UnavailableError("the server is currently unable to handle the request")

    def close(self) -> None:
        """Answer nothing, deliver nothing."""
        self.is_closed = True
        self._hold()

    def open(self) -> None:
        """Answer and deliver again."""
        self.is_closed = False
        self._deliver()

    def stall(self, component: str) -> None:
        """Deliver nothing to a component; an empty name means all."""
        self.stalled.add(component)
        self._hold()

    def resume(self, component: str) -> None:
        """Deliver to it again."""
        self.stalled.discard(component)
        self._deliver()

    def drop_watches(self) -> None:
        """Let every open watch be lost once: whoever holds it lists again."""
        for watch in list(self._watches):
            watch.lose()
        for _, listener in list(self._listeners):
            listener.lose()

    def join(self, component: str, listener: Listener) -> None:
        """Tell a listener of a component when its news are held back, and when not."""
        self._listeners.append((component, listener))

    def part(self, listener: Listener) -> None:
        """Tell it no more."""
        self._listeners = [entry for entry in self._listeners if entry[1] is not listener]

    def admit(self, watch: Watch, component: str) -> Watch:
        """Return a watch of a component behind this gate."""
        gated = _GatedWatch(self, watch, component)
        self._watches.append(gated)
        return gated

    def leave(self, watch: _GatedWatch) -> None:
        """Forget a watch that was closed."""
        self._watches = [other for other in self._watches if other is not watch]

    def _hold(self) -> None:
        for component, listener in list(self._listeners):
            if not self.delivers(component):
                listener.hold()

    def _deliver(self) -> None:
        """Tell what was held back."""
        for watch in list(self._watches):
            watch.wake_if_held()
        for component, listener in list(self._listeners):
            if self.delivers(component):
                listener.release()


class GatedAccount:
    """An account whose requests pass a gate: a closed one refuses, a slow one costs time."""

    def __init__(self, gate: ApiGate, account: Account) -> None:
        self._gate = gate
        self._account = account
        self._owed = 0.0

    def charge(self, requests: int = 1) -> None:
        """Count requests that are about to be made."""
        self._gate.check()
        self._account.charge(requests)
        self._owed += self._gate.latency * requests

    def take(self) -> float:
        """Return the seconds owed, and owe nothing."""
        owed, self._owed = self._owed, 0.0
        return owed + self._account.take()


class GatedCaches:
    """The caches of a cluster as one component has them: lists are paid for, news pass the gate.

    A `gitops_sim.runtime.CacheSource`.
    """

    def __init__(
        self, caches: SharedCaches, gate: ApiGate, *, account: GatedAccount, component: str
    ) -> None:
        self.later = caches.later
        self._caches = caches
        self._gate = gate
        self._account = account
        self._component = component

    @property
    def delivers(self) -> bool:
        """Whether news get through at present."""
        return self._gate.delivers(self._component)

    def reflector(self, watched: Watched) -> Reflector:
        """Return who keeps the cache of what is watched."""
        return self._caches.reflector(watched)

    def admit_list(self) -> None:
        """Pay for a list; UnavailableError while the gate is closed."""
        self._account.charge()

    def join(self, listener: Listener) -> None:
        """Tell a listener when its news are held back, and when not."""
        self._gate.join(self._component, listener)

    def leave(self, listener: Listener) -> None:
        """Tell it no more."""
        self._gate.part(listener)


class GatedClient(InProcessClient):
    """A client whose watches pass a gate; its requests do by its account.

    Attributes:
        caches: Where informers of this component have their caches from.
    """

    def __init__(
        self,
        server: ApiServer,
        name: str,
        gate: ApiGate,
        *,
        caches: GatedCaches,
        account: GatedAccount,
        component: str,
        shares: bool,
    ) -> None:
        super().__init__(server, name, account=account, shares=shares)
        self.caches = caches
        self._gate = gate
        self._component = component

    def watch(
        self,
        kind: str,
        namespace: str | None = None,
        *,
        since: str | None = None,
        labels: str | None = None,
        fields: str | None = None,
    ) -> Watch:
        """Watch from a resourceVersion, or from the present objects on."""
        found = super().watch(kind, namespace, since=since, labels=labels, fields=fields)
        return self._gate.admit(found, self._component)


class _GatedWatch:
    """A watch behind a gate: it keeps its place while nothing gets through."""

    def __init__(self, gate: ApiGate, watch: Watch, component: str) -> None:
        self._gate = gate
        self._component = component
        self._watch = watch
        self._wakes: list[Callable[[], None]] = []
        self._is_new = True
        self._is_held = False
        self._is_lost = False

    @property
    def resource_version(self) -> str:
        """Where to resume."""
        return self._watch.resource_version

    def drain(self) -> list[WatchEvent]:
        """Return what got through since the last call.

        Raises:
            ExpiredError: The watch was lost.
        """
        if self._is_lost:
            version = int(self.resource_version or 0)
            raise too_old_resource_version(version, version)
        if not (self._is_new or self._gate.delivers(self._component)):
            self._is_held = True
            return []
        self._is_new = False  # what it begins with is the answer to a list
        return self._watch.drain()

    def subscribe(self, wake: Callable[[], None]) -> None:
        """Call `wake` when something gets through."""
        self._wakes.append(wake)
        self._watch.subscribe(self._wake)

    def close(self) -> None:
        """Stop."""
        self._gate.leave(self)
        self._watch.close()

    def wake_if_held(self) -> None:
        """Tell what the gate held back, now that it is open."""
        if self._is_held and self._gate.delivers(self._component):
            self._is_held = False
            self._wake()

    def lose(self) -> None:
        """Deliver nothing any more: whoever drains has to begin anew."""
        self._is_lost = True
        self._wake()

    def _wake(self) -> None:
        if not self._gate.delivers(self._component):
            self._is_held = True
            return
        for wake in self._wakes:
            wake()
