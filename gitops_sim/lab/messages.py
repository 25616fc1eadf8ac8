"""Who told whom what in a cluster: the journal read as messages for the ladder.

A write is a request to the API server. The news that made a controller write is drawn too: the
last change, before that write, of a kind that it watches.

Differs:
    The picture leaves out what would hide the rest: writes of Events and Leases, and of each
    object's status all writes but the last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gitops_sim.clock import VirtualClock
from gitops_sim.journal import Journal, facts
from gitops_sim.viz import Ladder, Message

__all__ = ["MOST_MESSAGES", "messages_of"]

SERVER = "API server"
MOST_MESSAGES = 30
"""Arrows that are drawn; of more, the first ones."""
SILENT = ("Event", "Lease")
PLACES = (
    "kubectl",
    SERVER,
    "deployment-controller",
    "replicaset-controller",
    "kube-scheduler",
    "kubelet",
)
"""Columns that always stand in this order; others follow them."""
COMPONENTS = {"kube-scheduler": "kube-scheduler", "kubelet": "kubelet"}


@dataclass(frozen=True, slots=True)
class _Write:
    """One write, who made it, and when it was asked for and was done."""

    writer: str
    asked: float
    done: float
    fact: facts.ObjectChanged

    @property
    def is_status(self) -> bool:
        return self.fact.verb != "create" and all(
            path.startswith(("status", "metadata.annotations")) for path in self.fact.paths
        )

    @property
    def object(self) -> tuple[str, str, str]:
        return (self.fact.kind, self.fact.namespace, self.fact.name)


def messages_of(
    cluster: str,
    journal: Journal,
    clock: VirtualClock,
    watched: Mapping[str, Sequence[str]],
    span: tuple[float, float],
) -> Ladder:
    """Return the messages of one cluster in a span of time.

    Args:
        cluster: Its name.
        journal: What happened.
        clock: Names moments.
        watched: For each controller the kinds (`Pod`) that it watches.
        span: From when to when, in seconds since the epoch.
    """
    shown = _worth_showing(list(_writes(cluster, journal, span)))
    messages = _with_news(shown, watched)
    columns = _columns(messages)
    first = clock.timestamp(messages[0].time)[11:19] if messages else ""
    left_out = max(len(messages) - MOST_MESSAGES, 0)
    return Ladder(columns, tuple(messages[:MOST_MESSAGES]), first, left_out)


def _writes(cluster: str, journal: Journal, span: tuple[float, float]) -> Iterator[_Write]:
    """Yield the writes; the job whose step led to one is its writer."""
    steps: dict[str, tuple[float, facts.StepTaken]] = {}
    for entry in journal.entries(
        facts.StepTaken, facts.ObjectChanged, since=span[0], until=span[1]
    ):
        fact = entry.fact
        if isinstance(fact, facts.StepTaken):
            steps[fact.job] = (entry.time, fact)
            continue
        if not isinstance(fact, facts.ObjectChanged) or fact.cluster != cluster:
            continue
        if fact.kind not in SILENT:
            writer, asked = _writer(fact, entry.time, steps)
            yield _Write(writer, asked, entry.time, fact)


def _writer(
    fact: facts.ObjectChanged, done: float, steps: Mapping[str, tuple[float, facts.StepTaken]]
) -> tuple[str, float]:
    for job, (began, step) in steps.items():
        kind, _, name = step.subject.partition("/")
        about = kind == fact.kind and _names(name.rpartition("/")[2], fact.name)
        if about and abs(began + step.takes - done) < 1e-6:
            return ("kubectl" if job.startswith("kubectl") else job), began
    manager = fact.field_manager
    return ("kubectl" if manager.startswith("kubectl") else COMPONENTS.get(manager, manager)), done


def _names(told: str, name: str) -> bool:
    """Return True if a step told of this object; `web-5c9dc9ddf4-…` has no full name yet."""
    return name.startswith(told.removesuffix("…")) if told.endswith("…") else told == name


def _worth_showing(writes: Sequence[_Write]) -> list[_Write]:
    last = {write.object: index for index, write in enumerate(writes) if write.is_status}
    return [
        write
        for index, write in enumerate(writes)
        if not write.is_status or last[write.object] == index
    ]


def _with_news(writes: Sequence[_Write], watched: Mapping[str, Sequence[str]]) -> list[Message]:
    """Return requests and, before each, the news that its writer had not acted on yet."""
    messages: list[Message] = []
    acted_on: dict[str, int] = {}
    for index, write in enumerate(writes):
        kinds = watched.get(write.writer, ())
        cause = next(
            (
                earlier
                for earlier in range(index - 1, acted_on.get(write.writer, -1), -1)
                if writes[earlier].fact.kind in kinds
                and writes[earlier].done <= write.asked + 1e-6
                and writes[earlier].writer != write.writer
            ),
            None,
        )
        if cause is not None:
            acted_on[write.writer] = cause
            news = writes[cause]
            label = f"{news.fact.kind} {_event(news.fact.verb)}"
            messages.append(
                Message(news.done, SERVER, write.writer, label, "news", detail=news.fact.name)
            )
        messages.append(
            Message(write.asked, write.writer, SERVER, _label(write), detail=write.fact.name)
        )
    return sorted(messages, key=lambda message: message.time)


def _event(verb: str) -> str:
    return {"create": "ADDED", "delete": "DELETED"}.get(verb, "MODIFIED")


def _label(write: _Write) -> str:
    fact = write.fact
    if write.is_status:
        return f"{fact.kind} status"
    if "spec.nodeName" in fact.paths and fact.verb != "create":
        return f"bind {fact.kind}"
    return f"{fact.verb} {fact.kind}"


def _columns(messages: Sequence[Message]) -> tuple[str, ...]:
    named = {column for message in messages for column in (message.source, message.target)}
    others = sorted(named - set(PLACES))
    return tuple(place for place in PLACES if place in named) + tuple(others)
