"""`gitops-sim render PATH`: the manifests that a directory gives, as YAML."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gitops_sim.apimachinery.yaml_dump import dump
from gitops_sim.cli.folders import build_part, repository_of
from gitops_sim.render import FolderTree

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument(
        "path", metavar="PATH", type=Path, help="a directory of manifests, or one of samples/shop"
    )
    parser.add_argument(
        "--repo",
        type=Path,
        help="the repository around it, which may be read too (default: the nearest Git working "
        "copy above PATH, else PATH itself)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the manifests; a folder that cannot be built is wrong input."""
    root, path = repository_of(arguments.path, arguments.repo)
    built = build_part(FolderTree(root), path)
    for number, rendered in enumerate(built.manifests):
        sys.stdout.write(("---\n" if number else "") + dump(rendered.manifest))
    return 0
