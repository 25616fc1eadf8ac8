"""`kubectl apply --prune`: delete what an earlier apply made and the files no longer name.

It knows its own by the annotation that a client-side apply leaves, by a selector, and by the
namespaces of what was just applied: an object in another namespace is never found, which is one
reason why agents keep an inventory instead.

Source: k8s.io/kubectl pkg/cmd/apply/prune.go, pkg/util/prune/prune.go.
Differs: the notes of the deprecation are not printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gitops_sim.apimachinery.last_applied import ANNOTATION
from gitops_sim.errors import LabError, NotFoundError
from gitops_sim.kubectl.arguments import Arguments, Flag
from gitops_sim.kubectl.mapping import Mapped
from gitops_sim.kubectl.printing import say_done
from gitops_sim.kubectl.session import Session, Work
from gitops_sim.types import Manifest

__all__ = ["PRUNE_FLAGS", "check_prune", "prune"]

PRUNE_FLAGS = {
    "all": Flag(takes_value=False),
    "prune": Flag(takes_value=False),
    "prune-allowlist": Flag(),
}
ALLOWED = (
    *("core/v1/ConfigMap", "core/v1/Endpoints", "core/v1/Namespace"),
    *("core/v1/PersistentVolumeClaim", "core/v1/PersistentVolume", "core/v1/Pod"),
    *("core/v1/ReplicationController", "core/v1/Secret", "core/v1/Service"),
    *("batch/v1/Job", "batch/v1/CronJob", "networking.k8s.io/v1/Ingress"),
    *("apps/v1/DaemonSet", "apps/v1/Deployment", "apps/v1/ReplicaSet", "apps/v1/StatefulSet"),
)
"""Kinds that are pruned when none are named."""


def check_prune(arguments: Arguments) -> None:
    """Refuse a prune of everything that does not say so; the text is kubectl's."""
    if not arguments.on("prune"):
        return
    if not arguments.text("selector") and not arguments.on("all"):
        raise LabError(
            "all resources selected for prune without explicitly passing --all. To prune all "
            "resources, pass the --all flag. If you did not mean to prune all resources, specify a "
            "label selector"
        )


def prune(session: Session, arguments: Arguments, applied: Sequence[Manifest]) -> Work:
    """Delete what is no longer among the applied objects; call after all of them succeeded."""
    kept = {manifest["metadata"].get("uid") for manifest in applied}
    namespaces = sorted({manifest["metadata"].get("namespace", "") for manifest in applied} - {""})
    for kind, namespace in _places(session, arguments, namespaces):
        found = session.cluster.list(
            kind.exact, namespace, labels=arguments.text("selector") or None
        )
        for live in found:
            metadata = live["metadata"]
            if ANNOTATION not in (metadata.get("annotations") or {}) or metadata["uid"] in kept:
                continue
            yield session.step("prune", kind, metadata["name"], namespace=namespace or "")
            if arguments.dry_run != "client":
                try:
                    session.cluster.delete(
                        kind.exact,
                        metadata["name"],
                        namespace,
                        dry_run=arguments.dry_run == "server",
                    )
                except NotFoundError:
                    continue  # someone was faster
            if arguments.dry_run == "none":
                session.done.append("pruned")
            say_done(session, arguments, kind, metadata["name"], "pruned")
    return 0


def _places(
    session: Session, arguments: Arguments, namespaces: Sequence[str]
) -> Iterator[tuple[Mapped, str | None]]:
    """Yield the kinds and namespaces to look at: namespaced kinds first, as kubectl does."""
    wanted = arguments.all("prune-allowlist") or list(ALLOWED)
    kinds = []
    for word in wanted:
        group, _, rest = word.partition("/")
        version, _, kind = rest.partition("/")
        api_version = version if group == "core" else f"{group}/{version}"
        mapped = session.kinds.of({"apiVersion": api_version, "kind": kind})
        if mapped is None:
            raise LabError(f'no matches for kind "{kind}" in version "{api_version}"')
        kinds.append(mapped)
    for namespace in namespaces:
        yield from ((kind, namespace) for kind in kinds if kind.namespaced)
    yield from ((kind, None) for kind in kinds if not kind.namespaced)
