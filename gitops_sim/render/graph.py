"""All files that a kustomization needs, found by following its fields through the tree.

The walk reads what kustomize would read, in Python, and refuses what must not be built: a path
that is not there or leaves the tree, a URL, a plugin, a circle, YAML that is broken or unsafe.
What it collects is all that kubectl is given afterwards, so that kubectl cannot read more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gitops_sim.apimachinery import yaml_loader
from gitops_sim.apimachinery.yaml_loader import Document
from gitops_sim.errors import BuildError
from gitops_sim.render import kustomization
from gitops_sim.render.kustomization import Kustomization
from gitops_sim.render.objects import objects_of
from gitops_sim.render.paths import join
from gitops_sim.render.reading import Reading

__all__ = ["Graph"]

MAX_DEPTH = 30
"""Kustomizations inside each other; deeper is taken for a circle of links."""
MAX_FILES = 5_000
"""Files that one build may need."""

REMOTE_MARKS = ("://", "git@", "git::", "github.com/", "gitlab.com/", "bitbucket.org/", "?ref=")

PLUGIN_FIELDS = ("generators", "transformers", "validators")
FUNCTION = "config.kubernetes.io/function"
"""Annotation that makes kustomize start a container or a program."""

Place = tuple[str | int, ...]


class Graph:
    """The kustomizations and files behind one directory.

    Attributes:
        kustomizations: By their file's path, in the order in which they were met.
        files: Every file the build needs, kustomization files included.
        resources: The files whose documents become objects.
    """

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.kustomizations: dict[str, Kustomization] = {}
        self.files: dict[str, None] = {}
        self.resources: dict[str, None] = {}

    def follow(self, root: Kustomization) -> None:
        """Follow a kustomization that may exist in memory only."""
        self._follow(root.folder, root, ())

    def _follow(self, folder: str, this: Kustomization, chain: tuple[str, ...]) -> None:
        self.kustomizations[this.file] = this
        self._need(this.file, this, ())
        chain = (*chain, folder)
        for field in ("resources", "bases", "components"):
            for index, entry in enumerate(this.entries(field)):
                self._resource(this, (field, index), entry, chain)
        for place, entry in _data_files(this):
            self._file(this, place, entry)
        for place, entry in _yaml_files(this):
            self._yaml_file(this, place, entry)
        for field in ("patchesStrategicMerge", "patches", *PLUGIN_FIELDS):
            for index, entry in enumerate(this.entries(field)):
                self._inline_or_path(this, (field, index), entry, chain)

    def _resource(
        self, this: Kustomization, place: Place, entry: str, chain: Sequence[str]
    ) -> None:
        """Follow one entry of resources, bases or components: a file or a folder."""
        path = self._inside(this, place, entry)
        if not self.reading.is_directory(path):
            if place[0] == "components":
                raise self._error(this, place, f"{entry} is not a directory", "name a directory")
            for document in self._yaml_file(this, place, entry):
                objects_of(document, path)
            self.resources[path] = None
            return
        if path in chain:
            circle = " -> ".join(part or "." for part in (*chain[chain.index(path) :], path))
            problem = f"kustomizations form a circle: {circle}"
            raise self._error(this, place, problem, "remove one of these entries")
        if len(chain) >= MAX_DEPTH:
            problem = f"more than {MAX_DEPTH} kustomizations inside each other"
            fix = "look for a symbolic link to a parent directory"
            raise self._error(this, place, problem, fix)
        file = kustomization.find(self.reading, path)
        if file is None:
            problem = f"directory {entry} has no kustomization.yaml"
            raise self._error(this, place, problem, "add one there, or list its files one by one")
        self._follow(path, kustomization.load(self.reading, file), tuple(chain))

    def _file(self, this: Kustomization, place: Place, entry: str) -> None:
        """Note one file that must be there."""
        path = self._inside(this, place, entry)
        if self.reading.is_directory(path):
            raise self._error(this, place, f"{entry} is a directory", "name a file")
        if not self.reading.exists(path):
            fix = "correct the path, or add the file to the repository"
            raise self._error(this, place, f"no such file or directory: {entry}", fix)
        self._need(path, this, place)

    def _yaml_file(self, this: Kustomization, place: Place, entry: str) -> Sequence[Document]:
        """Note a file that kustomize parses, and parse it before kustomize does."""
        self._file(this, place, entry)
        return self.reading.documents(self._inside(this, place, entry))

    def _inline_or_path(
        self, this: Kustomization, place: Place, entry: Any, chain: Sequence[str]
    ) -> None:
        """Follow a patch or a builtin transformer: YAML in place, or a path to some."""
        if isinstance(entry, dict):
            if entry.get("path") is not None:
                self._yaml_file(this, (*place, "path"), str(entry["path"]))
            return
        plugin = place[0] in PLUGIN_FIELDS
        if "\n" in entry or entry.lstrip().startswith(("{", "[")):
            if plugin:
                self._plugins(this, place, yaml_loader.load_all(entry, this.file))
            return
        path = self._inside(this, place, entry)
        if plugin and self.reading.is_directory(path):
            self._resource(this, place, entry, chain)
            return
        documents = self._yaml_file(this, place, entry)
        if plugin:
            self._plugins(this, place, documents)

    def _plugins(self, this: Kustomization, place: Place, documents: Sequence[Document]) -> None:
        """Allow kustomize's built-in generators and transformers, and nothing that runs code."""
        for document in documents:
            config = document.manifest if isinstance(document.manifest, dict) else {}
            version = str(config.get("apiVersion", ""))
            annotations = (config.get("metadata") or {}).get("annotations") or {}
            runs_code = any(str(key).startswith(FUNCTION) for key in annotations)
            chart = str(config.get("kind", "")).startswith("HelmChart")
            if version != "builtin" or runs_code or chart:
                what = f"{version or 'no apiVersion'} {config.get('kind', '')}".strip()
                fix = "use apiVersion: builtin, or commit what the plugin would make"
                raise self._error(this, place, f"plugins are not run: {what}", fix)
            for entry in _paths_of_builtin(config):
                self._file(this, place, entry)

    def _inside(self, this: Kustomization, place: Place, entry: str) -> str:
        """Return an entry as a path in the tree; refuse what is remote or outside."""
        if not entry:
            raise self._error(this, place, "empty path", "remove the entry")
        path = join(this.folder, entry)
        if entry.startswith("/") or path is None:
            problem = f"{entry} reaches outside the repository"
            raise self._error(this, place, problem, "copy what it names into the repository")
        if any(mark in entry for mark in REMOTE_MARKS) and not self.reading.exists(path):
            problem = f"remote base or file {entry} is not fetched"
            raise self._error(this, place, problem, "commit a copy of it and name its path")
        return path

    def _need(self, path: str, this: Kustomization, place: Place) -> None:
        self.files[path] = None
        if len(self.files) > MAX_FILES:
            raise self._error(this, place, f"needs more than {MAX_FILES} files", "split it")

    def _error(self, this: Kustomization, place: Place, problem: str, fix: str) -> BuildError:
        return kustomization.error(self.reading, this.file, place, problem, fix)


