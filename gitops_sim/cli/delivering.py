"""Carry out a plan: a lab, a repository in it, a cluster, a way to deliver, and time.

What the real tools would be told by a person is told here as they would: Flux gets its resources,
and a repository without workflows gets the one that anyone would write.
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

from gitops_sim.apimachinery.yaml_dump import dump
from gitops_sim.cli.folders import KUSTOMIZATIONS, build_part
from gitops_sim.cli.plan import Happening, Plan
from gitops_sim.cli.progress import Progress
from gitops_sim.errors import GitOpsSimError, InputError
from gitops_sim.forge import Repository
from gitops_sim.lab import ClusterHandle, Lab
from gitops_sim.lab.declared import artifact
from gitops_sim.protocols import TreeReader
from gitops_sim.render import Build, as_kubectl_takes, repeated_folders, without

__all__ = ["Delivery", "builtin_workflow", "deliver"]

CLUSTER = "cluster"
WORKFLOWS = ".github/workflows"
BUILTIN = f"{WORKFLOWS}/deploy.yaml"
WAITED_FOR = ("DaemonSet", "Deployment", "StatefulSet")
"""Kinds that `kubectl rollout status` knows."""
SLICES = 50
"""Parts of a run between which the bar moves."""


@dataclass(slots=True)
class Delivery:
    """A plan that was carried out; `remarks` tell what a reader would not expect."""

    plan: Plan
    lab: Lab
    repository: Repository
    cluster: ClusterHandle
    remarks: list[str] = field(default_factory=list)


def deliver(plan: Plan) -> Delivery:
    """Deliver, let time pass, and do what the timeline says.

    Raises:
        InputError: The directory is not there or cannot be built, or the timeline asks for what
            cannot be done.
        GitOpsSimError: The repository cannot be imported.
    """
    lab = Lab(seed=plan.seed)
    repository = lab.forge.import_repository(plan.repository)
    path = _directory(repository.tree(), plan.path, plan.repository)
    delivery = Delivery(plan, lab, repository, lab.cluster(CLUSTER, nodes=plan.nodes))
    if plan.deliver == "flux":
        _by_flux(delivery, path)
    else:
        _by_push(delivery, path)
    with Progress(f"delivering {repository.name}", plan.until) as progress:
        for happening in plan.timeline:
            _advance(lab, happening.at, progress)
            _do(delivery, happening)
        _advance(lab, plan.until, progress)
    return delivery


def _directory(tree: TreeReader, path: str, repository: str) -> str:
    """Return a path as trees write it.

    Raises:
        InputError: There is no such directory.
    """
    clean = "/".join(part for part in path.split("/") if part not in ("", "."))
    if not clean or tree.is_directory(clean):
        return clean
    folders = sorted({f.rpartition("/")[0] for f in tree.files() if "/" in f})
    close = difflib.get_close_matches(clean, folders, 1)
    listed = ", ".join(folders[:10]) or "none"
    fix = f"did you mean {close[0]}?" if close else f"its directories are {listed}"
    raise InputError(repository, 0, f"it has no directory {path!r}", fix)


def _by_flux(delivery: Delivery, path: str) -> None:
    tree = artifact(delivery.repository.tree())
    plain = not _has_kustomization(tree, path)
    hidden = repeated_folders(tree, path) if plain else []
    built = build_part(without(tree, hidden), path)
    if hidden:
        delivery.remarks.append(
            f"{', '.join(hidden)}: objects that are declared above it too, left out by the "
            "GitRepository's spec.ignore, as Flux refuses an object that is there twice"
        )
    if delivery.repository.tree().files(WORKFLOWS):
        delivery.remarks.append(
            f"the repository's own workflows ({WORKFLOWS}) run too, without access to the cluster"
        )
    ignore = "".join(f"/{folder}/\n" for folder in hidden)
    target = "" if any(r.key.namespace for r in built.manifests) else "default"
    if target:
        delivery.remarks.append(
            "no manifest names a namespace, so the Kustomization has targetNamespace: default"
        )
    delivery.cluster.flux.bootstrap(
        delivery.repository, path=path, interval="1m", ignore=ignore, target_namespace=target
    )


def _by_push(delivery: Delivery, path: str) -> None:
    repository, tree = delivery.repository, delivery.repository.tree()
    kustomize = _has_kustomization(tree, path)
    taken = as_kubectl_takes(tree, path)
    built = build_part(taken, path)
    if taken is not tree:
        delivery.remarks.append(
            f"directories below {path or '.'} are left out, as kubectl apply -f does"
        )
    delivery.cluster.pipeline.connect(repository, path=path)
    if tree.files(WORKFLOWS):
        # An import starts no workflow; what a first push of the branch would start is wanted here.
        delivery.cluster.pipeline.start(repository)
        delivery.remarks.append(f"the repository's own workflows deliver ({WORKFLOWS})")
        return
    workflow = builtin_workflow(built, path, kustomize=kustomize)
    repository.commit({BUILTIN: workflow}, "Deliver by a pipeline")
    command = _apply(path, kustomize=kustomize)
    delivery.remarks.append(f"the repository has no workflow, a built-in one ran: {command}")


def builtin_workflow(built: Build, path: str, *, kustomize: bool) -> str:
    """Return the workflow of a repository that has none: apply all, wait for each roll-out.

    Args:
        built: What the directory gives; its workloads are waited for.
        path: The directory.
        kustomize: Whether a kustomization is there (`-k`) or plain files (`-f`).
    """
    waits = [
        f"kubectl rollout status {r.key.kind.lower()}/{shlex.quote(r.key.name)}"
        + (f" --namespace {shlex.quote(r.key.namespace)}" if r.key.namespace else "")
        + " --timeout 10m"
        for r in built.manifests
        if r.key.kind in WAITED_FOR
    ]
    steps: list[dict[str, str]] = [
        {"uses": "actions/checkout@v4"},
        {"name": "Apply", "run": _apply(path, kustomize=kustomize)},
    ]
    if waits:
        steps.append({"name": "Wait", "run": "\n".join(waits) + "\n"})
    job = {"runs-on": "ubuntu-latest", "steps": steps}
    return dump({"name": "deploy", "on": "push", "jobs": {"deploy": job}})


def _apply(path: str, *, kustomize: bool) -> str:
    return f"kubectl apply {'-k' if kustomize else '-f'} {shlex.quote(path or '.')}"


def _has_kustomization(tree: TreeReader, path: str) -> bool:
    names = {f"{path}/{name}".lstrip("/") for name in KUSTOMIZATIONS}
    return any(name in names for name in tree.files(path))


def _advance(lab: Lab, until: float, progress: Progress) -> None:
    start = lab.clock.now()
    for part in range(1, SLICES + 1):
        moment = start + (until - start) * part / SLICES
        if moment > lab.clock.now():
            lab.run(until=f"+{moment:.6f}s")
        progress.show(lab.clock.now(), lab.clock.timestamp()[11:19])


def _do(delivery: Delivery, happening: Happening) -> None:
    try:
        _act(delivery, happening)
    except InputError:
        raise
    except GitOpsSimError as error:
        raise happening.entry.refuse(str(error)) from None


def _act(delivery: Delivery, happening: Happening) -> None:
    lab, cluster = delivery.lab, delivery.cluster
    service = lab.forge if happening.what == "git" else lab.registry
    match happening.action:
        case "commit":
            delivery.repository.commit(_files(delivery.repository, happening), happening.what)
        case "kubectl":
            printed = cluster.kubectl(happening.what, repository=delivery.repository)
            if printed.exit_code:
                moment = lab.clock.timestamp()[11:19]
                delivery.remarks.append(
                    f"{moment} kubectl {happening.what}: {printed.stderr.strip()}"
                )
        case "take-down":
            service.take_down()
        case "bring-back":
            service.bring_back()
        case "kill":
            cluster.simulated.kill(happening.what)
        case "start":
            cluster.simulated.start(happening.what)


def _files(repository: Repository, happening: Happening) -> dict[str, str | None]:
    files = dict(happening.files)
    for path, pairs in happening.replace.items():
        text = repository.read(path)
        for old, new in pairs.items():
            if old not in text:
                raise happening.entry.refuse(f"{path} does not contain {old!r}", _lines(text))
            text = text.replace(old, new)
        files[path] = text
    return files


def _lines(text: str) -> str:
    lines: Sequence[str] = text.splitlines()
    return f"it has {len(lines)} lines, and begins with {lines[0]!r}" if lines else "it is empty"
