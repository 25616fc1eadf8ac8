"""YAML documents as Kubernetes objects: lists opened, what is no object refused, no key twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gitops_sim.apimachinery.yaml_loader import Document
from gitops_sim.errors import BuildError, ManifestError
from gitops_sim.render.results import Rendered
from gitops_sim.types import ResourceKey

__all__ = ["objects_of", "refuse_duplicates"]

LOCAL_CONFIG = "config.kubernetes.io/local-config"
"""Objects with this annotation configure tools; kustomize does not give them out."""


def objects_of(document: Document, file: str) -> list[Rendered]:
    """Return the objects of one YAML document; `kind: List` and its like are opened.

    Raises:
        ManifestError: Something in it is no Kubernetes object.
    """
    manifest: Any = document.manifest
    if not manifest:
        return []
    objects: list[Rendered] = []
    for place, item in _flatten(manifest, ""):
        _check(item, place, file, document.line)
        annotations = item["metadata"].get("annotations")
        if not (isinstance(annotations, dict) and annotations.get(LOCAL_CONFIG) == "true"):
            objects.append(Rendered(item, file, document.line))
    return objects


def refuse_duplicates(objects: Sequence[Rendered]) -> None:
    """Raise when two objects are one and the same to the API server.

    An object without a namespace and one in `default` are the same, as kustomize says, since
    nobody knows here where the first one goes.

    Args:
        objects: What a build gives.

    Raises:
        BuildError: Names both places.
    """
    seen: dict[ResourceKey, Rendered] = {}
    for item in objects:
        key = item.key
        same = ResourceKey(key.group, key.kind, key.namespace or "default", key.name)
        first = seen.setdefault(same, item)
        if first is not item:
            raise duplicate(key, first, item)


def duplicate(key: ResourceKey, first: Rendered, second: Rendered) -> BuildError:
    """Return the error that names both places of one object."""
    problem = f"{key} is here and in {first.file}:{first.line}"
    fix = "keep one of them, or give one another name or namespace"
    return BuildError(second.file, second.line, problem, fix)


def _flatten(manifest: Any, place: str) -> Iterable[tuple[str, Any]]:
    """Yield the objects in a document with their JSON path; a list of lists too."""
    items = manifest.get("items") if isinstance(manifest, dict) else None
    if isinstance(items, list) and str(manifest.get("kind", "")).endswith("List"):
        for index, item in enumerate(items):
            yield from _flatten(item, f"{place}items[{index}].")
    else:
        yield place, manifest


def _check(item: Any, place: str, file: str, line: int) -> None:
    """Refuse what the API server could not even address."""
    if not isinstance(item, dict):
        problem = f"{place}document is not a Kubernetes object"
        raise ManifestError(file, line, problem, "write apiVersion, kind and metadata.name")
    for field in ("apiVersion", "kind"):
        if not (isinstance(item.get(field), str) and item[field]):
            fix = f"add {field}, or move the file out of this directory"
            problem = "not a Kubernetes object: missing or no text"
            raise ManifestError(file, line, problem, fix, f"{place}{field}")
    metadata = item.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not (isinstance(name, str) and name):
        what = f"{item['kind']} without a name" if name is None else "name is not text"
        raise ManifestError(file, line, what, "add metadata.name", f"{place}metadata.name")
    for field, wanted, word in (
        ("namespace", str, "text"),
        ("labels", dict, "a map"),
        ("annotations", dict, "a map"),
    ):
        found = item["metadata"].get(field)
        if found is not None and not isinstance(found, wanted):
            problem = f"{field} of {item['kind']} {name} is not {word}"
            fix = f"write {word}, or leave it out"
            raise ManifestError(file, line, problem, fix, f"{place}metadata.{field}")
