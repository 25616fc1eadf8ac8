"""What goes into a build besides files, and what comes out of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gitops_sim.types import Manifest, ResourceKey

__all__ = ["Build", "BuildOptions", "Rendered"]


@dataclass(frozen=True, slots=True)
class Rendered:
    """One object that a build gives.

    Attributes:
        manifest: The object, shared with other builds: read-only, copy before a change.
        file: Where it was written: a path in the tree; for a generated one its kustomization.
        line: 1-based line in that file where its document begins; 0 when unknown.
    """

    manifest: Manifest
    file: str
    line: int = 0

    @property
    def key(self) -> ResourceKey:
        """Which object it is."""
        return ResourceKey.of(self.manifest)


@dataclass(frozen=True, slots=True)
class Build:
    """The objects of one directory of one revision.

    Attributes:
        manifests: In the order that the files, or kustomize, give.
        mode: "plain" (the objects of files) or "kustomize" (a kustomization).
        digest: SHA-256 over everything that decides the result: all files read, their names,
            the path, the options, the version of kustomize. Equal digest, equal build.
        files: The paths of all files read, sorted.
    """

    manifests: list[Rendered]
    mode: str
    digest: str = ""
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What a Flux Kustomization adds to the build of its path; the defaults add nothing.

    Attributes:
        target_namespace: `spec.targetNamespace`: the namespace of every namespaced object.
        name_prefix: `spec.namePrefix`.
        name_suffix: `spec.nameSuffix`.
        patches: `spec.patches`: each `{"patch": text, "target": selector}`.
        images: `spec.images`: each with `name` and `newName`, `newTag` or `digest`.
        components: `spec.components`: paths relative to the directory that is built.
        ignore_missing_components: `spec.ignoreMissingComponents`.
        build_metadata: `spec.buildMetadata`.
        labels: `spec.commonMetadata.labels`: on the objects themselves, not on pod templates.
        annotations: `spec.commonMetadata.annotations`.
        allow_empty: A directory without manifests gives an empty build, as in Flux; otherwise
            it is an error, as in kubectl.
        own_folder_only: Files outside the kustomization's own directory are refused, as
            `kubectl apply -k` does; Flux reads all of the repository.

    Source: fluxcd/pkg kustomize/kustomize_generator.go.
    """

    target_namespace: str = ""
    name_prefix: str = ""
    name_suffix: str = ""
    patches: tuple[Mapping[str, Any], ...] = ()
    images: tuple[Mapping[str, Any], ...] = ()
    components: tuple[str, ...] = ()
    ignore_missing_components: bool = False
    build_metadata: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    allow_empty: bool = False
    own_folder_only: bool = False

    @property
    def change_kustomization(self) -> bool:
        """True when kustomize is needed even for a directory of plain files."""
        return bool(
            self.target_namespace
            or self.name_prefix
            or self.name_suffix
            or self.patches
            or self.images
            or self.components
            or self.build_metadata
        )

    def canonical(self) -> str:
        """Return the options as text that is equal for equal options."""
        told = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(told, sort_keys=True, default=dict)
