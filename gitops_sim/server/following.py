"""A log that is followed: what is there, and what the container prints until it ends.

Source: k8s.io/kubernetes, pkg/kubelet/kuberuntime/logs/logs.go (follow).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gitops_sim.apiserver.watching import StoreWatch
from gitops_sim.errors import ApiError
from gitops_sim.types import Manifest

__all__ = ["LogStream"]

_LONGEST = 4 * 3600.0


class LogStream:
    """One client's `kubectl logs -f`.

    Args:
        watch: Of the pod alone, from now on.
        pod: The pod as it is now.
        container: Whose log it is; empty: the first.
        read: Returns the whole log of the container.
        seen: What of it the client does not want: it came before the tail.
    """

    seconds = _LONGEST

    def __init__(
        self,
        watch: StoreWatch,
        pod: Manifest,
        container: str,
        read: Callable[[], str],
        seen: str,
    ) -> None:
        self.ended = False
        self._watch = watch
        self._pod: Manifest | None = pod
        self._container = container or pod["spec"]["containers"][0]["name"]
        self._run = _running(pod, self._container)
        self._read = read
        self._seen = seen

    def next_chunks(self) -> Sequence[bytes]:
        """Return what was printed since the last call; the stream ends with the container."""
        if self.ended:
            return []
        self._look()
        try:
            text = self._read() if self._pod is not None else self._seen
        except ApiError:
            text = self._seen
        now = None if self._pod is None else _running(self._pod, self._container)
        self.ended = not now or now != self._run
        if not text.startswith(self._seen):
            return []
        new, self._seen = text[len(self._seen) :], text
        return [new.encode()] if new else []

    def bookmark_times(self) -> Iterator[float]:
        """Yield nothing: a log has no bookmarks."""
        return iter(())

    def bookmark(self) -> bytes:
        """Return nothing."""
        return b""

    def subscribe(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever a pod changed."""
        self._watch.subscribe(wake)

    def close(self) -> None:
        """Stop."""
        self._watch.close()

    def _look(self) -> None:
        try:
            for event in self._watch.drain():
                self._pod = None if event.type == "DELETED" else event.object
        except ApiError:
            self._pod = None


def _running(pod: Manifest, container: str) -> Any:
    """Return what tells one run of a container from the next; None when it does not run."""
    status = pod.get("status") or {}
    for group in ("containerStatuses", "initContainerStatuses"):
        for entry in status.get(group) or ():
            if entry["name"] == container and (entry.get("state") or {}).get("running"):
                return entry.get("containerID"), entry.get("restartCount", 0)
    return None
