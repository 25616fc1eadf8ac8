"""A kustomization built by kubectl: files handed over, objects taken back, errors made readable."""

from __future__ import annotations

import json
import re

from gitops_sim.errors import BuildError
from gitops_sim.render.document_lines import DocumentLines
from gitops_sim.render.folder_tree import git_blob_id
from gitops_sim.render.graph import Graph
from gitops_sim.render.kubectl_process import kustomize
from gitops_sim.render.kustomization import Kustomization
from gitops_sim.render.lines import line_of_key
from gitops_sim.render.objects import duplicate, objects_of
from gitops_sim.render.overlay import ORIGIN, with_origins
from gitops_sim.render.paths import join
from gitops_sim.render.reading import Reading
from gitops_sim.render.results import Rendered
from gitops_sim.types import Manifest

__all__ = ["OUTSIDE_OWN_FOLDER", "outside_own_folder", "run_kustomize"]

ORIGIN_ANNOTATION = "config.kubernetes.io/origin"
LONGEST_MESSAGE = 500

# kustomize prints an id as Kind.version.group/name.namespace; a name may hold dots.
_ID = r"(?P<kind>\w+)\.[^.\s]+\.\S+?/(?P<name>\S+)\.(?:\[noNs\]|[^.\s']+)"
TWICE = re.compile(rf"already registered id: {_ID}")
NO_TARGET = re.compile(rf"no matches for Id {_ID}; failed to find unique target")
OUTSIDE_OWN_FOLDER = "is outside the kustomization's own directory"
"""How the problem ends that only a build limited to its own folders has."""
OUTSIDE = re.compile(r"security; file '(?P<file>[^']+)' is not in or below")
SHAPE = re.compile(
    r'unknown field "(?P<unknown>\w+)"'
    r"|into Go struct field \S*\.(?P<field>\w+) of type (?P<type>\S+)"
)


def run_kustomize(
    graph: Graph, root: Kustomization, reading: Reading, *, own_folder_only: bool
) -> list[Rendered]:
    """Build a kustomization whose files have been checked.

    Args:
        graph: All files that it needs.
        root: The kustomization, with what the build's options add.
        reading: The tree.
        own_folder_only: As in `BuildOptions`.

    Returns:
        The objects in kustomize's order, each with the file it comes from.

    Raises:
        BuildError: kustomize refuses; kubectl is missing or too slow (names no file then).
    """
    marked = with_origins(root)
    files = {path: reading.read(path) for path in graph.files if path != root.file}
    files[root.file] = json.dumps(marked.fields).encode()
    stream, said = kustomize(files, root.folder, own_folder_only=own_folder_only)
    if said:
        raise _readable(said, graph, root)
    keep_origins = ORIGIN in root.entries("buildMetadata")
    return _objects(stream, graph, root, keep_origins=keep_origins)


def outside_own_folder(root: Kustomization, file: str) -> BuildError:
    """Return the error of a build that is limited to its kustomizations' own folders."""
    fix = "move the file there; `kubectl apply -k` reads no other"
    return BuildError(root.file, 0, f"{file} {OUTSIDE_OWN_FOLDER}", fix)


def _objects(
    stream: str, graph: Graph, root: Kustomization, *, keep_origins: bool
) -> list[Rendered]:
    """Return the objects of kustomize's output."""
    lines = DocumentLines(graph.resources, graph.reading)
    objects: list[Rendered] = []
    # One document at a time: the separator never begins a line inside one, and an object that
    # did not change since the last build is not parsed again.
    for text in f"\n{stream}".split("\n---\n"):
        data = text.encode()
        for document in graph.reading.parse_text(git_blob_id(data), data, root.file):
            for item in objects_of(document, root.file):
                manifest, origin = _without_origin(item.manifest)
                file = _origin_file(origin, root)
                shown = item.manifest if keep_origins else manifest
                objects.append(Rendered(shown, file, lines.of(file, manifest)))
    return objects


def _without_origin(manifest: Manifest) -> tuple[Manifest, str]:
    """Return a manifest without kustomize's note of its origin, and that note."""
    metadata = manifest["metadata"]
    annotations = dict(metadata.get("annotations") or {})
    origin = str(annotations.pop(ORIGIN_ANNOTATION, ""))
    cleaned = {key: value for key, value in metadata.items() if key != "annotations"}
    if annotations:
        cleaned["annotations"] = annotations
    return manifest | {"metadata": cleaned}, origin


def _origin_file(origin: str, root: Kustomization) -> str:
    """Return the file that an origin note names; kustomize gives it relative to the root."""
    for line in origin.splitlines():
        name, _, path = line.partition(": ")
        if name in ("path", "configuredIn"):
            return join(root.folder, path) or root.file
    return root.file


def _readable(said: str, graph: Graph, root: Kustomization) -> BuildError:
    """Return kustomize's refusal as an error that names a file, and a line where one is known."""
    twice = TWICE.search(said)
    if twice:
        return _twice(twice["kind"], twice["name"], graph, root)
    shape = _shape(said, graph)
    if shape is not None:
        return shape
    outside = OUTSIDE.search(said)
    if outside:
        return outside_own_folder(root, outside["file"])
    target = NO_TARGET.search(said)
    if target:
        problem = f"no resource {target['kind']}/{target['name']} for a patch"
        fix = "correct the kind or name in the patch"
        return BuildError(_mentioned(said, graph, root), 0, problem, fix)
    text = " ".join(said.split())
    if len(text) > LONGEST_MESSAGE:
        text = text[: LONGEST_MESSAGE // 2] + " … " + text[-LONGEST_MESSAGE // 2 :]
    return BuildError(_mentioned(said, graph, root), 0, f"kustomize: {text}")


def _shape(said: str, graph: Graph) -> BuildError | None:
    """Return the error for a field below the top level that kustomize could not decode."""
    found = SHAPE.search(said)
    if found is None:
        return None
    name = found["unknown"] or found["field"]
    problem = "unknown field" if found["unknown"] else f"want {_words(found['type'])}"
    for file in graph.kustomizations:
        known = file in graph.reading.files  # a generated one is not
        line = line_of_key(graph.reading.read(file), name) if known else 0
        if line:
            return BuildError(file, line, problem, "see the fields of kustomize", name)
    return None


def _twice(kind: str, name: str, graph: Graph, root: Kustomization) -> BuildError:
    """Return the error for an object that two places define."""
    places = [
        item
        for path in graph.resources
        for document in graph.reading.documents(path)
        for item in objects_of(document, path)
        if item.key.kind == kind and item.key.name == name
    ]
    if len(places) > 1:
        return duplicate(places[0].key, places[0], places[1])
    where = f" from {places[0].file}:{places[0].line}" if places else ""
    fix = "remove one of the entries under resources that lead there"
    return BuildError(root.file, 0, f"{kind}/{name}{where} is added twice", fix)


def _mentioned(said: str, graph: Graph, root: Kustomization) -> str:
    """Return the file that kustomize's text speaks of: the longest path that it contains."""
    named = [path for path in graph.files if path in said]
    return max(named, key=len, default=root.file)


def _words(go_type: str) -> str:
    """Return a Go type in words."""
    words = {"string": "text", "bool": "true or false", "[]string": "a list of texts"}
    return words.get(go_type, "a number" if "int" in go_type else f"the type {go_type}")
