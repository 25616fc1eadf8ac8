"""`kubectl label` and `kubectl annotate`: set and take away, by a merge patch of the metadata.

Source: k8s.io/kubectl pkg/cmd/label/label.go, pkg/cmd/annotate/annotate.go.
"""

from __future__ import annotations

from typing import Any

from gitops_sim.errors import LabError
from gitops_sim.kubectl.arguments import Arguments, Flag
from gitops_sim.kubectl.loading import FILE_FLAGS
from gitops_sim.kubectl.printing import say_done, show
from gitops_sim.kubectl.session import Session, Work
from gitops_sim.kubectl.targets import targets_of
from gitops_sim.types import Manifest

__all__ = ["LABEL_FLAGS", "annotate", "label"]

LABEL_FLAGS = {
    **FILE_FLAGS,
    "all": Flag(takes_value=False),
    "dry-run": Flag(),
    "field-manager": Flag(),
    "list": Flag(takes_value=False),
    "output": Flag("o"),
    "overwrite": Flag(takes_value=False),
}


def label(session: Session, arguments: Arguments) -> Work:
    """Set or take away labels: `label deploy/web tier=front old-`."""
    return (yield from _change(session, arguments, "labels"))


def annotate(session: Session, arguments: Arguments) -> Work:
    """Set or take away annotations: `annotate deploy/web note=hello old-`."""
    return (yield from _change(session, arguments, "annotations"))


def _change(session: Session, arguments: Arguments, field: str) -> Work:
    words, wanted, gone = _split(arguments.words)
    if not wanted and not gone and not arguments.on("list"):
        raise LabError(f"at least one {field.removesuffix('s')} update is required")
    for target in targets_of(session, arguments, words):
        kind, namespace, name = target.kind, target.namespace, target.name
        yield session.step(field.removesuffix("s"), kind, name, namespace=namespace)
        live = session.cluster.get(kind.exact, name, namespace or None)
        before = live["metadata"].get(field) or {}
        if arguments.on("list"):
            for key, value in sorted(before.items()):
                session.say(f"{key}={value}")
            continue
        if not arguments.on("overwrite"):
            _want_no_other_value(field, before, wanted)
        for key in gone:
            if key not in before and field == "labels":
                session.say(f'label "{key}" not found.')
        patch: dict[str, Any] = {key: None for key in gone if key in before} | wanted
        after = live
        if arguments.dry_run != "client":
            after = session.cluster.patch(
                kind.exact,
                name,
                {"metadata": {field: patch}},
                namespace or None,
                type="merge",
                field_manager=arguments.text("field-manager", f"kubectl-{_verb(field)}"),
                dry_run=arguments.dry_run == "server",
            )
        if arguments.text("output"):
            show(session, arguments, kind, after)
        else:
            say_done(session, arguments, kind, name, _done(field, before, wanted, gone))
    return 0


def _verb(field: str) -> str:
    return "label" if field == "labels" else "annotate"


def _split(words: list[str]) -> tuple[list[str], dict[str, str], list[str]]:
    """Return the words that name objects, what is set, and what is taken away."""
    targets: list[str] = []
    wanted: dict[str, str] = {}
    gone: list[str] = []
    for word in words:
        key, equals, value = word.partition("=")
        if equals:
            wanted[key] = value
        elif word.endswith("-") and targets:
            gone.append(word[:-1])
        else:
            targets.append(word)
    both = sorted(wanted.keys() & set(gone))
    if both:
        raise LabError(f"can not both modify and remove a label in the same command: {both[0]}")
    return targets, wanted, gone


def _want_no_other_value(field: str, before: Manifest, wanted: dict[str, str]) -> None:
    taken = [
        f"'{key}' already has a value ({before[key]})"
        for key, value in wanted.items()
        if key in before and before[key] != value
    ]
    if not taken:
        return
    if field == "labels":
        raise LabError(f"{taken[0]}, and --overwrite is false")
    raise LabError(
        f"--overwrite is false but found the following declared annotation(s): {'; '.join(taken)}"
    )


def _done(field: str, before: Manifest, wanted: dict[str, str], gone: list[str]) -> str:
    """Return what was done, in kubectl's word."""
    if field == "annotations":
        return "annotated"
    if any(before.get(key) != value for key, value in wanted.items()):
        return "labeled"
    return "unlabeled" if before.keys() & set(gone) else "not labeled"
