"""The gate finds exercises that judge wrongly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gitops_sim.errors import SpecError
from gitops_sim.exercises import installed_exercises
from gitops_sim.exercises.gate import problems, script

GOOD = installed_exercises()["E00.1"]


@pytest.mark.all
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"starter": "solution.py"}, "solution.py passes"),
        ({"starter": "wrong_by_hand.py"}, "is taken for a wrong answer"),
        ({"solution": "starter.py"}, "starter.py does not pass"),
        ({"alternatives": ("wrong_by_hand.py",)}, "wrong_by_hand.py does not pass"),
        (
            {"wrong": {"by-hand": replace(GOOD.wrong["by-hand"], example="alternative.py")}},
            "alternative.py passes",
        ),
        (
            {"wrong": {"by-hand": replace(GOOD.wrong["by-hand"], example="starter.py")}},
            "starter.py is told another message: no message",
        ),
    ],
)
def test_gate_names_what_is_wrong(change: dict[str, object], told: str) -> None:
    bad = replace(GOOD, **({"wrong": {}, "alternatives": ()} | change))
    found = list(problems(bad, seeds=[1]))
    assert [line for line in found if told in line]
    assert all(line.startswith("E00.1, seed 1: ") for line in found)


def test_script_without_its_function_is_told(tmp_path: Path) -> None:
    file = tmp_path / "solution.py"
    file.write_text("answer = 42\n")
    with pytest.raises(SpecError, match="defines no function answer"):
        script(file, "answer")
