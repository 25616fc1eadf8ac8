"""Exercises as data: `labs/NN-name/exercise.yaml`, read and checked.

One file holds the exercises of one lab, by name. All its texts are for learners; nothing in it is
run. The answers that it names (`setup.py`, `starter.py`, …) are run by the quality gate alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitops_sim.apimachinery.yaml_loader import load_all
from gitops_sim.errors import SpecError

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
    documents = load_all(file.read_bytes(), str(file))
    if len(documents) != 1:
        raise SpecError(str(file), 0, f"{len(documents)} documents", "write exactly one")
    exercises = _Reader(str(file)).mapping(documents[0].manifest, "exercises")
    return [_exercise(name, value, folder) for name, value in exercises.items()]


def _exercise(name: str, value: Any, folder: Path) -> Exercise:
    reader = _Reader(str(folder / FILE), f"exercises.{name}")
    reader.only(value, set(_TEXTS) | {"hints", "alternatives", "wrong"})
    texts = {key: reader.text(value, key) for key in _TEXTS}
    hints = reader.texts(value, "hints")
    if len(hints) != HINTS:
        raise reader.error("hints", f"{len(hints)} hints", f"write {HINTS}, the last one solves it")
    alternatives = reader.texts(value, "alternatives")
    if not alternatives:
        raise reader.error("alternatives", "there is none", "name one other right answer")
    wrong = {
        mistake: _wrong_answer(reader, mistake, answer)
        for mistake, answer in reader.mapping(value, "wrong").items()
    }
    exercise = Exercise(
        name, hints=hints, alternatives=alternatives, wrong=wrong, folder=folder, **texts
    )
    for script in exercise.scripts():
        if not (folder / script).is_file():
            raise reader.error("", f"there is no {script} in {folder.name}", "write it")
    return exercise


_TEXTS = ("title", "task", "setup", "starter", "solution")


def _wrong_answer(reader: _Reader, name: str, value: Any) -> WrongAnswer:
    inner = _Reader(reader.file, f"{reader.field}.wrong.{name}")
    inner.only(value, {"message", "example"})
    return WrongAnswer(name, inner.text(value, "message"), inner.text(value, "example"))


class _Reader:
    """Reads values of one mapping; errors name the file and the field."""

    def __init__(self, file: str, field: str = "") -> None:
        self.file = file
        self.field = field

    def error(self, key: str, problem: str, fix: str) -> SpecError:
        field = ".".join(part for part in (self.field, key) if part)
        return SpecError(self.file, 0, problem, fix, field)

    def only(self, value: Any, keys: set[str]) -> None:
        if not isinstance(value, dict):
            raise self.error("", "is no mapping", "write its keys below it")
        if unknown := sorted(set(value) - keys):
            raise self.error(unknown[0], "unknown key", f"known are {', '.join(sorted(keys))}")

    def text(self, value: Mapping[str, Any], key: str) -> str:
        text = value.get(key)
        if not isinstance(text, str) or not text.strip():
            raise self.error(key, "is no text", "write it")
        return text.strip()

    def texts(self, value: Mapping[str, Any], key: str) -> tuple[str, ...]:
        items = value.get(key)
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise self.error(key, "is no list of texts", "write a list")
        return tuple(item.strip() for item in items)

    def mapping(self, value: Any, key: str) -> Mapping[str, Any]:
        inner = value.get(key) if isinstance(value, dict) else None
        if not isinstance(inner, dict):
            raise self.error(key, "is no mapping", "write names and values")
        return inner
