"""The reference: three sets, namespaces first, and only what is ours is deleted."""

from collections.abc import Callable
from typing import Any

from gitops_sim import Lab

Objects = dict[tuple[str, str, str], dict[str, Any]]
Actions = list[tuple[str, tuple[str, str, str]]]


def is_mine(manifest: dict[str, Any]) -> bool:
    """Return True for an object that this reconciler made."""
    labels = manifest["metadata"].get("labels", {})
    return bool(labels.get("app.kubernetes.io/managed-by") == "lesson")


def differs(key: tuple[str, str, str], desired: Objects, actual: Objects) -> bool:
    """Return True for an object that is missing, or has other data."""
    return key not in actual or actual[key].get("data") != desired[key].get("data")


def reconcile(desired: Objects, actual: Objects) -> Actions:
    """Apply what is missing or differs, delete what is ours and no longer desired."""
    changed = [key for key in desired if differs(key, desired, actual)]
    changed.sort(key=lambda key: key[0] != "Namespace")
    extra = [key for key in actual if key not in desired and is_mine(actual[key])]
    return [("apply", key) for key in changed] + [("delete", key) for key in extra]


def answer(lab: Lab) -> Callable[[Objects, Objects], Actions]:
    """Hand in the function."""
    return reconcile
