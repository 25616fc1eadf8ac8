"""What a client's requests cost in virtual time: latency and client-side rate limit."""

from __future__ import annotations

from gitops_sim.protocols import Clock

__all__ = ["Account"]


class Account:
    """A client's account: requests are synchronous and are paid at the next yield of its job.

    Args:
        clock: Whose time it is.
        name: The client, such as `kustomize-controller`.
        qps: Requests per second that the client's limiter allows; 0 means no limit.
        burst: Requests that may go at once before the limit bites.
        latency: Seconds that each request takes.

    Source: client-go, util/flowcontrol token bucket; its defaults are 5 QPS and burst 10.
    """

    def __init__(
        self, clock: Clock, name: str, *, qps: float = 0.0, burst: int = 0, latency: float = 0.0
    ) -> None:
        self.name = name
        self.requests = 0
        self._clock = clock
        self._qps, self._burst, self._latency = qps, max(burst, 1), latency
        self._tokens, self._filled_at = float(self._burst), clock.now()
        self._owed = 0.0

    def charge(self, requests: int = 1) -> None:
        """Count requests that were just made; what they cost is owed from now on."""
        self.requests += requests
        for _ in range(requests):
            if self._qps:
                self._owed += self._wait_for_token()
            self._owed += self._latency

    def take(self) -> float:
        """Return the seconds owed, and owe nothing: the driver of the job calls this."""
        owed, self._owed = self._owed, 0.0
        return owed

    def _wait_for_token(self) -> float:
        now = self._clock.now() + self._owed
        refilled = self._tokens + max(0.0, now - self._filled_at) * self._qps
        self._tokens = min(float(self._burst), refilled) - 1
        self._filled_at = max(now, self._filled_at)
        return max(0.0, -self._tokens / self._qps)
