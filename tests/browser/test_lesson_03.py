"""Lesson 03 in a real browser: a learner solves its exercises, with kubectl on the served lab."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from gitops_sim.exercises import installed_exercises

pytestmark = [pytest.mark.all, pytest.mark.browser]

LESSON = "notebooks/03-kubernetes.ipynb"
ORPHAN = '!kubectl delete deployment web -n shop --cascade=orphan\nlab.run("1h")'
ANSWERS = {
    "E03.1": ("owners = {}", ""),
    "E03.2": ("def is_mine", ""),
    "E03.3": ("def follow", ""),
    "E03.4": ("def increment", ""),
    "E03.5": ("Your command goes here", ORPHAN),
}
"""The cell that a learner changes, and what is typed; "" is the worked solution of the hints."""


def solution(name: str) -> str:
    code = installed_exercises()[name].hints[-1].partition("```python\n")[2].partition("```")[0]
    return code.rpartition("lab.check")[0].rstrip()


def test_every_exercise_goes_green(notebook: Any) -> None:
    notebook.open(LESSON)
    notebook.command("notebook:run-all-cells")
    notebook.run_cell("served = lab.serve(speed=10)")
    for name, (cell, typed) in ANSWERS.items():
        check = notebook.cell(f'lab.check("{name}"').locator(".gs-check")
        expect(check).to_contain_text("Not yet")
        notebook.run_cell(cell, typed or solution(name))
        notebook.run_cell(f'lab.check("{name}"')
        expect(check).to_contain_text("Passed")
        notebook.shot(check, f"{name}-green")
