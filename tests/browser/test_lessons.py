"""Every lesson in a real browser: cells run, pictures show, and all of it fits the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.all, pytest.mark.browser]

LESSONS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=LESSONS, ids=lambda path: path.stem)
def lesson(request: pytest.FixtureRequest, notebook: Any) -> Any:
    """A lesson, run from top to bottom."""
    notebook.open(f"notebooks/{request.param.name}")
    notebook.command("notebook:run-all-cells")
    return notebook


def test_every_cell_runs_and_every_picture_shows(lesson: Any) -> None:
    for kind in ("error", "stderr"):
        found = lesson.page.locator(f"[data-mime-type='application/vnd.jupyter.{kind}']")
        expect(found).to_have_count(0)
    pictures = lesson.outputs.locator("img")
    assert pictures.count() >= 2
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
        assert picture.get_attribute("alt"), "words for those who do not see it"


def test_outputs_fit_the_page(lesson: Any, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.id
    for number, output in enumerate(lesson.outputs.all()):
        output.scroll_into_view_if_needed()
        lesson.shot(output, f"{name}-{number:02}")
        wide = output.evaluate("e => e.scrollWidth - e.clientWidth")
        assert wide <= 2, f"output {number} is {wide} px too wide"
