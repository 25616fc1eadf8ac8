"""Kustomizations built in process, held against `kubectl kustomize`, byte for byte."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gitops_sim.apimachinery.yaml_dump import dump
from gitops_sim.protocols import TreeReader
from gitops_sim.render import kustomization
from gitops_sim.render.graph import Graph
from gitops_sim.render.inprocess import PlainFiles, build_in_process
from gitops_sim.render.kubectl_process import kustomize
from gitops_sim.render.reading import ParsedYaml, Reading


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files below a folder."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)


def in_process(tree: TreeReader, folder: str) -> str:
    """Return what the build in process gives, as YAML; NotInProcessError when it cannot."""
    graph, root = _graph(tree, folder)
    built = build_in_process(graph, root, PlainFiles(), own_folder_only=False)
    return "---\n".join(dump(item.manifest) for item in built)


def by_kubectl(tree: TreeReader, folder: str) -> tuple[str, str]:
    """Return what `kubectl kustomize` prints: the YAML and the error, one of them empty."""
    graph, _ = _graph(tree, folder)
    files = {path: graph.reading.read(path) for path in graph.files}
    return kustomize(files, folder)


def _graph(tree: TreeReader, folder: str) -> tuple[Graph, kustomization.Kustomization]:
    reading = Reading(tree, ParsedYaml())
    file = kustomization.find(reading, folder)
    assert file is not None
    root = kustomization.load(reading, file)
    graph = Graph(reading)
    graph.follow(root)
    return graph, root
