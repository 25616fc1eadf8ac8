"""The bar: on a terminal only, and gone at the end."""

from __future__ import annotations

import io

from gitops_sim.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def screen(written: str) -> str:
    """Return the line that a terminal shows after what was written."""
    line: list[str] = []
    place = 0
    for character in written:
        if character == "\r":
            place = 0
            continue
        line[place : place + 1] = character
        place += 1
    return "".join(line).rstrip()


def test_bar_shows_the_part_that_is_done() -> None:
    terminal = Terminal()
    with Progress("delivering", 60, stream=terminal) as progress:
        progress.show(30, "09:30")
        shown = screen(terminal.getvalue())
    assert shown == f"delivering [{'#' * 15}{'.' * 15}]  50% 09:30"


def test_bar_is_wiped_at_the_end() -> None:
    terminal = Terminal()
    with Progress("delivering", 60, stream=terminal) as progress:
        progress.show(90, "more than all")
        assert "100%" in screen(terminal.getvalue())
    assert screen(terminal.getvalue()) == ""


def test_nothing_is_written_to_a_file() -> None:
    file = io.StringIO()
    with Progress("delivering", 60, stream=file) as progress:
        progress.show(30, "")
    assert file.getvalue() == ""
