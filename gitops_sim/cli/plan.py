"""What `gitops-sim run` shall do: from options, or from a scenario file.

A scenario is a delivery with a timeline, in YAML:

    repository: samples/shop        # a folder beside this file or from here, a clone, a URL
    path: overlays/staging
    deliver: flux                   # or push
    until: 1h
    seed: 7                         # optional, as is all below
    timeline:
      - at: 10m
        commit: Deliver web 2.0.0
        replace: {base/web.yaml: {"shop/web:1.4.2": "shop/web:2.0.0"}}
      - at: 20m
        kubectl: scale deployment/web --replicas=9 -n shop
      - at: 30m
        take-down: git              # or registry
      - at: 40m
        bring-back: git
      - at: 50m
        kill: deployment-controller # a controller crashes; `start:` brings it back
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gitops_sim.clock import parse_duration
from gitops_sim.errors import DurationError, InputError
from gitops_sim.push.workflow_yaml import Entry, read

__all__ = ["ACTIONS", "DELIVERIES", "Happening", "Plan", "from_arguments", "from_file"]

DELIVERIES = ("push", "flux")
ACTIONS = ("commit", "kubectl", "take-down", "bring-back", "kill", "start")
SERVICES = ("git", "registry")
_KEYS = {"repository", "path", "deliver", "until", "seed", "nodes", "timeline"}


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry of a timeline.

    Attributes:
        at: Virtual seconds after the start.
        action: One of ACTIONS.
        what: The commit's message, the command's words, or the name of what is meant.
        files: Of a commit: new content by path; None deletes the file.
        replace: Of a commit: texts and what takes their place, by path.
        entry: Where it stands in the scenario, for messages.
    """

    at: float
    action: str
    what: str
    entry: Entry = field(compare=False, repr=False)
    files: Mapping[str, str | None] = field(default_factory=dict)
    replace: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """One delivery; `until` in virtual seconds."""

    repository: str
    path: str
    deliver: str
    until: float
    seed: int = 0
    nodes: int = 3
    timeline: tuple[Happening, ...] = ()


def from_arguments(arguments: argparse.Namespace) -> Plan:
    """Return the plan that the options make.

    Raises:
        InputError: One that is needed is missing.
        DurationError: `--until` is no duration.
    """
    if not arguments.repo:
        raise InputError("--repo", 0, "which repository?", "name a folder, a clone, or a scenario")
    return Plan(
        str(arguments.repo),
        arguments.path,
        arguments.deliver,
        parse_duration(arguments.until),
        arguments.seed,
        arguments.nodes,
    )


def from_file(file: Path) -> Plan:
    """Return the plan of a scenario.

    Raises:
        SpecError: It is wrong; the message names file, line and field.
    """
    top = read(file.read_bytes(), str(file))
    known = top.mapping(_KEYS)
    for name in ("repository", "path", "deliver", "until"):
        if name not in known:
            raise top.refuse(f"{name} is missing", f"write `{name}:`")
    deliver = known["deliver"]
    if deliver.text() not in DELIVERIES:
        raise deliver.refuse(
            f"no way to deliver: {deliver.text()!r}", f"write {' or '.join(DELIVERIES)}"
        )
    until = _seconds(known["until"])
    timeline = (
        [_happening(entry) for entry in known["timeline"].items()] if "timeline" in known else []
    )
    for happening in timeline:
        if happening.at > until:
            raise happening.entry.refuse("after the end of the scenario", "move `until` or this")
    return Plan(
        _beside(file, known["repository"].text()),
        known["path"].text(),
        deliver.text(),
        until,
        _whole(known.get("seed"), 0),
        _whole(known.get("nodes"), 3),
        tuple(sorted(timeline, key=lambda happening: happening.at)),
    )


def _beside(file: Path, repository: str) -> str:
    """Return a folder relative to the scenario's own, where there is such a one."""
    folder = file.parent / repository
    return str(folder) if folder.is_dir() else repository


def _happening(entry: Entry) -> Happening:
    members = entry.mapping({"at", "files", "replace", *ACTIONS})
    actions = [name for name in ACTIONS if name in members]
    if "at" not in members or len(actions) != 1:
        raise entry.refuse("want `at` and one action", f"actions are {', '.join(ACTIONS)}")
    action, what = actions[0], members[actions[0]]
    if action in ("take-down", "bring-back") and what.text() not in SERVICES:
        raise what.refuse(f"no such service: {what.text()!r}", f"write {' or '.join(SERVICES)}")
    files = _texts_by_path(members.get("files"))
    replace = _replacements(members.get("replace"))
    if bool(files or replace) != (action == "commit"):
        raise entry.refuse("a commit has `files` or `replace`, nothing else has", "see the docs")
    at = _seconds(members["at"])
    return Happening(at, action, what.text(), what, files, replace)


def _texts_by_path(entry: Entry | None) -> dict[str, str | None]:
    members = entry.mapping() if entry else {}
    return {path: None if e.value is None else e.text() for path, e in members.items()}


def _replacements(entry: Entry | None) -> dict[str, dict[str, str]]:
    members = entry.mapping() if entry else {}
    return {
        path: {old: new.text() for old, new in pairs.mapping().items()}
        for path, pairs in members.items()
    }


def _seconds(entry: Entry) -> float:
    try:
        return parse_duration(entry.text())
    except DurationError as error:
        raise entry.refuse(error.problem, error.next_step) from None


def _whole(entry: Entry | None, default: int) -> int:
    value: Any = default if entry is None else entry.value
    if not isinstance(value, int) or isinstance(value, bool):
        assert entry is not None
        raise entry.refuse(f"want a whole number, not {entry.said()}")
    return value
