"""A wrong answer: go on from the newest version."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gitops_sim import Lab
from gitops_sim.errors import ExpiredError


def take_in(events: Sequence[Any], cache: dict[str, Any], version: str) -> str:
    """Bring the cache up to date with events; return the version that it has seen."""
    for event in events:
        name = event.object["metadata"]["name"]
        if event.type == "DELETED":
            cache.pop(name, None)
        else:
            cache[name] = event.object
        version = event.resource_version
    return version


def follow(api: Any, cache: dict[str, Any]) -> Iterator[None]:
    """Take the version of the list, and not the list."""
    objects, version = api.list()
    cache.update({found["metadata"]["name"]: found for found in objects})
    while True:
        try:
            version = take_in(api.watch(since=version), cache, version)
        except ExpiredError:
            _, version = api.list()
        yield


def answer(lab: Lab) -> Callable[..., Iterator[None]]:
    """Hand in the function."""
    return follow
