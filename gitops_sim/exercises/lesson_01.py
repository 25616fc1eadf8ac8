"""Checks of lesson 01, "declare, do not command"."""

from __future__ import annotations

from collections.abc import Mapping
from string import Template
from typing import Any

from gitops_sim.exercises.lesson_01_manifests import one_end_from_five_starts
from gitops_sim.exercises.lesson_01_rebuild import rebuilt_from_git
from gitops_sim.exercises.results import Verdict
from gitops_sim.exercises.view import CheckFunction, LabView, RepositoryView
from gitops_sim.journal import facts
from gitops_sim.protocols import Reader

__all__ = ["CHECKS", "changing_teams", "one_database", "second_apply_is_still"]

FIRST_CELLS = "the first cells of the lesson make it"
OBJECTS = 3
"""Objects in `manifests/` of the runbook repository."""
TODAY = {"DATE": "2026-01-05", "RANDOM": "4f2ad81c", "RUN": "41"}
TOMORROW = {"DATE": "2026-01-06", "RANDOM": "b09e3c57", "RUN": "42"}
"""What a pipeline puts into the files of the teams, at two deliveries of one commit."""
GENERATED = ("bakery",)
SCHEDULED = ("florist",)
CLAIM, CLOUD, SHOP = "v1/PersistentVolumeClaim", "cloud", "shop"
DISKS = ("database", "orders")
STILL = f"the second `apply` prints `unchanged` {OBJECTS} times, and writes nothing"
EXACT = "the teams whose manifests differ between two deliveries of one commit, and no others"
ONE_DATABASE = (
    "one disk for the database, the same as before, one for the orders, and the name of the tool "
    "that needs no memory"
)


def _verdict(expected: str, found: str, look_here: str, mistake: str = "") -> Verdict:
    return Verdict(
        passed=False, expected=expected, found=found, look_here=look_here, mistake=mistake
    )


def second_apply_is_still(view: LabView) -> Verdict:
    """E01.1: what the second apply printed, and that it wrote nothing."""
    if "home" not in view.clusters:
        return _verdict(STILL, "this lab has no cluster `home`", FIRST_CELLS)
    told = str(getattr(view.answer, "stdout", view.answer or ""))
    told += str(getattr(view.answer, "stderr", ""))
    lines = [line for line in told.splitlines() if line.strip()]
    look_here = "what the second call prints"
    failed = next((line for line in lines if line.startswith("error:")), "")
    if failed:
        call = 'home.kubectl("apply -f manifests", repository=book)'
        return _verdict(STILL, failed, f"the call: `{call}`")
    if not lines:
        return _verdict(STILL, "no output of a second call", "the answer cell")
    if "AlreadyExists" in told:
        return _verdict(STILL, lines[-1], look_here, "used-create")
    if any(line.endswith("created") for line in lines):
        return _verdict(STILL, lines[0], look_here, "first-output")
    unchanged = sum(line.endswith("unchanged") for line in lines)
    writes = _written_by_the_last_apply(view, "home")
    if unchanged != OBJECTS or writes:
        return _verdict(STILL, f"{unchanged} unchanged, {writes} writes", look_here)
    found = f"{unchanged} objects unchanged, and no write in the journal"
    return Verdict(passed=True, expected=STILL, found=found)


def _written_by_the_last_apply(view: LabView, cluster: str) -> int:
    """Return how many objects of a cluster were written since `kubectl apply` last began."""
    written = 0
    for entry in view.journal.entries(facts.StepTaken, facts.ObjectChanged):
        fact = entry.fact
        if isinstance(fact, facts.StepTaken):
            if fact.name == "kubectl" and fact.job.startswith("kubectl apply"):
                written = 0
        elif isinstance(fact, facts.ObjectChanged) and fact.cluster == cluster:
            written += fact.field_manager == "kubectl-client-side-apply"
    return written


