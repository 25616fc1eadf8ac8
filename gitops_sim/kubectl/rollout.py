"""`kubectl rollout status|undo|restart|history|pause|resume`.

Source: k8s.io/kubectl pkg/polymorphichelpers/rollback.go, objectrestarter.go, history.go.
Differs: undo and history know Deployments only; a restart's time is the lab's; an undo as a dry run
of the client does not print the template.
"""

from __future__ import annotations

from typing import Any

from gitops_sim.apimachinery.last_applied import ANNOTATION
from gitops_sim.errors import LabError
from gitops_sim.kubectl.arguments import Arguments, Flag
from gitops_sim.kubectl.describe_pods import describe_template
from gitops_sim.kubectl.describe_text import Page
from gitops_sim.kubectl.mapping import Mapped, names_of
from gitops_sim.kubectl.printing import say_done
from gitops_sim.kubectl.rollout_status import follow_rollout
from gitops_sim.kubectl.session import Session, Work
from gitops_sim.types import Manifest

__all__ = ["ROLLOUT_FLAGS", "rollout"]

ROLLOUT_FLAGS = {
    "timeout": Flag(),
    "watch": Flag("w", takes_value=False),
    "revision": Flag(),
    "to-revision": Flag(),
    "dry-run": Flag(),
}
REVISION = "deployment.kubernetes.io/revision"
HASH = "pod-template-hash"
NOT_RESTORED = (
    ANNOTATION,
    REVISION,
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
)
"""Annotations that an undo leaves as they are."""
OVERTAKEN = (
    f"resource {{}} was previously managed with 'kubectl apply'. Rolling back will not update the "
    f"{ANNOTATION} annotation, which may cause unexpected behavior on future 'kubectl apply' "
    "operations. Consider using 'kubectl apply' with your previous configuration file instead."
)


def rollout(session: Session, arguments: Arguments) -> Work:
    """Run the sub-command that the first word names."""
    at_once = {
        "undo": _undo,
        "restart": _restart,
        "history": _history,
        "pause": _pause,
        "resume": _pause,
    }
    word = arguments.words[0] if arguments.words else ""
    if word != "status" and word not in at_once:
        known = ", ".join(("status", *at_once))
        raise LabError(f'unknown command "{word}" for "kubectl rollout"; there is: {known}')
    if word != "undo" and arguments.text("dry-run"):
        raise LabError(f"unknown flag: --dry-run\nSee 'kubectl rollout {word} --help' for usage.")
    targets = names_of(session.kinds, arguments.words[1:])
    if not targets:
        raise LabError("required resource not specified")
    for kind, name in targets:
        if not name:
            raise LabError("resource(s) were provided, but no name was specified")
        yield session.step(f"rollout {word}", kind, name)
        live = session.cluster.get(kind.exact, name, session.namespace_of(kind))
        if word == "status":
            if (yield from follow_rollout(session, arguments, kind, live)):
                session.done.append("rolled out")
        else:
            at_once[word](session, arguments, kind, live)
    return 0


def _restart(session: Session, arguments: Arguments, kind: Mapped, live: Manifest) -> None:
    """Change an annotation of the pod template, so that all pods are replaced."""
    name, namespace = live["metadata"]["name"], live["metadata"].get("namespace")
    template = (live.get("spec") or {}).get("template")
    if kind.group != "apps" or kind.kind == "ReplicaSet" or template is None:
        raise LabError(f'{kind.resource} "{name}" restarting is not supported')
    if live["spec"].get("paused"):
        problem = "can't restart paused deployment (run rollout resume first)"
        raise LabError(f'{kind.resource} "{name}" {problem}')
    mark = {"kubectl.kubernetes.io/restartedAt": session.clock.timestamp()}
    if (template["metadata"].get("annotations") or {}).items() >= mark.items():
        problem = (
            f"failed to create patch for {name}: if restart has already been triggered within "
            "the past second, please wait before attempting to trigger another"
        )
        raise LabError(problem)
    session.cluster.patch(
        kind.exact,
        name,
        {"spec": {"template": {"metadata": {"annotations": mark}}}},
        namespace,
        type="strategic",
        field_manager="kubectl-rollout",
    )
    say_done(session, arguments, kind, name, "restarted")


