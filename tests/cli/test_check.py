"""`gitops-sim check`: learners' labs are judged, and the exercises themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_sim.cli import main
from gitops_sim.exercises import installed_exercises
from gitops_sim.exercises.gate import script
from gitops_sim.lab import Lab

EXERCISE = installed_exercises()["E00.1"]


def saved(folder: Path, answer: str) -> str:
    """Save a learner's lab with an answer given; return the file's path."""
    lab: Lab = script(EXERCISE.folder / EXERCISE.setup, "setup")(4)
    script(EXERCISE.folder / answer, "answer")(lab)
    file = folder / "mine.lab"
    lab.save(file)
    return str(file)


def test_solved_lab_is_code_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", saved(tmp_path, "solution.py"), "--exercise", "E00.1"]) == 0
    assert "Passed: E00.1" in capsys.readouterr().out


def test_unsolved_lab_is_code_1_and_told_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", saved(tmp_path, "wrong_by_hand.py"), "--exercise", "E00.1"]) == 1
    shown = capsys.readouterr().out
    assert "Not yet: E00.1" in shown
    assert "You scaled `cart` in the cluster." in shown


def test_what_was_passed_before_counts_and_hints_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An answer that is a value is not in the file; that it was right is."""
    exercise = installed_exercises()["E03.1"]
    lab: Lab = script(exercise.folder / exercise.setup, "setup")(4)
    assert not lab.check("E03.1", answer={"Pod": "Deployment"})
    lab.check("E03.1").hint()
    assert lab.check("E03.1", answer={"Pod": "ReplicaSet", "ReplicaSet": "Deployment"})
    file = tmp_path / "mine.lab"
    lab.save(file)
    assert main(["check", str(file), "--exercise", "E03.1"]) == 0
    shown = capsys.readouterr().out
    assert "it passed at 09:01:0" in shown
    assert "attempts 3, hints 1" in shown
    assert Lab.load(file).check("E03.1").hint().step == 2  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["99-nothing"], "the course has 00-tour"),
        (["--exercise", "E99.1"], "no such exercise"),
    ],
)
def test_unknown_names_are_wrong_usage(
    words: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *words]) == 2
    assert problem in capsys.readouterr().err


def test_file_that_is_no_lab_is_wrong_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a lab")
    assert main(["check", str(file)]) == 2
    assert "no saved lab" in capsys.readouterr().err


@pytest.mark.all
def test_labs_of_the_course_pass_their_gate(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "00-tour"]) == 0
    assert capsys.readouterr().out == "ok      E00.1  Make it stay\n"
