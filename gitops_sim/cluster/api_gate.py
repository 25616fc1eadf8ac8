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
from gitops_sim.types import WatchEvent

__all__ = ["ApiGate", "GatedAccount", "GatedClient"]


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

    def deliver(self) -> None:
        """Wake whoever was not told while the gate held events back."""
        for watch in list(self._watches):
            watch.wake_if_held()

    def drop_watches(self) -> None:
        """Let every open watch be lost once: whoever holds it lists again."""
        for watch in list(self._watches):
            watch.lose()

    def admit(self, watch: Watch, component: str) -> Watch:
        """Return a watch of a component behind this gate."""
        gated = _GatedWatch(self, watch, component)
        self._watches.append(gated)
        return gated

    def leave(self, watch: _GatedWatch) -> None:
        """Forget a watch that was closed."""
        self._watches = [other for other in self._watches if other is not watch]


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


class GatedClient(InProcessClient):
    """A client whose watches pass a gate; its requests do by its account."""

    def __init__(
        self,
        server: ApiServer,
        name: str,
        gate: ApiGate,
        *,
        account: GatedAccount,
        component: str,
    ) -> None:
        super().__init__(server, name, account=account)
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
