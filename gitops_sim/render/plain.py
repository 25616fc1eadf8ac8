"""A directory without a kustomization file: what Flux would generate one from.

Flux lists every `.yaml` and `.yml` below the directory, in the order of a directory walk, and a
sub-directory that has a kustomization file as that kustomization; all other files are passed over.
When no sub-directory has one, the objects are simply those of the files, and no process is needed.
"""

from __future__ import annotations

from gitops_sim.errors import BuildError, InputError
from gitops_sim.protocols import TreeReader
from gitops_sim.render import kustomization
from gitops_sim.render.objects import objects_of, refuse_duplicates
from gitops_sim.render.paths import parent
from gitops_sim.render.reading import ParsedYaml, Reading
from gitops_sim.render.results import Rendered
from gitops_sim.types import ResourceKey

__all__ = ["plain_objects", "repeated_folders", "scan"]

SUFFIXES = (".yaml", ".yml")
"""Source: fluxcd/pkg kustomize/kustomize_generator.go, scanManifests."""
MAX_MANIFEST_FILES = 5_000


def scan(reading: Reading, folder: str) -> list[str]:
    """Return what a generated kustomization lists: files and kustomization directories.

    Raises:
        BuildError: There are too many files.
    """
    resources: dict[str, None] = {}
    nested: dict[str, str | None] = {folder: None}
    # A walk visits `b/x` before `b.yaml`: compare path parts, not text.
    for path in sorted(reading.tree.files(folder), key=lambda path: path.split("/")):
        inner = _kustomization_above(reading, path, nested)
        if inner is not None:
            resources[inner] = None
        elif path.endswith(SUFFIXES) and not reading.is_directory(path):
            resources[path] = None
        if len(resources) > MAX_MANIFEST_FILES:
            problem = f"more than {MAX_MANIFEST_FILES} manifest files"
            raise BuildError(folder, 0, problem, "name a smaller directory")
    return list(resources)


def plain_objects(reading: Reading, files: list[str]) -> list[Rendered]:
    """Return the objects of plain files, in order.

    Raises:
        ManifestError: A file is not YAML, or a document in it is no Kubernetes object.
        BuildError: Two objects have one key.
    """
    objects = [
        item
        for path in files
        for document in reading.documents(path)
        for item in objects_of(document, path)
    ]
    refuse_duplicates(objects)
    return objects


def repeated_folders(tree: TreeReader, folder: str) -> list[str]:
    """Return the sub-directories that define an object which a directory above them defines too.

    Public examples often hold the same objects twice, such as `all-in-one/` beside single files.
    Flux refuses such a directory; whoever delivers it with Flux leaves these out by the source's
    `spec.ignore`, which gives what `kubectl apply -f` takes.

    Args:
        tree: A revision, or a folder.
        folder: A directory of plain files below it, cleaned.

    Returns:
        The outermost such sub-directories, sorted; empty when a file cannot be read.
    """
    reading = Reading(tree, ParsedYaml())
    owners: dict[ResourceKey, str] = {}
    repeated: list[str] = []
    try:
        files = [path for path in scan(reading, folder) if not reading.is_directory(path)]
        for path in sorted(files, key=lambda path: (path.count("/"), path)):
            if any(path.startswith(f"{above}/") for above in repeated):
                continue
            for document in reading.documents(path):
                for item in objects_of(document, path):
                    owner = owners.setdefault(item.key, parent(path))
                    if owner != parent(path) and parent(path) not in repeated:
                        repeated.append(parent(path))
    except InputError:
        return []
    return sorted(repeated)


def _kustomization_above(reading: Reading, path: str, known: dict[str, str | None]) -> str | None:
    """Return the outermost directory above a file that has a kustomization file.

    `known` remembers the answer for each directory seen; the walk ends at the one where it began.
    """
    folder = parent(path)
    pending = []
    while folder not in known:
        pending.append(folder)
        folder = parent(folder)
    answer = known[folder]
    for below in reversed(pending):
        if answer is None and kustomization.find(reading, below) is not None:
            answer = below
        known[below] = answer
    return answer
