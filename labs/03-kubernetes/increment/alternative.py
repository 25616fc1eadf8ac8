"""Another right answer: a patch that holds only for the version that was read."""

from collections.abc import Callable
from typing import Any

from gitops_sim import Lab
from gitops_sim.errors import ConflictError


def increment(api: Any) -> None:
    """Patch the one field, and say which version it is meant for."""
    while True:
        counter = api.get("ConfigMap", "counter")
        version = counter["metadata"]["resourceVersion"]
        count = str(int(counter["data"]["count"]) + 1)
        patch = {"metadata": {"resourceVersion": version}, "data": {"count": count}}
        try:
            api.patch("ConfigMap", "counter", patch)
        except ConflictError:
            continue
        return


def answer(lab: Lab) -> Callable[[Any], None]:
    """Hand in the function."""
    return increment
