"""What a notebook or a terminal is handed: one object that shows itself either way."""

from __future__ import annotations

import base64
from typing import Any

__all__ = ["STILL", "Picture"]

STILL = "<!-- still -->"
"""Where a player's HTML takes the still picture."""


class Picture:
    """A drawing with words for it, shown richly where that is possible.

    In a notebook it is an `<img>` with the SVG inside, which needs neither kernel nor trust, and
    for a history the player beside it; in a terminal it is the text.

    Args:
        svg: The drawing, a whole SVG document.
        words: The same in text, for terminals and screen readers.
        player: HTML around the place `STILL` that turns the still picture into a player.
    """

    def __init__(self, svg: str, words: str, *, player: str = STILL) -> None:
        self.svg = svg
        self.words = words
        self._player = player

    def __str__(self) -> str:
        """Return the words."""
        return self.words

    def __repr__(self) -> str:
        """Return the words: what a Python prompt prints."""
        return self.words

    @property
    def html(self) -> str:
        """The picture, and the player where there is one, as HTML without outside parts."""
        encoded = base64.b64encode(self.svg.encode()).decode()
        label = self.svg.partition('aria-label="')[2].partition('"')[0]
        image = (
            f'<img src="data:image/svg+xml;base64,{encoded}" alt="{label}" '
            'style="max-width:100%;height:auto">'
        )
        return self._player.replace(STILL, image)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self.words, "text/html": self.html}
