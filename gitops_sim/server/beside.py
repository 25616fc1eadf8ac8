"""What a served cluster has beside its API server: documents, counts, tokens, logs of pods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gitops_sim.errors import BadRequestError
from gitops_sim.server.accounts import AccountTokens
from gitops_sim.server.metrics import Metrics
from gitops_sim.server.openapi import Documents

__all__ = ["Beside", "Logs", "no_logs"]


class Logs(Protocol):
    """Where the logs of containers are."""

    def __call__(
        self, pod: str, namespace: str, *, container: str = "", previous: bool = False
    ) -> str:
        """Return what a container has printed; BadRequestError when there is none such."""


@dataclass(frozen=True, slots=True)
class Beside:
    """The parts of one served cluster that are not resources."""

    metrics: Metrics
    documents: Documents
    accounts: AccountTokens
    logs: Logs


def no_logs(pod: str, namespace: str, *, container: str = "", previous: bool = False) -> str:
    """Refuse: without nodes nothing runs, so nothing has printed."""
    del namespace, container, previous
    raise BadRequestError(f"pod {pod} does not have a host assigned")
