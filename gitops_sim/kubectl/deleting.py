"""`kubectl delete`: by file or by name, then waiting until the objects are gone.

Source: k8s.io/kubectl pkg/cmd/delete/delete.go.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from gitops_sim.errors import ApiError, LabError, NotFoundError
from gitops_sim.kubectl.arguments import Arguments, Flag
from gitops_sim.kubectl.loading import FILE_FLAGS, load
from gitops_sim.kubectl.mapping import Mapped
from gitops_sim.kubectl.messages import error_text, with_source
from gitops_sim.kubectl.session import Session, Work
from gitops_sim.kubectl.targets import targets_of
from gitops_sim.kubectl.waiting import TIMED_OUT, until
from gitops_sim.protocols import Propagation

__all__ = ["DELETE_FLAGS", "delete"]

DELETE_FLAGS = {
    **FILE_FLAGS,
    "all": Flag(takes_value=False),
    "cascade": Flag(),
    "dry-run": Flag(),
    "force": Flag(takes_value=False),
    "grace-period": Flag(),
    "ignore-not-found": Flag(takes_value=False),
    "now": Flag(takes_value=False),
    "output": Flag("o"),
    "timeout": Flag(),
    "wait": Flag(takes_value=False),
}
CASCADES: dict[str, Propagation] = {
    "background": "Background",
    "foreground": "Foreground",
    "orphan": "Orphan",
}
Target = tuple[str, Mapped, str, str]
"""Source, kind, namespace and name of what is to be deleted."""


def delete(session: Session, arguments: Arguments) -> Work:
    """Delete objects one after the other; then wait for all of them, unless told otherwise."""
    cascade, grace = _cascade(arguments), _grace(arguments)
    errors: list[Exception] = []
    gone: list[tuple[Target, str]] = []
    warned = not session.namespace_given
    for target in _targets(session, arguments, errors):
        source, kind, namespace, name = target
        yield session.step("delete", kind, name, namespace=namespace)
        if not warned and not kind.namespaced:
            session.warn("deleting cluster-scoped resources, not scoped to the provided namespace")
            warned = True
        try:
            live = session.cluster.get(kind.exact, name, namespace or None)
            if arguments.dry_run != "client":
                session.cluster.delete(
                    kind.exact,
                    name,
                    namespace or None,
                    propagation=cascade,
                    grace_period=grace if grace >= 0 else None,
                    dry_run=arguments.dry_run == "server",
                )
        except NotFoundError as refused:
            if not arguments.on("ignore-not-found"):
                errors.append(with_source(refused, "deleting", source))
            continue
        except ApiError as refused:
            errors.append(with_source(refused, "deleting", source))
            continue
        _say_deleted(session, arguments, target, forced=grace == 0)
        gone.append((target, live["metadata"].get("uid", "")))
    if errors:
        session.err.append(error_text(errors))
        return 1
    if not gone and not arguments.on("ignore-not-found"):
        session.say("No resources found")
    if arguments.on("wait", default=True) and arguments.dry_run == "none":
        yield from _wait_until_gone(session, arguments, gone)
    return 0


def _cascade(arguments: Arguments) -> Propagation:
    cascade = CASCADES.get(arguments.text("cascade", "background"))
    if cascade is None:
        problem = f'invalid cascade value ({arguments.text("cascade")}). Must be "background", '
        raise LabError(f'{problem}"foreground", or "orphan"')
    return cascade


def _grace(arguments: Arguments) -> int:
    """Return the seconds that objects have to stop; -1: their own."""
    grace = 1 if arguments.on("now") else arguments.number("grace-period", -1)
    return 0 if arguments.on("force") and grace < 0 else grace


def _targets(session: Session, arguments: Arguments, errors: list[Exception]) -> Iterator[Target]:
    """Yield what is to be deleted; what cannot be found out goes to `errors`."""
    if arguments.values.keys() & {"filename", "kustomize"}:
        loaded = load(session, arguments)
        errors.extend(loaded.errors)
        for item in loaded.found:
            yield item.source, item.kind, item.namespace, item.name
        return
    for target in targets_of(session, arguments, arguments.words):
        yield "", target.kind, target.namespace, target.name


def _say_deleted(session: Session, arguments: Arguments, target: Target, *, forced: bool) -> None:
    _, kind, namespace, name = target
    if arguments.text("output") == "name":
        session.say(kind.shown(name))
        return
    operation = "force deleted" if forced else "deleted"
    place = f" from {namespace} namespace" if kind.namespaced else ""
    tried = {"client": " (dry run)", "server": " (server dry run)"}.get(arguments.dry_run, "")
    session.say(f'{kind.singular} "{name}" {operation}{place}{tried}')


def _wait_until_gone(
    session: Session, arguments: Arguments, gone: list[tuple[Target, str]]
) -> Work:
    """Wait until each object is not there, or is another one of the same name."""
    seconds = arguments.seconds("timeout", 0.0)
    deadline = session.clock.now() + seconds if seconds > 0 else math.inf
    for (_, kind, namespace, name), uid in gone:
        try:
            live = session.cluster.get(kind.exact, name, namespace or None)
        except NotFoundError:
            continue
        if live["metadata"].get("uid", "") != uid:
            continue
        done = yield from until(
            session, kind, namespace, name, deadline, lambda event: event.type == "DELETED"
        )
        if not done:
            raise LabError(f"{TIMED_OUT} on {kind.plural}/{name}")
    return 0
