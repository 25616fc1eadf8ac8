"""What `flux install` applies before its controllers run: a namespace and the definitions."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.errors import NotFoundError
from gitops_sim.protocols import Cluster
from gitops_sim.pull.flux.names import SYSTEM
from gitops_sim.types import Manifest

__all__ = ["create_missing"]

_DEFINITIONS = ("gitrepositories", "kustomizations")
_LABELS = {"app.kubernetes.io/instance": SYSTEM, "app.kubernetes.io/part-of": "flux"}


def create_missing(client: Cluster) -> None:
    """Create the namespace and the definitions that are not there."""
    for manifest in _manifests():
        kind = f"{manifest['apiVersion']}/{manifest['kind']}"
        try:
            client.get(kind, manifest["metadata"]["name"])
        except NotFoundError:
            client.create(manifest)


@cache
def _definitions() -> tuple[Manifest, ...]:
    folder = files("gitops_sim.pull.flux").joinpath("data")
    return tuple(
        json.loads(folder.joinpath(f"{name}.json").read_text(encoding="utf-8"))
        for name in _DEFINITIONS
    )


def _manifests() -> list[Manifest]:
    metadata = {"name": SYSTEM, "labels": dict(_LABELS)}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
    return [namespace, *(fresh_copy(definition) for definition in _definitions())]
