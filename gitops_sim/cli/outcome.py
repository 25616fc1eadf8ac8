"""What came of a delivery: each object with its state and, where it is not well, the reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from gitops_sim.cli.delivering import Delivery
from gitops_sim.delivery import assess_health
from gitops_sim.errors import ApiError, NotFoundError
from gitops_sim.journal import facts
from gitops_sim.journal.journal import as_json
from gitops_sim.lab import ClusterHandle
from gitops_sim.types import Manifest
from gitops_sim.viz import BoardRow

__all__ = ["ObjectState", "Outcome"]

KUSTOMIZATION = "kustomize.toolkit.fluxcd.io/v1/Kustomization"


@dataclass(frozen=True, slots=True)
class ObjectState:
    """One declared object; `reason` is empty when it is in sync and healthy."""

    kind: str
    namespace: str
    name: str
    sync: str
    health: str
    reason: str = ""

    @property
    def is_well(self) -> bool:
        """True when it is as declared, and reached what it is for."""
        return self.sync == "Synced" and self.health in ("Current", "Suspended")

    def __str__(self) -> str:
        """Return one line: which object, how it stands, why."""
        name = "/".join(part for part in (self.kind, self.namespace, self.name) if part)
        state = self.sync if self.sync != "Synced" else self.health
        return f"{name}: {state}: {self.reason}"


class Outcome:
    """A finished delivery, judged.

    Attributes:
        objects: All declared objects, and those that Git gave up and the cluster still has.
    """

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._board = delivery.lab.compare(delivery.cluster).board
        self.objects = [self._state(row) for row in self._board.rows]

    @property
    def delivered(self) -> bool:
        """True when there is something to deliver, and all of it is there and available."""
        if self._board.is_broken:
            return False
        return bool(self.objects) and all(state.is_well for state in self.objects)

    @property
    def revision(self) -> str:
        """The revision that was applied last, as `main@sha1:…`; "" for none."""
        applied = self._delivery.lab.journal.facts(facts.RevisionApplied)
        return applied[-1].revision if applied else ""

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain values."""
        plan = self._delivery.plan
        return {
            "delivered": self.delivered,
            "repository": self._delivery.repository.name,
            "path": plan.path,
            "deliver": plan.deliver,
            "seed": plan.seed,
            "until": plan.until,
            "revision": self.revision,
            "objects": [asdict(state) for state in self.objects],
            "remarks": list(self._delivery.remarks),
            "journal": [as_json(entry) for entry in self._delivery.lab.journal.entries()],
        }

    def told(self) -> Iterator[str]:
        """Yield what happened, a line each, with the time of day; what is said again, once."""
        clock = self._delivery.lab.clock
        messages = {run.id: run.message for run in self._delivery.cluster.pipeline.runs}
        failing: set[str] = set()
        for entry in self._delivery.lab.journal.entries():
            line = _line(entry.fact)
            if isinstance(entry.fact, facts.PipelineDone):
                message = messages.get(entry.fact.run)
                line = f"{line}: {message}" if message else line
            if isinstance(entry.fact, facts.RevisionApplied | facts.ArtifactStored):
                failing.clear()
            if not line or line in failing:
                continue
            if isinstance(entry.fact, facts.ConditionChanged):
                failing.add(line)
            yield f"{clock.timestamp(entry.time)[11:19]}  {line}"

    def _state(self, row: BoardRow) -> ObjectState:
        key = row.key
        health = row.health or "NotFound"
        state = ObjectState(key.kind, key.namespace, key.name, row.sync, health)
        if state.is_well:
            return state
        return ObjectState(
            key.kind, key.namespace, key.name, row.sync, health, self._reason(row) or row.words
        )

    def _reason(self, row: BoardRow) -> str:
        if row.sync == "Missing":
            return self._why_missing(row)
        if row.sync != "Synced":
            who = f", set by {row.who}" if row.who else ""
            return f"{row.words}: declared {row.desired}, found {row.actual}{who}"
        live = self._live(row)
        trouble = _pod_trouble(self._delivery.cluster, live)
        message = assess_health(live).message
        return f"{message}; {trouble}" if trouble else message

    def _live(self, row: BoardRow) -> Manifest:
        kind = f"{row.key.kind}.{row.key.group}" if row.key.group else row.key.kind
        return self._delivery.cluster.get(kind, row.key.name, row.key.namespace or None)

    def _why_missing(self, row: BoardRow) -> str:
        try:
            self._live(row)
        except NotFoundError as error:
            if not error.details.get("name"):
                kind = f'kind "{row.key.kind}" in group "{row.key.group}"'
                return f"no matches for {kind}: nothing in the directory installs it"
        except ApiError as error:
            return str(error)
        name = f'"{row.key.name}"'
        lines = [line for line in self._complaints if row.key.name in line]
        exact = [line for line in lines if name in line or f"/{row.key.name}" in line]
        return next(iter([*exact, *lines, *self._complaints]), "")

    @cached_property
    def _complaints(self) -> Sequence[str]:
        """What those who deliver say about their failures, the newest first."""
        if self._delivery.plan.deliver == "flux":
            return list(_flux_complaints(self._delivery.cluster))
        failed = [
            fact
            for fact in self._delivery.lab.journal.facts(facts.PipelineStepDone)
            if fact.status == "failure"
        ]
        broken = [run.message for run in self._delivery.cluster.pipeline.runs if run.message]
        return [
            f"step {fact.step}: {line.strip()}"
            for fact in reversed(failed)
            for line in fact.output.splitlines()
            if "rror" in line or "unable" in line
        ] + [*broken, *(f"step {fact.step} failed" for fact in reversed(failed))]


