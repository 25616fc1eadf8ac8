"""Exercises: their texts and hints as data, their checks as code, what a learner has done."""

from gitops_sim.exercises.catalogue import Exercise, WrongAnswer, read_catalogue, read_lab
from gitops_sim.exercises.checks import CHECKS, Checks, Progress, installed_exercises
from gitops_sim.exercises.course_files import course_root
from gitops_sim.exercises.results import CheckResult, Hint, Verdict
from gitops_sim.exercises.view import LabView

__all__ = [
    "CHECKS",
    "CheckResult",
    "Checks",
    "Exercise",
    "Hint",
    "LabView",
    "Progress",
    "Verdict",
    "WrongAnswer",
    "course_root",
    "installed_exercises",
    "read_catalogue",
    "read_lab",
]
