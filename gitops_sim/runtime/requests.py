"""What a controller is asked to look at, and which changes ask for it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from gitops_sim.types import Manifest, Result

if TYPE_CHECKING:
    from gitops_sim.runtime.cache_set import CacheSet

__all__ = [
    "Caches",
    "ReconcileFunction",
    "Request",
    "Watched",
    "controller_of",
    "own_request",
    "owner_request",
]


class Request(NamedTuple):
    """A name to look at: never an event, so that any number of changes collapse into one.

    `namespace` is empty for cluster-scoped objects.
    """

    namespace: str
    name: str


Caches: TypeAlias = "CacheSet"
"""The informers of a controller, by the kind as its `Watched` writes it: `caches["v1/Pod"]`."""

ReconcileFunction: TypeAlias = Callable[
    [Request], Generator[Any, Any, Result | None] | Result | None
]
"""Reads the world, compares, writes, and says when to come back.

As a generator it yields a `Step` before each write, so that the world may change in between:
`yield Step("create pod", takes=0.01, subject="Pod/shop/web-1")`.
"""

RequestMapper: TypeAlias = "Callable[[Manifest, Caches], Iterable[Request]]"
ChangePredicate: TypeAlias = Callable[[Manifest | None, Manifest | None], bool]


def own_request(manifest: Manifest, caches: Caches) -> Iterable[Request]:
    """Ask for the object itself."""
    metadata = manifest["metadata"]
    return (Request(metadata.get("namespace", ""), metadata["name"]),)


def owner_request(kind: str) -> RequestMapper:
    """Ask for the controller of the object, if it is of this kind (such as `ReplicaSet`)."""

    def mapper(manifest: Manifest, caches: Caches) -> Iterable[Request]:
        owner = controller_of(manifest)
        if owner is None or owner["kind"] != kind:
            return ()
        return (Request(manifest["metadata"].get("namespace", ""), owner["name"]),)

    return mapper


def controller_of(manifest: Manifest) -> Mapping[str, Any] | None:
    """Return the owner reference that has `controller: true`, or None.

    Source: k8s.io/apimachinery, meta/v1 GetControllerOf.
    """
    for reference in manifest["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            found: Mapping[str, Any] = reference
            return found
    return None


@dataclass(frozen=True, slots=True)
class Watched:
    """One kind that a controller caches and is woken by.

    Attributes:
        kind: Exactly, as code names kinds: `v1/Pod`, `apps/v1/ReplicaSet`. Also its cache's key.
        namespace: Only this one; None means all.
        requests: Which requests a changed object asks for. It is called with the object as it
            was and as it is, and with the caches of the controller (filled up to this change).
        labels: Only objects with these labels, as in `kubectl -l`.
        predicate: Which changes count: called with the object before (None when it is new) and
            after (None when it is gone). None: all.
        delay: Seconds that its requests wait, so that a burst of changes is one request.

    Source: controller-runtime, pkg/predicate, pkg/handler.
    """

    kind: str
    namespace: str | None = None
    requests: RequestMapper = own_request
    labels: str | None = None
    predicate: ChangePredicate | None = None
    delay: float = 0.0
