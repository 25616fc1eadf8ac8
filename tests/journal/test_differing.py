"""Where two histories part."""

from __future__ import annotations

from gitops_sim.clock import VirtualClock
from gitops_sim.journal import Journal, first_difference, in_words
from gitops_sim.journal.facts import Fact, FaultStarted, ReviewGiven, StepTaken


def history(*told: tuple[float, Fact]) -> Journal:
    clock = VirtualClock(seed=1)
    journal = Journal(clock)
    for time, fact in told:
        if time > clock.now():
            clock.run(time)
        journal.record(fact)
    return journal


A, B = FaultStarted("node down", "dev/node-1", "x"), FaultStarted("node down", "dev/node-2", "x")


def test_equal_histories_do_not_part() -> None:
    assert first_difference(history((1, A)), history((1, A)), until=10) is None
    assert first_difference(history((1, A), (20, B)), history((1, A)), until=10) is None


def test_histories_part_at_the_earlier_of_the_first_facts_that_differ() -> None:
    found = first_difference(history((1, A), (5, B)), history((1, A), (3, B)), until=10)
    assert found is not None
    assert found.time == 3
    assert found.here is not None
    assert found.here.time == 5


def test_one_history_may_go_on_alone() -> None:
    found = first_difference(history((1, A)), history((1, A), (3, B)), until=10)
    assert found is not None
    assert (found.time, found.here) == (3, None)
    assert found.there is not None
    assert found.there.fact == B


def test_steps_do_not_count() -> None:
    step = StepTaken("controller", "write", "Pod/shop/web", 0.1)
    assert first_difference(history((1, step), (2, A)), history((2, A)), until=10) is None


def test_a_fact_is_a_line_of_words() -> None:
    assert in_words(A) == "fault started: node down dev/node-1 x"
    review = ReviewGiven("shop", 3, "ann", "approve", "many\nwords " * 40)
    assert in_words(review).startswith("review given: shop 3 ann approve many words")
    assert in_words(review).endswith("…")
    assert "\n" not in in_words(review)
