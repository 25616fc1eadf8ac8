"""The objects that `-f` and `-k` name, and what is wrong with the others.

kubectl goes on where it can: a document whose kind the server does not know is an error at the
end, after the other objects have been dealt with; a file that is no YAML loses its documents from
the broken one on. Only a path that is not there stops everything before anything is sent.

Source: k8s.io/cli-runtime pkg/resource/builder.go, visitor.go, mapper.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gitops_sim.apimachinery import yaml_loader
from gitops_sim.apimachinery.labels import parse_selector
from gitops_sim.errors import InputError, LabError, ManifestError, UnknownRefError
from gitops_sim.kubectl.arguments import Arguments, Flag
from gitops_sim.kubectl.mapping import Mapped
from gitops_sim.kubectl.object_meta import undecodable
from gitops_sim.kubectl.session import Session
from gitops_sim.render import Build, BuildOptions
from gitops_sim.types import Manifest

__all__ = ["FILE_FLAGS", "Found", "Loaded", "build_kustomization", "load", "path_in_files"]

FILE_FLAGS = {
    "filename": Flag("f"),
    "kustomize": Flag("k"),
    "recursive": Flag("R", takes_value=False),
    "selector": Flag("l"),
}
EXTENSIONS = (".json", ".yaml", ".yml")
SEPARATOR = re.compile(r"^---(?=\s|$)[^\n]*\n?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Found:
    """One object to work on.

    Attributes:
        source: The file it stands in, as given on the command line; empty for `-k`.
        manifest: The object, with its namespace filled in; read-only.
        kind: Its kind.
        namespace: Empty for a cluster-scoped object.
        name: Its name; empty when it has none.
    """

    source: str
    manifest: Manifest
    kind: Mapped
    namespace: str
    name: str


@dataclass(slots=True)
class Loaded:
    """What was found, and the errors met on the way."""

    found: list[Found] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)


def load(session: Session, arguments: Arguments) -> Loaded:
    """Read everything that `-f` and `-k` name.

    Raises:
        LabError: A path does not exist or holds no manifests, or neither or both flags are given.
    """
    names, folder = arguments.all("filename"), arguments.text("kustomize")
    if names and folder:
        raise LabError("only one of -f or -k can be specified")
    if not names and not folder:
        raise LabError("must specify one of -f and -k")
    if folder and arguments.on("recursive"):
        raise LabError("the -k flag can't be used with -f or -R")
    loaded = Loaded()
    if folder:
        try:
            for item in build_kustomization(session, folder).manifests:
                _add(session, "", item.manifest, loaded)  # without a source, as in kubectl
        except LabError as wrong:
            loaded.errors.append(wrong)
    recursive = arguments.on("recursive")
    sources = [source for name in names for source in _expand(session, name, recursive=recursive)]
    for source in sources:
        _file(session, source, loaded)
    if arguments.text("selector"):
        selector = parse_selector(arguments.text("selector"))
        loaded.found = [
            item
            for item in loaded.found
            if selector.matches(item.manifest["metadata"].get("labels") or {})
        ]
    return loaded


def _expand(session: Session, name: str, *, recursive: bool) -> list[str]:
    """Return the files behind one `-f`."""
    if name == "-":
        return [name]
    if name.startswith(("http://", "https://")):
        problem = f"unable to read URL {name!r}: the lab fetches nothing from the network"
        raise LabError(f"{problem}; commit the file to the repository and name its path")
    path = path_in_files(session, name)
    if session.files.is_directory(path):
        shown = name.rstrip("/")
        start = len(path) + 1 if path else 0
        below = sorted((file[start:] for file in session.files.files(path)), key=_walk_order)
        found = [
            f"{shown}/{file}"
            for file in below
            if file.endswith(EXTENSIONS) and (recursive or "/" not in file)
        ]
        if not found:
            extensions = " ".join(EXTENSIONS)
            raise LabError(f"error reading [{name}]: recognized file extensions are [{extensions}]")
        return found
    try:
        session.files.blob_id(path)
    except UnknownRefError:
        raise LabError(f'the path "{name}" does not exist') from None
    except InputError:
        pass  # it is there; reading it tells what is wrong with it
    return [name]


def _walk_order(path: str) -> list[str]:
    return path.split("/")


def path_in_files(session: Session, name: str) -> str:
    """Return a path on the command line as a path in the workspace."""
    parts: list[str] = []
    start = "" if name.startswith("/") else session.directory
    for part in f"{start}/{name}".split("/"):
        if part == "..":
            if not parts:
                raise LabError(f'the path "{name}" does not exist')
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _file(session: Session, source: str, loaded: Loaded) -> None:
    """Read one file or the standard input, document by document."""
    shown = "STDIN" if source == "-" else source
    try:
        text = session.stdin if source == "-" else _text(session, source)
        for document in _documents(text, shown):
            for manifest in _flatten(document):
                _add(session, shown, manifest, loaded)
    except InputError as wrong:
        where = f"line {wrong.line}: " if wrong.line else ""
        fix = f" (fix: {wrong.fix})" if wrong.fix else ""
        problem = f"error converting YAML to JSON: yaml: {where}{wrong.problem}{fix}"
        loaded.errors.append(LabError(f"error parsing {shown}: {problem}"))


def _text(session: Session, source: str) -> str:
    data = session.files.read(path_in_files(session, source))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ManifestError(source, 0, "is not UTF-8 text", "save it as UTF-8") from None


def _documents(text: str, file: str) -> Iterator[Any]:
    """Yield the documents of a stream; those before a broken one come first, as in kubectl."""
    starts = [0, *(match.end() for match in SEPARATOR.finditer(text))]
    ends = [*(match.start() for match in SEPARATOR.finditer(text)), len(text)]
    for start, end in zip(starts, ends, strict=True):
        try:
            for document in yaml_loader.load_all(text[start:end], file):
                yield document.manifest
        except ManifestError as wrong:
            above = text.count("\n", 0, start)
            line = wrong.line + above if wrong.line else 0
            raise ManifestError(file, line, wrong.problem, wrong.fix, wrong.field) from None


def _flatten(document: Any) -> Iterator[Any]:
    """Yield a document, or the items of a list."""
    items = document.get("items") if isinstance(document, dict) else None
    if isinstance(items, list) and str(document.get("kind", "")).endswith("List"):
        for item in items:
            yield from _flatten(item)
    elif document:
        yield document


def build_kustomization(session: Session, folder: str, *, own_folder_only: bool = True) -> Build:
    """Build the kustomization of a directory.

    Args:
        session: The command.
        folder: As given on the command line.
        own_folder_only: As in `BuildOptions`; kubectl's default.

    Raises:
        LabError: The directory, or a kustomization in it, is missing, or it cannot be built.
    """
    path = path_in_files(session, folder)
    if not session.files.is_directory(path):
        raise LabError(f'the path "{folder}" does not exist')
    options = BuildOptions(own_folder_only=own_folder_only, allow_empty=True)
    try:
        build = session.renderer.build(session.files, path, options=options)
    except InputError as wrong:
        raise LabError(str(wrong)) from None
    if build.mode != "kustomize":
        problem = "unable to find one of 'kustomization.yaml', 'kustomization.yml' or "
        raise LabError(f"{problem}'Kustomization' in directory '{folder}'")
    return build


def _add(session: Session, source: str, manifest: Any, loaded: Loaded) -> None:
    """Find the kind of one object, and its namespace."""
    if not isinstance(manifest, dict) or not manifest.get("kind"):
        text = str(manifest)[:100]
        loaded.errors.append(
            LabError(f"unable to decode {_quoted(source)}: Object 'Kind' is missing in '{text}'")
        )
        return
    problem = undecodable(manifest)
    if problem:
        loaded.errors.append(LabError(f"unable to decode {_quoted(source)}: {problem}"))
        return
    metadata = manifest.get("metadata") or {}
    name, namespace = str(metadata.get("name") or ""), str(metadata.get("namespace") or "")
    kind = session.kinds.of(manifest)
    if kind is None:
        version, what = manifest.get("apiVersion", ""), manifest["kind"]
        problem = (
            f'resource mapping not found for name: "{name}" namespace: "{namespace}" '
            f'from {_quoted(source)}: no matches for kind "{what}" in version "{version}"\n'
            "ensure CRDs are installed first"
        )
        loaded.errors.append(LabError(problem))
        return
    if kind.namespaced and not namespace:
        namespace = session.namespace
    elif kind.namespaced and session.namespace_given and namespace != session.namespace:
        problem = (
            f'the namespace from the provided object "{namespace}" does not match the namespace '
            f"\"{session.namespace}\". You must pass '--namespace={namespace}' to perform this "
            "operation."
        )
        loaded.errors.append(LabError(problem))
        return
    namespace = namespace if kind.namespaced else ""
    kept = {key: value for key, value in metadata.items() if key != "namespace"}
    placed = kept | ({"namespace": namespace} if namespace else {})
    loaded.found.append(Found(source, manifest | {"metadata": placed}, kind, namespace, name))


def _quoted(source: str) -> str:
    return f'"{source}"'
