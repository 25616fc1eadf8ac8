"""Waiting for an object: parked on a watch until a look at it says that it is done."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from typing import Any

from gitops_sim.errors import ExpiredError, LabError, NotFoundError
from gitops_sim.kubectl.arguments import Arguments, Flag
from gitops_sim.kubectl.jsonpath import evaluate
from gitops_sim.kubectl.loading import FILE_FLAGS
from gitops_sim.kubectl.mapping import Mapped
from gitops_sim.kubectl.session import Session, Work
from gitops_sim.kubectl.targets import targets_of
from gitops_sim.types import Manifest, WatchEvent

__all__ = ["WAIT_FLAGS", "until", "wait"]

WAIT_FLAGS = {
    **FILE_FLAGS,
    "for": Flag(),
    "timeout": Flag(),
    "all": Flag(takes_value=False),
}
TIMED_OUT = "timed out waiting for the condition"
WEEK = 7 * 24 * 3600.0
"""What a negative timeout means."""


def until(
    session: Session,
    kind: Mapped,
    namespace: str,
    name: str,
    deadline: float,
    look: Callable[[WatchEvent], bool],
) -> Generator[Any, Any, bool]:
    """Park until `look` says of an event of one object that the waiting is over.

    Args:
        session: The command.
        kind: Kind of the object.
        namespace: Empty for a cluster-scoped object.
        name: Its name.
        deadline: Virtual time at which to give up; infinite: never.
        look: Called with each event, the present state first as ADDED; may raise.

    Returns:
        True when `look` said so, False when the time was up.
    """
    signal = session.clock.signal()

    def open_watch() -> Any:
        fields = f"metadata.name={name}"
        opened = session.cluster.watch(kind.exact, namespace or None, fields=fields)
        opened.subscribe(signal.set)
        return opened

    watch = open_watch()
    try:
        while True:
            try:
                events = watch.drain()
            except ExpiredError:  # the log was compacted meanwhile: look again from the start
                watch.close()
                watch = open_watch()
                events = _gone(session, kind, namespace, name)
            if any(look(event) for event in events):
                return True
            left = deadline - session.clock.now()
            if left <= 0:
                return False
            yield signal.wait(None if math.isinf(left) else left)
    finally:
        watch.close()


def _gone(session: Session, kind: Mapped, namespace: str, name: str) -> list[WatchEvent]:
    """Return the event that a new watch cannot bring: that the object is not there."""
    try:
        session.cluster.get(kind.exact, name, namespace or None)
    except NotFoundError:
        return [WatchEvent("DELETED", {}, "")]
    return []


def wait(session: Session, arguments: Arguments) -> Work:
    """Wait until objects are in a condition, have a value, or are gone."""
    condition = arguments.text("for")
    seconds = arguments.seconds("timeout", 30.0)
    deadline = session.clock.now() + (WEEK if seconds < 0 else seconds)
    met = _condition(condition)
    targets = targets_of(session, arguments, arguments.words)
    if not targets and condition.lower() != "delete":
        raise LabError("no matching resources found")
    for target in targets:
        kind, namespace, name = target.kind, target.namespace, target.name
        yield session.step("wait", kind, name, namespace=namespace)
        try:
            live = session.cluster.get(kind.exact, name, namespace or None)
        except NotFoundError:
            if condition.lower() != "delete":
                raise
            continue
        if seconds == 0 and not met(WatchEvent("ADDED", live, "")):
            raise LabError(f"condition not met for {kind.plural}/{name}")
        done = seconds == 0 or (yield from until(session, kind, namespace, name, deadline, met))
        if not done:
            raise LabError(f"{TIMED_OUT} on {kind.plural}/{name}")
        session.say(f"{kind.shown(name)} condition met")
        session.done.append("waited for")
    return 0


def _condition(text: str) -> Callable[[WatchEvent], bool]:
    """Return the test that `--for` asks for."""
    word, _, rest = text.partition("=")
    if text.lower() == "delete":
        return lambda event: event.type == "DELETED"
    if word == "condition" and rest:
        name, _, status = rest.partition("=")
        return lambda event: (
            event.type != "DELETED"
            and _has_condition(event.object, name.lower(), (status or "true").lower())
        )
    if word == "jsonpath" and rest:
        path, found, value = rest.strip("'\"").partition("}=")
        path = f"{path}}}" if found else path
        wanted = value.strip("'\"")
        return lambda event: event.type != "DELETED" and _has_value(event.object, path, wanted)
    raise LabError(f'unrecognized condition: "{text}"')


def _has_condition(live: Manifest, name: str, status: str) -> bool:
    """Return whether a condition has a status, and has seen the present generation."""
    for condition in (live.get("status") or {}).get("conditions") or []:
        if str(condition.get("type", "")).lower() == name:
            generation = live["metadata"].get("generation")
            observed = condition.get("observedGeneration", live["status"].get("observedGeneration"))
            if generation and observed is not None and observed < generation:
                return False
            return str(condition.get("status", "")).lower() == status
    return False


def _has_value(live: Manifest, path: str, wanted: str) -> bool:
    """Return whether a path has a value, or any value when none is wanted."""
    found = evaluate(path, live)
    return bool(found) and (not wanted or found == wanted)
