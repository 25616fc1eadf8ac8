"""The README's pictures show what their captions say."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def test_the_picture_of_the_readme_is_drawn_and_shows_what_its_caption_says() -> None:
    drawn = runpy.run_path(str(ROOT / "tools/draw_pictures.py"))["drawn"]()
    board = drawn["desired-actual.svg"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    caption = re.search(r"cluster: (\w+) of (\w+) objects differ", readme)
    assert caption is not None
    differing, all_of_them = (WORDS.index(word) for word in caption.groups())
    assert f"{differing} of {all_of_them} differ" in board
    assert differing > 2, "a first picture in which little differs shows nothing"
    for name, svg in drawn.items():
        kept = (ROOT / "docs/pictures" / name).read_text(encoding="utf-8")
        assert re.sub(r"[0-9a-f]{5,}", "", kept) == re.sub(r"[0-9a-f]{5,}", "", svg), (
            f"{name} is not what ./do pictures draws"
        )
