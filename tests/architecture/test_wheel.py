"""What `pip install gitops-sim` brings: the package with its data, samples, notebooks and labs."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.all
def test_wheel_is_complete_and_holds_nothing_else(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    for needed in (
        "gitops_sim/py.typed",
        "gitops_sim/viz/player.js",
        "gitops_sim/samples/drift.yaml",
        "gitops_sim/samples/shop/.github/workflows/deploy.yaml",
        "gitops_sim/_course/notebooks/00-tour.ipynb",
        "gitops_sim/_course/labs/00-tour/exercise.yaml",
    ):
        assert needed in names
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"gitops_sim"}
    assert not [name for name in names if name.endswith((".pyc", ".ipynb_checkpoints"))]
    assert [name for name in names if name.endswith("licenses/LICENSE")]
