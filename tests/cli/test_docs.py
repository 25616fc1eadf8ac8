"""What the documentation shows is what the command line prints."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from gitops_sim.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "build_examples", ROOT / "tools" / "build_examples.py"
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.all
def test_page_shows_what_is_printed(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    if not tool.REPOSITORIES.is_dir():
        pytest.skip("the public repositories are not here: put them into ../shared/repos")
    monkeypatch.chdir(tool.REPOSITORIES)
    for block in tool.BLOCK.finditer(tool.PAGE.read_text(encoding="utf-8")):
        assert tool.shown(block[1]) == block[0]


def test_page_shows_at_least_three_repositories(tool: ModuleType) -> None:
    commands = [block[1] for block in tool.BLOCK.finditer(tool.PAGE.read_text(encoding="utf-8"))]
    assert len(commands) >= 3
    assert len({command.split()[2] for command in commands}) >= 3


PROSE = ["README.md", "CONTRIBUTING.md", "docs/real-repositories.md", "docs/teaching.md"]


@pytest.mark.parametrize("name", PROSE)
def test_commands_in_prose_exist(name: str) -> None:
    used = set(re.findall(r"gitops-sim ([a-z]+)", (ROOT / name).read_text(encoding="utf-8")))
    assert used <= set(COMMANDS)


def test_links_of_the_documentation_lead_somewhere() -> None:
    """Inside the repository; the outside is not asked."""
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")]
    assert len(pages) > 15
    for page in pages:
        for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            if not link.startswith("http"):
                assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_lessons_of_the_documentation_are_all_there_are() -> None:
    lessons = {path.stem.partition("-")[0] for path in (ROOT / "notebooks").glob("*.ipynb")}
    for name in ("README.md", "docs/teaching.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert lessons == set(re.findall(r"^\| \[?(\d\d) ", text, re.MULTILINE)), name
