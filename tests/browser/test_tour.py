"""The tour in a real browser: cells run, pictures show, the exercise goes red, hint, green."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

pytestmark = [pytest.mark.all, pytest.mark.browser]

TOUR = "notebooks/00-tour.ipynb"
CHECK = 'lab.check("E00.1")'
HINT = 'lab.check("E00.1").hint()'
SOLUTION = (
    'overlay = "overlays/staging/kustomization.yaml"\n'
    'text = shop.read(overlay) + "replicas:\\n- name: cart\\n  count: 3\\n"\n'
    'shop.commit({overlay: text}, "Run three carts in staging")\n'
    'lab.run("5m")'
)
SHOTS = os.environ.get("GITOPS_SIM_SHOTS", "")
"""A folder for screenshots, for people who want to look."""


@pytest.fixture
def tour(notebook: Any) -> Any:
    """The tour, run from top to bottom."""
    notebook.open(TOUR)
    notebook.command("notebook:run-all-cells")
    return notebook


def shot(what: Locator, name: str) -> None:
    if SHOTS:
        what.screenshot(path=Path(SHOTS) / f"{name}.png")


def test_what_opens_first_is_the_tour(notebook: Any, jupyter_lab: Any) -> None:
    notebook.page.goto(f"{jupyter_lab.url}?token={jupyter_lab.token}")
    title = notebook.page.get_by_role("heading", name="The tour")
    expect(title).to_be_visible()


def test_every_cell_runs_and_every_picture_shows(tour: Any) -> None:
    for kind in ("error", "stderr"):
        found = tour.page.locator(f"[data-mime-type='application/vnd.jupyter.{kind}']")
        expect(found).to_have_count(0)
    pictures = tour.outputs.locator("img")
    assert pictures.count() >= 6
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
        assert picture.get_attribute("alt"), "words for those who do not see it"


def test_outputs_fit_the_page(tour: Any) -> None:
    for number, output in enumerate(tour.outputs.all()):
        output.scroll_into_view_if_needed()
        shot(output, f"output-{number:02}")
        wide = output.evaluate("e => e.scrollWidth - e.clientWidth")
        assert wide <= 2, f"output {number} is {wide} px too wide"


def test_player_steps_through_the_history(tour: Any) -> None:
    player = tour.page.locator(".gs-player").first
    player.scroll_into_view_if_needed()
    slider = player.get_by_role("slider", name="moment")
    last, before = slider.input_value(), player.locator("output").inner_text()
    player.get_by_role("button", name="one step back").click()
    expect(slider).to_have_value(str(int(last) - 1))
    expect(player.locator("output")).not_to_have_text(before)
    slider.press("Home")
    expect(slider).to_have_value("0")
    shot(player, "player-first")


def test_exercise_goes_red_hint_green(tour: Any) -> None:
    check = tour.cell(CHECK).locator(".gs-check")
    expect(check).to_contain_text("Not yet")
    expect(check).to_contain_text("Look here first")
    shot(check, "check-red")
    hint = tour.cell(HINT).locator(".jp-OutputArea")
    expect(hint).to_contain_text("hint 1 of 4")
    tour.run_cell(HINT)
    expect(hint).to_contain_text("hint 2 of 4")
    shot(hint, "hint")
    tour.run_cell("Your change goes here", SOLUTION)
    tour.run_cell(CHECK)
    expect(check).to_contain_text("Passed")
    shot(check, "check-green")


def test_pictures_are_there_without_a_kernel(tour: Any) -> None:
    """Saved, the kernel ended, opened again: pictures and player are in the file."""
    tour.command("docmanager:save")
    shown = tour.outputs.locator("img").count()
    tour.close_kernels()
    tour.open(TOUR)
    expect(tour.outputs.locator("img")).to_have_count(shown)
