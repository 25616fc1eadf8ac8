"""`check` and `hint` on a lab: what they remember, and that they only look."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gitops_sim.clock import Door, VirtualClock
from gitops_sim.exercises import CHECKS, Checks, LabView, installed_exercises
from gitops_sim.exercises.gate import SEEDS, problems, script
from gitops_sim.forge import Forge
from gitops_sim.journal import Journal
from gitops_sim.lab import Lab
from gitops_sim.render import Renderer

EXERCISES = installed_exercises()


@pytest.fixture
def empty() -> Checks:
    """The checks of a lab in which nothing has been made."""
    clock = VirtualClock(1)
    journal = Journal(clock)
    return Checks(LabView(clock, journal, Forge(clock, journal, Door(clock)), {}, Renderer()))


@pytest.fixture(params=EXERCISES)
def name(request: pytest.FixtureRequest) -> Iterator[str]:
    return request.param


def prepared(name: str, answer: str = "") -> Lab:
    """Return the lab of an exercise, with one of its answers given."""
    exercise = EXERCISES[name]
    lab: Lab = script(exercise.folder / exercise.setup, "setup")(5)
    if answer:
        script(exercise.folder / answer, "answer")(lab)
    return lab


def test_exercise_judges_rightly(name: str, *, all_histories: bool) -> None:
    """Starter fails, right answers pass, wrong ones are told their own message."""
    assert list(problems(EXERCISES[name], seeds=SEEDS if all_histories else SEEDS[:1])) == []


def test_worked_solution_is_one(name: str) -> None:
    """The code that the last hint shows passes when a learner types it."""
    lab = prepared(name)
    code = EXERCISES[name].hints[-1].partition("```python\n")[2].partition("```")[0]
    names: dict[str, object] = {"lab": lab}
    names |= {repository.name: repository for repository in lab.forge.repositories}
    names |= lab._handles
    exec(code, names)
    assert lab._checks.progress[name].passed_at is not None, "its last line is the check"


def test_check_changes_nothing(name: str) -> None:
    lab = prepared(name)
    before = (lab.journal.to_jsonl(), lab._door.to_jsonl(), lab.clock.events)
    assert lab.check(name) == lab.check(name)
    lab.check(name).hint()
    assert (lab.journal.to_jsonl(), lab._door.to_jsonl(), lab.clock.events) == before


@pytest.mark.parametrize("name", CHECKS)
def test_empty_lab_is_told_what_it_lacks_and_nothing_is_raised(name: str, empty: Checks) -> None:
    result = empty.check(name)
    assert not result.passed
    assert result.found.startswith(("this lab has no ", "no function"))
    assert result.look_here


def test_unknown_exercise_lists_those_there_are(empty: Checks) -> None:
    result = empty.check("E99.9")
    assert not result.passed
    assert "E00.1" in result.expected
    assert result.hint() is None
    assert repr(result).splitlines()[0] == "No such exercise: E99.9"
    assert "hint" not in repr(result), "there is none"


def test_name_may_be_written_in_small_letters(empty: Checks) -> None:
    assert empty.check(" e00.1").exercise == "E00.1"


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("replicas: 1", "replicas: three", "Flux says: Deployment/shop/cart dry-run failed"),
        ("kind: Deployment", "kind: Deploymnt", 'no matches for kind "Deploymnt"'),
        ("spec:\n  replicas", "specs:\n  replicas", "Flux says: Deployment/shop/cart"),
    ],
)
def test_slips_in_a_manifest_are_told_in_the_words_of_flux(
    before: str, after: str, found: str
) -> None:
    lab = prepared("E00.1")
    shop = lab.forge.repository("shop")
    cart = shop.read("base/cart.yaml")
    assert before in cart
    shop.commit({"base/cart.yaml": cart.replace(before, after)}, "Slip")
    lab.run("5m")
    assert found in lab.check("E00.1").found


def test_a_check_that_cannot_read_a_lab_says_so(empty: Checks) -> None:
    """Whatever is in a lab, a learner gets a result."""
    unreadable = Checks(LabView(VirtualClock(1), None, None, {}, None))  # type: ignore[arg-type]
    result = unreadable.check("E01.3")
    assert "the check cannot read it: AttributeError" in result.found


def test_hints_climb_and_stay_on_the_last(empty: Checks) -> None:
    result = empty.check("E00.1")
    steps = [hint.step for _ in range(6) if (hint := result.hint())]
    assert steps == [1, 2, 3, 4, 4, 4]
    again = empty.check("E00.1").hint()
    assert again
    assert again.text == EXERCISES["E00.1"].hints[-1]


def test_progress_counts_attempts_until_the_first_pass() -> None:
    lab = prepared("E00.1")
    checks = lab._checks
    checks.check("E00.1")
    checks.check("E00.1").hint()
    script(EXERCISES["E00.1"].folder / "solution.py", "answer")(lab)
    passed_at = lab.clock.now()
    checks.check("E00.1")
    lab.run("1m")
    checks.check("E00.1")
    progress = checks.progress["E00.1"]
    assert (progress.attempts, progress.hints, progress.passed_at) == (3, 1, passed_at)


def test_wrong_answer_has_its_message_before_any_hint() -> None:
    lab = prepared("E00.1", "wrong_by_hand.py")
    result = lab.check("E00.1")
    assert result.message == EXERCISES["E00.1"].wrong["by-hand"].message
    assert "What happened" in repr(result)
