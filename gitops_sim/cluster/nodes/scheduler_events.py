"""Events as the scheduler writes them: of the newer form, with a series instead of a count.

Source: k8s.io/client-go, tools/events (event_broadcaster.go).
"""

from __future__ import annotations

from gitops_sim.errors import ForbiddenError, NotFoundError
from gitops_sim.protocols import Clock, Writer
from gitops_sim.runtime import EventNames
from gitops_sim.types import Manifest

__all__ = ["SchedulerEvents"]


class SchedulerEvents:
    """Writes events of one reporting controller.

    Args:
        client: Writes them.
        clock: Gives times and names.
        component: `default-scheduler`.
    """

    def __init__(self, client: Writer, clock: Clock, component: str) -> None:
        self._client = client
        self._clock = clock
        self._component = component
        self._names = EventNames(clock, component)

    def tell(self, pod: Manifest, what: tuple[str, str, str], message: str) -> None:
        """Say something about a pod: (type, reason, action) and a message."""
        type_, reason, action = what
        metadata = pod["metadata"]
        about = {
            "kind": "Pod",
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
            "apiVersion": "v1",
            "resourceVersion": metadata["resourceVersion"],
        }
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": self._names.next(metadata["name"]),
                "namespace": metadata["namespace"],
            },
            "involvedObject": about,
            "reason": reason,
            "message": message,
            "source": {},
            "firstTimestamp": None,
            "lastTimestamp": None,
            "type": type_,
            "eventTime": self._clock.timestamp_micro(),
            "action": action,
            "reportingComponent": self._component,
            "reportingInstance": f"{self._component}-control-plane",
        }
        try:
            self._client.create(event)
        except (ForbiddenError, NotFoundError):
            return  # its namespace is going away
