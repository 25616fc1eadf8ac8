"""Clients that were not written for the lab, on a cluster of the test's own."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest

PROGRAM = Path(sysconfig.get_path("scripts")) / "kubectl"


@dataclass(frozen=True)
class Said:
    """What a command printed."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


Kubectl: TypeAlias = Callable[..., Said]


@pytest.fixture
def kubectl(simulated_kubeconfig: Path, tmp_path: Path) -> Kubectl:
    """Runs the real kubectl at the test's cluster; it must succeed unless `fails` is given."""

    def run(
        *arguments: str, stdin: str | None = None, fails: bool = False, **variables: str
    ) -> Said:
        done = subprocess.run(
            [PROGRAM, *arguments],
            input=stdin,
            cwd=tmp_path,
            env={
                "PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}",
                "HOME": os.fspath(tmp_path),
                "KUBECONFIG": os.fspath(simulated_kubeconfig),
                "KUBECACHEDIR": os.environ["KUBECACHEDIR"],
                **variables,
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        said = Said(done.returncode, done.stdout, done.stderr)
        assert fails == bool(said.code), said
        return said

    return run
