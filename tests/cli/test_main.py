"""The command line as a whole: codes, messages, no stack traces."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gitops_sim.cli import main
from gitops_sim.cli.main import COMMANDS


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("gitops-sim 0.")


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert not [name for name in COMMANDS if name not in shown]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    assert f"gitops-sim {name}" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["dance"], ["render"], ["render", "a", "b"]])
def test_wrong_usage_is_code_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert "gitops-sim" in capsys.readouterr().err


def test_wrong_input_is_one_message_with_file_line_and_fix(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.joinpath("a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a\n")
    assert main(["render", str(tmp_path)]) == 2
    message = capsys.readouterr().err
    assert message.startswith("gitops-sim: a.yaml:")
    assert "Traceback" not in message


def test_a_bug_is_told_without_a_stack_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: object) -> int:
        raise KeyError("replicas")

    doctor = importlib.import_module("gitops_sim.cli.doctor")
    monkeypatch.setattr(doctor, "run", broken)
    monkeypatch.delenv("GITOPS_SIM_TRACE", raising=False)
    assert main(["doctor"]) == 2
    message = capsys.readouterr().err
    assert "internal error: KeyError: 'replicas'" in message
    assert "GITOPS_SIM_TRACE=1" in message
    monkeypatch.setenv("GITOPS_SIM_TRACE", "1")
    with pytest.raises(KeyError):
        main(["doctor"])


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    """`gitops-sim render … | head -1` ends quietly."""
    name = "x" * 40
    objects = "---\n".join(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}-{n}\n" for n in range(3000)
    )
    tmp_path.joinpath("many.yaml").write_text(objects)
    program = "from gitops_sim.cli import main; raise SystemExit(main())"
    with subprocess.Popen(
        [sys.executable, "-c", program, "render", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 0


def test_negative_time_is_told_and_not_taken_for_an_option(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["run", "--repo", "samples/shop", "--path", "base", "--until", "-5m"]
    assert main(words) == 2
    assert "'-5m' is negative: time only runs forward" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["render", "samples/shop"], ["run", "--repo", "samples/shop", "--until", "1m"]]
)
def test_repository_as_a_whole_is_told_its_parts(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    told = capsys.readouterr().err
    assert re.search("name one of its directories: .*base, .*overlays/production, .*staging", told)
