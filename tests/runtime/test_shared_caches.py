from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from gitops_sim.apiserver import InProcessClient
from gitops_sim.clock import VirtualClock
from gitops_sim.errors import ApiError, UnavailableError
from gitops_sim.protocols import Watch
from gitops_sim.runtime import Informer, Listener, Reflector, SharedCaches, Watched
from gitops_sim.runtime.object_cache import CacheChange
from gitops_sim.types import Manifest

KIND = "v1/ConfigMap"


class Counting:
    """A client that counts its watches."""

    def __init__(self, client: InProcessClient) -> None:
        self.watches = 0
        self._client = client

    def watch(self, kind: str, namespace: str | None = None, **options: Any) -> Watch:
        self.watches += 1
        return self._client.watch(kind, namespace, **options)


class Way:
    """The way of one component to shared caches, which can be cut."""

    def __init__(self, caches: SharedCaches) -> None:
        self.later = caches.later
        self.delivers = True
        self.refuses = False
        self.lists = 0
        self.listeners: list[Listener] = []
        self._caches = caches

    def reflector(self, watched: Watched) -> Reflector:
        return self._caches.reflector(watched)

    def admit_list(self) -> None:
        if self.refuses:
            raise UnavailableError("the API is away")
        self.lists += 1

    def join(self, listener: Listener) -> None:
        self.listeners.append(listener)

    def leave(self, listener: Listener) -> None:
        self.listeners.remove(listener)


def config_map(name: str, value: str = "", **metadata: Any) -> Manifest:
    metadata = {"name": name, "namespace": "default"} | metadata
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    return manifest | {"data": {"value": value}}


@pytest.fixture
def reader(person: InProcessClient) -> Counting:
    return Counting(person)


@pytest.fixture
def caches(reader: Counting, clock: VirtualClock) -> SharedCaches:
    return SharedCaches(reader, clock)  # type: ignore[arg-type]


def informer_by(way: Way, **watched: Any) -> Informer:
    informer = Informer(way, Watched(KIND, **watched), lambda _: None)
    informer.drain()
    return informer


def told(changes: Sequence[CacheChange]) -> list[tuple[str, str]]:
    return [(value(change.before), value(change.after)) for change in changes]


def value(manifest: Manifest | None) -> str:
    return (
        "-" if manifest is None else f"{manifest['metadata']['name']}={manifest['data']['value']}"
    )


def test_informers_of_one_kind_share_a_watch_and_each_has_all_news(
    caches: SharedCaches, reader: Counting, person: InProcessClient
) -> None:
    person.create(config_map("a", "1"))
    first, second = informer_by(Way(caches)), Informer(Way(caches), Watched(KIND), lambda _: None)
    person.create(config_map("b", "1"))
    assert told(second.drain()) == [("-", "a=1"), ("-", "b=1")]
    assert told(first.drain()) == [("-", "b=1")]
    assert first.get("b", "default") is second.get("b", "default")
    assert reader.watches == 1


def test_another_selection_has_a_cache_of_its_own(
    caches: SharedCaches, reader: Counting, person: InProcessClient
) -> None:
    person.create(config_map("a", labels={"app": "web"}))
    person.create(config_map("b"))
    everything, web = informer_by(Way(caches)), informer_by(Way(caches), labels="app=web")
    assert (len(everything), len(web), reader.watches) == (2, 1, 2)


def test_what_nobody_follows_any_more_is_not_watched(
    caches: SharedCaches, reader: Counting, person: InProcessClient
) -> None:
    informer = informer_by(Way(caches))
    informer.close()
    person.create(config_map("a", "1"))
    later = informer_by(Way(caches))
    assert value(later.get("a", "default")) == "a=1"
    assert reader.watches == 2


def test_who_pays_for_a_list_is_the_component(
    caches: SharedCaches, reader: Counting, person: InProcessClient
) -> None:
    informer_by(Way(caches))
    way = Way(caches)
    way.refuses = True
    informer = Informer(way, Watched(KIND), lambda _: None)
    with pytest.raises(ApiError):
        informer.drain()
    assert informer.has_news
    way.refuses = False
    informer.drain()
    assert way.lists == 1


