"""Rules of `metadata`: names, labels, annotations.

Source: k8s.io/apimachinery, pkg/api/validation/objectmeta.go.
"""

from __future__ import annotations

from typing import Any

from gitops_sim.apimachinery import causes, names
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.types import Manifest

__all__ = ["label_causes", "metadata_causes"]


def metadata_causes(manifest: Manifest) -> list[Cause]:
    """Return what is wrong with the metadata of an object."""
    metadata = manifest["metadata"]
    found = label_causes(metadata.get("labels"), "metadata.labels")
    for key in metadata.get("annotations") or ():
        found += [
            causes.invalid("metadata.annotations", key, problem)
            for problem in names.validate_label_key(key.lower())
        ]
    return found


def label_causes(labels: dict[str, Any] | None, path: str) -> list[Cause]:
    """Return what is wrong with the keys and values of labels."""
    found: list[Cause] = []
    for key, value in (labels or {}).items():
        found += [causes.invalid(path, key, text) for text in names.validate_label_key(key)]
        found += [causes.invalid(path, value, text) for text in names.validate_label_value(value)]
    return found
