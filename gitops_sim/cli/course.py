"""`gitops-sim course DIR`: notebooks and labs to work in.

A learner's work is never overwritten. Beside the copy stands what was copied (`.lab/copied.json`,
a hash per file): a file that is still as it was copied is brought up to date, any other is kept.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gitops_sim.errors import InputError
from gitops_sim.exercises.course_files import course_root

__all__ = ["STATE", "Copied", "configure", "copy_course", "run"]

STATE = ".lab"
"""The folder in a copy that holds what is not the learner's: settings, kubeconfig, hashes."""
_LEFT_OUT = {"src", "README.md", "__pycache__", ".ipynb_checkpoints", STATE}


@dataclass(frozen=True, slots=True)
class Copied:
    """How many files are new, were brought up to date, and were kept as the learner left them."""

    new: int
    updated: int
    kept: int


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="made if it is not there")


def run(arguments: argparse.Namespace) -> int:
    """Copy the course and tell what happened."""
    copied = copy_course(arguments.folder)
    told = f"{copied.new} new, {copied.updated} updated, {copied.kept} kept as you left them"
    print(f"course in {arguments.folder}: {told}")
    print(f"open it with: gitops-sim tour --dir {arguments.folder}")
    return 0


def copy_course(folder: Path) -> Copied:
    """Bring a folder up to the installed course.

    Raises:
        InputError: The folder is a file, or the course's own source.
    """
    root = course_root()
    if folder.exists() and not folder.is_dir():
        raise InputError(str(folder), 0, "this is a file", "name a folder, new or an earlier copy")
    if folder.resolve() == root.resolve():
        raise InputError(
            str(folder), 0, "this is the course's source", "name another folder, such as my-course"
        )
    record = folder / STATE / "copied.json"
    known = _read(record)
    counts = {"new": 0, "updated": 0, "kept": 0}
    for source in _files(root):
        name = source.relative_to(root).as_posix()
        wanted, target = _hash(source), folder / name
        found = _hash(target) if target.is_file() else ""
        if found == wanted:
            known[name] = wanted
            continue
        if found and found != known.get(name):
            counts["kept"] += 1
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        known[name] = wanted
        counts["updated" if found else "new"] += 1
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return Copied(**counts)


def _files(root: Path) -> Iterator[Path]:
    for room in ("notebooks", "labs"):
        for path in sorted((root / room).rglob("*")):
            if path.is_file() and not _LEFT_OUT & set(path.relative_to(root).parts):
                yield path


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read(record: Path) -> dict[str, str]:
    """Return what was copied before; a damaged record counts as none, so that nothing is lost."""
    try:
        known = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