def changing_teams(view: LabView) -> Verdict:
    """E01.3: exactly the teams whose files, filled in today and tomorrow, are not the same."""
    teams = view.repository("teams")
    if teams is None:
        return _verdict(EXACT, "this lab has no repository `teams`", FIRST_CELLS)
    if not isinstance(view.answer, set | frozenset | list | tuple) or not view.answer:
        found = f"no set of names: {view.answer!r}" if view.answer else "no team named"
        return _verdict(EXACT, found, 'a set of names: `{"bakery", …}`')
    named = {str(name).strip(" /").partition("/")[0].lower() for name in view.answer}
    today, tomorrow = (_rendered(view, teams, values) for values in (TODAY, TOMORROW))
    changing = {name for name, files in today.items() if files != tomorrow[name]}
    if named == changing:
        return Verdict(passed=True, expected=EXACT, found=", ".join(sorted(changing)))
    look_here = "fill in the values of today and of tomorrow, and compare"
    if unknown := named - today.keys():
        teams_are = f"the teams are {', '.join(today)}"
        return _verdict(EXACT, f"no team {', '.join(sorted(unknown))}", teams_are)
    wrong, right = sorted(named - changing), len(named & changing)
    found = f"{right} of {len(changing)} found"
    if wrong:
        found += f"; the same on both days: {', '.join(wrong)}"
    if named & {*GENERATED}:
        return _verdict(EXACT, found, look_here, "named-a-generator")
    if named & {*SCHEDULED}:
        return _verdict(EXACT, found, look_here, "named-a-schedule")
    return _verdict(EXACT, found, look_here)


def _rendered(
    view: LabView, repository: RepositoryView, values: Mapping[str, str]
) -> dict[str, list[Any]]:
    """Return what each directory gives, its placeholders filled in."""
    tree = repository.tree()
    filled = {**values, "COMMIT": repository.head()}
    found: dict[str, list[Any]] = {}
    for path in tree.files():
        name, _, file = path.partition("/")
        if file:
            text = Template(tree.read(path).decode()).safe_substitute(filled)
            found.setdefault(name, []).append(text)
    for name, files in found.items():
        if f"{name}/kustomization.yaml" in tree.files():
            files.extend(built.manifest for built in view.renderer.build(tree, name).manifests)
    return found


def one_database(view: LabView) -> Verdict:
    """E01.4: the database's disk is the first one, alone, and the orders have one too."""
    cloud = view.clusters.get(CLOUD)
    if cloud is None:
        return _verdict(ONE_DATABASE, f"this lab has no cluster `{CLOUD}`", FIRST_CELLS)
    first = _first_database(view, cloud)
    if not first:
        return _verdict(ONE_DATABASE, "there was no disk yet", FIRST_CELLS)
    disks = {disk: _disks(cloud, disk) for disk in DISKS}
    found = ", ".join(f"{len(uids)} of {disk}" for disk, uids in disks.items())
    look_here = '`cloud.kubectl("get pvc -n shop --show-labels")`'
    if first not in disks["database"]:
        return _verdict(
            ONE_DATABASE, f"{found}; the first database is gone", look_here, "recreated"
        )
    if len(disks["database"]) > 1:
        return _verdict(ONE_DATABASE, found, look_here, "second-database")
    if len(disks["orders"]) != 1:
        return _verdict(ONE_DATABASE, found, look_here)
    named = str(getattr(view.answer, "__name__", view.answer or "")).strip(" ()").lower()
    if named not in ("reconcile", "reconciler"):
        return _verdict(
            ONE_DATABASE,
            f"{found}; named: {named or 'nothing'}",
            'the name of the function: `lab.check("E01.4", answer="…")`',
            "named-the-other" if named.startswith("plan") else "",
        )
    return Verdict(passed=True, expected=ONE_DATABASE, found=f"{found}, the database as before")


def _first_database(view: LabView, cloud: Reader) -> str:
    """Return the uid of the first disk that was made for the database; "" if none was."""
    for change in view.journal.facts(facts.ObjectChanged):
        told = (change.cluster, change.kind, change.verb)
        if told == (CLOUD, "PersistentVolumeClaim", "create"):
            made = cloud.get(CLAIM, change.name, change.namespace, at=change.resource_version)
            if made["metadata"].get("labels", {}).get("disk") == DISKS[0]:
                return str(made["metadata"]["uid"])
    return ""


def _disks(cloud: Reader, disk: str) -> list[str]:
    found = cloud.list(CLAIM, SHOP, labels=f"disk={disk}")
    return [
        claim["metadata"]["uid"] for claim in found if "deletionTimestamp" not in claim["metadata"]
    ]


CHECKS: Mapping[str, CheckFunction] = {
    "E01.1": second_apply_is_still,
    "E01.2": one_end_from_five_starts,
    "E01.3": changing_teams,
    "E01.4": one_database,
    "E01.5": rebuilt_from_git,
}
