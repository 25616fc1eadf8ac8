"""E01.5: a cluster that was rebuilt from Git, held against the one that will be gone.

In `prod` somebody made one object by hand. It has to be found there, declared in Git, and delivered
to `rebuilt` as it was.
"""

from __future__ import annotations

from typing import Any

from gitops_sim.errors import InputError, NotFoundError
from gitops_sim.exercises.results import Verdict
from gitops_sim.exercises.view import LabView, RepositoryView
from gitops_sim.journal import facts
from gitops_sim.protocols import Reader
from gitops_sim.types import Manifest

__all__ = ["rebuilt_from_git"]

SHOP, PLANTED, DIRECTORY = "shop", "opening-hours", "manifests"
SERVER_SET = ("uid", "resourceVersion", "managedFields", "creationTimestamp")
ROOT_CA = "kube-root-ca.crt"
"""A ConfigMap that every namespace is given."""
COMPARED = ("v1/Namespace", "v1/ConfigMap", "apps/v1/Deployment")
KUSTOMIZATION = "kustomize.toolkit.fluxcd.io/v1/Kustomization"
REBUILT = "cluster `rebuilt` equals `prod`, with what nobody had committed, and Git has all of it"


def rebuilt_from_git(view: LabView) -> Verdict:
    """Judge: the rebuilt cluster equals the lost one, because Git says all of it."""
    prod, book = view.clusters.get("prod"), view.repository("runbook")
    if prod is None or book is None:
        return _not_yet("this lab has no cluster `prod`", "the first cells of the lesson make it")
    try:
        declared = [m.manifest for m in view.renderer.build(book.tree(), DIRECTORY).manifests]
    except InputError as error:
        return _not_yet(f"main cannot be built: {error}", "the last commit: `book.log()`")
    planted = next((m for m in declared if m["metadata"]["name"] == PLANTED), None)
    if planted is not None and (verdict := _wrongly_declared(view, prod, planted)) is not None:
        return verdict
    rebuilt = view.clusters.get("rebuilt")
    if rebuilt is None:
        return _not_yet("there is no cluster `rebuilt` yet", '`lab.cluster("rebuilt")`')
    before, after = _objects(prod), _objects(rebuilt)
    different = [name for name, value in before.items() if after.get(name) != value]
    if planted is None and set(different) <= {f"ConfigMap/{PLANTED}"}:
        return _undeclared(book, is_there=not different)
    if planted is None:  # which object that is, is the learner's to find
        different = [name for name in different if name != f"ConfigMap/{PLANTED}"]
    if different:
        return _undelivered(rebuilt, different)
    found = f"{len(before)} objects, the same in both, and all of them in Git"
    return Verdict(passed=True, expected=REBUILT, found=found)


def _not_yet(found: str, look_here: str, mistake: str = "") -> Verdict:
    return Verdict(
        passed=False, expected=REBUILT, found=found, look_here=look_here, mistake=mistake
    )


def _wrongly_declared(view: LabView, prod: Reader, planted: Manifest) -> Verdict | None:
    """Return what is wrong with how Git declares the object, or None."""
    metadata, data = planted["metadata"], planted.get("data")
    if "status" in planted or any(name in metadata for name in SERVER_SET):
        fields = "`status`, `uid`, `resourceVersion`"
        return _not_yet(f"Git has what the server set: {fields}", "the file", "dumped")
    namespace = metadata.get("namespace", "default")
    if namespace != SHOP:
        return _not_yet(
            f"Git declares `{PLANTED}` in the namespace `{namespace}`, in prod it is in `{SHOP}`",
            "`metadata.namespace` in the file",
        )
    was = _made_by_hand(view, prod)
    if data != was:
        return _not_yet(f"Git says {data}, and by hand it was {was}", "`data` in the file")
    return None


def _made_by_hand(view: LabView, prod: Reader) -> Any:
    """Return the data that the object had when it was made; Flux may have changed it since."""
    for change in view.journal.facts(facts.ObjectChanged):
        if (change.cluster, change.verb, change.name) == ("prod", "create", PLANTED):
            made = prod.get("v1/ConfigMap", PLANTED, change.namespace, at=change.resource_version)
            return made.get("data")
    return None


def _undeclared(book: RepositoryView, *, is_there: bool) -> Verdict:
    """Return what to say when the rest is as it was, and Git does not know the object."""
    tree = book.tree()
    elsewhere = [path for path in tree.files() if PLANTED.encode() in tree.read(path)]
    if elsewhere:
        found = f"`{elsewhere[0]}` is not in the directory that Flux reads"
        return _not_yet(found, f"the path of the file: below `{DIRECTORY}/`")
    look_here = "`lab.compare(prod)`: what is extra?"
    if is_there:
        return _not_yet(f"Git does not know `{PLANTED}`", look_here, "by-hand")
    return _not_yet("one object of prod is not in Git, nor in `rebuilt`", look_here, "forgotten")


def _undelivered(rebuilt: Reader, different: list[str]) -> Verdict:
    """Return why objects are not in the rebuilt cluster as they were."""
    found = f"not as in prod: {', '.join(different)}"
    try:
        agents = rebuilt.list(KUSTOMIZATION)
    except NotFoundError:
        return _not_yet(
            f"{found}; nothing delivers to `rebuilt`",
            f'`rebuilt.flux.bootstrap(book, path="{DIRECTORY}", interval="1m")`',
        )
    for agent in agents:
        for condition in (agent.get("status") or {}).get("conditions", ()):
            if (condition["type"], condition["status"]) == ("Ready", "False"):
                told = condition["message"].partition("\n")[0]
                return _not_yet(f"{found}; Flux says: {told}", "`rebuilt.flux.get()`")
    return _not_yet(found, "the clock: has Flux applied it?")


def _objects(cluster: Reader) -> dict[str, Any]:
    """Return the shop's objects by name: what was declared of them, without what the server set."""
    found: dict[str, Any] = {}
    for kind in COMPARED:
        for manifest in cluster.list(kind, SHOP):
            name = manifest["metadata"]["name"]
            is_ours = name == SHOP if manifest["kind"] == "Namespace" else name != ROOT_CA
            if is_ours:
                found[f"{manifest['kind']}/{name}"] = (manifest.get("spec"), manifest.get("data"))
    return found
