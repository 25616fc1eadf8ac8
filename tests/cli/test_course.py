"""`gitops-sim course`: a copy that never loses a learner's work."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from gitops_sim.cli import main
from gitops_sim.cli.course import STATE, Copied, copy_course
from gitops_sim.errors import InputError
from gitops_sim.exercises.course_files import course_root

NOTEBOOK = "notebooks/00-tour.ipynb"


def test_copy_has_notebooks_and_labs_and_no_sources(tmp_path: Path) -> None:
    copied = copy_course(tmp_path / "mine")
    assert copied.new > 1
    assert (tmp_path / "mine" / NOTEBOOK).read_bytes() == (course_root() / NOTEBOOK).read_bytes()
    assert (tmp_path / "mine" / "labs" / "00-tour" / "exercise.yaml").is_file()
    assert not (tmp_path / "mine" / "notebooks" / "src").exists()


def test_second_copy_changes_nothing(tmp_path: Path) -> None:
    copy_course(tmp_path)
    assert copy_course(tmp_path) == Copied(new=0, updated=0, kept=0)


def test_edited_notebook_is_kept(tmp_path: Path) -> None:
    copy_course(tmp_path)
    (tmp_path / NOTEBOOK).write_text("my answer")
    assert copy_course(tmp_path) == Copied(new=0, updated=0, kept=1)
    assert (tmp_path / NOTEBOOK).read_text() == "my answer"


def test_untouched_old_notebook_is_brought_up_to_date(tmp_path: Path) -> None:
    """As after an upgrade: the file is as it was copied, the course has another one."""
    copy_course(tmp_path)
    (tmp_path / NOTEBOOK).write_text("older")
    record = tmp_path / STATE / "copied.json"
    known = json.loads(record.read_text())
    known[NOTEBOOK] = hashlib.sha256(b"older").hexdigest()
    record.write_text(json.dumps(known))
    assert copy_course(tmp_path) == Copied(new=0, updated=1, kept=0)


def test_damaged_record_loses_no_work(tmp_path: Path) -> None:
    copy_course(tmp_path)
    (tmp_path / NOTEBOOK).write_text("my answer")
    (tmp_path / STATE / "copied.json").write_text("{")
    assert copy_course(tmp_path).kept == 1


def test_deleted_file_comes_back(tmp_path: Path) -> None:
    copy_course(tmp_path)
    (tmp_path / NOTEBOOK).unlink()
    assert copy_course(tmp_path) == Copied(new=1, updated=0, kept=0)


def test_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.joinpath("taken").write_text("")
    with pytest.raises(InputError, match="this is a file"):
        copy_course(tmp_path / "taken")


def test_source_is_not_copied_onto_itself() -> None:
    with pytest.raises(InputError, match="source"):
        copy_course(course_root())


def test_command_says_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["course", str(tmp_path / "mine")]) == 0
    assert "0 updated, 0 kept" in capsys.readouterr().out
