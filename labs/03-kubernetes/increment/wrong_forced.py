"""A wrong answer: write whatever the version."""

from collections.abc import Callable
from typing import Any

from gitops_sim import Lab


def increment(api: Any) -> None:
    """Leave the version out, so that nobody can refuse."""
    counter = api.get("ConfigMap", "counter")
    counter["data"]["count"] = str(int(counter["data"]["count"]) + 1)
    del counter["metadata"]["resourceVersion"]
    api.update(counter)


def answer(lab: Lab) -> Callable[[Any], None]:
    """Hand in the function."""
    return increment
