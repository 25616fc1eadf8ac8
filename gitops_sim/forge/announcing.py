"""Telling the lab what happened in the forge: journal facts, callbacks, webhooks.

Callbacks run at once and must not take time; whoever has work to do spawns a job. A webhook is a
callback with a name, and each delivery is a fact.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from gitops_sim.journal import Journal, facts
from gitops_sim.protocols import Clock

if TYPE_CHECKING:
    from gitops_sim.forge.merge_requests import MergeRequest
    from gitops_sim.forge.repository import Repository

__all__ = ["Announcer", "MergeRequestAction", "OnMergeRequest", "OnPush"]

MergeRequestAction: TypeAlias = Literal["opened", "synchronize", "reviewed", "merged", "closed"]
"""What happened to a merge request; `synchronize` (GitHub's word): its source has new commits."""

OnPush: TypeAlias = "Callable[[Repository, str, str, str], None]"
"""Called with repository, branch, old and new commit; old is "" for a new branch."""

OnMergeRequest: TypeAlias = "Callable[[Repository, MergeRequest, MergeRequestAction], None]"
"""Called with repository, merge request and what happened to it."""


@dataclass(frozen=True, slots=True)
class _Webhook:
    target: str
    on_push: OnPush | None
    on_merge_request: OnMergeRequest | None


class Announcer:
    """Where the repositories of one forge report to, and whose clock they go by."""

    def __init__(self, clock: Clock, journal: Journal) -> None:
        self.clock = clock
        self.journal = journal
        self.on_push: list[OnPush] = []
        self.on_merge_request: list[OnMergeRequest] = []
        self._webhooks: list[_Webhook] = []
        self.epoch = int(dt.datetime.fromisoformat(clock.timestamp(0.0)).timestamp())
        """The start of the lab, in Unix seconds."""

    def add_webhook(
        self, target: str, on_push: OnPush | None, on_merge_request: OnMergeRequest | None
    ) -> None:
        """Call back under a name from now on."""
        self._webhooks.append(_Webhook(target, on_push, on_merge_request))

    def unix_time(self) -> int:
        """Return the virtual time in Unix seconds, as commits carry it."""
        return self.epoch + int(self.clock.now())

    def pushed(self, repository: Repository, branch: str, old: str, new: str) -> None:
        """Tell that a branch is new or has moved."""
        for callback in list(self.on_push):
            callback(repository, branch, old, new)
        for hook in list(self._webhooks):
            if hook.on_push:
                self._sent(repository, hook, "push")
                hook.on_push(repository, branch, old, new)

    def merge_request(
        self, repository: Repository, request: MergeRequest, action: MergeRequestAction
    ) -> None:
        """Tell what happened to a merge request."""
        for callback in list(self.on_merge_request):
            callback(repository, request, action)
        for hook in list(self._webhooks):
            if hook.on_merge_request:
                self._sent(repository, hook, f"merge_request {action}")
                hook.on_merge_request(repository, request, action)

    def _sent(self, repository: Repository, hook: _Webhook, event: str) -> None:
        fact = facts.WebhookSent(source=f"forge/{repository.name}", target=hook.target, event=event)
        self.journal.record(fact)
