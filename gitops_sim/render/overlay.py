"""The kustomization that is really built: the one in the repository, plus what Flux adds to it.

A Flux Kustomization's fields are written into the root kustomization file before the build (into a
generated one where there is none), so they act in kustomize's own order of transformers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_sim.render.kustomization import Kustomization
from gitops_sim.render.paths import join
from gitops_sim.render.reading import Reading
from gitops_sim.render.results import BuildOptions

__all__ = ["ORIGIN", "with_options", "with_origins"]

ORIGIN = "originAnnotations"


def with_options(this: Kustomization, options: BuildOptions, reading: Reading) -> Kustomization:
    """Return the kustomization with the options written into it.

    Source: fluxcd/pkg kustomize/kustomize_generator.go, GenerateManifest.
    """
    fields = dict(this.fields)
    if options.target_namespace:
        fields["namespace"] = options.target_namespace
    if options.name_prefix:
        fields["namePrefix"] = options.name_prefix
    if options.name_suffix:
        fields["nameSuffix"] = options.name_suffix
    if options.build_metadata:
        fields["buildMetadata"] = list(options.build_metadata)
    patches = [
        {key: patch[key] for key in ("patch", "target") if patch.get(key)}
        for patch in options.patches
    ]
    components = [
        path
        for path in options.components
        if not options.ignore_missing_components or _is_there(reading, this.folder, path)
    ]
    for name, more in (("patches", patches), ("components", components)):
        if more:
            fields[name] = [*this.entries(name), *more]
    if options.images:
        fields["images"] = _merged_images(this.entries("images"), options.images)
    return Kustomization(this.file, fields)


def with_origins(this: Kustomization) -> Kustomization:
    """Return the kustomization asking kustomize to note on each object which file it is from."""
    wanted = list(this.entries("buildMetadata"))
    if ORIGIN in wanted:
        return this
    return Kustomization(this.file, this.fields | {"buildMetadata": [*wanted, ORIGIN]})


def _is_there(reading: Reading, folder: str, path: str) -> bool:
    inside = join(folder, path)
    return inside is not None and reading.is_directory(inside)


def _merged_images(present: Any, overrides: tuple[Mapping[str, Any], ...]) -> list[dict[str, Any]]:
    """Return the images with overrides: by name; tag and digest are one thing, set together."""
    images = [dict(image) for image in present]
    for override in overrides:
        given = {key: override[key] for key in ("newName", "newTag", "digest") if override.get(key)}
        for image in images:
            if image.get("name") == override.get("name"):
                if "newTag" in given or "digest" in given:
                    image.pop("newTag", None)
                    image.pop("digest", None)
                image.update(given)
                break
        else:
            images.append({"name": override.get("name", "")} | given)
    return images
