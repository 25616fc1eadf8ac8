"""Lessons in a real browser: a learner solves every exercise, and sees it go from red to green."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from gitops_sim.exercises import installed_exercises

pytestmark = [pytest.mark.all, pytest.mark.browser]

ORPHAN = """\
served = lab.serve(speed=10)
!kubectl delete deployment web -n shop --cascade=orphan
lab.run("1h")"""
LESSONS = {
    "01-declare": {
        "E01.1": ('second = ""', ""),
        "E01.2": ('cart = """', ""),
        "E01.3": ("changing = set()", 'changing = {"dairy", "fishmonger", "grocer"}'),
        "E01.4": ('trusted = ""', 'reconcile(["database", "orders"])\ntrusted = "reconcile"'),
        "E01.5": ("Look, commit, bootstrap", ""),
    },
    "03-kubernetes": {
        "E03.1": ("owners = {}", ""),
        "E03.2": ("def is_mine", ""),
        "E03.3": ("def follow", ""),
        "E03.4": ("def increment", ""),
        "E03.5": ("Your command goes here", ORPHAN),
    },
}
"""The cell that a learner changes, and what is typed; "" is the worked solution of the hints."""


def solution(name: str) -> str:
    code = installed_exercises()[name].hints[-1].partition("```python\n")[2].partition("```")[0]
    return code.rpartition("lab.check")[0].rstrip()


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_exercise_goes_green(notebook: Any, lesson: str) -> None:
    notebook.open(f"notebooks/{lesson}.ipynb")
    notebook.command("notebook:run-all-cells")
    for name, (cell, typed) in LESSONS[lesson].items():
        check = notebook.cell(f'lab.check("{name}"').locator(".gs-check")
        expect(check).to_contain_text("Not yet")
        notebook.run_cell(cell, typed or solution(name))
        notebook.run_cell(f'lab.check("{name}"')
        expect(check).to_contain_text("Passed")
        notebook.shot(check, f"{name}-green")
