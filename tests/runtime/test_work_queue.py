import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.clock import VirtualClock
from gitops_sim.runtime import Backoff, Request, WorkQueue

A, B = Request("shop", "a"), Request("shop", "b")


class Woken:
    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def queue(clock: VirtualClock) -> WorkQueue:
    return WorkQueue(clock, lambda: None, backoff=Backoff(0.005, 1000.0))


def test_requests_come_in_the_order_in_which_they_were_added(queue: WorkQueue) -> None:
    queue.add(B)
    queue.add(A)
    assert [queue.take(), queue.take(), queue.take()] == [B, A, None]


def test_a_queued_request_is_queued_once(queue: WorkQueue) -> None:
    queue.add(A)
    queue.add(A)
    assert len(queue) == 1


def test_what_is_added_while_worked_on_comes_again_when_that_is_done(queue: WorkQueue) -> None:
    queue.add(A)
    assert queue.take() == A
    queue.add(A)
    assert queue.take() is None
    queue.done(A)
    assert queue.take() == A
    queue.done(A)
    assert queue.take() is None


def test_whoever_waits_is_woken_when_something_is_ready(clock: VirtualClock) -> None:
    woken = Woken()
    queue = WorkQueue(clock, woken)
    queue.add(A)
    queue.add(A)
    queue.add_after(B, 5)
    assert woken.times == 1
    clock.run(5)
    assert woken.times == 2


def test_a_delayed_request_comes_when_it_is_due(clock: VirtualClock, queue: WorkQueue) -> None:
    queue.add_after(A, 10)
    clock.run(9.999)
    assert queue.take() is None
    clock.run(10)
    assert queue.take() == A


def test_the_earliest_of_several_promises_holds(clock: VirtualClock, queue: WorkQueue) -> None:
    queue.add_after(A, 10)
    queue.add_after(A, 3)
    queue.add_after(A, 20)
    clock.run(3)
    assert queue.take() == A
    queue.done(A)
    clock.run(100)
    assert queue.take() is None


def test_failures_wait_twice_as_long_each_time_up_to_the_cap(clock: VirtualClock) -> None:
    queue = WorkQueue(clock, lambda: None, backoff=Backoff(1.0, 5.0))
    waits = []
    for _ in range(5):
        began = clock.now()
        queue.add_rate_limited(A)
        clock.run_until(lambda: len(queue) > 0, timeout=60)
        waits.append(clock.now() - began)
        queue.done(queue.take() or A)
    assert waits == [1, 2, 4, 5, 5]
    assert queue.failures(A) == 5


def test_a_success_forgets_failures(queue: WorkQueue) -> None:
    queue.add_rate_limited(A)
    queue.forget(A)
    assert queue.failures(A) == 0


def test_a_closed_queue_takes_nothing_and_no_delay_survives(
    clock: VirtualClock, queue: WorkQueue
) -> None:
    queue.add(A)
    queue.add_after(B, 1)
    queue.close()
    queue.add(A)
    queue.add_after(A, 1)
    clock.run(10)
    assert queue.take() is None


def test_backoff_of_very_many_failures_is_the_cap() -> None:
    assert Backoff(0.005, 1000.0).delay(10_000) == 1000.0
    assert Backoff(0.0, 10.0).delay(3) == 0.0


@given(st.lists(st.tuples(st.sampled_from(["add", "take", "done"]), st.sampled_from([A, B]))))
def test_no_request_is_worked_on_twice_at_once_and_none_is_lost(
    actions: list[tuple[str, Request]],
) -> None:
    queue = WorkQueue(VirtualClock(), lambda: None)
    working: set[Request] = set()
    wanted: set[Request] = set()
    for action, request in actions:
        if action == "add":
            queue.add(request)
            wanted.add(request)
        elif action == "take":
            taken = queue.take()
            if taken is not None:
                assert taken not in working
                assert taken in wanted
                working.add(taken)
                wanted.discard(taken)
        elif request in working:
            queue.done(request)
            working.discard(request)
    for request in list(working):
        queue.done(request)
    rest = []
    while (taken := queue.take()) is not None:
        rest.append(taken)
        queue.done(taken)
    assert set(rest) == wanted


def test_by_priority_a_request_made_now_takes_the_place_of_a_delayed_one() -> None:
    clock = VirtualClock()
    queue = WorkQueue(clock, lambda: None, by_priority=True)
    request = Request("shop", "web")
    queue.add_after(request, 10.0)
    queue.add(request)
    assert queue.take() == request
    queue.done(request)
    clock.run(20.0)
    assert queue.take() is None
