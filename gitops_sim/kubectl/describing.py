"""`kubectl describe`: everything of an object, and its events.

Source: k8s.io/kubectl pkg/describe/describe.go.
Differs: kinds that nobody meets in a lesson (volumes, autoscalers, roles, ingresses and others)
are shown as kubectl shows a custom resource.
"""

from __future__ import annotations

import re
from typing import Any

from gitops_sim.apiserver.table_cells import Ages
from gitops_sim.errors import ApiError, NotFoundError
from gitops_sim.kubectl.arguments import Arguments, Flag
from gitops_sim.kubectl.describe_others import (
    describe_config_map,
    describe_namespace,
    describe_node,
    describe_secret,
    describe_service,
)
from gitops_sim.kubectl.describe_pods import describe_pod
from gitops_sim.kubectl.describe_text import Page
from gitops_sim.kubectl.describe_workloads import WORKLOADS, describe_workload
from gitops_sim.kubectl.eventing import events_of
from gitops_sim.kubectl.loading import FILE_FLAGS
from gitops_sim.kubectl.messages import error_text
from gitops_sim.kubectl.session import Session, Work
from gitops_sim.kubectl.targets import Target, targets_of
from gitops_sim.types import Manifest

__all__ = ["DESCRIBE_FLAGS", "describe"]

DESCRIBE_FLAGS = {**FILE_FLAGS, "show-events": Flag(takes_value=False)}
SHOWN_APART = ("name", "namespace", "labels", "annotations", "managedFields")
ACRONYMS = ("API", "URL", "UID", "OSB", "GUID")
NO_EVENTS = ("Secret", "Namespace")


def describe(session: Session, arguments: Arguments) -> Work:
    """Describe objects: `describe deploy/web`, `describe pods -l app=web`."""
    everything = not arguments.text("selector") and len(arguments.words) == 1
    arguments.values.setdefault("all", [str(everything).lower()])
    targets = targets_of(session, arguments, arguments.words)
    shows_events = arguments.on("show-events", default=len(targets) == 1)
    texts: list[str] = []
    errors: list[ApiError] = []
    for target in targets:
        yield session.step("describe", target.kind, target.name, namespace=target.namespace)
        try:
            live = session.cluster.get(target.kind.exact, target.name, target.namespace or None)
        except NotFoundError as error:
            errors.append(error)
            continue
        texts.append(_described(session, live, shows_events=shows_events))
    if errors and len(arguments.words) == len(targets) + 1 == 2:
        return _matching(session, targets[0], errors[0])
    if not targets:
        session.err.append(f"No resources found in {session.namespace} namespace.\n")
    session.out.append("\n\n".join(texts))
    if errors:
        session.err.append(error_text(errors))
    return 1 if errors else 0


def _matching(session: Session, wanted: Target, problem: ApiError) -> int:
    """Describe the objects whose names begin so: `describe pod web`.

    Raises:
        ApiError: The problem, when there is none.
    """
    found = [
        live
        for live in session.cluster.list(wanted.kind.exact, wanted.namespace or None)
        if live["metadata"]["name"].startswith(wanted.name)
    ]
    if not found:
        raise problem
    for live in found:
        session.out.append(f"{_described(session, live, shows_events=False)}\n")
    return 0


def _described(session: Session, live: Manifest, *, shows_events: bool) -> str:
    page = Page()
    _write(page, live, session)
    if shows_events and live["kind"] not in NO_EVENTS:
        page.add_events(events_of(session, live))
    return page.text()


def _write(page: Page, live: Manifest, session: Session) -> None:
    """Write an object in the form of its kind."""
    kind = (str(live["apiVersion"]).rpartition("/")[0], str(live["kind"]))
    now = session.clock.timestamp()
    match kind:
        case found if found in WORKLOADS:
            describe_workload(page, live, session.cluster)
        case ("", "ConfigMap"):
            describe_config_map(page, live)
        case ("", "Namespace"):
            describe_namespace(page, live, session.cluster)
        case ("", "Node"):
            describe_node(page, live, session.cluster, now)
        case ("", "Pod"):
            describe_pod(page, live, Ages(now)(live["metadata"].get("deletionTimestamp")))
        case ("", "Secret"):
            describe_secret(page, live)
        case ("", "Service"):
            describe_service(page, live, session.cluster)
        case _:
            _write_members(page, live)


def _write_members(page: Page, live: Manifest) -> None:
    """Write an object of any kind: its names, then all its members."""
    metadata = live["metadata"]
    page.add(f"Name:\t{metadata['name']}")
    page.add(f"Namespace:\t{metadata.get('namespace', '')}")
    page.add_labels("Labels", metadata.get("labels"))
    page.add_annotations("Annotations", metadata.get("annotations"))
    page.add(f"API Version:\t{live['apiVersion']}")
    page.add(f"Kind:\t{live['kind']}")
    shown = {key: value for key, value in metadata.items() if key not in SHOWN_APART}
    rest = {key: value for key, value in live.items() if key not in ("apiVersion", "kind")}
    page.add_lines(_members({**rest, "metadata": shown}, 0))


def _members(content: dict[str, Any], level: int) -> list[list[str]]:
    """Return the lines of a mapping, keys sorted, nested values indented below their key."""
    blank = "  " * level
    lines: list[list[str]] = []
    for key, value in sorted(content.items()):
        title = f"{blank}{_title(key)}:"
        if isinstance(value, dict):
            lines += [[title], *_members(value, level + 1)]
        elif isinstance(value, list):
            lines.append([title])
            for item in value:
                if isinstance(item, dict):
                    lines += _members(item, level + 1)
                else:
                    lines.append([f"{blank}  {_text(item)}"])
        else:
            lines.append([title, _text(value)])
    return lines


def _text(value: Any) -> str:
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _title(key: str) -> str:
    """Return a field's name as words: `creationTimestamp` becomes `Creation Timestamp`."""
    if "." in key or "/" in key:
        return key
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[^A-Z]+|[A-Z]", key)
    return " ".join(
        word.upper() if word.upper() in ACRONYMS else word[:1].upper() + word[1:] for word in words
    )
