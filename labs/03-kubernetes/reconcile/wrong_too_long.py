"""A wrong answer: right, and far longer than the idea."""

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
    """Write every step out."""
    wanted = set(desired)
    found = set(actual)
    missing = wanted - found
    unwanted = found - wanted
    both = wanted & found
    changed = set()
    for key in both:
        before = actual[key].get("data")
        after = desired[key].get("data")
        if before != after:
            changed.add(key)
    extra = set()
    for key in unwanted:
        if is_mine(actual[key]):
            extra.add(key)
    waiting = missing | changed
    namespaces = sorted(key for key in waiting if key[0] == "Namespace")
    others = sorted(key for key in waiting if key[0] != "Namespace")
    actions: Actions = []
    actions += [("apply", key) for key in namespaces]
    actions += [("apply", key) for key in others]
    actions += [("delete", key) for key in sorted(extra)]
    return actions


def answer(lab: Lab) -> Callable[[Objects, Objects], Actions]:
    """Hand in the function."""
    return reconcile
