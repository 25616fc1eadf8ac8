"""A wrong answer: apply, and leave the rest."""

from collections.abc import Callable
from typing import Any

from gitops_sim import Lab

Objects = dict[tuple[str, str, str], dict[str, Any]]
Actions = list[tuple[str, tuple[str, str, str]]]


def differs(key: tuple[str, str, str], desired: Objects, actual: Objects) -> bool:
    """Return True for an object that is missing, or has other data."""
    return key not in actual or actual[key].get("data") != desired[key].get("data")


def reconcile(desired: Objects, actual: Objects) -> Actions:
    """Do half of it."""
    changed = [key for key in desired if differs(key, desired, actual)]
    changed.sort(key=lambda key: key[0] != "Namespace")
    return [("apply", key) for key in changed]


def answer(lab: Lab) -> Callable[[Objects, Objects], Actions]:
    """Hand in the function."""
    return reconcile
