"""Public repositories: whatever of them is built in process is what kubectl gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_sim.render import FolderTree
from gitops_sim.render.kustomization import FILE_NAMES
from tests.render.oracle import by_kubectl, in_process

REPOSITORIES = Path(__file__).parents[3] / "shared/repos"
COMPONENTS = "components/"


def places() -> Iterator[str]:
    """Yield the folders of all kustomizations that are no components."""
    for name in FILE_NAMES:
        for file in REPOSITORIES.rglob(name):
            folder = file.parent.relative_to(REPOSITORIES).as_posix()
            if COMPONENTS not in folder:
                yield folder


@pytest.mark.all
@pytest.mark.skipif(not REPOSITORIES.is_dir(), reason="the public repositories are not here")
@pytest.mark.parametrize("place", sorted(places()))
def test_public_kustomization_is_built_in_process(place: str) -> None:
    repository, _, folder = place.partition("/")
    tree = FolderTree(REPOSITORIES / repository)
    assert (in_process(tree, folder), "") == by_kubectl(tree, folder)
