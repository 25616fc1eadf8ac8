"""`kubectl get`: tables, names, YAML, JSON, JSONPath and columns of one's own.

Differs: no `--watch`; `-o go-template` is not understood.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gitops_sim.errors import BadRequestError, LabError, NotFoundError
from gitops_sim.kubectl.arguments import Arguments, Flag
from gitops_sim.kubectl.jsonpath import evaluate
from gitops_sim.kubectl.loading import FILE_FLAGS, load
from gitops_sim.kubectl.mapping import Mapped, names_of
from gitops_sim.kubectl.messages import error_text
from gitops_sim.kubectl.printing import as_text
from gitops_sim.kubectl.session import Session, Work
from gitops_sim.kubectl.tables import in_columns, table_of
from gitops_sim.types import Manifest

__all__ = ["GET_FLAGS", "get"]

GET_FLAGS = {
    **FILE_FLAGS,
    "all-namespaces": Flag("A", takes_value=False),
    "field-selector": Flag(),
    "ignore-not-found": Flag(takes_value=False),
    "label-columns": Flag("L"),
    "no-headers": Flag(takes_value=False),
    "output": Flag("o"),
    "show-managed-fields": Flag(takes_value=False),
    "sort-by": Flag(),
    "show-labels": Flag(takes_value=False),
}
Rows = list[tuple[Mapped, list[Manifest]]]


def get(session: Session, arguments: Arguments) -> Work:
    """Print objects; the exit status is 1 when one that was named is not there."""
    rows: Rows = []
    missing: list[NotFoundError] = []
    targets = _targets(session, arguments)
    for kind, name, namespace in targets:
        yield session.step("get", kind, name)
        try:
            found = _found(session, arguments, kind, name, namespace)
        except NotFoundError as error:
            if name and arguments.on("ignore-not-found"):
                found = []
            elif name and len(targets) > 1:
                missing.append(error)
                continue
            else:
                raise
        if rows and rows[-1][0] == kind:
            rows[-1][1].extend(found)
        else:
            rows.append((kind, found))
    if arguments.text("sort-by"):
        for _, found in rows:
            found.sort(key=lambda live: _sort_key(evaluate(arguments.text("sort-by"), live)))
    if any(found for _, found in rows) or not missing:
        _print(session, arguments, rows, single=len(targets) == 1 and bool(targets[0][1]))
    if missing:
        session.err.append(error_text(missing))
    return 1 if missing else 0


def _found(
    session: Session, arguments: Arguments, kind: Mapped, name: str, namespace: str | None
) -> list[Manifest]:
    """Return one object, or those that the selectors choose.

    Raises:
        ApiError: It is not there, or a selector is none.
    """
    if name:
        return [session.cluster.get(kind.exact, name, namespace)]
    labels, fields = arguments.text("selector"), arguments.text("field-selector")
    try:
        return list(
            session.cluster.list(
                kind.exact, namespace, labels=labels or None, fields=fields or None
            )
        )
    except BadRequestError as error:
        where = f'Unable to find "{kind.group}/{kind.version}, Resource={kind.plural}" that match '
        told = f'label selector "{labels}", field selector "{fields}": {error.message}'
        raise BadRequestError(where + told, error.details) from None


def _sort_key(text: str) -> tuple[float, str]:
    return (float(text), "") if text.isdigit() else (float("inf"), text)


def _targets(session: Session, arguments: Arguments) -> list[tuple[Mapped, str, str | None]]:
    """Return kind, name and namespace of what was asked for; an empty name means all."""
    if arguments.values.keys() & {"filename", "kustomize"}:
        loaded = load(session, arguments)
        if loaded.errors:
            raise loaded.errors[0]
        return [(item.kind, item.name, item.namespace or None) for item in loaded.found]
    if not arguments.words:
        problem = 'You must specify the type of resource to get. Use "kubectl api-resources" for '
        raise LabError(f"{problem}a complete list of supported resources.")
    everywhere = arguments.on("all-namespaces")
    return [
        (kind, name, None if everywhere else session.namespace_of(kind))
        for kind, name in names_of(session.kinds, arguments.words)
    ]


def _print(session: Session, arguments: Arguments, rows: Rows, *, single: bool) -> None:
    """Print what was found in the form that `-o` asks for."""
    output = arguments.text("output")
    objects = [live for _, found in rows for live in found]
    if output == "name":
        for kind, found in rows:
            for live in found:
                session.say(kind.shown(live["metadata"]["name"]))
    elif output in ("", "wide"):
        _tables(session, arguments, rows)
    else:
        one = objects[0] if single and len(objects) == 1 else None
        whole: Any = one if one is not None else _as_list(objects)
        if output.startswith("custom-columns="):
            session.out.append(_custom_columns(arguments, objects))
        elif output.startswith("jsonpath="):
            session.out.append(evaluate(output.removeprefix("jsonpath="), whole))
        else:
            managed = arguments.on("show-managed-fields")
            session.out.append(as_text(whole, output, managed_fields=managed))


def _as_list(objects: Sequence[Manifest]) -> Manifest:
    return {
        "apiVersion": "v1",
        "items": list(objects),
        "kind": "List",
        "metadata": {"resourceVersion": ""},
    }


def _tables(session: Session, arguments: Arguments, rows: Rows) -> None:
    """Print one table for each kind; with several kinds, names carry their kind."""
    filled = [(kind, found) for kind, found in rows if found]
    if not filled:
        everywhere = arguments.on("all-namespaces") or not all(kind.namespaced for kind, _ in rows)
        if not arguments.on("ignore-not-found"):
            where = "" if everywhere else f" in {session.namespace} namespace."
            session.err.append(f"No resources found{where}\n")
        return
    texts = []
    for kind, found in filled:
        shown: Callable[[str], str] = kind.shown if len(rows) > 1 else str
        texts.append(_table(session, arguments, kind, found, shown))
    session.out.append("\n".join(texts))


def _table(
    session: Session,
    arguments: Arguments,
    kind: Mapped,
    found: Sequence[Manifest],
    shown: Callable[[str], str],
) -> str:
    """Return the table of one kind."""
    namespaces = arguments.on("all-namespaces") and kind.namespaced
    wide = arguments.text("output") == "wide"
    header, rows = table_of(session, kind, found, wide=wide)
    if namespaces:
        header = ["NAMESPACE", *header]
    shown_labels = arguments.all("label-columns")
    header = [*header, *(label.rpartition("/")[2].upper() for label in shown_labels)]
    if arguments.on("show-labels"):
        header = [*header, "LABELS"]
    lines = [] if arguments.on("no-headers") else [header]
    for live, (name, *cells) in zip(found, rows, strict=True):
        metadata = live["metadata"]
        line = [metadata.get("namespace", "")] if namespaces else []
        line += [shown(name), *cells]
        line += [(metadata.get("labels") or {}).get(label, "") for label in shown_labels]
        if arguments.on("show-labels"):
            pairs = sorted((metadata.get("labels") or {}).items())
            line.append(",".join(f"{key}={value}" for key, value in pairs) or "<none>")
        lines.append(line)
    return in_columns(lines)


def _custom_columns(arguments: Arguments, objects: Sequence[Manifest]) -> str:
    """Return the table of `-o custom-columns=NAME:.metadata.name,IMAGE:…`."""
    if arguments.text("output") == "custom-columns=":
        raise LabError("custom-columns format specified but no custom columns given")
    columns = [
        column.partition(":") for column in arguments.text("output").partition("=")[2].split(",")
    ]
    if any(not path for _, _, path in columns):
        raise LabError("unexpected custom-columns spec, expected <header>:<json-path-expr>")
    head = [] if arguments.on("no-headers") else [[name for name, _, _ in columns]]
    rows = [
        [evaluate(path, live, joint=",") or "<none>" for _, _, path in columns] for live in objects
    ]
    return in_columns([*head, *rows])
