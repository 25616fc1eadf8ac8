from __future__ import annotations

import pytest

from gitops_sim.apiserver import InProcessClient
from gitops_sim.clock import VirtualClock
from gitops_sim.runtime import EventRecorder
from gitops_sim.types import Manifest


@pytest.fixture
def subject(person: InProcessClient) -> Manifest:
    return person.create(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}}
    )


@pytest.fixture
def recorder(person: InProcessClient, clock: VirtualClock) -> EventRecorder:
    return EventRecorder(person, "copier", clock, host="node-1")


def told(person: InProcessClient) -> list[tuple[str, str, int]]:
    return [(e["reason"], e["message"], e["count"]) for e in person.list("events")]


def test_an_event_says_who_says_what_about_which_object(
    recorder: EventRecorder, subject: Manifest, person: InProcessClient
) -> None:
    recorder.event(subject, "Normal", "Copied", "all of it", field_path="data{x}")
    (event,) = person.list("events", "default")
    about = event["involvedObject"]
    assert (about["kind"], about["name"], about["uid"]) == (
        "ConfigMap",
        "a",
        subject["metadata"]["uid"],
    )
    assert about["fieldPath"] == "data{x}"
    assert event["source"] == {"component": "copier", "host": "node-1"}
    assert (event["type"], event["count"]) == ("Normal", 1)
    assert event["firstTimestamp"] == event["lastTimestamp"]
    assert event["metadata"]["name"].startswith("a.")


def test_the_same_event_is_counted(
    recorder: EventRecorder, subject: Manifest, person: InProcessClient, clock: VirtualClock
) -> None:
    recorder.event(subject, "Warning", "Failed", "no")
    clock.run(60)
    recorder.event(subject, "Warning", "Failed", "no")
    recorder.event(subject, "Warning", "Failed", "other")
    assert told(person) == [("Failed", "no", 2), ("Failed", "other", 1)]
    first = person.list("events")[0]
    assert first["firstTimestamp"] != first["lastTimestamp"]


def test_events_of_one_moment_are_listed_in_the_order_they_were_told(
    recorder: EventRecorder, subject: Manifest, person: InProcessClient
) -> None:
    for number in range(8):
        recorder.event(subject, "Normal", f"R{number}", "x")
    assert [reason for reason, _, _ in told(person)] == [f"R{n}" for n in range(8)]


def test_many_messages_for_one_reason_are_combined(
    recorder: EventRecorder, subject: Manifest, person: InProcessClient
) -> None:
    for number in range(12):
        recorder.event(subject, "Normal", "Scaled", f"to {number}")
    assert told(person)[-1] == ("Scaled", "(combined from similar events): to 11", 3)
    assert len(told(person)) == 10


def test_a_flood_about_one_object_is_cut_off_and_lets_others_through(
    recorder: EventRecorder, subject: Manifest, person: InProcessClient, clock: VirtualClock
) -> None:
    for _ in range(40):
        recorder.event(subject, "Normal", "Same", "x")
    assert told(person) == [("Same", "x", 25)]
    clock.run(300)
    recorder.event(subject, "Normal", "Same", "x")
    recorder.event(subject, "Normal", "Same", "x")
    assert told(person) == [("Same", "x", 26)]


def test_an_event_that_was_deleted_is_written_anew(
    recorder: EventRecorder, subject: Manifest, person: InProcessClient
) -> None:
    recorder.event(subject, "Normal", "Same", "x")
    person.delete("events", person.list("events")[0]["metadata"]["name"])
    recorder.event(subject, "Normal", "Same", "x")
    assert told(person) == [("Same", "x", 1)]


def test_an_event_about_a_namespace_lies_in_default(
    recorder: EventRecorder, person: InProcessClient
) -> None:
    recorder.event(person.get("ns", "kube-system"), "Normal", "Seen", "x")
    assert person.list("events")[0]["metadata"]["namespace"] == "default"


def test_events_in_a_namespace_that_is_going_away_are_dropped(
    recorder: EventRecorder, person: InProcessClient
) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    person.create(namespace)
    about = {"name": "b", "namespace": "shop"}
    subject = person.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": about})
    person.delete("ns", "shop")
    recorder.event(subject, "Normal", "Seen", "x")
    assert person.list("events", "shop") == []
