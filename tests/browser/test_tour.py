"""The tour in a real browser: the player plays, the exercise goes red, hint, green."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

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


@pytest.fixture
def tour(notebook: Any) -> Any:
    """The tour, run from top to bottom."""
    notebook.open(TOUR)
    notebook.command("notebook:run-all-cells")
    return notebook


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
    tour.shot(player, "player-first")


def test_exercise_goes_red_hint_green(tour: Any) -> None:
    check = tour.cell(CHECK).locator(".gs-check")
    expect(check).to_contain_text("Not yet")
    expect(check).to_contain_text("Look here first")
    tour.shot(check, "check-red")
    hint = tour.cell(HINT).locator(".jp-OutputArea")
    expect(hint).to_contain_text("hint 1 of 4")
    tour.run_cell(HINT)
    expect(hint).to_contain_text("hint 2 of 4")
    tour.shot(hint, "hint")
    tour.run_cell("Your change goes here", SOLUTION)
    tour.run_cell(CHECK)
    expect(check).to_contain_text("Passed")
    tour.shot(check, "check-green")


def test_pictures_are_there_without_a_kernel(tour: Any) -> None:
    """Saved, the kernel ended, opened again: pictures and player are in the file."""
    tour.command("docmanager:save")
    shown = tour.outputs.locator("img").count()
    tour.close_kernels()
    tour.open(TOUR)
    expect(tour.outputs.locator("img")).to_have_count(shown)
