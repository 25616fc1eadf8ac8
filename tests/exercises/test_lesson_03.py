"""Lesson 03: what its checks say to answers that are neither right nor a known mistake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gitops_sim.errors import ExpiredError
from gitops_sim.exercises import CheckResult, installed_exercises
from gitops_sim.exercises.gate import script
from gitops_sim.lab import Lab

EXERCISES = installed_exercises()


@pytest.fixture(scope="module")
def lab() -> Lab:
    """The lab of the lesson; checks only look at it."""
    made: Lab = script(EXERCISES["E03.1"].folder / "setup.py", "setup")(7)
    return made


def told(lab: Lab, name: str, answer: Any) -> CheckResult:
    result = lab.check(name, answer=answer)
    assert not result.passed
    assert result.message == ""
    return result


@pytest.mark.parametrize("name", ["E03.2", "E03.3", "E03.4"])
def test_function_that_fails_is_told_where(lab: Lab, name: str) -> None:
    def broken(*_: object) -> Any:
        return [][1]

    assert "failed in line 2 of it: IndexError" in told(lab, name, broken).found


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (lambda *_: None, "returned None"),
        (lambda *_: 3, "returned 3"),
        (lambda *_: ["apply"], "returned ['apply']"),
        (lambda *_: [("make", ("Pod", "shop", "web"))], "asks for 'make'"),
        (lambda *_: [("delete", ("Pod", "shop", "web"))], "not there to delete"),
    ],
)
def test_list_of_something_else_is_told(lab: Lab, answer: Callable[..., Any], found: str) -> None:
    assert found in told(lab, "E03.2", answer).found


def test_learner_cannot_change_what_is_desired(lab: Lab) -> None:
    def empties(desired: dict[Any, Any], _: dict[Any, Any]) -> list[Any]:
        desired.clear()
        return []

    assert "is desired, and not there" in told(lab, "E03.2", empties).found


def test_follower_that_does_not_wait_is_told(lab: Lab) -> None:
    assert "instead of waiting" in told(lab, "E03.3", lambda *_: None).found


def test_follower_that_ends_is_told(lab: Lab) -> None:
    def once(*_: object) -> Any:
        yield

    assert "returned" in told(lab, "E03.3", once).found


def test_endless_increment_is_ended(lab: Lab) -> None:
    def endless(api: Any) -> None:
        while True:
            api.get("ConfigMap", "counter")

    assert told(lab, "E03.4", endless).found.endswith("`endless` does not end: it asked 50 times")


def test_increment_that_swallows_whatever_is_raised_is_ended(lab: Lab) -> None:
    def deaf(api: Any) -> None:
        while True:
            try:
                api.update(api.get("ConfigMap", "counter"))
            except Exception:
                continue

    assert "`deaf` does not end" in told(lab, "E03.4", deaf).found


def test_follower_that_asks_again_without_listing_is_ended(lab: Lab) -> None:
    def stubborn(api: Any, cache: Any) -> Any:
        objects, version = api.list()
        cache.update({found["metadata"]["name"]: found for found in objects})
        while True:
            try:
                for event in api.watch(since=version):
                    cache.pop(event.object["metadata"]["name"], None)
                    if event.type != "DELETED":
                        cache[event.object["metadata"]["name"]] = event.object
                    version = event.resource_version
            except ExpiredError:
                continue
            yield

    assert told(lab, "E03.3", stubborn).found == "`stubborn` does not end: it asked 50 times"


def test_function_that_the_learner_stops_is_told_of(lab: Lab) -> None:
    def waits_for_ever(desired: Any, actual: Any) -> Any:
        raise KeyboardInterrupt

    result = told(lab, "E03.2", waits_for_ever)
    assert "`waits_for_ever` does not end: it was stopped" in result.found


def test_kinds_may_be_written_in_small_letters_and_as_many(lab: Lab) -> None:
    assert lab.check("E03.1", answer={"pods": "replicasets", "replicaset": "deployment"})


def test_prediction_the_wrong_way_round_is_told_how_it_is_meant(lab: Lab) -> None:
    backwards = {"Deployment": "ReplicaSet", "ReplicaSet": "Pod"}
    assert "the owner on the right" in told(lab, "E03.1", backwards).look_here
    assert "Lamp" in told(lab, "E03.1", ["Pod"]).look_here


def test_increment_by_two_is_no_lost_update(lab: Lab) -> None:
    def twice(api: Any) -> None:
        for _ in range(2):
            count = api.get("ConfigMap", "counter")["data"]["count"]
            api.patch("ConfigMap", "counter", {"data": {"count": str(int(count) + 2)}})

    assert "the counter came to" in told(lab, "E03.4", twice).found


def test_prediction_before_the_deployment_is_sent_on() -> None:
    bare = Lab(seed=1)
    bare.cluster("demo").kubectl("create namespace shop")
    result = told(bare, "E03.1", {"Pod": "ReplicaSet"})
    assert "no Deployment" in result.found
    assert "predict, run it, then check" in result.look_here


def test_half_a_prediction_is_no_known_mistake(lab: Lab) -> None:
    assert told(lab, "E03.1", {"ReplicaSet": "Deployment"}).found.startswith("you say")


def test_orphans_that_a_node_takes_along_are_not_alive() -> None:
    """The fact is that the pods live, not that the right command was typed."""
    mine: Lab = script(EXERCISES["E03.5"].folder / "setup.py", "setup")(7)
    demo = mine.cluster("demo")
    demo.kubectl("delete deployment web -n shop --cascade=orphan")
    demo.delete("Pod", demo.list("Pod", "shop")[0]["metadata"]["name"], "shop")
    mine.run("1h")
    assert not mine.check("E03.5").passed
