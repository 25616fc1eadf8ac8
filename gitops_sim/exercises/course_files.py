"""Where the course lies: inside the wheel, or beside the package in a checkout."""

from __future__ import annotations

from pathlib import Path

import gitops_sim
from gitops_sim.errors import LabError

__all__ = ["course_root"]


def course_root() -> Path:
    """Return the folder that holds `notebooks/` and `labs/`.

    Raises:
        LabError: The installation has neither.
    """
    package = Path(gitops_sim.__file__).parent
    for root in (package / "_course", package.parent):
        if (root / "labs").is_dir() and (root / "notebooks").is_dir():
            return root
    raise LabError("this installation has no course in it", "install gitops-sim again")
