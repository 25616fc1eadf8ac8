"""GitOps in a notebook: a Kubernetes cluster and a Git forge on a virtual clock.

`from gitops_sim import Lab` is all that a notebook needs. The rooms load when it is first used, so
that importing the package costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gitops_sim.lab import Lab

__all__ = ["Lab"]


def __getattr__(name: str) -> Any:
    if name == "Lab":
        return importlib.import_module("gitops_sim.lab").Lab
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
