"""Exercises as data: `labs/NN-name/exercise.yaml`, read and checked.

One file holds the exercises of one lab, by name. All its texts are for learners; nothing in it is
run. The answers that it names (`setup.py`, `starter.py`, …) are run by the quality gate alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gitops_sim.errors import SpecError
from gitops_sim.push.workflow_yaml import Entry, read

__all__ = ["FILE", "Exercise", "WrongAnswer", "read_catalogue", "read_lab"]

FILE = "exercise.yaml"
HINTS = 4


@dataclass(frozen=True, slots=True)
class WrongAnswer:
    """A mistake that a check recognises: what it is told, and the script that makes it."""

    name: str
    message: str
    example: str


@dataclass(frozen=True, slots=True)
class Exercise:
    """One exercise.

    Attributes:
        name: `E00.1`.
        title: A few words.
        task: What is asked, in Markdown.
        hints: Four steps, in Markdown: a nudge, where to look, the idea, a worked solution.
        wrong: Known mistakes by name.
        folder: Where its scripts are.
        setup: The script that makes the lab it starts from.
        starter: The script that does what a learner is given: nothing yet.
        solution: The reference.
        alternatives: Scripts of other right answers.
    """

    name: str
    title: str
    task: str
    hints: tuple[str, ...]
    wrong: Mapping[str, WrongAnswer]
    folder: Path
    setup: str
    starter: str
    solution: str
    alternatives: tuple[str, ...]

    def scripts(self) -> tuple[str, ...]:
        """Return the names of all scripts that it needs."""
        examples = (answer.example for answer in self.wrong.values())
        return (self.setup, self.starter, self.solution, *self.alternatives, *examples)


def read_catalogue(labs: Path) -> dict[str, Exercise]:
    """Return all exercises below a folder of labs, by name.

    Raises:
        SpecError: A file is wrong, or two exercises share a name.
    """
    found: dict[str, Exercise] = {}
    for file in sorted(labs.glob(f"*/{FILE}")):
        for exercise in read_lab(file.parent):
            if exercise.name in found:
                raise SpecError(
                    str(file), 0, f"{exercise.name} is in {found[exercise.name].folder.name} too"
                )
            found[exercise.name] = exercise
    return found


def read_lab(folder: Path) -> list[Exercise]:
    """Return the exercises of one lab.

    Raises:
        SpecError: Its file is missing or wrong.
    """
    file = folder / FILE
    if not file.is_file():
        raise SpecError(str(file), 0, "there is no such file", "name a folder of labs/")
    top = read(file.read_bytes(), str(file))
    exercises = _part(top, "exercises", {"exercises"}).mapping()
    return [_exercise(name, entry, folder) for name, entry in exercises.items()]


_TEXTS = ("title", "task", "setup", "starter", "solution")
_KEYS = {*_TEXTS, "hints", "alternatives", "wrong"}


def _exercise(name: str, entry: Entry, folder: Path) -> Exercise:
    texts = {key: _text(entry, key, _KEYS) for key in _TEXTS}
    hints = _part(entry, "hints", _KEYS)
    if len(hints.items()) != HINTS:
        raise hints.refuse(f"{len(hints.items())} hints", f"write {HINTS}, the last one solves it")
    others = _part(entry, "alternatives", _KEYS)
    if not others.items():
        raise others.refuse("there is none", "name the script of one other right answer")
    wrong = {
        mistake: WrongAnswer(
            mistake,
            _text(answer, "message", {"message", "example"}),
            _text(answer, "example", {"message", "example"}),
        )
        for mistake, answer in _part(entry, "wrong", _KEYS).mapping().items()
    }
    exercise = Exercise(
        name,
        hints=tuple(hint.strip() for hint in hints.texts()),
        alternatives=tuple(others.texts()),
        wrong=wrong,
        folder=folder,
        **texts,
    )
    for script in exercise.scripts():
        if not (folder / script).is_file():
            raise entry.refuse(f"there is no {script} in {folder.name}", "write it")
    return exercise


def _part(entry: Entry, key: str, known: set[str]) -> Entry:
    """Return a member that must be there."""
    members = entry.mapping(known)
    if key not in members:
        raise entry.refuse(f"{key} is missing", f"write `{key}:` below it")
    return members[key]


def _text(entry: Entry, key: str, known: set[str]) -> str:
    part = _part(entry, key, known)
    text = part.text().strip()
    if not text:
        raise part.refuse(f"{key} is empty", "write it")
    return text
