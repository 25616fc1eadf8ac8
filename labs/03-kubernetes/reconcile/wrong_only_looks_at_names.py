"""A wrong answer: what has the right name is right."""

from collections.abc import Callable
from typing import Any

from gitops_sim import Lab

Objects = dict[tuple[str, str, str], dict[str, Any]]
Actions = list[tuple[str, tuple[str, str, str]]]


def is_mine(manifest: dict[str, Any]) -> bool:
    """Return True for an object that this reconciler made."""
    labels = manifest["metadata"].get("labels", {})
    return bool(labels.get("app.kubernetes.io/managed-by") == "lesson")


def reconcile(desired: Objects, actual: Objects) -> Actions:
    """Look at the keys alone."""
    missing = [key for key in desired if key not in actual]
    missing.sort(key=lambda key: key[0] != "Namespace")
    extra = [key for key in actual if key not in desired and is_mine(actual[key])]
    return [("apply", key) for key in missing] + [("delete", key) for key in extra]


def answer(lab: Lab) -> Callable[[Objects, Objects], Actions]:
    """Hand in the function."""
    return reconcile
