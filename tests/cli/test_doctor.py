"""`gitops-sim doctor`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitops_sim.cli import main
from gitops_sim.cli.doctor import examine


def found(environment: dict[str, str]) -> dict[str, str]:
    return {finding.name: finding.found for finding in examine(environment)}


def test_this_environment_has_what_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert "everything needed is here" in shown
    assert "Client Version: v1.37" in shown


def test_what_is_not_on_the_path_is_missing_with_a_way_to_get_it() -> None:
    for finding in examine({"PATH": ""}):
        assert finding.get
        assert finding.purpose
        if finding.name in {"git", "browser", "kind"}:
            assert not finding.found
            assert not finding.needed


def test_program_that_does_not_start_is_told_and_not_raised(tmp_path: Path) -> None:
    git = tmp_path / "git"
    git.write_text("no program")
    git.chmod(0o755)
    assert "does not start" in found({"PATH": str(tmp_path)})["git"]
    git.write_text("#!/bin/sh\nexit 3\n")
    assert "does not start" in found({"PATH": str(tmp_path)})["git"]


def test_kubectl_of_the_wheel_is_found_without_a_path() -> None:
    assert "kubectl" in found({"PATH": os.devnull})["kubectl"]