def _flux_complaints(cluster: ClusterHandle) -> Iterator[str]:
    for kind in (KUSTOMIZATION, "source.toolkit.fluxcd.io/v1/GitRepository"):
        for item in cluster.list(kind):
            for condition in (item.get("status") or {}).get("conditions", ()):
                if condition["type"] == "Ready" and condition["status"] != "True":
                    yield from (line.strip() for line in condition["message"].splitlines())


def _pod_trouble(cluster: ClusterHandle, workload: Manifest) -> str:
    """Return what holds up the pods of a workload, as the kubelet or scheduler tells it."""
    labels = ((workload.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    if not isinstance(labels, dict) or not labels:
        return ""
    wanted = ",".join(f"{name}={value}" for name, value in labels.items())
    for pod in cluster.list("v1/Pod", workload["metadata"].get("namespace"), labels=wanted):
        status = pod.get("status") or {}
        for container in status.get("containerStatuses", ()):
            waiting = (container.get("state") or {}).get("waiting")
            if waiting and waiting.get("reason") not in ("ContainerCreating", "PodInitializing"):
                text = ": ".join(filter(None, (waiting.get("reason"), waiting.get("message"))))
                return f"{pod['metadata']['name']}: {text}"
        for condition in status.get("conditions", ()):
            if condition["type"] == "PodScheduled" and condition["status"] == "False":
                return f"{pod['metadata']['name']}: {condition.get('message', '')}"
    return ""


def _error_in(output: str) -> str:
    """Return the line of a step's output that says what went wrong, as far as one can tell."""
    lines = [
        line
        for line in output.strip().splitlines()
        if not line.startswith("Error: Process completed")  # the runner's word on any failure
    ]
    signs = ("rror", "not found", "no matches", "refused")
    first = next((line for line in lines if any(sign in line for sign in signs)), "")
    return first or (lines[-1] if lines else "no output")


def _line(fact: facts.Fact) -> str:
    """Return a fact that a reader wants to know in words; "" for all others."""
    match fact:
        case facts.CommitMade():
            subject = fact.message.partition("\n")[0]
            return f"commit {fact.commit[:7]} on {fact.branch} by {fact.author}: {subject}"
        case facts.PipelineStepDone(status="failure"):
            return f"{fact.run} {fact.job}, step {fact.step}: failed: {_error_in(fact.output)}"
        case facts.PipelineDone():
            return f"{fact.run} {fact.status}"
        case facts.RevisionApplied():
            counts = {
                "created": fact.created,
                "configured": fact.configured,
                "unchanged": fact.unchanged,
                "pruned": fact.pruned,
            }
            if not fact.created + fact.configured + fact.pruned:
                return ""  # a pass that found nothing to do: there is one every ten minutes
            told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
            return f"{fact.agent} applied {fact.commit[:7]}: {told}"
        case facts.ConditionChanged(type="Ready", status="False"):
            of_flux = fact.subject.startswith(("GitRepository/", "Kustomization/"))
            if not of_flux or fact.reason == "ArtifactFailed":  # the source tells why
                return ""
            return f"{fact.subject} {fact.reason}: {fact.message.partition(chr(10))[0]}"
        case facts.ReadyRevision():
            return f"{fact.agent}: everything of {fact.commit[:7]} is ready"
        case facts.DriftRepaired():
            return f"{fact.agent} repaired {fact.subject}"
        case facts.FaultStarted() | facts.FaultEnded():
            return f"{fact.name} {fact.target}: {fact.description}"
    return ""