def _pause(session: Session, arguments: Arguments, kind: Mapped, live: Manifest) -> None:
    """Set or take away `spec.paused`."""
    word = arguments.words[0]
    name, paused = live["metadata"]["name"], bool(live["spec"].get("paused"))
    if kind.kind != "Deployment":
        raise LabError(f'{kind.resource} "{name}" {word[:-1]}ing is not supported')
    if paused == (word == "pause"):
        state = "already paused" if paused else "not paused"
        raise LabError(f'{kind.resource} "{name}" is {state}')
    session.cluster.patch(
        kind.exact,
        name,
        {"spec": {"paused": True if word == "pause" else None}},
        live["metadata"].get("namespace"),
        type="strategic",
        field_manager="kubectl-rollout",
    )
    say_done(session, arguments, kind, name, f"{word}d")


def _revisions(session: Session, live: Manifest) -> dict[int, Manifest]:
    """Return a Deployment's ReplicaSets by their revision, lowest first."""
    found: dict[int, Manifest] = {}
    for owned in session.cluster.list("apps/v1/ReplicaSet", live["metadata"].get("namespace")):
        owners = owned["metadata"].get("ownerReferences") or []
        revision = (owned["metadata"].get("annotations") or {}).get(REVISION, "")
        if revision.isdigit() and any(o.get("uid") == live["metadata"]["uid"] for o in owners):
            found[int(revision)] = owned
    return dict(sorted(found.items()))


def _undo(session: Session, arguments: Arguments, kind: Mapped, live: Manifest) -> None:
    """Put the pod template of an earlier revision back."""
    name = live["metadata"]["name"]
    if kind.kind != "Deployment":
        raise LabError(f'no rollbacker has been implemented for "{kind.singular}"')
    annotations = live["metadata"].get("annotations") or {}
    if ANNOTATION in annotations:
        session.warn(OVERTAKEN.format(f"{kind.plural}/{name}"))
    revisions = _revisions(session, live)
    wanted = arguments.number("to-revision", 0)
    if wanted and wanted not in revisions:
        raise LabError(f"unable to find specified revision {wanted} in history")
    if not wanted and len(revisions) < 2:
        raise LabError(f'no rollout history found for deployment "{name}"')
    old = revisions[wanted] if wanted else revisions[sorted(revisions)[-2]]
    if live["spec"].get("paused"):
        problem = "you cannot rollback a paused deployment; resume it first with 'kubectl rollout "
        raise LabError(f"{problem}resume' and try again")
    template = _without_hash(old["spec"]["template"])
    if template == _without_hash(live["spec"]["template"]):
        why = f"(current template already matches revision {wanted})"
        say_done(session, arguments, kind, name, f"skipped rollback {why}")
        return
    if arguments.dry_run == "client":
        session.out.append(f"{kind.shown(name)} {_template_of(old)} (dry run)\n")
        return
    kept = {key: annotations[key] for key in NOT_RESTORED if key in annotations}
    restored = old["metadata"].get("annotations") or {}
    kept |= {key: value for key, value in restored.items() if key not in NOT_RESTORED}
    session.cluster.patch(
        kind.exact,
        name,
        [
            {"op": "replace", "path": "/spec/template", "value": template},
            {"op": "replace", "path": "/metadata/annotations", "value": kept},
        ],
        live["metadata"].get("namespace"),
        type="json",
        field_manager="kubectl",
        dry_run=arguments.dry_run != "none",
    )
    say_done(session, arguments, kind, name, "rolled back")


def _template_of(owned: Manifest) -> str:
    page = Page()
    describe_template(page, owned["spec"]["template"])
    return page.raw()


def _without_hash(template: dict[str, Any]) -> dict[str, Any]:
    """Return a pod template without the label that a ReplicaSet adds."""
    metadata = template.get("metadata") or {}
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != HASH}
    return template | {"metadata": metadata | {"labels": labels}}


def _history(session: Session, arguments: Arguments, kind: Mapped, live: Manifest) -> None:
    """Print the revisions that can be gone back to, or the pod template of one."""
    name, wanted = live["metadata"]["name"], arguments.number("revision", 0)
    if kind.kind != "Deployment":
        raise LabError(f"no history viewer has been implemented for {kind.singular}")
    if wanted:
        owned = _revisions(session, live).get(wanted)
        if owned is None:
            raise LabError("unable to find the specified revision")
        session.say(f"{kind.shown(name)} with revision #{wanted}")
        session.say(_template_of(owned))
        return
    session.say(f"{kind.shown(name)} ")
    session.say("REVISION  CHANGE-CAUSE")
    for revision, owned in _revisions(session, live).items():
        annotations = owned["metadata"].get("annotations") or {}
        session.say(f"{revision:<10}{annotations.get('kubernetes.io/change-cause', '<none>')}")
    session.say("")
