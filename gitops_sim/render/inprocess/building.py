"""One kustomization from its files to objects, in kustomize's own order of steps.

Resources come first, directories built on their own; then generators, components on top of all
that is there, and the transformers. Once the root is reached, generated names get their hashes,
references the names that their targets have in the end, and everything is sorted.

Source: kustomize api/internal/target/kusttarget.go, v5.8.1.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.render.document_lines import DocumentLines
from gitops_sim.render.folder_tree import git_blob_id
from gitops_sim.render.graph import Graph
from gitops_sim.render.inprocess import images, metadata, patching
from gitops_sim.render.inprocess.generators import add_hashes, generate
from gitops_sim.render.inprocess.items import Item, NotInProcessError, Resources
from gitops_sim.render.inprocess.ordering import in_legacy_order, with_sorted_keys
from gitops_sim.render.inprocess.references import mend_references
from gitops_sim.render.inprocess.scalars import PlainFiles
from gitops_sim.render.inprocess.shape import check_fields, text_map
from gitops_sim.render.kustomization import Kustomization
from gitops_sim.render.kustomize import outside_own_folder
from gitops_sim.render.paths import clean, join
from gitops_sim.render.results import Rendered
from gitops_sim.types import Manifest

__all__ = ["build_in_process"]

TOOL_MARKS = ("config.kubernetes.io/", "kustomize.config.k8s.io/")
"""Parts of annotations by which tools steer kustomize."""


def build_in_process(
    graph: Graph, root: Kustomization, plain: PlainFiles, *, own_folder_only: bool
) -> list[Rendered]:
    """Build a kustomization whose files have been checked.

    Args:
        graph: All files that it needs.
        root: The kustomization, with what the build's options add.
        plain: Remembers which files hold nothing odd.
        own_folder_only: As in `BuildOptions`.

    Returns:
        The objects in kustomize's order, each with the file it comes from.

    Raises:
        NotInProcessError: Only kubectl can build this, or say what is wrong with it.
        BuildError: A file is outside the folder of the kustomization that names it.
    """
    builder = _Builder(graph, root, plain, own_folder_only=own_folder_only)
    builder.check()
    resources = Resources()
    builder.accumulate(root, resources)
    add_hashes(resources)
    mend_references(resources)
    lines = DocumentLines(graph.resources, graph.reading)
    objects = []
    for item in in_legacy_order(resources.items):
        manifest = _finished(json.dumps(item.manifest))
        objects.append(Rendered(manifest, item.file, lines.of(item.file, manifest)))
    return objects


@lru_cache(maxsize=512)
def _finished(text: str) -> Manifest:
    """Return an object with its keys in order; equal objects of all builds are one."""
    manifest: Manifest = with_sorted_keys(json.loads(text))
    return manifest


class _Builder:
    """What stays the same during one build."""

    def __init__(
        self, graph: Graph, root: Kustomization, plain: PlainFiles, *, own_folder_only: bool
    ) -> None:
        self._reading = graph.reading
        self._kustomizations = [root, *graph.kustomizations.values()]
        self._by_folder = {this.folder: this for this in self._kustomizations}
        self._root = root
        self._plain = plain
        self._own_folder_only = own_folder_only

    def check(self) -> None:
        """Raise NotInProcessError when the fields of a kustomization ask for kubectl."""
        components = {
            join(this.folder, entry)
            for this in self._kustomizations
            for entry in this.entries("components")
        }
        for this in self._kustomizations:
            check_fields(this, component=this.folder in components and this is not self._root)
            if this.file in self._reading.files:  # one made of a build's options is not
                self._check_plain(this.file)
            if self._own_folder_only:
                self._check_reach(this)

    def accumulate(self, this: Kustomization, resources: Resources) -> None:
        """Add what a kustomization brings to resources, and transform them."""
        for entry in this.entries("resources"):
            path = clean(f"{this.folder}/{entry}") or ""
            if self._reading.is_directory(path):
                inner = Resources()
                self.accumulate(self._by_folder[path], inner)
                resources.extend(inner.items)
            else:
                resources.extend(self._from_file(path))
        generate(resources, this, self._reading)
        for entry in this.entries("components"):
            self.accumulate(self._by_folder[clean(f"{this.folder}/{entry}") or ""], resources)
        self._transform(this, resources)

    def _transform(self, this: Kustomization, resources: Resources) -> None:
        load = partial(self._patch, this)
        patching.merge_patches(resources, this, load)
        patching.patches(resources, this, load)
        if this.fields.get("namespace"):
            metadata.set_namespace(resources, this.fields["namespace"])
        prefix, suffix = (this.fields.get(name) or "" for name in ("namePrefix", "nameSuffix"))
        metadata.rename(resources, prefix, suffix)
        metadata.add_labels(resources, this)
        metadata.add_annotations(resources.items, text_map(this.fields.get("commonAnnotations")))
        patching.json_patches(resources, this, load)
        images.set_replicas(resources, list(this.entries("replicas")))
        images.set_images(resources, list(this.entries("images")))

    def _from_file(self, path: str) -> list[Item]:
        """Return the resources of a file, each its own copy."""
        self._check_plain(path)
        items = []
        for document in self._reading.documents(path):
            _check_manifest(document.manifest)
            items.append(Item(fresh_copy(document.manifest), path))
        return items

    def _patch(self, this: Kustomization, entry: str | Mapping[str, Any]) -> Sequence[Any]:
        """Return the documents of a patch entry: of its text, or of the file that it names."""
        if isinstance(entry, str):
            in_place = "\n" in entry or entry.lstrip().startswith(("{", "["))
            text, path = (entry, "") if in_place else ("", entry)
        else:
            text, path = entry.get("patch") or "", entry.get("path") or ""
        if path:
            file = join(this.folder, path) or ""
            documents = self._reading.documents(file)
            self._check_plain(file)
        else:
            data = text.strip().encode()
            key = git_blob_id(data)
            documents = self._reading.parse_text(key, data, this.file)
            self._refuse_odd(key, lambda: data)
        return [document.manifest for document in documents]

    def _check_plain(self, path: str) -> None:
        self._refuse_odd(self._reading.note(path), partial(self._reading.read, path))

    def _refuse_odd(self, blob_id: str, read: Callable[[], bytes]) -> None:
        if not self._plain.is_plain(blob_id, read):
            raise NotInProcessError("YAML that kustomize reads in its own way")

    def _check_reach(self, this: Kustomization) -> None:
        """Refuse a file outside the folder of the kustomization that names it."""
        for path in self._reach(this):
            inside = join(this.folder, path)
            start = f"{this.folder}/" if this.folder else ""
            if inside is None or not inside.startswith(start):
                raise outside_own_folder(self._root, inside or path)

    def _reach(self, this: Kustomization) -> list[str]:
        paths = [
            entry
            for entry in this.entries("resources")
            if not self._reading.is_directory(join(this.folder, entry) or "")
        ]
        for field in ("patches", "patchesJson6902"):
            paths += [entry["path"] for entry in this.entries(field) if entry.get("path")]
        paths += [entry for entry in this.entries("patchesStrategicMerge") if "\n" not in entry]
        for field in ("configMapGenerator", "secretGenerator"):
            for entry in this.entries(field):
                paths += [text.partition("=")[2] or text for text in entry.get("files") or []]
                paths += entry.get("envs") or []
        return paths


def _check_manifest(manifest: Any) -> None:
    """Refuse what kustomize opens, leaves out, or reads in another way."""
    if not isinstance(manifest, dict) or str(manifest.get("kind")).endswith("List"):
        raise NotInProcessError("a list of objects")
    about = manifest.get("metadata")
    if not isinstance(about, dict):
        raise NotInProcessError("an object without metadata")
    if not isinstance(about.get("namespace", ""), str) or about.get("namespace", "x") == "":
        raise NotInProcessError("an empty namespace")
    for field in ("labels", "annotations"):
        if field in about and not text_map(about[field]):
            raise NotInProcessError(f"empty {field}")
    for name in about.get("annotations") or {}:
        if any(mark in name for mark in TOOL_MARKS):
            raise NotInProcessError(f"annotation {name}")