def test_one_whose_news_are_held_back_sees_the_past_while_another_sees_the_present(
    caches: SharedCaches, person: InProcessClient
) -> None:
    for name in ("changes", "goes"):
        person.create(config_map(name, "1"))
    cut = Way(caches)
    stale, fresh = informer_by(cut), informer_by(Way(caches))
    for informer in (stale, fresh):
        informer.add_index("value", lambda manifest: (manifest["data"]["value"],))
    heard: list[CacheChange] = []
    stale.on_change(heard.append)
    heard.clear()
    cut.listeners[0].hold()
    person.patch("cm", "changes", {"data": {"value": "2"}})
    person.delete("cm", "goes")
    person.create(config_map("comes", "2"))
    assert [value(found) for found in fresh.list()] == ["changes=2", "comes=2"]
    assert [value(found) for found in stale.list()] == ["changes=1", "goes=1"]
    assert [value(found) for found in stale.by_index("value", "1")] == ["changes=1", "goes=1"]
    assert stale.drain() == []
    assert heard == []
    cut.listeners[0].release()
    assert [value(found) for found in stale.by_index("value", "2")] == ["changes=2", "comes=2"]
    news = [("changes=1", "changes=2"), ("goes=1", "-"), ("-", "comes=2")]
    assert told(stale.drain()) == news
    assert told(heard) == news


def test_one_that_begins_while_news_are_held_back_sees_what_is_there(
    caches: SharedCaches, person: InProcessClient
) -> None:
    person.create(config_map("a", "1"))
    cut = Way(caches)
    cut.delivers = False
    informer = informer_by(cut)
    person.create(config_map("b", "1"))
    assert [value(found) for found in informer.list()] == ["a=1"]
    cut.listeners[0].release()
    assert told(informer.drain()) == [("-", "b=1")]


def test_a_lost_watch_sees_the_past_until_the_list_is_answered_and_then_the_difference(
    caches: SharedCaches, person: InProcessClient
) -> None:
    person.create(config_map("changes", "1"))
    woken: list[Informer] = []
    way = Way(caches)
    informer = Informer(way, Watched(KIND), woken.append)
    informer.drain()
    way.refuses = True
    way.listeners[0].lose()
    assert woken == [informer]
    for number in ("2", "3"):
        person.patch("cm", "changes", {"data": {"value": number}})
    person.create(config_map("brief", "1"))
    person.delete("cm", "brief")
    with pytest.raises(ApiError):
        informer.drain()
    assert [value(found) for found in informer.list()] == ["changes=1"]
    way.refuses = False
    assert told(informer.drain()) == [("changes=1", "changes=3")]
    person.patch("cm", "changes", {"data": {"value": "4"}})
    assert told(informer.drain()) == [("changes=3", "changes=4")]


def test_an_index_is_shared_by_its_function_and_gone_with_its_last_user(
    caches: SharedCaches, person: InProcessClient
) -> None:
    asked: list[str] = []

    def by_value(manifest: Manifest) -> list[str]:
        asked.append(manifest["metadata"]["name"])
        return [manifest["data"]["value"]]

    first, second = informer_by(Way(caches)), informer_by(Way(caches))
    for informer in (first, second):
        informer.add_index("value", by_value)
    person.create(config_map("a", "1"))
    assert [value(found) for found in second.by_index("value", "1")] == ["a=1"]
    assert asked == ["a"]
    for informer in (first, second):
        informer.close()
    person.create(config_map("b", "1"))
    informer_by(Way(caches))
    assert asked == ["a"]


def test_calls_for_later_come_in_order_and_one_that_fails_keeps_no_other_back(
    caches: SharedCaches, clock: VirtualClock
) -> None:
    made: list[int] = []

    def fail() -> None:
        raise ZeroDivisionError

    for call in (lambda: made.append(1), fail, lambda: made.append(2)):
        caches.later(call)
    assert made == []
    with pytest.raises(ZeroDivisionError):
        clock.run(1)
    clock.run(1)
    assert made == [1, 2]
    caches.later(lambda: made.append(3))
    clock.run(1)
    assert made == [1, 2, 3]
