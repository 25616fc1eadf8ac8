"""Another right answer: one pass over all keys, deletions first."""

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
    """Decide for each key by itself."""
    actions: Actions = []
    for key in sorted(desired.keys() | actual.keys(), key=lambda key: (key[1] != "", key)):
        if key not in desired:
            if is_mine(actual[key]):
                actions.insert(0, ("delete", key))
        elif key not in actual or desired[key].get("data") != actual[key].get("data"):
            actions.append(("apply", key))
    return actions


def answer(lab: Lab) -> Callable[[Objects, Objects], Actions]:
    """Hand in the function."""
    return reconcile
