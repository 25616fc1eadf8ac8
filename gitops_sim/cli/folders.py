"""Folders that a command is given: found, and checked, before anything else happens."""

from __future__ import annotations

from pathlib import Path

from gitops_sim.errors import InputError
from gitops_sim.forge.importing import local_path
from gitops_sim.protocols import TreeReader
from gitops_sim.render import Build, build

__all__ = ["KUSTOMIZATIONS", "build_part", "existing_folder", "repository_of"]

KUSTOMIZATIONS = ("Kustomization", "kustomization.yaml", "kustomization.yml")
"""Names of the file that makes a directory one to be built."""


def existing_folder(folder: Path) -> Path:
    """Return the folder with links resolved; `samples/…` may be one of this package.

    Raises:
        InputError: There is none.
        LabError: There is no such sample; those that there are are named.
    """
    if not folder.exists() and folder.parts[:1] == ("samples",):
        return local_path(str(folder))
    if not folder.exists():
        raise InputError(str(folder), 0, "there is no such folder", "check the spelling")
    if not folder.is_dir():
        raise InputError(str(folder), 0, "this is a file", "name the folder around it")
    return folder.resolve()


def repository_of(folder: Path, repository: Path | None = None) -> tuple[Path, str]:
    """Return the root of what may be read, and the folder's path in it.

    Args:
        folder: A directory of manifests.
        repository: The root; None: the nearest parent that is a Git working copy, else `folder`.

    Raises:
        InputError: One of them is missing, or the folder is outside the repository.
    """
    inner = existing_folder(folder)
    if repository is None:
        around = (place for place in (inner, *inner.parents) if (place / ".git").exists())
        root = next(around, inner)
    else:
        root = existing_folder(repository)
    if not inner.is_relative_to(root):
        raise InputError(
            str(folder), 0, f"it is not inside {repository}", "name a folder of the repository"
        )
    path = inner.relative_to(root).as_posix()
    return root, "" if path == "." else path


def build_part(tree: TreeReader, path: str) -> Build:
    """Return what a directory gives; "" is the whole repository.

    Raises:
        InputError: It cannot be built. Where it has no kustomization of its own, the directories
            below it that have one are named.
    """
    try:
        return build(tree, path)
    except InputError as problem:
        split = [file.rpartition("/") for file in tree.files()]
        places = {folder for folder, _, name in split if name in KUSTOMIZATIONS}
        parts = sorted(place for place in places if place.startswith(f"{path}/" if path else ""))
        if not parts or path in places:
            raise
        told = f"this directory as a whole cannot be built: {problem.problem}"
        fix = f"name one of its directories: {', '.join(parts)}"
        raise InputError(problem.file, problem.line, told, fix, problem.field) from None
