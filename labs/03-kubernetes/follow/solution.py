"""The reference: after 410 Gone list again, and watch from the version of that list."""

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


def relist(api: Any, cache: dict[str, Any]) -> str:
    """Make the cache what the list is; return the version of the list."""
    objects, version = api.list()
    cache.clear()
    cache.update({found["metadata"]["name"]: found for found in objects})
    return str(version)


def follow(api: Any, cache: dict[str, Any]) -> Iterator[None]:
    """List, watch, and begin again when the server has forgotten."""
    version = relist(api, cache)
    while True:
        try:
            version = take_in(api.watch(since=version), cache, version)
        except ExpiredError:
            version = relist(api, cache)
        yield


def answer(lab: Lab) -> Callable[..., Iterator[None]]:
    """Hand in the function."""
    return follow
