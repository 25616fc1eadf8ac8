"""Notebooks are what their sources give, and are written as the house writes."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "notebooks" / "src").glob("*.py"))
LONGEST_CELL = 12
MOST_CODE_CELLS = 30


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "build_notebooks", ROOT / "tools" / "build_notebooks.py"
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def built(source: Path) -> nbformat.NotebookNode:
    return nbformat.read(ROOT / "notebooks" / f"{source.stem}.ipynb", as_version=4)


def test_notebooks_are_built_from_their_sources(tool: ModuleType) -> None:
    assert tool.main(["--check"]) == 0


def test_stale_and_orphaned_notebooks_are_named(
    tool: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "01-new.py").write_text("# %%\n1 + 1\n")
    (tmp_path / "02-orphan.ipynb").write_text("{}")
    monkeypatch.setattr(tool, "NOTEBOOKS", tmp_path)
    assert tool.main(["--check"]) == 1
    shown = capsys.readouterr().out
    assert "01-new.ipynb is not what its source gives" in shown
    assert "02-orphan.ipynb has no source" in shown


def test_ids_depend_on_the_cell_alone(tool: ModuleType) -> None:
    """A cell put in front changes no other cell's id, and equal cells have ids of their own."""
    cells = "# %%\na = 1\n\n# %%\na = 1\n\n# %% [markdown]\n# Text\n"
    short = nbformat.reads(tool.notebook(cells), as_version=4)
    longer = nbformat.reads(tool.notebook("# %%\nb = 2\n\n" + cells), as_version=4)
    ids = [cell.id for cell in short.cells]
    assert [cell.id for cell in longer.cells[1:]] == ids
    assert len(set(ids)) == 3


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_committed_notebook_has_no_outputs(source: Path) -> None:
    for cell in built(source).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_cells_are_short_and_explained(source: Path) -> None:
    cells = built(source).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert len(code) <= MOST_CODE_CELLS
    assert not [cell.source for cell in code if len(cell.source.splitlines()) > LONGEST_CELL]
    assert cells[0].cell_type == "markdown"
    assert cells[0].source.startswith("# ")


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_prose_is_calm(source: Path) -> None:
    """No exclamation marks, no emoji, no sentence that takes a second breath."""
    for cell in built(source).cells:
        if cell.cell_type != "markdown":
            continue
        prose = re.sub(r"\]\([^)]*\)|`[^`]*`|!=", "", cell.source)
        assert "!" not in prose
        assert not [c for c in prose if ord(c) > 0x2FFF]
        sentences = re.split(r"(?<=[.?:])\s|\n\n|\|", prose)
        assert not [s for s in sentences if len(s.split()) > 32]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_notebook_stands_alone(source: Path) -> None:
    text = source.read_text(encoding="utf-8")
    assert "%run" not in text
    assert "global " not in text
    assert re.search(r"Lab\(seed=\d+\)", text)
