"""What a machine knows of a pod that runs on it: plain state, no rules."""

from __future__ import annotations

from dataclasses import dataclass, field

from gitops_sim.types import Image

__all__ = ["ContainerRun", "Ended", "PodRun"]


@dataclass(frozen=True, slots=True)
class Ended:
    """One run of a container that is over; times in seconds since the epoch."""

    exit_code: int
    reason: str
    started: float
    finished: float
    container_id: str
    message: str = ""


@dataclass(slots=True)
class ContainerRun:
    """One container of a pod, over all its restarts; times in seconds since the epoch.

    Attributes:
        reference: The image that its spec named when it was last looked at.
        image: What that means; None before it is on the machine.
        pull_until: When the pull under way ends.
        pulled: What the pull under way gives, or
        pull_problem: (reason, message) that it fails with.
        pull_started: When the pull under way began.
        pull_failures: In a row.
        retry_at: When to try again what failed.
        waiting: (reason, message) that its status shows while it does not run.
        started: When its present run began; None while it does not run.
        container_id: Of its present run.
        ends_at: When its present run ends by itself.
        ends_with: (exit code, reason) of that end.
        told_unhealthy: Probes whose failing was told, in this run.
        ended: Its last run, if it does not run.
        last: The run before.
        restarts: How often it was started again.
        backoff: Seconds that the next restart waits after the end.
        is_backing_off: While it waits for its restart.
    """

    reference: str = ""
    image: Image | None = None
    pull_until: float | None = None
    pulled: Image | None = None
    pull_problem: tuple[str, str] | None = None
    pull_started: float = 0.0
    pull_failures: int = 0
    retry_at: float = 0.0
    waiting: tuple[str, str] = ("ContainerCreating", "")
    started: float | None = None
    container_id: str = ""
    ends_at: float | None = None
    ends_with: tuple[int, str] = (0, "Completed")
    told_unhealthy: set[str] = field(default_factory=set)
    ended: Ended | None = None
    last: Ended | None = None
    restarts: int = 0
    backoff: float = 0.0
    is_backing_off: bool = False


@dataclass(slots=True)
class PodRun:
    """One pod on its machine.

    Attributes:
        place: Its namespace and name.
        uid: Which pod of that name.
        began: When the kubelet first saw it.
        address: Given with its sandbox; empty before.
        containers: By name, init containers included.
        told_unmounted: The volume problem that was last told.
        killing_since: When its containers were told to stop; None while it should run.
        restarts: Of containers, by name, when this run of the pod began.
        fails_as: (reason, message) if the pod is given up: its deadline passed.
    """

    place: tuple[str, str]
    uid: str
    began: float
    address: str = ""
    containers: dict[str, ContainerRun] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)
    told_unmounted: str = ""
    killing_since: float | None = None
    fails_as: tuple[str, str] | None = None
