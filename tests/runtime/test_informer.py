from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gitops_sim.apimachinery.labels import from_set, parse_selector
from gitops_sim.apiserver import ApiServer, InProcessClient
from gitops_sim.clock import VirtualClock
from gitops_sim.errors import ApiError, UnavailableError
from gitops_sim.protocols import Watch
from gitops_sim.runtime import Informer, OwnCaches, Watched

KIND = "v1/ConfigMap"


def config_map(name: str, namespace: str = "default", **metadata: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace} | metadata
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def undrained(
    client: Any, wake: Callable[[Informer], None] = lambda _: None, **watched: Any
) -> Informer:
    return Informer(OwnCaches(client, VirtualClock()), Watched(KIND, **watched), wake)


def informer_on(client: Any, **watched: Any) -> Informer:
    informer = undrained(client, **watched)
    informer.drain()
    return informer


def names(informer: Informer) -> list[str]:
    return [manifest["metadata"]["name"] for manifest in informer.list()]


def test_the_first_drain_lists_what_is_there(person: InProcessClient) -> None:
    person.create(config_map("b"))
    person.create(config_map("a"))
    informer = undrained(person)
    changes = informer.drain()
    assert [(c.before, c.after and c.after["metadata"]["name"]) for c in changes] == [
        (None, "a"),
        (None, "b"),
    ]
    assert names(informer) == ["a", "b"]
    assert informer.drain() == []


def test_changes_tell_before_and_after(person: InProcessClient) -> None:
    person.create(config_map("a"))
    informer = informer_on(person)
    person.patch("cm", "a", {"data": {"x": "1"}})
    person.delete("cm", "a")
    update, delete = informer.drain()
    assert update.before is not None
    assert update.after is not None
    assert "data" not in update.before
    assert update.after["data"] == {"x": "1"}
    assert delete.after is None
    assert names(informer) == []


def test_a_write_wakes_once_until_it_is_drained(person: InProcessClient) -> None:
    woken: list[Informer] = []
    informer = undrained(person, woken.append)
    informer.drain()
    person.create(config_map("a"))
    person.create(config_map("b"))
    assert len(woken) == 1
    informer.drain()
    person.create(config_map("c"))
    assert len(woken) == 2


def test_a_read_sees_what_was_just_written_and_drain_still_tells_it(
    person: InProcessClient,
) -> None:
    informer = informer_on(person)
    person.create(config_map("a"))
    assert informer.get("a", "default") is not None
    assert informer.has_news
    assert len(informer.drain()) == 1
    assert not informer.has_news


def test_lists_are_by_namespace_and_labels(person: InProcessClient) -> None:
    person.create(config_map("a", labels={"app": "web", "tier": "1"}))
    person.create(config_map("b", labels={"app": "web"}))
    person.create(config_map("c", namespace="kube-system", labels={"app": "web"}))
    informer = informer_on(person)
    assert len(informer) == 3
    assert [m["metadata"]["name"] for m in informer.list("default")] == ["a", "b"]
    selected = informer.list("default", labels=from_set({"app": "web", "tier": "1"}))
    assert [m["metadata"]["name"] for m in selected] == ["a"]
    by_expression = informer.list(labels=parse_selector("app in (web),!tier"))
    assert [m["metadata"]["name"] for m in by_expression] == ["b", "c"]


def test_label_index_follows_changes_of_labels(person: InProcessClient) -> None:
    person.create(config_map("a", labels={"app": "web"}))
    informer = informer_on(person)
    web, api = from_set({"app": "web"}), from_set({"app": "api"})
    assert len(informer.list(labels=web)) == 1
    person.patch("cm", "a", {"metadata": {"labels": {"app": "api"}}})
    assert informer.list(labels=web) == []
    assert len(informer.list(labels=api)) == 1
    person.delete("cm", "a")
    assert informer.list(labels=api) == []


def test_objects_are_found_by_any_owner(person: InProcessClient) -> None:
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "u-1"}
    person.create(config_map("a", ownerReferences=[owner, owner | {"uid": "u-2"}]))
    informer = informer_on(person)
    assert [m["metadata"]["name"] for m in informer.by_owner("u-2")] == ["a"]
    assert informer.by_owner("u-3") == []


def test_an_index_of_ones_own_covers_what_is_cached_already(person: InProcessClient) -> None:
    person.create(config_map("a", annotations={"team": "x"}))
    informer = informer_on(person)
    informer.add_index("team", lambda m: (m["metadata"].get("annotations") or {}).values())
    person.create(config_map("b", annotations={"team": "x"}))
    assert [m["metadata"]["name"] for m in informer.by_index("team", "x")] == ["a", "b"]


def test_listeners_hear_the_present_objects_and_each_change(person: InProcessClient) -> None:
    person.create(config_map("a"))
    informer = informer_on(person)
    heard = []
    informer.on_change(lambda change: heard.append((change.before is None, change.after is None)))
    person.delete("cm", "a")
    informer.drain()
    assert heard == [(True, False), (False, True)]


def test_a_watch_that_expired_lists_again_and_misses_nothing(
    server: ApiServer, person: InProcessClient
) -> None:
    for name in ("stays", "goes", "changes"):
        person.create(config_map(name))
    informer = informer_on(person)
    person.delete("cm", "goes")
    person.patch("cm", "changes", {"data": {"x": "1"}})
    person.create(config_map("comes"))
    server.store.compact(server.store.revision)
    changes = informer.drain()
    told = [  # what is gone, then the rest by name
        (c.before and c.before["metadata"]["name"], c.after and c.after["metadata"]["name"])
        for c in changes
    ]
    assert told == [("goes", None), ("changes", "changes"), (None, "comes")]
    assert names(informer) == ["changes", "comes", "stays"]
    person.create(config_map("later"))
    assert len(informer.drain()) == 1


class AwayAtFirst:
    """A client whose API does not answer the first watch."""

    def __init__(self, client: InProcessClient) -> None:
        self.is_away = True
        self._client = client

    def watch(self, kind: str, namespace: str | None = None, **options: Any) -> Watch:
        if self.is_away:
            raise UnavailableError("the API is away")
        return self._client.watch(kind, namespace, **options)


def test_a_list_that_fails_is_tried_again(person: InProcessClient) -> None:
    person.create(config_map("a"))
    client = AwayAtFirst(person)
    informer = undrained(client)
    with pytest.raises(ApiError):
        informer.drain()
    assert informer.list() == []
    assert informer.has_news
    client.is_away = False
    assert len(informer.drain()) == 1


def test_only_watched_labels_and_namespace_are_cached(person: InProcessClient) -> None:
    person.create(config_map("a", labels={"app": "web"}))
    person.create(config_map("b"))
    person.create(config_map("c", namespace="kube-system", labels={"app": "web"}))
    informer = informer_on(person, namespace="default", labels="app=web")
    assert names(informer) == ["a"]
    person.patch("cm", "a", {"metadata": {"labels": {"app": None}}})
    assert names(informer) == []


def test_a_closed_informer_is_not_woken(person: InProcessClient) -> None:
    woken: list[Informer] = []
    informer = undrained(person, woken.append)
    informer.drain()
    informer.close()
    person.create(config_map("a"))
    assert not woken
