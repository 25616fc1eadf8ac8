"""When a workflow runs: events, and filters by branch, path and kind of activity.

Source: GitHub Actions, "Workflow syntax", `on`.
Differs: pushes of tags start nothing; events other than those in `EVENTS` are known by name and
never happen; an input of a dispatch is text, whatever its type.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from gitops_sim.errors import LabError
from gitops_sim.push.workflow_yaml import Entry

__all__ = ["EVENTS", "Event", "Input", "Trigger", "chosen_inputs", "matches", "parse_triggers"]

EVENTS = ("push", "pull_request", "workflow_dispatch")
NEVER = (
    "check_run",
    "check_suite",
    "create",
    "delete",
    "deployment",
    "deployment_status",
    "discussion",
    "fork",
    "issue_comment",
    "issues",
    "label",
    "merge_group",
    "milestone",
    "page_build",
    "pull_request_review",
    "pull_request_target",
    "release",
    "registry_package",
    "repository_dispatch",
    "schedule",
    "status",
    "watch",
    "workflow_call",
    "workflow_run",
)
"""Events of GitHub that do not happen in the lab."""
DEFAULT_TYPES = ("opened", "synchronize", "reopened")
FILTERS = ("branches", "branches-ignore", "paths", "paths-ignore", "tags", "tags-ignore")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a repository.

    Attributes:
        name: `push`, `pull_request` or `workflow_dispatch`.
        branch: The branch pushed to or chosen, or the target of the merge request.
        files: Returns the paths changed; called only when a filter asks.
        action: What happened to a merge request, such as `opened`; empty for a push.
    """

    name: str
    branch: str
    files: Callable[[], Sequence[str]]
    action: str = ""


@dataclass(frozen=True, slots=True)
class Input:
    """What a person may say when starting a workflow by hand; `options` is empty for any text."""

    name: str
    default: str = ""
    required: bool = False
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trigger:
    """One event under `on:` with its filters; None where a filter is not given."""

    event: str
    branches: tuple[str, ...] | None = None
    branches_ignore: tuple[str, ...] | None = None
    paths: tuple[str, ...] | None = None
    paths_ignore: tuple[str, ...] | None = None
    tags_only: bool = False
    types: tuple[str, ...] = DEFAULT_TYPES
    inputs: tuple[Input, ...] = ()

    def fires(self, event: Event) -> bool:
        """Return whether an event starts the workflow."""
        if event.name != self.event or self.tags_only:
            return False
        if event.name == "pull_request" and event.action not in self.types:
            return False
        if self.branches is not None and not matches(self.branches, event.branch):
            return False
        if self.branches_ignore is not None and matches(self.branches_ignore, event.branch):
            return False
        if self.paths is not None:
            return any(matches(self.paths, file) for file in event.files())
        if self.paths_ignore is not None:
            return not all(matches(self.paths_ignore, file) for file in event.files())
        return True


def parse_triggers(entry: Entry) -> tuple[Trigger, ...]:
    """Read `on:`: one event, a list of events, or a mapping with filters.

    Raises:
        SpecError: An event or a filter is unknown.
    """
    if isinstance(entry.value, dict):
        named = [(name, below) for name, below in entry.mapping().items()]
    elif isinstance(entry.value, list):
        named = [(item.text(), item) for item in entry.items()]
    else:
        named = [(entry.text(), entry)]
    if not named:
        raise entry.refuse("no event is given", "write `on: push`")
    found = []
    for name, below in named:
        if name in EVENTS:
            has_filters = isinstance(entry.value, dict) and below.value is not None
            found.append(_trigger(name, below) if has_filters else Trigger(name))
        elif name not in NEVER:
            fix = f"use one of {', '.join(EVENTS)}"
            raise below.refuse(f"unexpected event {name!r}", fix)
    return tuple(found)


def _trigger(name: str, entry: Entry) -> Trigger:
    """Read the filters of one event."""
    if name == "workflow_dispatch":
        given = entry.mapping(("inputs",)).get("inputs")
        inputs = given.mapping().items() if given and given.value is not None else ()
        return Trigger(name, inputs=tuple(_input(key, below) for key, below in inputs))
    filters = FILTERS if name == "push" else FILTERS[:4]
    members = entry.mapping((*filters, *(() if name == "push" else ("types",))))
    for allowed in ("branches", "paths", "tags"):
        if allowed in members and f"{allowed}-ignore" in members:
            problem = f"{allowed} and {allowed}-ignore cannot be given together"
            fix = f"keep {allowed}, with `!pattern` for what to leave out"
            raise members[f"{allowed}-ignore"].refuse(problem, fix)
    values = {key: tuple(below.texts()) for key, below in members.items()}
    for key, patterns in values.items():
        for pattern in patterns:
            if key != "types" and _pattern(pattern.removeprefix("!")) is None:
                raise members[key].refuse(f"{pattern!r} is no pattern")
    branches = {"branches", "branches-ignore"} & values.keys()
    return Trigger(
        name,
        values.get("branches"),
        values.get("branches-ignore"),
        values.get("paths"),
        values.get("paths-ignore"),
        bool({"tags", "tags-ignore"} & values.keys()) and not branches,
        values.get("types", DEFAULT_TYPES),
    )


def _input(name: str, entry: Entry) -> Input:
    """Read one input of a dispatch."""
    if entry.value is None:
        return Input(name)
    keys = ("default", "deprecationMessage", "description", "options", "required", "type")
    members = entry.mapping(keys)
    return Input(
        name,
        members["default"].text() if "default" in members else "",
        members["required"].flag() if "required" in members else False,
        tuple(members["options"].texts()) if "options" in members else (),
    )


def chosen_inputs(trigger: Trigger, given: Mapping[str, str]) -> dict[str, str]:
    """Return the inputs of a dispatch, defaults filled in.

    Raises:
        LabError: One is unknown, missing, or none of its options; the words are GitHub's.
    """
    declared = {one.name: one for one in trigger.inputs}
    unknown = sorted(given.keys() - declared.keys())
    if unknown:
        raise LabError(f"unexpected inputs provided: {unknown}", f"it takes {sorted(declared)}")
    for one in trigger.inputs:
        value = given.get(one.name, one.default)
        if one.required and not value:
            raise LabError(f"required input {one.name!r} not provided", f"give {one.name}=…")
        if one.options and value not in one.options:
            raise LabError(f"{one.name}: {value!r} is no option", f"use one of {one.options}")
    return {one.name: given.get(one.name, one.default) for one in trigger.inputs}


def matches(patterns: Sequence[str], name: str) -> bool:
    """Return whether a name is chosen by patterns; a later `!pattern` takes away again."""
    chosen = False
    for pattern in patterns:
        negative = pattern.startswith("!")
        expression = _pattern(pattern.removeprefix("!"))
        if expression is not None and expression.fullmatch(name):
            chosen = not negative
    return chosen


@cache
def _pattern(pattern: str) -> re.Pattern[str] | None:
    """Return a filter pattern as a regular expression; None when it is none.

    `*` stops at a slash, `**` does not; `?` and `+` repeat the character before them.
    """
    parts = []
    for piece in re.findall(r"\*\*/|\*\*|\*|\[[^\]]+\]|\\.|.", pattern, re.DOTALL):
        if piece == "**/":
            parts.append("(?:.*/)?")
        elif piece in ("**", "*"):
            parts.append(".*" if piece == "**" else "[^/]*")
        elif piece in ("?", "+") or (piece.startswith("[") and len(piece) > 1):
            parts.append(piece)
        else:
            parts.append(re.escape(piece[-1]))
    try:
        return re.compile("".join(parts))
    except re.error:
        return None
