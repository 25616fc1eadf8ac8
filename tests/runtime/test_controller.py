from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import pytest

from gitops_sim.apiserver import ApiServer, InProcessClient
from gitops_sim.clock import Account, VirtualClock
from gitops_sim.errors import ConflictError, GitError, LabError, RevokedWriterError, TerminalError
from gitops_sim.journal import Journal
from gitops_sim.journal.facts import ReconcileDone
from gitops_sim.protocols import Cluster
from gitops_sim.runtime import Backoff, Caches, Controller, Request, Watched, owner_request
from gitops_sim.types import Result, Step

KIND = "v1/ConfigMap"


def config_map(name: str, **metadata: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default"} | metadata
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


class Bench:
    """Builds controllers and notes what their reconcilers are asked."""

    def __init__(self, clock: VirtualClock, journal: Journal, server: ApiServer) -> None:
        self.clock, self.journal, self.server = clock, journal, server
        self.asked: list[tuple[float, str]] = []
        self.clients = 0

    def client(self, **cost: Any) -> InProcessClient:
        self.clients += 1
        account = Account(self.clock, "controller", **cost)
        return InProcessClient(self.server, "controller", account=account)

    def controller(
        self,
        act: Callable[[Cluster, Caches, Request], Any],
        watched: tuple[Watched, ...] = (Watched(KIND),),
        cost: dict[str, Any] | None = None,
        **options: Any,
    ) -> Controller:
        def make_reconcile(client: Cluster, caches: Caches) -> Any:
            def reconcile(request: Request) -> Any:
                self.asked.append((self.clock.now(), request.name))
                return act(client, caches, request)

            return reconcile

        make_client = lambda: self.client(**(cost or {}))  # noqa: E731
        return Controller(
            "copier", self.clock, self.journal, make_client, make_reconcile, watched, **options
        )

    def done(self) -> list[tuple[str, str]]:
        return [(fact.subject, fact.status) for fact in self.journal.facts(ReconcileDone)]


@pytest.fixture
def bench(clock: VirtualClock, journal: Journal, server: ApiServer) -> Bench:
    return Bench(clock, journal, server)


def nothing(client: Cluster, caches: Caches, request: Request) -> None:
    return None


def copy(client: Cluster, caches: Caches, request: Request) -> Generator[Any, Any, None]:
    if request.name.startswith("copy-") or caches[KIND].get(f"copy-{request.name}", "default"):
        return
    yield Step("create copy", takes=1.0, subject=request.name)
    client.create(config_map(f"copy-{request.name}"))


def test_present_objects_and_changes_are_reconciled(
    bench: Bench, person: InProcessClient, clock: VirtualClock
) -> None:
    person.create(config_map("a"))
    bench.controller(nothing).start()
    clock.run(1)
    person.patch("cm", "a", {"data": {"x": "1"}})
    person.patch("cm", "a", {"data": {"x": "2"}})
    clock.run(2)
    assert [name for _, name in bench.asked] == ["a", "a"]


def test_a_step_takes_its_time_and_the_write_comes_after_it(
    bench: Bench, person: InProcessClient, clock: VirtualClock
) -> None:
    person.create(config_map("a"))
    bench.controller(copy).start()
    clock.run(0.5)
    assert len(person.list("cm", "default")) == 1
    clock.run(1.0)
    assert len(person.list("cm", "default")) == 2


def test_only_reconciles_that_wrote_or_failed_are_told(
    bench: Bench, person: InProcessClient, clock: VirtualClock
) -> None:
    person.create(config_map("a"))
    bench.controller(copy).start()
    clock.run(10)
    assert len(bench.asked) == 2
    assert bench.done() == [("ConfigMap/default/a", "success")]


def test_an_idle_controller_costs_no_events(
    bench: Bench, person: InProcessClient, clock: VirtualClock
) -> None:
    person.create(config_map("a"))
    bench.controller(copy).start()
    clock.run(10)
    before = clock.events
    clock.run(86_400)
    assert clock.events == before


def test_a_result_comes_back_when_it_says(
    bench: Bench, person: InProcessClient, clock: VirtualClock
) -> None:
    person.create(config_map("a"))
    bench.controller(lambda *_: Result(30)).start()
    clock.run(70)
    assert bench.asked == [(0, "a"), (30, "a"), (60, "a")]


def test_errors_come_back_with_backoff_and_success_resets_it(
    bench: Bench, person: InProcessClient, clock: VirtualClock
) -> None:
    failing = {"still": True}

    def act(client: Cluster, caches: Caches, request: Request) -> None:
        if failing["still"]:
            raise GitError("remote hung up")

    person.create(config_map("a"))
    controller = bench.controller(act, backoff=Backoff(1.0, 60.0))
    controller.start()
    clock.run(8)
    assert [time for time, _ in bench.asked] == [0, 1, 3, 7]
    assert controller.errors == {Request("default", "a"): "remote hung up"}
    assert bench.done()[0] == ("ConfigMap/default/a", "error")
    failing["still"] = False
    clock.run(15)
    assert controller.errors == {}
    failing["still"] = True
    person.patch("cm", "a", {"data": {"x": "1"}})
    clock.run(16.5)
    assert [time for time, _ in bench.asked][-2:] == [15, 16]


def test_a_conflict_is_told_as_one(
    bench: Bench, person: InProcessClient, clock: VirtualClock
) -> None:
    def act(client: Cluster, caches: Caches, request: Request) -> None:
        if len(bench.asked) == 1:
            raise ConflictError("someone was faster")

    person.create(config_map("a"))
    bench.controller(act).start()
    clock.run(1)
    assert bench.done() == [("ConfigMap/default/a", "conflict")]
    assert len(bench.asked) == 2


def test_a_terminal_error_waits_for_a_change(
    bench: Bench, person: InProcessClient, clock: VirtualClock
) -> None:
    def act(client: Cluster, caches: Caches, request: Request) -> None:
        raise TerminalError("spec is wrong")

    person.create(config_map("a"))
    bench.controller(act).start()
    clock.run(3600)
    assert len(bench.asked) == 1
    person.patch("cm", "a", {"data": {"x": "1"}})
    clock.run(3700)
    assert len(bench.asked) == 2


def test_a_bug_in_a_reconciler_is_not_swallowed(
    bench: Bench, person: InProcessClient, clock: VirtualClock
) -> None:
    def act(client: Cluster, caches: Caches, request: Request) -> None:
        raise ZeroDivisionError

    person.create(config_map("a"))
    bench.controller(act).start()
    with pytest.raises(ZeroDivisionError):
        clock.run(1)


def test_a_kill_in_the_middle_leaves_the_write_undone_and_a_start_does_it(
    bench: Bench, person: InProcessClient, clock: VirtualClock
) -> None:
    person.create(config_map("a"))
    controller = bench.controller(copy)
    controller.start()
    clock.run(0.5)
    controller.kill()
    assert not controller.alive
    clock.run(10)
    assert len(person.list("cm", "default")) == 1
    controller.start()
    clock.run(20)
    assert len(person.list("cm", "default")) == 2
    assert bench.clients == 2


def test_nothing_is_remembered_over_a_kill(
    bench: Bench, person: InProcessClient, clock: VirtualClock
) -> None:
    person.create(config_map("a"))
    controller = bench.controller(lambda *_: Result(30))
    controller.start()
    clock.run(10)
    controller.kill()
    controller.enqueue(Request("default", "a"))
    clock.run(100)
    assert len(bench.asked) == 1


def test_a_client_that_outlives_its_controller_may_read_and_not_write(
    bench: Bench, person: InProcessClient, clock: VirtualClock
) -> None:
    kept: list[Cluster] = []

    def act(client: Cluster, caches: Caches, request: Request) -> None:
        kept.append(client)

    person.create(config_map("a"))
    controller = bench.controller(act)
    controller.start()
    clock.run(1)
    controller.kill()
    client = kept[0]
    assert client.get("cm", "a")["metadata"]["name"] == "a"
    for write in (
        lambda: client.create(config_map("b")),
        lambda: client.update(config_map("a")),
        lambda: client.patch("cm", "a", {"data": {"x": "1"}}),
        lambda: client.apply(config_map("a"), field_manager="m"),
        lambda: client.delete("cm", "a"),
    ):
        with pytest.raises(RevokedWriterError):
            write()
    assert len(person.list("cm", "default")) == 1


def test_requests_are_paid_for_before_anything_else_happens(
    bench: Bench, person: InProcessClient, clock: VirtualClock
) -> None:
    def act(client: Cluster, caches: Caches, request: Request) -> None:
        client.get("cm", request.name, "default")

    person.create(config_map("a"))
    person.create(config_map("b"))
    bench.controller(act, cost={"latency": 0.5}).start()
    clock.run(10)
    # The list by which the cache was filled is a request too.
    assert [time for time, _ in bench.asked] == [0, 1.0]


def test_several_workers_work_at_once_but_never_on_one_name(
    bench: Bench, person: InProcessClient, clock: VirtualClock
) -> None:
    running: list[str] = []
    most = {"at once": 0}

    def act(client: Cluster, caches: Caches, request: Request) -> Generator[Any, Any, None]:
        assert request.name not in running
        running.append(request.name)
        most["at once"] = max(most["at once"], len(running))
        yield Step("think", takes=10)
        running.remove(request.name)

    for name in ("a", "b", "c", "d"):
        person.create(config_map(name))
    bench.controller(act, workers=3).start()
    clock.run(5)
    person.patch("cm", "a", {"data": {"x": "1"}})
    clock.run(60)
    assert most["at once"] == 3
    assert [name for _, name in bench.asked].count("a") == 2


def test_changes_of_owned_objects_ask_for_the_owner(
    bench: Bench, person: InProcessClient, clock: VirtualClock
) -> None:
    watched = (
        Watched("v1/Secret"),
        Watched(KIND, requests=owner_request("Secret")),
    )
    owner = {
        "apiVersion": "v1",
        "kind": "Secret",
        "name": "web",
        "uid": "u",
        "controller": True,
    }
    bench.controller(nothing, watched).start()
    person.create(config_map("owned", ownerReferences=[owner]))
    person.create(config_map("other"))
    clock.run(1)
    assert [name for _, name in bench.asked] == ["web"]
    person.patch("cm", "owned", {"metadata": {"ownerReferences": None}})
    clock.run(2)
    assert [name for _, name in bench.asked] == ["web", "web"]  # by the object as it was


def test_a_kind_that_is_not_served_yet_is_waited_for(
    bench: Bench, person: InProcessClient, clock: VirtualClock
) -> None:
    watched = (Watched("example.com/v1/Toy"), Watched(KIND))
    bench.controller(nothing, watched).start()
    clock.run(5)
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    person.create(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "toys.example.com"},
            "spec": {
                "group": "example.com",
                "names": {"plural": "toys", "kind": "Toy", "listKind": "ToyList"},
                "scope": "Namespaced",
                "versions": [
                    {
                        "name": "v1",
                        "served": True,
                        "storage": True,
                        "schema": {"openAPIV3Schema": schema},
                    }
                ],
            },
        }
    )
    toy = {"apiVersion": "example.com/v1", "kind": "Toy"}
    person.create(toy | {"metadata": {"name": "t", "namespace": "default"}})
    clock.run(60)
    assert [name for _, name in bench.asked] == ["t"]


def test_watching_a_kind_twice_is_refused(bench: Bench) -> None:
    with pytest.raises(LabError, match="watches a kind twice"):
        bench.controller(nothing, (Watched(KIND), Watched(KIND, namespace="default")))


def test_start_twice_and_kill_twice_change_nothing(
    bench: Bench, person: InProcessClient, clock: VirtualClock
) -> None:
    controller = bench.controller(nothing)
    controller.start()
    controller.start()
    assert bench.clients == 1
    controller.kill()
    controller.kill()
    assert not controller.alive


def test_what_does_not_count_is_cached_and_asks_for_nothing(
    bench: Bench, person: InProcessClient, clock: VirtualClock
) -> None:
    watched = (Watched(KIND, predicate=lambda before, after: before is None),)
    bench.controller(nothing, watched).start()
    person.create(config_map("a"))
    clock.run(1)
    person.patch("cm", "a", {"data": {"x": "1"}})
    clock.run(2)
    assert len(bench.asked) == 1
