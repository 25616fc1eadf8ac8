"""Watches: what they tell, from where, and when they expire."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.apiserver import ApiServer, InProcessClient, new_server
from gitops_sim.clock import VirtualClock
from gitops_sim.errors import ExpiredError
from gitops_sim.journal import Journal


def config_map(name: str, **labels: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default", "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def told(watch: Any) -> list[tuple[str, str]]:
    return [(event.type, event.object["metadata"]["name"]) for event in watch.drain()]


def test_without_a_version_it_begins_with_what_is_there(client: InProcessClient) -> None:
    client.create(config_map("a"))
    watch = client.watch("ConfigMap", "default")
    assert told(watch) == [("ADDED", "a")]
    client.create(config_map("b"))
    client.delete("ConfigMap", "a", "default")
    assert told(watch) == [("ADDED", "b"), ("DELETED", "a")]
    assert told(watch) == []


def test_from_a_version_it_tells_only_what_came_after(client: InProcessClient) -> None:
    client.create(config_map("a"))
    version = client.create(config_map("b"))["metadata"]["resourceVersion"]
    client.create(config_map("c"))
    assert told(client.watch("ConfigMap", since=version)) == [("ADDED", "c")]


def test_labels_that_begin_and_cease_to_match_are_added_and_deleted(
    client: InProcessClient,
) -> None:
    client.create(config_map("a", app="x"))
    watch = client.watch("ConfigMap", labels="app=y")
    client.patch("ConfigMap", "a", {"metadata": {"labels": {"app": "y"}}}, "default")
    client.patch("ConfigMap", "a", {"data": {"k": "1"}}, "default")
    client.patch("ConfigMap", "a", {"metadata": {"labels": {"app": "z"}}}, "default")
    client.patch("ConfigMap", "a", {"data": {"k": "2"}}, "default")
    events = watch.drain()
    assert [event.type for event in events] == ["ADDED", "MODIFIED", "DELETED"]
    assert events[-1].object["metadata"]["labels"] == {"app": "y"}, "as it was last selected"


def test_a_deletion_carries_the_version_of_the_deletion(
    client: InProcessClient, server: ApiServer
) -> None:
    client.create(config_map("a"))
    watch = client.watch("ConfigMap", "default")
    watch.drain()
    client.delete("ConfigMap", "a", "default")
    (event,) = watch.drain()
    assert event.object["metadata"]["resourceVersion"] == str(server.store.revision)


def test_a_compacted_log_expires_the_watch(client: InProcessClient, server: ApiServer) -> None:
    first = client.create(config_map("a"))["metadata"]["resourceVersion"]
    client.create(config_map("b"))
    server.store.compact(server.store.revision)
    with pytest.raises(ExpiredError, match="too old resource version"):
        client.watch("ConfigMap", since=first).drain()


def test_it_wakes_who_subscribed_until_it_is_closed(client: InProcessClient) -> None:
    wakes: list[int] = []
    watch = client.watch("ConfigMap", "default")
    watch.subscribe(lambda: wakes.append(1))
    client.create(config_map("a"))
    assert wakes == [1]
    watch.close()
    client.create(config_map("b"))
    assert wakes == [1]
    assert watch.drain() == []


STEPS = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from(["x", "y", ""]) | st.none(),
        st.booleans(),
    ),
    max_size=25,
)


@given(steps=STEPS, since_start=st.booleans())
def test_replaying_the_events_gives_what_a_list_gives(
    steps: list[tuple[str, str | None, bool]],
    since_start: bool,  # noqa: FBT001 - drawn by Hypothesis
) -> None:
    """Whatever happens, a client that follows the events knows the selected objects."""
    clock = VirtualClock(seed=1)
    client = InProcessClient(new_server(clock, Journal(clock)), "t")
    start = client.create(config_map("first"))["metadata"]["resourceVersion"]
    watch = client.watch("ConfigMap", since=start if since_start else None, labels="app=x")
    known: dict[str, Any] = {}
    for name, label, drains in steps:
        present = {m["metadata"]["name"] for m in client.list("ConfigMap", "default")}
        if label is None:
            if name in present:
                client.delete("ConfigMap", name, "default")
        elif name in present:
            body = {"metadata": {"labels": {"app": label}}}
            client.patch("ConfigMap", name, body, "default")
        else:
            client.create(config_map(name, app=label))
        for event in watch.drain() if drains else ():
            follow(known, event)
    for event in watch.drain():
        follow(known, event)
    listed = client.list("ConfigMap", "default", labels="app=x")
    assert known == {m["metadata"]["name"]: m for m in listed}


def follow(known: dict[str, Any], event: Any) -> None:
    name = event.object["metadata"]["name"]
    assert (name in known) == (event.type != "ADDED")
    if event.type == "DELETED":
        del known[name]
    else:
        known[name] = event.object
