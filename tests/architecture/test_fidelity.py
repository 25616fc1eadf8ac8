"""Every simplification that a docstring tells is on the page for readers."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "build_fidelity", ROOT / "tools" / "build_fidelity.py"
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_page_is_up_to_date(tool: ModuleType) -> None:
    page = (ROOT / "docs" / "fidelity.md").read_text(encoding="utf-8")
    assert tool.page(page) == page, "run ./do fidelity"


def test_every_note_in_the_sources_is_collected(tool: ModuleType) -> None:
    """Counted as text, so that a note outside a docstring does not go missing."""
    written = sum(
        len(re.findall(r"Differs:\s", path.read_text(encoding="utf-8")))
        for path in tool.PACKAGE.rglob("*.py")
    )
    assert tool.collected().count("\n- ") == written > 0


def test_a_page_without_markers_is_refused(tool: ModuleType) -> None:
    with pytest.raises(ValueError, match="needs the lines"):
        tool.page("# Fidelity\n")
