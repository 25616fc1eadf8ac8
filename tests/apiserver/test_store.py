"""The store against a model that keeps a whole copy of the world for each revision."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apiserver import Kind, Store, StoreConflictError
from gitops_sim.errors import ExpiredError, RequestTimeoutError

MAPS = Kind("", "ConfigMap")
NAMES = st.sampled_from([("a", "x"), ("a", "y"), ("b", "x"), ("a-b", "x")])
VALUES = st.dictionaries(st.sampled_from("klm"), st.integers(0, 2) | st.booleans(), max_size=3)


def manifest(name: tuple[str, str], data: dict[str, Any]) -> dict[str, Any]:
    metadata = {"namespace": name[0], "name": name[1]}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


class Stored(RuleBasedStateMachine):
    """Puts, deletes and compactions; the model is `worlds`: revision -> everything."""

    def __init__(self) -> None:
        super().__init__()
        self.store = Store()
        self.worlds: dict[int, dict[tuple[str, str], Any]] = {1: {}}
        self.log: list[tuple[int, str]] = []

    @initialize()
    def begin(self) -> None:
        assert self.store.revision == 1

    @property
    def world(self) -> dict[tuple[str, str], Any]:
        return self.worlds[self.store.revision]

    @rule(name=NAMES, data=VALUES)
    def put(self, name: tuple[str, str], data: dict[str, Any]) -> None:
        before = dict(self.world)
        present = before.get(name)
        expected = present["metadata"]["resourceVersion"] if present else None
        stored = self.store.put(MAPS, manifest(name, fresh_copy(data)), expected=expected, time=0)
        assert stored["metadata"]["resourceVersion"] == str(self.store.revision)
        before[name] = fresh_copy(stored)
        self.worlds[self.store.revision] = before
        self.log.append((self.store.revision, name[1]))

    @rule(name=NAMES, expected=st.sampled_from(["0", "999999", None]))
    def a_put_that_expects_another_version_fails(
        self, name: tuple[str, str], expected: str | None
    ) -> None:
        if expected is None and name not in self.world:
            return
        revision = self.store.revision
        with pytest.raises(StoreConflictError):
            self.store.put(MAPS, manifest(name, {}), expected=expected, time=0)
        assert self.store.revision == revision

    @rule(name=NAMES)
    def delete(self, name: tuple[str, str]) -> None:
        before = dict(self.world)
        present = before.pop(name, None)
        gone = self.store.delete(MAPS, *name, time=0)
        assert (gone is None) == (present is None)
        if gone is not None:
            assert gone["metadata"]["resourceVersion"] == str(self.store.revision)
            assert gone["data"] == present["data"]
            self.worlds[self.store.revision] = before
            self.log.append((self.store.revision, name[1]))

    @rule(share=st.floats(0, 1))
    def compact(self, share: float) -> None:
        self.store.compact(1 + int((self.store.revision - 1) * share))

    @invariant()
    def the_present_is_the_model(self) -> None:
        names = sorted(self.world)
        assert self.store.objects(MAPS) == [self.world[name] for name in names]
        for namespace in ("a", "b", "a-b", "none"):
            inside = [self.world[name] for name in names if name[0] == namespace]
            assert self.store.objects(MAPS, namespace) == inside

    @invariant()
    def pages_together_are_the_present(self) -> None:
        for namespace in (None, "a", "b"):
            found, after, more = [], None, 1
            while more:
                page, more = self.store.page(MAPS, namespace, after=after, limit=2)
                assert len(page) == 2 or not more
                found += page
                if page:
                    after = (page[-1]["metadata"]["namespace"], page[-1]["metadata"]["name"])
            assert found == self.store.objects(MAPS, namespace)

    @invariant()
    def each_old_revision_reads_as_it_was(self) -> None:
        for revision, world in self.worlds.items():
            if revision < self.store.compacted:
                with pytest.raises(ExpiredError):
                    self.store.objects(MAPS, at=revision)
            else:
                assert self.store.objects(MAPS, at=revision) == [world[n] for n in sorted(world)]

    @invariant()
    def the_log_tells_every_change_once_from_anywhere(self) -> None:
        for since in {1, self.store.compacted, self.store.revision}:
            if since < self.store.compacted:
                with pytest.raises(ExpiredError):
                    self.store.changes(MAPS, since)
                continue
            told = [
                (change.revision, (change.after or change.before or {})["metadata"]["name"])
                for change in self.store.changes(MAPS, since)
            ]
            assert told == [entry for entry in self.log if entry[0] > since]

    @precondition(lambda self: self.store.revision > 1)
    @invariant()
    def the_future_cannot_be_read(self) -> None:
        with pytest.raises(RequestTimeoutError):
            self.store.objects(MAPS, at=self.store.revision + 1)


TestStored = Stored.TestCase


def test_a_new_version_shares_what_stayed_equal() -> None:
    store = Store()
    first = manifest(("a", "x"), {"k": 1}) | {"spec": {"deep": {"list": [1, {"two": 2}]}}}
    before = store.put(MAPS, first, expected=None, time=0)
    second = manifest(("a", "x"), {"k": 2}) | {"spec": {"deep": {"list": [1, {"two": 2}]}}}
    after = store.put(MAPS, second, expected=before["metadata"]["resourceVersion"], time=0)
    assert after["spec"] is before["spec"]
    assert (before["data"], after["data"]) == ({"k": 1}, {"k": 2})


def test_true_and_one_are_different_values() -> None:
    store = Store()
    before = store.put(MAPS, manifest(("a", "x"), {"k": True}), expected=None, time=0)
    version = before["metadata"]["resourceVersion"]
    after = store.put(MAPS, manifest(("a", "x"), {"k": 1}), expected=version, time=0)
    assert after["data"]["k"] is not True


def test_a_moment_finds_its_revision() -> None:
    store = Store()
    for number, time in enumerate((1.0, 1.0, 5.0)):
        store.put(MAPS, manifest(("a", f"n{number}"), {}), expected=None, time=time)
    assert [store.revision_at(t) for t in (0.5, 1.0, 4.9, 5.0, 99.0)] == [1, 3, 3, 4, 4]


def test_listeners_hear_of_their_kind_only() -> None:
    store, heard = Store(), []
    store.table(MAPS).listeners.append(lambda: heard.append("map"))
    store.put(Kind("", "Secret"), manifest(("a", "x"), {}), expected=None, time=0)
    store.put(MAPS, manifest(("a", "x"), {}), expected=None, time=0)
    store.delete(MAPS, "a", "x", time=0)
    assert heard == ["map", "map"]


@pytest.mark.parametrize("behind", [0, 1, 15, 16, 17, 40])
def test_changes_since_any_revision_are_those_after_it(behind: int) -> None:
    store = Store()
    for number in range(40):
        store.put(MAPS, manifest(("a", f"x-{number}"), {}), expected=None, time=0.0)
    since = store.revision - behind
    found = [change.revision for change in store.changes(MAPS, since)]
    assert found == list(range(since + 1, store.revision + 1))
