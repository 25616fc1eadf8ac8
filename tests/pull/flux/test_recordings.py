"""Recorded runs of the real controllers, replayed against the simulated ones.

A file of `tests/data/flux` holds what was done (`steps`) and, for each Flux object, what the real
controller then wrote: passes, each the ordered changes of its status, and the events about it.
Passes that repeat are told once, since how many there were is a matter of time. Replayed on a
simulated cluster with its controllers, through kubectl's commands.
"""

from __future__ import annotations

import difflib
import json
import re
import shlex
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from gitops_sim.clock import VirtualClock
from gitops_sim.cluster import SimulatedCluster
from gitops_sim.forge import Forge
from gitops_sim.journal import Journal
from gitops_sim.kubectl import CommandResult, KubectlCommand
from gitops_sim.pull.flux import FluxOptions, install
from gitops_sim.registry import Registry
from gitops_sim.render import FolderTree, Renderer

DATA = Path(__file__).parents[2] / "data" / "flux"
SCENARIOS = sorted(path.stem for path in DATA.glob("*.json"))
OPTIONS = FluxOptions(interval_jitter=0, requeue_dependency=2)
RENDERER = Renderer()
_ENDS = ("history", "DependencyNotReady", "ArtifactFailed")
_BY_TIME = ("GitOperationSucceeded", "GarbageCollectionSucceeded")
"""Events of polls without news: whether there is one between two steps is a matter of time."""
_SHORT_TIME = re.compile(r"\b(\d+m)?\d+(\.\d+)?(ms|µs|s)\b(?=:|,|$)")


class Replay:
    """One scenario on a simulated cluster; `log` has every change that a watch told."""

    def __init__(self, recorded: dict[str, Any], folder: Path) -> None:
        self.clock = VirtualClock()
        self.journal = Journal(self.clock)
        registry = Registry(self.clock, self.journal)
        self.cluster = SimulatedCluster("lab", self.clock, self.journal, None, registry)
        self.forge = Forge(self.clock, self.journal)
        self.folder = folder
        self.namespace = recorded["namespace"]
        self.commits: list[str] = []
        remote = self.forge.remote
        install(self.cluster, self.clock, self.journal, remote, RENDERER, options=OPTIONS)
        self.kubectl(f"create ns {self.namespace}")
        kinds = ("gitrepositories", "kustomizations", "events")
        self.watches = [self.cluster.watch(kind, self.namespace) for kind in kinds]
        for step in recorded["steps"]:
            self.clock.run(max(step["at"], self.clock.now()))
            self.do(step)
        self.clock.run(self.clock.now() + recorded["rest"])
        log = [event for watch in self.watches for event in watch.drain()]
        self.log = sorted(log, key=lambda event: int(event.resource_version))

    def do(self, step: dict[str, Any]) -> None:
        if "commit" in step:
            self.commit(step["commit"], step["files"])
        elif "apply" in step:
            self.kubectl("apply -f -", json.dumps(step["apply"]))
        else:
            words = step["kubectl"].removeprefix("kubectl ")
            words += " --wait=false" if " delete " in words else ""  # no time passes in a command
            self.kubectl(words, step.get("stdin", ""))

    def commit(self, message: str, files: dict[str, str | None]) -> None:
        name = self.namespace.removeprefix("flux-")
        if not self.forge.repositories:
            repository = self.forge.create_repository(name)
        repository = self.forge.repository(name)
        self.commits.append(repository.commit(files, message))

    def kubectl(self, words: str, stdin: str = "") -> None:
        stdin = stdin.replace("http://git.example/", "https://git.example.com/")
        command = KubectlCommand(self.cluster, self.clock, FolderTree(self.folder), RENDERER)
        result = drained(command.run(shlex.split(words), stdin=stdin))
        assert result.exit_code == 0, result.stderr

    def told(self, text: str) -> str:
        """Return a message without what no two runs share."""
        for number, commit in enumerate(self.commits, 1):
            text = text.replace(commit, f"<commit {number}>")
        text = re.sub(r"stat \S+/kustomization-\d+", "stat <folder>", text)
        text = re.sub(r"(passed in|failed after) [0-9.]+m?s", r"\1 <time>", text)
        return _SHORT_TIME.sub(
            lambda found: "<time>" if "." in found[0] or "ms" in found[0] else found[0], text
        )


