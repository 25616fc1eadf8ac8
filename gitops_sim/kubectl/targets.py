"""The objects that a command works on: by file, by type and name, by selector, or all."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_sim.errors import LabError
from gitops_sim.kubectl.arguments import Arguments
from gitops_sim.kubectl.loading import load
from gitops_sim.kubectl.mapping import Mapped, names_of
from gitops_sim.kubectl.session import Session

__all__ = ["Target", "targets_of"]


@dataclass(frozen=True, slots=True)
class Target:
    """One object; `namespace` is empty for a cluster-scoped one."""

    kind: Mapped
    namespace: str
    name: str


def targets_of(session: Session, arguments: Arguments, words: list[str]) -> list[Target]:
    """Return the objects meant.

    Args:
        session: The command.
        arguments: `-f`, `-k`, `-l` and `--all` choose.
        words: Those of the command line that name types and objects.

    Raises:
        LabError: Nothing is named, or a type without `-l` or `--all`; the text is kubectl's.
    """
    if arguments.values.keys() & {"filename", "kustomize"}:
        loaded = load(session, arguments)
        if loaded.errors:
            raise loaded.errors[0]
        return [Target(item.kind, item.namespace, item.name) for item in loaded.found]
    if not words:
        raise LabError("You must provide one or more resources by argument or filename.")
    selector = arguments.text("selector")
    targets = []
    for kind, name in names_of(session.kinds, words):
        namespace = session.namespace_of(kind)
        if name:
            targets.append(Target(kind, namespace or "", name))
            continue
        if not selector and not arguments.on("all"):
            raise LabError("resource(s) were provided, but no name was specified")
        for live in session.cluster.list(kind.exact, namespace, labels=selector or None):
            metadata = live["metadata"]
            targets.append(Target(kind, metadata.get("namespace", ""), metadata["name"]))
    return targets
