"""Saved labs: small files, and clear words for files that are none."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gitops_sim.clock import Input
from gitops_sim.errors import InputError, LabError
from gitops_sim.lab import Lab, saving

INPUTS = [
    Input(0, 0.0, 0, "lab", "_add_cluster", ["staging", 3], {}),
    Input(1, 0.0, 0, "clock", "advance", [12, 60.0], {}),
    Input(2, 60.0, 12, "forge/repo:shop", "tag", ["v1"], {"by": "alice"}, "GitError"),
]


def test_a_saved_lab_reads_back_equal_and_repeats_to_the_byte(tmp_path: Path) -> None:
    one, other = tmp_path / "one.lab", tmp_path / "other.lab"
    done = {"E00.1": {"attempts": 2, "hints": 1, "passed_at": 60.0}}
    lab = saving.Saved(7, "2026-01-05T09:00:00Z", INPUTS, progress=done)
    saving.save(one, lab)
    saving.save(other, lab)
    assert saving.load(one) == lab
    assert one.read_bytes() == other.read_bytes()


def test_inputs_before_a_moment_leave_out_the_run_that_goes_beyond_it() -> None:
    assert saving.before(INPUTS, 59.0) == INPUTS[:1]
    assert saving.before(INPUTS, 60.0) == INPUTS


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "No such file"),
        (b"hello", "no saved lab"),
        (gzip.compress(b"[1, 2]"), "no saved lab"),
        (gzip.compress(json.dumps({"format": "other", "version": "9"}).encode()), "version 9"),
        (gzip.compress(b"x" * 100)[:40], "no saved lab"),
        (gzip.compress(b"[" * 200_000), "no saved lab"),
    ],
    ids=["missing", "not gzip", "no mapping", "other format", "cut off", "nested"],
)
def test_a_file_that_is_no_lab_is_refused(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    path = tmp_path / "monday.lab"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=problem) as refused:
        saving.load(path)
    assert refused.value.file == str(path)


def test_a_file_that_unpacks_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "MOST_BYTES", 1000)
    path = tmp_path / "bomb.lab"
    path.write_bytes(gzip.compress(b" " * 100_000))
    with pytest.raises(InputError, match="larger than a lab can be"):
        saving.load(path)


@pytest.mark.parametrize(
    "changes",
    [
        *({"seq": "x"}, {"time": None}, {"address": []}, {"method": 3}, {"args": "ab"}),
        *(
            {"stopped": "x"},
            {"kwargs": []},
            {"error": None},
            {"heard": 3},
            {"heard": [3]},
            {"heard": [[1, 2]]},
        ),
        *({"address": "nobody"}, {"method": "__class__"}, {"method": "save", "args": ["x"]}),
        *({"args": [{"$object": "nobody"}, 3]}, {"args": [{"$bytes": 3}, 3]}),
        *({"args": [{"$function": 3}, 3]}, {"args": [{"$function": "os:system"}, 3]}),
        *({"args": [{"$function": "gitops_sim.no:x"}, 3]}, {"kwargs": {"nothing": 1}}),
        {"address": "clock", "args": ["a", "b"]},
    ],
    ids=repr,
)
def test_an_input_that_no_lab_has_written_is_refused(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    path = tmp_path / "forged.lab"
    forged = replace(INPUTS[0], **changes)
    saving.save(path, saving.Saved(7, "2026-01-05T09:00:00Z", [forged]))
    with pytest.raises((InputError, LabError)):
        Lab.load(path)
    assert [file.name for file in tmp_path.iterdir()] == ["forged.lab"]
