"""`kubectl cordon`, `uncordon` and `taint`: which nodes pods may come to.

Source: k8s.io/kubectl pkg/cmd/drain/drain.go, pkg/cmd/taint/taint.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gitops_sim.errors import LabError
from gitops_sim.kubectl.arguments import Arguments, Flag
from gitops_sim.kubectl.printing import say_done
from gitops_sim.kubectl.session import Session, Work
from gitops_sim.kubectl.targets import Target, targets_of
from gitops_sim.types import Manifest

__all__ = ["CORDON_FLAGS", "TAINT_FLAGS", "cordon", "taint", "uncordon"]

CORDON_FLAGS = {"dry-run": Flag(), "selector": Flag("l")}
TAINT_FLAGS = {
    "all": Flag(takes_value=False),
    "dry-run": Flag(),
    "overwrite": Flag(takes_value=False),
    "selector": Flag("l"),
}
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
Taint = Mapping[str, str]


def cordon(session: Session, arguments: Arguments) -> Work:
    """Let no new pods come to nodes: `cordon node-1`."""
    return (yield from _schedule(session, arguments, "cordon", closed=True))


def uncordon(session: Session, arguments: Arguments) -> Work:
    """Let new pods come to nodes again."""
    return (yield from _schedule(session, arguments, "uncordon", closed=False))


def _schedule(session: Session, arguments: Arguments, word: str, *, closed: bool) -> Work:
    if not arguments.words and not arguments.text("selector"):
        raise LabError(f"USAGE: {word} NODE [flags]\nSee 'kubectl {word} -h' for help and examples")
    for target in targets_of(session, arguments, ["nodes", *arguments.words]):
        yield session.step(word, target.kind, target.name)
        live = session.cluster.get(target.kind.exact, target.name)
        already = bool((live.get("spec") or {}).get("unschedulable")) == closed
        if not already:
            patch = {"spec": {"unschedulable": True if closed else None}}
            _patch(session, arguments, target, patch, f"kubectl-{word}")
        done = f"already {word}ed" if already else f"{word}ed"
        say_done(session, arguments, target.kind, target.name, done)
    return 0


class _Changes(NamedTuple):
    """What is asked of taints: new ones, and what goes, by key and effect ("" means all)."""

    wanted: list[Taint]
    gone: list[tuple[str, str]]


def taint(session: Session, arguments: Arguments) -> Work:
    """Set or take away taints: `taint nodes node-1 dedicated=db:NoSchedule old-`."""
    kind, names, changes = _read(arguments.words)
    if kind not in ("no", "node", "nodes"):
        raise LabError(f"invalid resource type {kind}, only node types are supported")
    if not changes.wanted and not changes.gone:
        raise LabError("at least one taint update is required")
    for target in targets_of(session, arguments, ["nodes", *names]):
        yield session.step("taint", target.kind, target.name)
        live = session.cluster.get(target.kind.exact, target.name)
        before: list[Taint] = (live.get("spec") or {}).get("taints") or []
        after, done = _changed(target.name, before, changes, overwrite=arguments.on("overwrite"))
        patch: dict[str, Any] = {"spec": {"taints": after or None}}
        _patch(session, arguments, target, patch, "kubectl-taint")
        say_done(session, arguments, target.kind, target.name, done)
    return 0


def _read(words: Sequence[str]) -> tuple[str, list[str], _Changes]:
    """Return the kind, the names of nodes, and what is asked of their taints."""
    kind, names, changes = (words[0] if words else ""), [], _Changes([], [])
    for word in words[1:]:
        told, is_gone = word.removesuffix("-"), word.endswith("-")
        if ":" not in word and not is_gone and "=" not in word:
            names.append(word)
            continue
        pair, _, effect = told.partition(":")
        key, _, value = pair.partition("=")
        if effect not in EFFECTS and (effect or not is_gone):
            problem = f"invalid taint effect: {effect}, unsupported taint effect"
            raise LabError(f"{problem}\nSee 'kubectl taint -h' for help and examples")
        if is_gone:
            changes.gone.append((key, effect))
        else:
            told_value = {"value": value} if value else {}
            changes.wanted.append({"effect": effect, "key": key, **told_value})
    return kind, names, changes


def _changed(
    node: str, before: Sequence[Taint], changes: _Changes, *, overwrite: bool
) -> tuple[list[Taint], str]:
    """Return the taints of a node afterwards, new ones first, and kubectl's word for it.

    Raises:
        LabError: One is there already, or one that is to go is not.
    """
    new = {(taint["key"], taint["effect"]) for taint in changes.wanted}
    taken = sorted({t["key"] for t in before if (t["key"], t["effect"]) in new})
    if taken and not overwrite:
        problem = f"node {node} already has {','.join(taken)} taint(s) with same effect(s)"
        raise LabError(f"{problem} and --overwrite is false")
    for key, effect in changes.gone:
        if not any(t["key"] == key and effect in ("", t["effect"]) for t in before):
            raise LabError(f'taint "{key}{f":{effect}" if effect else ""}" not found')
    gone = {*changes.gone}
    kept = [
        t
        for t in before
        if (t["key"], t["effect"]) not in new | gone and (t["key"], "") not in gone
    ]
    word = "untainted" if not changes.wanted else "modified" if taken else "tainted"
    return [*changes.wanted, *kept], word


def _patch(
    session: Session, arguments: Arguments, target: Target, patch: Manifest, manager: str
) -> None:
    if arguments.dry_run == "client":
        return
    session.cluster.patch(
        target.kind.exact,
        target.name,
        patch,
        type="merge",
        field_manager=manager,
        dry_run=arguments.dry_run == "server",
    )
