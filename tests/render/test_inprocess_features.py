"""Each feature that is built in process gives the bytes of `kubectl kustomize`."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

import pytest

from gitops_sim.render import FolderTree, Renderer
from tests.render.inprocess_cases import CASES
from tests.render.oracle import by_kubectl, in_process, write


@pytest.mark.parametrize("name", CASES)
def test_feature_gives_the_bytes_of_kubectl(name: str, tmp_path: Path) -> None:
    write(tmp_path, CASES[name])
    folder = "top" if (tmp_path / "top").exists() else ""
    ours = in_process(FolderTree(tmp_path), folder)
    assert (ours, "") == by_kubectl(FolderTree(tmp_path), folder)


@pytest.mark.parametrize("folder", ["base", "overlays/staging", "overlays/production"])
def test_sample_shop_is_built_without_a_process(folder: str) -> None:
    with as_file(files("gitops_sim") / "samples/shop") as shop:
        tree = FolderTree(shop)
        assert (in_process(tree, folder), "") == by_kubectl(tree, folder)
        renderer = Renderer()
        assert renderer.build(tree, folder).manifests
        assert (renderer.builds, renderer.processes) == (1, 0)