def drained(running: Generator[Any, Any, CommandResult]) -> CommandResult:
    """Run a command to its end; the time that it takes does not pass."""
    while True:
        try:
            next(running)
        except StopIteration as end:
            result: CommandResult = end.value
            return result


def passes(replay: Replay, kind: str, name: str) -> list[dict[str, list[Any]]]:
    """Return what was written about one object, pass by pass, repeated passes once."""
    found: list[dict[str, list[Any]]] = [{"changes": [], "events": []}]
    conditions: list[str] | None = None
    status: dict[str, Any] = {}
    is_going = False
    for event in replay.log:
        manifest = event.object
        if manifest["kind"] == "Event":
            about = manifest["involvedObject"]
            is_about = (about["kind"], about["name"]) == (kind, name)
            if is_about and manifest["reason"] not in _BY_TIME:
                text = replay.told(manifest["message"])
                found[-1]["events"].append(f"{manifest['type']} {manifest['reason']} {text}")
            continue
        if (manifest["kind"], manifest["metadata"]["name"]) != (kind, name):
            continue
        now = manifest.get("status") or {}
        if event.type == "DELETED":
            found[-1]["changes"].append("deleted")
            continue
        if event.type == "ADDED":
            text = f"added, observedGeneration {now.get('observedGeneration')}"
            found[-1]["changes"].append(text)
        if manifest["metadata"].get("deletionTimestamp") and not is_going:
            is_going = True
            found.append({"changes": ["deletion asked for"], "events": []})
            continue
        told = [_told_condition(replay, entry) for entry in now.get("conditions", ())]
        if event.type == "MODIFIED" and told != conditions:
            if any("Fetching manifests" in text or "DependencyNotReady" in text for text in told):
                found.append({"changes": [], "events": []})
            found[-1]["changes"].append(told)
        conditions = told
        rest = {field: value for field, value in now.items() if field != "conditions"}
        if event.type == "MODIFIED":
            changed = _told_fields(replay, status, rest)
            if changed:
                found[-1]["changes"].append(changed)
        status = rest
    return _shortened(found)


def _told_condition(replay: Replay, entry: dict[str, Any]) -> str:
    text = replay.told(entry["message"])
    head = f"{entry['type']} {entry['status']} {entry['reason']}"
    return f"{head} {text} (generation {entry['observedGeneration']})"


def _told_fields(replay: Replay, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    told = []
    for field in sorted({*before, *after}):
        value = after.get(field)
        if value == before.get(field):
            continue
        if field == "artifact":
            value = value["revision"]
        elif field == "history":
            value = value[0]["lastReconciledStatus"]
        elif field == "inventory":
            value = json.dumps([f"{entry['id']} {entry['v']}" for entry in value["entries"]])
        elif field == "lastHandledReconcileAt":
            value = "<token>"
        told.append(f"{field}: {replay.told(str(value))}")
    return told


def _shortened(found: list[dict[str, list[Any]]]) -> list[dict[str, list[Any]]]:
    found = [one for one in found if one["changes"] or one["events"]]
    if len(found) > 1 and not any(_is_end(change) for change in found[-1]["changes"]):
        found.pop()  # the recording ended in the middle of it
    return [one for place, one in enumerate(found) if not place or one != found[place - 1]]


def _is_end(change: Any) -> bool:
    return isinstance(change, str) or any(word in text for text in change for word in _ENDS)


@pytest.fixture(scope="module", params=SCENARIOS)
def scenario(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], Replay]:
    recorded = json.loads((DATA / f"{request.param}.json").read_text(encoding="utf-8"))
    return recorded, Replay(recorded, tmp_path_factory.mktemp("files"))


def test_objects_go_through_what_the_real_controllers_wrote(
    scenario: tuple[dict[str, Any], Replay],
) -> None:
    recorded, replay = scenario
    for name, expected in recorded["expected"].items():
        found = passes(replay, *name.split("/"))[: len(expected)]  # ours may go on for longer
        lines = difflib.unified_diff(_lines(expected), _lines(found), "recorded", name, n=3)
        assert not (difference := "\n".join(lines)), difference  # pytest's own takes minutes


def _lines(found: list[dict[str, list[Any]]]) -> list[str]:
    return json.dumps(found, indent=0, ensure_ascii=False).splitlines()
