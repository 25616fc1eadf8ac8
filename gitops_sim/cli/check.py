"""`gitops-sim check [LAB]`: are exercises solved, or do they judge rightly?

A saved lab (`lab.save`) is a learner's: its exercises are judged on it, with how many attempts and
hints they took. The name of a lab of the
course, or nothing for all, runs the quality gate: the starter fails, every right answer passes,
every known wrong answer is told its own message, on several seeds.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from gitops_sim.cli.progress import Progress
from gitops_sim.errors import InputError
from gitops_sim.exercises import Exercise, installed_exercises
from gitops_sim.exercises.gate import SEEDS, problems
from gitops_sim.lab import Lab
from gitops_sim.lab.saving import load

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument(
        "lab",
        metavar="LAB",
        nargs="?",
        default="",
        help="a file of lab.save, or a lab of the course such as 00-tour (default: all of them)",
    )
    parser.add_argument(
        "--exercise", metavar="NAME", action="append", default=[], help="only this one, as E00.1"
    )


def run(arguments: argparse.Namespace) -> int:
    """Judge; print one line per exercise, and what is wrong below it."""
    exercises = _chosen(arguments.exercise)
    file = Path(arguments.lab)
    if arguments.lab and file.is_file():
        return _judge(file, exercises)
    if arguments.lab:
        exercises = [e for e in exercises if e.folder.name == arguments.lab.rstrip("/")]
        if not exercises:
            raise InputError(
                arguments.lab, 0, "neither a saved lab nor a lab of the course", _labs()
            )
    return _gate(exercises)


def _labs() -> str:
    names = sorted({exercise.folder.name for exercise in installed_exercises().values()})
    return f"the course has {', '.join(names)}"


def _chosen(names: Sequence[str]) -> list[Exercise]:
    known = installed_exercises()
    for name in names:
        if name not in known:
            raise InputError(name, 0, "no such exercise", f"there are {', '.join(sorted(known))}")
    return [exercise for name, exercise in sorted(known.items()) if not names or name in names]


def _judge(file: Path, exercises: Sequence[Exercise]) -> int:
    """Judge a saved lab; an answer that was handed in is not in it, so what passed then counts."""
    lab, progress = Lab.load(file), load(file).progress
    failed = 0
    for exercise in exercises:
        result, done = lab.check(exercise.name), progress.get(exercise.name)
        passed_at = done["passed_at"] if done else None
        if result.passed or passed_at is None:
            print(result)
        else:
            when = lab.clock.timestamp(passed_at)[11:19]
            print(f"Passed: {exercise.name} {exercise.title}\n  {'Found:':16} it passed at {when}")
        if done:
            print(f"  {'Progress:':16} attempts {done['attempts']}, hints {done['hints']}")
        failed += not result.passed and passed_at is None
    return 1 if failed else 0


def _gate(exercises: Sequence[Exercise]) -> int:
    found: dict[str, list[str]] = {}
    with Progress("checking", len(exercises) * len(SEEDS)) as progress:
        for number, exercise in enumerate(exercises):
            for turn, seed in enumerate(SEEDS):
                progress.show(number * len(SEEDS) + turn, exercise.name)
                found.setdefault(exercise.name, []).extend(problems(exercise, seeds=[seed]))
    for exercise in exercises:
        wrong = found[exercise.name]
        print(f"{'not ok' if wrong else 'ok    '}  {exercise.name}  {exercise.title}")
        for line in wrong:
            print(f"        {line}")
    return 1 if any(found.values()) else 0
