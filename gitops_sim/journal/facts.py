"""What can be said about a lab: one frozen class per kind of fact, all plain values.

A fact has no time; the journal adds it. `agent` is who delivers: `flux:flux-system/apps` or
`push:shop/deploy`. `subject` is printed `Kind/namespace/name`. Every picture and every measure is
computed from these.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ArtifactStored",
    "BranchMoved",
    "CheckReported",
    "CommitMade",
    "ConditionChanged",
    "DriftFound",
    "DriftRepaired",
    "EventSeen",
    "Fact",
    "FaultEnded",
    "FaultStarted",
    "HealthChanged",
    "MergeRequestClosed",
    "MergeRequestMerged",
    "MergeRequestOpened",
    "ObjectChanged",
    "PipelineDone",
    "PipelineStarted",
    "PipelineStepDone",
    "ReadyRevision",
    "ReconcileDone",
    "RequestAudited",
    "ReviewGiven",
    "RevisionApplied",
    "SourcePolled",
    "StepTaken",
    "UsersServed",
    "VersionServed",
    "WebhookSent",
]


@dataclass(frozen=True, slots=True)
class Fact:
    """Anything that happened."""


@dataclass(frozen=True, slots=True)
class StepTaken(Fact):
    """A job began a step; `takes` in virtual seconds, with what its client owed."""

    job: str
    name: str
    subject: str
    takes: float


@dataclass(frozen=True, slots=True)
class CommitMade(Fact):
    """A commit came to be; `files` are the paths it changed."""

    repository: str
    branch: str
    commit: str
    author: str
    message: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BranchMoved(Fact):
    """A branch points elsewhere; `old` or `new` is empty when it was made or deleted."""

    repository: str
    branch: str
    old: str
    new: str
    actor: str


@dataclass(frozen=True, slots=True)
class MergeRequestOpened(Fact):
    """Someone asks to merge `source` into `target`."""

    repository: str
    number: int
    source: str
    target: str
    author: str
    title: str


@dataclass(frozen=True, slots=True)
class ReviewGiven(Fact):
    """A review; `verdict` is approve, request_changes or comment."""

    repository: str
    number: int
    reviewer: str
    verdict: str
    comment: str


@dataclass(frozen=True, slots=True)
class MergeRequestMerged(Fact):
    """A merge request was merged; `commit` is the new head of its target."""

    repository: str
    number: int
    method: str
    commit: str
    actor: str


@dataclass(frozen=True, slots=True)
class MergeRequestClosed(Fact):
    """A merge request ended without a merge."""

    repository: str
    number: int
    actor: str


@dataclass(frozen=True, slots=True)
class CheckReported(Fact):
    """CI said something about a commit; `status` is pending, success or failure."""

    repository: str
    commit: str
    name: str
    status: str
    description: str


@dataclass(frozen=True, slots=True)
class PipelineStarted(Fact):
    """A run of a workflow left the queue; `event` is push or pull_request."""

    repository: str
    commit: str
    workflow: str
    event: str
    run: str


@dataclass(frozen=True, slots=True)
class PipelineStepDone(Fact):
    """A step of a job ended; `seconds` is its virtual duration."""

    run: str
    job: str
    step: str
    status: str
    output: str
    seconds: float


@dataclass(frozen=True, slots=True)
class PipelineDone(Fact):
    """A run ended; `status` is success, failure or cancelled."""

    run: str
    repository: str
    commit: str
    status: str


@dataclass(frozen=True, slots=True)
class WebhookSent(Fact):
    """The forge told someone about an event."""

    source: str
    target: str
    event: str


@dataclass(frozen=True, slots=True)
class SourcePolled(Fact):
    """An agent looked at Git; `changed` if the revision is a new one for it."""

    agent: str
    source: str
    revision: str
    changed: bool


@dataclass(frozen=True, slots=True)
class ArtifactStored(Fact):
    """An agent keeps a revision as an artifact."""

    agent: str
    source: str
    revision: str
    digest: str


@dataclass(frozen=True, slots=True)
class RevisionApplied(Fact):
    """A revision was applied; the numbers count objects."""

    agent: str
    cluster: str
    revision: str
    commit: str
    created: int
    configured: int
    unchanged: int
    pruned: int


@dataclass(frozen=True, slots=True)
class ReadyRevision(Fact):
    """All objects of an applied revision are healthy."""

    agent: str
    cluster: str
    revision: str
    commit: str


@dataclass(frozen=True, slots=True)
class ObjectChanged(Fact):
    """A write reached a cluster's store.

    `verb` is create, update, patch, apply or delete; `paths` are dotted and cut after 20.
    """

    cluster: str
    verb: str
    kind: str
    namespace: str
    name: str
    resource_version: str
    field_manager: str
    paths: tuple[str, ...]
    generation: int


@dataclass(frozen=True, slots=True)
class RequestAudited(Fact):
    """A request over HTTP that would change something was answered, as an audit log tells it.

    `user` is who acted, `impersonated_by` who sent it in that name (empty: the same). `resource` is
    `deployments.apps/scale`, or a path that is none of a resource. `name` is empty where the path
    names no object. `annotations` are what admission added. Reads are not told: they change
    nothing, and a saved lab does not repeat them.
    """

    cluster: str
    user: str
    impersonated_by: str
    verb: str
    resource: str
    namespace: str
    name: str
    code: int
    annotations: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ConditionChanged(Fact):
    """A condition of an object has another status or reason."""

    cluster: str
    subject: str
    type: str
    status: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class HealthChanged(Fact):
    """An agent judges the health of an object otherwise than before."""

    cluster: str
    subject: str
    health: str
    reason: str


@dataclass(frozen=True, slots=True)
class EventSeen(Fact):
    """A Kubernetes Event; `type` is Normal or Warning, `source` the component."""

    cluster: str
    subject: str
    type: str
    reason: str
    message: str
    source: str


@dataclass(frozen=True, slots=True)
class DriftFound(Fact):
    """An agent saw live fields that are not as declared; `manager` set them, if one did."""

    agent: str
    cluster: str
    subject: str
    paths: tuple[str, ...]
    manager: str


@dataclass(frozen=True, slots=True)
class DriftRepaired(Fact):
    """An agent set an object back to what is declared."""

    agent: str
    cluster: str
    subject: str


@dataclass(frozen=True, slots=True)
class FaultStarted(Fact):
    """Something was broken on purpose."""

    name: str
    target: str
    description: str


@dataclass(frozen=True, slots=True)
class FaultEnded(Fact):
    """What was broken on purpose works again."""

    name: str
    target: str
    description: str


@dataclass(frozen=True, slots=True)
class VersionServed(Fact):
    """What users of a Service see: its version, and how many of how many pods are ready."""

    cluster: str
    service: str
    version: str
    ready: int
    desired: int


@dataclass(frozen=True, slots=True)
class UsersServed(Fact):
    """What users get on one route from now on: told when it changes, not per request.

    `route` is `Service/shop/web`, or an Ingress with its host and path:
    `Ingress/shop/web example.com/api`. `shares` are versions with their parts of the requests that
    are answered, 0 to 1; `error_rate` is the part of all requests that fail; `problem` says why
    all of them do, if they do; `latency` is the mean time of an answer in seconds; `requests` come
    in a second.
    """

    cluster: str
    route: str
    shares: tuple[tuple[str, float], ...]
    error_rate: float
    problem: str
    latency: float = 0.0
    requests: float = 0.0


@dataclass(frozen=True, slots=True)
class ReconcileDone(Fact):
    """A controller finished one reconcile; `status` is success, requeue, conflict or error."""

    agent: str
    subject: str
    status: str
    seconds: float
