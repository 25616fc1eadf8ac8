"""What the documentation shows is what the command line prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gitops_sim.cli import main
from gitops_sim.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "real-repositories.md"
SHOWN = re.findall(
    r"```console\n\$ gitops-sim ([^\n]+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
)


@pytest.mark.all
@pytest.mark.parametrize(("command", "printed"), SHOWN, ids=[command for command, _ in SHOWN])
def test_page_shows_what_is_printed(
    command: str,
    printed: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(ROOT)
    words = command.split()
    if "--repo" in words and not Path(words[words.index("--repo") + 1]).is_dir():
        pytest.skip("the public repositories are not here: put them into ../shared/repos")
    assert main(words) in (0, 1)
    assert capsys.readouterr().out == printed


def test_page_shows_at_least_three_repositories() -> None:
    assert len({words for words, _ in SHOWN if "--repo" in words}) >= 3


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_commands_in_prose_exist(name: str) -> None:
    used = set(re.findall(r"gitops-sim ([a-z]+)", (ROOT / name).read_text(encoding="utf-8")))
    assert used <= set(COMMANDS)
