"""`kubectl events`, and the events that `describe` shows: what happened to an object.

Source: k8s.io/kubectl pkg/cmd/events/events.go, pkg/describe/describe.go (DescribeEvents).
"""

from __future__ import annotations

from collections.abc import Sequence

from gitops_sim.apiserver.table_cells import Ages
from gitops_sim.errors import LabError
from gitops_sim.kubectl.arguments import Arguments, Flag
from gitops_sim.kubectl.mapping import names_of
from gitops_sim.kubectl.session import Session, Work
from gitops_sim.kubectl.tables import in_columns
from gitops_sim.types import Manifest

__all__ = ["EVENTS_FLAGS", "events", "events_of", "happened", "table_of_events"]

EVENTS_FLAGS = {
    "all-namespaces": Flag("A", takes_value=False),
    "for": Flag(),
    "no-headers": Flag(takes_value=False),
    "types": Flag(),
}
EVENT = "v1/Event"


def events(session: Session, arguments: Arguments) -> Work:
    """Print events, the oldest first: `events --for deploy/web --types Warning`."""
    if arguments.words:
        raise LabError(f"unexpected arguments: {arguments.words}; use --for TYPE/NAME")
    everywhere = arguments.on("all-namespaces")
    namespace = None if everywhere else session.namespace
    yield session.step("events", session.kinds.named("events"), "")
    fields = ""
    if arguments.text("for"):
        ((kind, name),) = names_of(session.kinds, [arguments.text("for")])
        fields = f"involvedObject.kind={kind.kind},involvedObject.name={name}"
    found = list(session.cluster.list(EVENT, namespace, fields=fields or None))
    wanted = {word.lower() for word in arguments.all("types")}
    if wanted:
        found = [event for event in found if str(event.get("type", "")).lower() in wanted]
    if not found:
        where = "" if everywhere else f" in {session.namespace} namespace."
        session.err.append(f"No events found{where}\n")
        return 0
    head = ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    rows = [] if arguments.on("no-headers") else [[*(["NAMESPACE"] if everywhere else []), *head]]
    for event in sorted(found, key=happened):
        about = event.get("involvedObject") or {}
        row = [event["metadata"].get("namespace", "")] if everywhere else []
        row += [_seen(session, event), event.get("type", ""), event.get("reason", "")]
        row += [f"{about.get('kind', '')}/{about.get('name', '')}", _message(event)]
        rows.append(row)
    session.out.append(in_columns(rows))
    return 0


def events_of(session: Session, live: Manifest) -> list[list[str]]:
    """Return type, reason, age, source and message of an object's events, oldest first."""
    metadata = live["metadata"]
    fields = f"involvedObject.name={metadata['name']},involvedObject.uid={metadata.get('uid', '')}"
    found = session.cluster.list(EVENT, metadata.get("namespace") or None, fields=fields)
    return [
        [
            event.get("type", ""),
            event.get("reason", ""),
            _seen(session, event),
            (event.get("source") or {}).get("component") or event.get("reportingComponent", ""),
            _message(event),
        ]
        for event in sorted(found, key=happened)
    ]


def happened(event: Manifest) -> str:
    """Return when an event happened last, as text that sorts."""
    series = (event.get("series") or {}).get("lastObservedTime")
    created = event["metadata"].get("creationTimestamp")
    return str(series or event.get("lastTimestamp") or event.get("eventTime") or created or "")


def _seen(session: Session, event: Manifest) -> str:
    """Return when an event was seen: `11s`, or `8s (x2 over 11s)`."""
    ages = Ages(session.clock.timestamp())
    last = ages(happened(event))
    count = int((event.get("series") or {}).get("count") or event.get("count") or 1)
    first = event.get("firstTimestamp") or event.get("eventTime")
    return f"{last} (x{count} over {ages(first)})" if count > 1 else last


def _message(event: Manifest) -> str:
    return str(event.get("message", "")).strip()


def table_of_events(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return the lines of `Events:` in a description, as cells."""
    if not rows:
        return [["Events:", "<none>"]]
    head = ["  Type", "Reason", "Age", "From", "Message"]
    rule = ["  ----", "------", "----", "----", "-------"]
    return [["Events:"], head, rule, *([f"  {row[0]}", *row[1:]] for row in rows)]
