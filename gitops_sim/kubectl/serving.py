"""What a server has and is, and what its pods print: `api-resources`, `version`, `logs`.

Source: k8s.io/kubectl pkg/cmd/apiresources, pkg/cmd/version, pkg/cmd/logs.
Differs: `version` prints the version of Kubernetes that is simulated as the server's; `logs` does
not follow.
"""

from __future__ import annotations

from gitops_sim.errors import LabError, NotFoundError
from gitops_sim.kubectl.arguments import Arguments, Flag
from gitops_sim.kubectl.mapping import names_of
from gitops_sim.kubectl.session import Session, Work
from gitops_sim.kubectl.tables import in_columns
from gitops_sim.types import Step

__all__ = ["LOGS_FLAGS", "RESOURCES_FLAGS", "VERSION_FLAGS", "api_resources", "logs", "version"]

RESOURCES_FLAGS = {
    "api-group": Flag(),
    "namespaced": Flag(takes_value=False),
    "no-headers": Flag(takes_value=False),
    "output": Flag("o"),
}
VERSION_FLAGS = {"client": Flag(takes_value=False)}
LOGS_FLAGS = {
    "container": Flag("c"),
    "previous": Flag("p", takes_value=False),
    "tail": Flag(),
}
CLIENT, KUSTOMIZE, SERVER = "v1.37.1", "v5.8.1", "v1.37.2"


def api_resources(session: Session, arguments: Arguments) -> Work:
    """Print the kinds that the server serves."""
    yield Step("kubectl api-resources", 0.02)
    head = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]
    rows = []
    for row in session.cluster.discover():
        if "namespaced" in arguments.values and row["namespaced"] != arguments.on("namespaced"):
            continue
        if "api-group" in arguments.values and row["group"] != arguments.text("api-group"):
            continue
        version = f"{row['group']}/{row['version']}" if row["group"] else row["version"]
        shorts, scope = ",".join(row["short_names"]), str(bool(row["namespaced"])).lower()
        rows.append([row["plural"], shorts, version, scope, row["kind"], row["group"]])
    rows.sort(key=lambda cells: (cells[5], cells[0]))
    if arguments.text("output") == "name":
        for name, _, _, _, _, group in rows:
            session.say(f"{name}.{group}" if group else name)
        return 0
    shown = [] if arguments.on("no-headers") else [head]
    session.out.append(in_columns([*shown, *(cells[:5] for cells in rows)]))
    return 0


def version(session: Session, arguments: Arguments) -> Work:
    """Print the versions of client and server."""
    yield Step("kubectl version", 0.01)
    session.say(f"Client Version: {CLIENT}")
    session.say(f"Kustomize Version: {KUSTOMIZE}")
    if not arguments.on("client"):
        session.cluster.discover()  # without a server this is where it shows
        session.say(f"Server Version: {SERVER}")
    return 0


def logs(session: Session, arguments: Arguments) -> Work:
    """Print what a container has printed: `logs web-0 -c app --tail 20`."""
    if session.logs is None:
        raise LabError("this cluster keeps no logs")
    if not arguments.words:
        raise LabError("expected 'logs [-p] (POD | TYPE/NAME) [-c CONTAINER]'.")
    word = arguments.words[0]
    ((kind, name),) = names_of(session.kinds, [word] if "/" in word else ["pods", word])
    if kind.kind != "Pod":
        name = _pod_of(session, kind.exact, name)
    container = arguments.text("container") or (arguments.words[1:] or [""])[0]
    yield session.step("logs", session.kinds.named("pods"), name)
    try:
        text = session.logs(
            name, session.namespace, container=container, previous=arguments.on("previous")
        )
    except NotFoundError:
        problem = f'pods "{name}" not found in namespace "{session.namespace}"'
        raise LabError(f"error from server (NotFound): {problem}") from None
    tail = arguments.number("tail", -1)
    lines = text.splitlines(keepends=True)
    session.out.append("".join(lines if tail < 0 else lines[max(len(lines) - tail, 0) :]))
    return 0


def _pod_of(session: Session, kind: str, name: str) -> str:
    """Return a pod of a workload, the first by name."""
    live = session.cluster.get(kind, name, session.namespace)
    labels = ((live.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    found = session.cluster.list("v1/Pod", session.namespace, labels=selector or None)
    if not labels or not found:
        raise LabError(f"timed out waiting for the condition: {kind} {name} has no pods")
    return str(found[0]["metadata"]["name"])