def _yaml_files(this: Kustomization) -> Iterator[tuple[Place, str]]:
    """Yield the place and path of every field that can only name a YAML file."""
    for field in ("crds", "configurations"):
        for index, entry in enumerate(this.entries(field)):
            yield (field, index), entry
    openapi = this.fields.get("openapi") or {}
    if openapi.get("path"):
        yield ("openapi", "path"), str(openapi["path"])
    for field in ("patchesJson6902", "replacements"):
        for index, entry in enumerate(this.entries(field)):
            if entry.get("path"):
                yield (field, index, "path"), str(entry["path"])


def _data_files(this: Kustomization) -> Iterator[tuple[Place, str]]:
    """Yield the place and path of every file that generators turn into data."""
    for field in ("configMapGenerator", "secretGenerator"):
        for index, entry in enumerate(this.entries(field)):
            for source in ("files", "envs"):
                for at, text in enumerate(entry.get(source) or []):
                    path = _file_of(str(text)) if source == "files" else str(text)
                    yield (field, index, source, at), path
            if entry.get("env"):
                yield (field, index, "env"), str(entry["env"])


def _file_of(entry: str) -> str:
    """Return the path in a generator's `files` entry, which may be `key=path`."""
    return entry.partition("=")[2] or entry


def _paths_of_builtin(config: dict[str, Any]) -> Iterator[str]:
    """Yield the paths that a built-in generator's or transformer's configuration names."""
    for field in ("path", "env"):
        if isinstance(config.get(field), str):
            yield config[field]
    for field in ("paths", "envs"):
        yield from (str(entry) for entry in config.get(field) or [])
    if isinstance(config.get("files"), list):
        yield from (_file_of(str(entry)) for entry in config["files"])
    for entry in config.get("replacements") or []:
        if isinstance(entry, dict) and entry.get("path"):
            yield str(entry["path"])
