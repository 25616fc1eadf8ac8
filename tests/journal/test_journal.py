"""The journal: order, moments, kinds, and its canonical text."""

from __future__ import annotations

import json

from gitops_sim.clock import VirtualClock
from gitops_sim.journal import Journal
from gitops_sim.journal.facts import FaultEnded, FaultStarted, StepTaken, WebhookSent


def step(name: str) -> StepTaken:
    return StepTaken("job", name, "", 1.0)


def test_entries_are_in_order_of_their_recording_across_kinds() -> None:
    clock = VirtualClock(seed=1)
    journal = Journal(clock)
    for number in range(4):
        clock.run(float(number))
        journal.record(step(f"s{number}"))
        journal.record(WebhookSent("a", "b", f"e{number}"))
    found = journal.entries(WebhookSent, StepTaken, since=1, until=2)
    assert [(entry.seq, entry.time) for entry in found] == [(2, 1), (3, 1), (4, 2), (5, 2)]
    assert len(journal) == 8
    assert [fact.name for fact in journal.facts(StepTaken)] == ["s0", "s1", "s2", "s3"]
    assert len(journal.facts()) == 8
    assert journal.entries(FaultStarted, FaultEnded) == []
    assert [entry.seq for entry in journal.after(6)] == [6, 7]


def test_listeners_hear_each_fact_once() -> None:
    journal = Journal(VirtualClock(seed=1))
    heard: list[int] = []
    journal.record(step("before"))
    journal.subscribe(lambda entry: heard.append(entry.seq))
    journal.record(step("one"))
    journal.record(step("two"))
    assert heard == [1, 2]


def test_the_text_is_one_line_an_entry_and_equal_for_equal_histories() -> None:
    def written() -> bytes:
        journal = Journal(VirtualClock(seed=1))
        journal.record(WebhookSent("forge", "flux", "push"))
        journal.record(step("ü"))
        return journal.to_jsonl()

    first, second = written().decode().splitlines()
    assert json.loads(first) == {
        "seq": 0,
        "time": 0.0,
        "fact": "WebhookSent",
        "with": {"source": "forge", "target": "flux", "event": "push"},
    }
    assert json.loads(second)["with"]["name"] == "ü"
    assert written() == written()
