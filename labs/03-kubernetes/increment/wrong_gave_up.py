"""A wrong answer: a conflict is not my problem."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from gitops_sim import Lab
from gitops_sim.errors import ConflictError


def increment(api: Any) -> None:
    """Read, add one, try to write."""
    counter = api.get("ConfigMap", "counter")
    counter["data"]["count"] = str(int(counter["data"]["count"]) + 1)
    with suppress(ConflictError):
        api.update(counter)


def answer(lab: Lab) -> Callable[[Any], None]:
    """Hand in the function."""
    return increment
