"""Kubernetes Events: what components say about an object, counted instead of repeated.

Source: k8s.io/client-go, tools/record (event.go, events_cache.go).
Differs: a write of an event is no step of its own: the real recorder writes from a queue beside
the reconciler.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gitops_sim.errors import AlreadyExistsError, ForbiddenError, NotFoundError
from gitops_sim.protocols import Clock, Writer
from gitops_sim.runtime.event_names import EventNames
from gitops_sim.types import Manifest

__all__ = ["EventRecorder"]

_BURST, _REFILL_SECONDS = 25, 300.0
"""Of events about one object. Source: events_cache.go, EventSourceObjectSpamFilter."""
_SIMILAR, _SIMILAR_SECONDS = 10, 600.0
"""So many different messages are combined. Source: events_cache.go, EventAggregator."""


@dataclass(slots=True)
class _Written:
    """An event in the API, as this recorder last left it."""

    name: str
    count: int


@dataclass(slots=True)
class _Similar:
    """The different messages lately given for one reason about one object."""

    messages: dict[str, None]
    last: float


class EventRecorder:
    """Writes events in the name of one component.

    The same event again (object, type, reason, message) raises `count` and `lastTimestamp` of the
    one that is there. What was written before a kill is not known after it, as in a real one.

    Args:
        client: Writes them.
        component: `deployment-controller`, `kubelet`.
        clock: Gives times and names.
        host: The node that the component is about, for a kubelet.
    """

    def __init__(self, client: Writer, component: str, clock: Clock, *, host: str = "") -> None:
        self._client = client
        self._component = component
        self._clock = clock
        self._host = host
        self._names = EventNames(clock, component)
        self._written: dict[tuple[str, ...], _Written] = {}
        self._similar: dict[tuple[str, ...], _Similar] = {}
        self._tokens: dict[str, tuple[float, float]] = {}

    def event(
        self,
        manifest: Manifest,
        type_: str,
        reason: str,
        message: str,
        *,
        field_path: str = "",
        annotations: Mapping[str, str] | None = None,
    ) -> None:
        """Say something about an object.

        Args:
            manifest: The object; apiVersion, kind and metadata are read.
            type_: `Normal` or `Warning`.
            reason: One word in CamelCase.
            message: For people.
            field_path: Which part, such as `spec.containers{web}`.
            annotations: Of the event, when it is new (client-go's AnnotatedEventf).
        """
        about = _reference(manifest, field_path)
        if not self._may(str(about.get("uid", about["name"]))):
            return
        similar = (about["kind"], str(about.get("uid", about["name"])), type_, reason)
        key: tuple[str, ...] = (*similar, field_path, message)
        if self._are_too_many(similar, message):
            key, message = similar, f"(combined from similar events): {message}"
        known = self._written.get(key)
        if known is not None and self._count(known, about, message):
            return
        name = self._create(about, type_, reason, message, annotations or {})
        if name:
            self._written[key] = _Written(name, 1)

    def _are_too_many(self, similar: tuple[str, ...], message: str) -> bool:
        now = self._clock.now()
        known = self._similar.get(similar)
        if known is None or now - known.last > _SIMILAR_SECONDS:
            known = self._similar[similar] = _Similar({}, now)
        known.messages[message] = None
        known.last = now
        if len(known.messages) < _SIMILAR:
            return False
        known.messages.popitem()  # real: any; of the newest, so that older ones stay counted
        return True

    def _count(self, known: _Written, about: dict[str, Any], message: str) -> bool:
        now = self._clock.timestamp()
        patch = {"count": known.count + 1, "lastTimestamp": now, "message": message}
        try:
            self._client.patch("v1/Event", known.name, patch, _namespace(about), type="strategic")
        except NotFoundError:
            return False
        known.count += 1
        return True

    def _create(
        self,
        about: dict[str, Any],
        type_: str,
        reason: str,
        message: str,
        annotations: Mapping[str, str],
    ) -> str:
        """Store a new event; return its name, or nothing if its namespace is going away."""
        now = self._clock.timestamp()
        source = {"component": self._component}
        if self._host:
            source["host"] = self._host
        event: Manifest = {
            "apiVersion": "v1",
            "kind": "Event",
            "involvedObject": about,
            "reason": reason,
            "message": message,
            "source": source,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "type": type_,
            "reportingComponent": self._component,
            "reportingInstance": self._host,
        }
        while True:
            name = self._names.next(about["name"])
            metadata: dict[str, Any] = {"name": name, "namespace": _namespace(about)}
            if annotations:
                metadata["annotations"] = dict(annotations)
            try:
                self._client.create(event | {"metadata": metadata})
            except AlreadyExistsError:
                continue
            except (ForbiddenError, NotFoundError):
                return ""
            return name

    def _may(self, about: str) -> bool:
        now = self._clock.now()
        tokens, filled_at = self._tokens.get(about, (float(_BURST), now))
        tokens = min(float(_BURST), tokens + (now - filled_at) / _REFILL_SECONDS)
        allowed = tokens >= 1
        self._tokens[about] = (tokens - 1 if allowed else tokens, now)
        return allowed


def _namespace(about: dict[str, Any]) -> str:
    return str(about.get("namespace") or "default")


def _reference(manifest: Manifest, field_path: str) -> dict[str, Any]:
    metadata = manifest["metadata"]
    reference = {
        "kind": manifest["kind"],
        "namespace": metadata.get("namespace"),
        "name": metadata["name"],
        "uid": metadata.get("uid"),
        "apiVersion": manifest["apiVersion"],
        "resourceVersion": metadata.get("resourceVersion"),
        "fieldPath": field_path,
    }
    return {name: value for name, value in reference.items() if value}
