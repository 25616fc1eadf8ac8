"""Exercises as data: what a lab's file must hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_sim.errors import SpecError
from gitops_sim.exercises import CHECKS, installed_exercises, read_catalogue, read_lab

SCRIPTS = ("setup.py", "starter.py", "solution.py", "other.py", "wrong.py")


def good() -> dict[str, Any]:
    return {
        "title": "A title",
        "task": "Do it.",
        "setup": "setup.py",
        "starter": "starter.py",
        "solution": "solution.py",
        "alternatives": ["other.py"],
        "hints": ["one", "two", "three", "four"],
        "wrong": {"by-hand": {"message": "Not so.", "example": "wrong.py"}},
    }


def write(labs: Path, exercise: Any, *, lab: str = "00-a", name: str = "E00.1") -> Path:
    folder = labs / lab
    folder.mkdir(parents=True, exist_ok=True)
    for script in SCRIPTS:
        (folder / script).write_text("")
    (folder / "exercise.yaml").write_text(yaml.safe_dump({"exercises": {name: exercise}}))
    return folder


def test_a_good_file_is_read(tmp_path: Path) -> None:
    exercise = read_lab(write(tmp_path, good()))[0]
    assert (exercise.name, exercise.title, exercise.task) == ("E00.1", "A title", "Do it.")
    assert exercise.hints == ("one", "two", "three", "four")
    assert exercise.wrong["by-hand"].message == "Not so."
    assert set(exercise.scripts()) == set(SCRIPTS)


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        ({"title": ""}, "exercises.E00.1.title", "title is empty"),
        ({"task": ["x"]}, "exercises.E00.1.task", "want text, not a list"),
        ({"hints": ["one"]}, "exercises.E00.1.hints", "1 hints"),
        ({"hints": "one"}, "exercises.E00.1.hints", "want a list"),
        ({"alternatives": []}, "exercises.E00.1.alternatives", "there is none"),
        ({"wrong": []}, "exercises.E00.1.wrong", "want a mapping"),
        ({"wrong": {"x": {"message": "y"}}}, "exercises.E00.1.wrong.x", "example is missing"),
        ({"points": 3}, "exercises.E00.1.points", "unexpected key"),
        ({"starter": "gone.py"}, "exercises.E00.1", "there is no gone.py"),
    ],
)
def test_a_wrong_file_is_told_with_line_and_field(
    tmp_path: Path, change: dict[str, Any], field: str, problem: str
) -> None:
    folder = write(tmp_path, good() | change)
    with pytest.raises(SpecError, match=problem) as raised:
        read_lab(folder)
    assert raised.value.field == field
    assert raised.value.line
    assert raised.value.file.endswith("exercise.yaml")


@pytest.mark.parametrize("text", ["", "[]", "exercises: 3", "a: 1\n---\nb: 2\n"])
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    folder = write(tmp_path, good())
    (folder / "exercise.yaml").write_text(text)
    with pytest.raises(SpecError):
        read_lab(folder)


def test_a_folder_without_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no such file"):
        read_lab(tmp_path)


def test_two_labs_with_one_name_are_refused(tmp_path: Path) -> None:
    write(tmp_path, good())
    write(tmp_path, good(), lab="01-b")
    with pytest.raises(SpecError, match=r"E00\.1 is in 00-a too"):
        read_catalogue(tmp_path)


def test_every_exercise_of_the_course_has_a_judge_and_the_reverse() -> None:
    assert set(installed_exercises()) == set(CHECKS)


def test_texts_for_learners_are_calm() -> None:
    """Short sentences, no exclamation marks, no emoji."""
    for exercise in installed_exercises().values():
        messages = [answer.message for answer in exercise.wrong.values()]
        for text in (exercise.title, exercise.task, *exercise.hints, *messages):
            assert "!" not in text.replace("!=", "")
            assert not [c for c in text if ord(c) > 0x2FFF]
