"""From the artifact's directory to the manifests that are applied.

Source: kustomize-controller internal/controller/kustomization_controller.go (build),
fluxcd/pkg kustomize/kustomize_varsub.go.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apimachinery.yaml_loader import dump, load_all
from gitops_sim.errors import InputError, NotFoundError
from gitops_sim.protocols import Reader, TreeReader
from gitops_sim.pull.flux.kustomization_spec import KustomizationSpec, PostBuild
from gitops_sim.pull.flux.ownership import has_switch, owner_labels
from gitops_sim.pull.flux.substitution import check_names, substitute
from gitops_sim.render import Renderer, objects_of
from gitops_sim.types import Manifest, ResourceKey

__all__ = ["BuildFailure", "Builder", "Built", "Owning"]


@dataclass(frozen=True, slots=True)
class Built:
    """What is to be applied, and the digest of it."""

    manifests: list[Manifest]
    digest: str


@dataclass(frozen=True, slots=True)
class BuildFailure:
    """Why there is nothing to apply."""

    message: str


@dataclass(frozen=True, slots=True)
class Owning:
    """The Kustomization that is built for."""

    name: str
    namespace: str
    spec: KustomizationSpec


class Builder:
    """Builds directories for Kustomizations.

    Args:
        reader: Where variables are read from.
        renderer: Renders; remembers what it rendered.
        strict: A variable without value is an error.
    """

    def __init__(self, reader: Reader, renderer: Renderer, *, strict: bool) -> None:
        self._reader = reader
        self._renderer = renderer
        self._strict = strict
        self._kept: dict[ResourceKey, tuple[tuple[str, str], Built]] = {}

    def build(self, tree: TreeReader, owning: Owning) -> Built | BuildFailure:
        """Return fresh manifests with the owner's labels on them.

        Args:
            tree: The artifact.
            owning: For whom.
        """
        spec = owning.spec
        try:
            rendered = self._renderer.build(tree, spec.path, options=spec.build)
        except InputError as wrong:
            return BuildFailure(f"kustomize build failed: {wrong}")
        try:
            variables = self._variables(owning)
        except ValueError as wrong:
            return BuildFailure(f"post build failed: {wrong}")
        key = ResourceKey("", "Kustomization", owning.namespace, owning.name)
        inputs = (rendered.digest, json.dumps([variables, spec.post_build is None]))
        kept = self._kept.get(key)
        if kept is None or kept[0] != inputs:
            built = self._finish([item.manifest for item in rendered.manifests], variables, owning)
            if isinstance(built, BuildFailure):
                return built
            kept = self._kept[key] = (inputs, built)
        return Built(fresh_copy(kept[1].manifests), kept[1].digest)

    def _finish(
        self, manifests: Sequence[Manifest], variables: dict[str, str], owning: Owning
    ) -> Built | BuildFailure:
        """Substitute variables, refuse what is encrypted, and label."""
        post_build = owning.spec.post_build
        labels = owner_labels(owning.name, owning.namespace)
        finished = []
        for rendered in manifests:
            manifest = rendered
            if post_build is not None and (variables or post_build.always):
                try:
                    manifest = self._substituted(manifest, variables)
                except ValueError as wrong:
                    return BuildFailure(f"post build failed for '{_told(rendered)}': {wrong}")
            if manifest["kind"] == "Secret" and "sops" in manifest:
                return BuildFailure(
                    f"{ResourceKey.of(manifest)} is SOPS encrypted, configuring decryption is "
                    "required for this secret to be reconciled"
                )
            metadata = dict(manifest["metadata"])
            metadata["labels"] = {**(metadata.get("labels") or {}), **labels}
            finished.append(manifest | {"metadata": metadata})
        text = json.dumps(finished, sort_keys=True)
        return Built(finished, f"sha256:{hashlib.sha256(text.encode()).hexdigest()}")

    def _substituted(self, manifest: Manifest, variables: dict[str, str]) -> Manifest:
        if has_switch(manifest, "substitute", "disabled"):
            return manifest
        text = dump(manifest)
        if "${" not in text:
            return manifest
        try:
            changed = substitute(text, variables, strict=self._strict)
        except ValueError as wrong:
            raise ValueError(f"variable substitution failed: {wrong}") from None
        try:
            objects = [each for document in load_all(changed) for each in objects_of(document, "")]
        except InputError as wrong:
            raise ValueError(f"variable substitution gave no object: {wrong.problem}") from None
        if len(objects) != 1:
            raise ValueError(f"variable substitution gave {len(objects)} objects")
        return objects[0].manifest

    def _variables(self, owning: Owning) -> dict[str, str]:
        """Return all variables; ValueError when one cannot be had."""
        post_build = owning.spec.post_build
        if post_build is None:
            return {}
        variables: dict[str, str] = {}
        for kind, name, optional in post_build.substitute_from:
            variables |= self._from_object(owning.namespace, kind, name, optional=optional)
        variables |= _texts(post_build)
        check_names(variables)
        return {name: value.replace("\n", "") for name, value in variables.items()}

    def _from_object(
        self, namespace: str, kind: str, name: str, *, optional: bool
    ) -> dict[str, str]:
        try:
            source = self._reader.get(f"v1/{kind}", name, namespace)
        except NotFoundError as error:
            if optional:
                return {}
            raise ValueError(f"substitute from '{kind}/{name}' error: {error}") from None
        data = source.get("data") or {}
        if kind == "ConfigMap":
            return {key: str(value) for key, value in data.items()}
        return {key: _decoded(value) for key, value in data.items()}


def _texts(post_build: PostBuild) -> dict[str, str]:
    return {name: str(value) for name, value in post_build.substitute.items()}


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value).decode(errors="replace")
    except binascii.Error:
        return ""


def _told(manifest: Manifest) -> str:
    """Name an object as kustomize does: `Deployment.v1.apps/web`."""
    group, _, version = str(manifest["apiVersion"]).rpartition("/")
    return f"{manifest['kind']}.{version}.{group or '[noGrp]'}/{manifest['metadata']['name']}"
