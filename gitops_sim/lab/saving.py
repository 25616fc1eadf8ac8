"""Labs on disk: a seed, versions, and every outside input, as gzipped JSON.

A saved lab is small, repeats byte for byte, and is a good bug report: it holds what was done, not
what came of it.
"""

from __future__ import annotations

import gzip
import json
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gitops_sim.clock import Input
from gitops_sim.errors import InputError, LabError

__all__ = ["FORMAT", "Saved", "before", "load", "save", "wall_clock"]

FORMAT = "gitops-sim lab, 1"
_TYPES: Mapping[str, Any] = {
    "seq": int,
    "time": int | float,
    "events": int,
    "address": str,
    "method": str,
    "args": list,
    "kwargs": dict,
    "error": str,
    "heard": list,
    "stopped": int | None,
}
MOST_BYTES = 256 * 1024 * 1024
"""Unpacked size of a saved lab that is still read."""


@dataclass(frozen=True, slots=True)
class Saved:
    """All that a lab is: its seed, its epoch (RFC 3339), and what came through its door.

    `progress` is what its learner has done, by exercise: `attempts`, `hints` and `passed_at`. No
    history depends on it.
    """

    seed: int
    epoch: str
    inputs: Sequence[Input]
    progress: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, kw_only=True)


def save(path: Path, lab: Saved) -> None:
    """Write a lab; the same inputs give the same bytes.

    Raises:
        LabError: It cannot be written there.
    """
    document = {
        "format": FORMAT,
        "version": version("gitops-sim"),
        "seed": lab.seed,
        "epoch": lab.epoch,
        "inputs": [asdict(entry) for entry in lab.inputs],
        "progress": lab.progress,
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    try:
        path.write_bytes(gzip.compress(text.encode(), mtime=0))
    except OSError as error:
        raise LabError(
            f"{path} cannot be written: {error.strerror or error}",
            "name a file in a folder that there is, such as lab.save('monday.lab')",
        ) from None


def load(path: Path) -> Saved:
    """Return a saved lab.

    Raises:
        InputError: There is no such file, it is none of `save`, or it is too large.
    """
    try:
        unpacker = zlib.decompressobj(wbits=31)
        data = unpacker.decompress(path.read_bytes(), MOST_BYTES)
        if unpacker.unconsumed_tail:
            raise InputError(str(path), 0, "larger than a lab can be", "save it again")
        document: dict[str, Any] = json.loads(data)
        if document["format"] != FORMAT:
            raise InputError(
                str(path),
                0,
                f"written as {document['format']!r} by version {document.get('version')}",
                f"load it with that version; this one reads {FORMAT!r}",
            )
        inputs = [_input(entry) for entry in document["inputs"]]
        progress = _progress(document.get("progress") or {})
        return Saved(int(document["seed"]), str(document["epoch"]), inputs, progress=progress)
    except OSError as error:
        raise InputError(str(path), 0, error.strerror or "cannot be read") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, zlib.error):
        raise InputError(str(path), 0, "no saved lab", "write one with lab.save(path)") from None


def _progress(recorded: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return what a learner has done as it was saved; files of before have none."""
    return {
        str(name): {
            "attempts": int(done["attempts"]),
            "hints": int(done["hints"]),
            "passed_at": None if done["passed_at"] is None else float(done["passed_at"]),
        }
        for name, done in recorded.items()
    }


def _input(entry: Mapping[str, Any]) -> Input:
    """Return an input as it was saved; TypeError when a part of it is of another type."""
    made = Input(**entry)
    for name, wanted in _TYPES.items():
        if not isinstance(getattr(made, name), wanted):
            raise TypeError(f"{name} of an input is no {wanted}")
    heard: list[Any] = made.heard
    if any(not isinstance(answer, list) or len(answer) != 3 for answer in heard):
        raise TypeError("what an input heard is no list of three")
    return made


def before(inputs: Sequence[Input], moment: float) -> list[Input]:
    """Return the inputs that were over by a moment; a run that goes beyond it is left out."""
    kept: list[Input] = []
    for entry in inputs:
        ends = entry.args[1] if entry.address == "clock" else entry.time
        if ends > moment:
            break
        kept.append(entry)
    return kept


def wall_clock() -> tuple[Callable[[], float], Callable[[float], None]]:
    """Return what live pacing goes by: a monotonic clock in seconds, and a way to wait."""
    return time.monotonic, time.sleep  # noqa: TID251 - pacing is for people, not for the history
