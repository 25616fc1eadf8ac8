"""Which kustomizations are built in process: decided by their fields, before anything is built.

A field that is not named here, or has a form that kustomize would read in another way, makes the
whole build kubectl's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gitops_sim.apimachinery.yaml_scalars import is_text
from gitops_sim.render.inprocess.items import NotInProcessError
from gitops_sim.render.kustomization import Kustomization

__all__ = ["check_fields", "text_map"]

FIELDS = frozenset(
    {
        "apiVersion",
        "buildMetadata",
        "commonAnnotations",
        "commonLabels",
        "components",
        "configMapGenerator",
        "generatorOptions",
        "images",
        "kind",
        "labels",
        "metadata",
        "namePrefix",
        "nameSuffix",
        "namespace",
        "patches",
        "patchesJson6902",
        "patchesStrategicMerge",
        "replicas",
        "resources",
        "secretGenerator",
    }
)
API_VERSIONS = {
    "Kustomization": "kustomize.config.k8s.io/v1beta1",
    "Component": "kustomize.config.k8s.io/v1alpha1",
}
ABOUT = ("apiVersion", "kind", "metadata")
SELECTOR = frozenset(
    {"group", "version", "kind", "name", "namespace", "labelSelector", "annotationSelector"}
)
MEMBERS = {
    "labels": frozenset({"pairs", "includeSelectors", "includeTemplates"}),
    "images": frozenset({"name", "newName", "newTag", "digest"}),
    "replicas": frozenset({"name", "count"}),
    "patches": frozenset({"path", "patch", "target"}),
    "patchesJson6902": frozenset({"path", "patch", "target"}),
    "configMapGenerator": frozenset(
        {"name", "namespace", "behavior", "literals", "files", "envs", "options"}
    ),
    "secretGenerator": frozenset(
        {"name", "namespace", "behavior", "literals", "files", "envs", "options", "type"}
    ),
}
OPTIONS = frozenset({"labels", "annotations", "disableNameSuffixHash"})
FLAGS = frozenset({"includeSelectors", "includeTemplates", "disableNameSuffixHash"})
LISTS = frozenset({"literals", "files", "envs"})
MAPPINGS = frozenset({"pairs", "options", "target", "labels", "annotations"})


def check_fields(this: Kustomization, *, component: bool) -> None:
    """Raise NotInProcessError when a kustomization needs what only kubectl does."""
    for name, value in this.fields.items():
        if name not in FIELDS and value:
            raise NotInProcessError(name)
    if not any(value for name, value in this.fields.items() if name not in ABOUT):
        raise NotInProcessError("an empty kustomization")
    kind = this.fields.get("kind") or ("Component" if component else "Kustomization")
    version = this.fields.get("apiVersion") or API_VERSIONS.get(kind)
    if (kind == "Component") is not component or version != API_VERSIONS.get(kind):
        raise NotInProcessError(f"{version} {kind}")
    if set(this.entries("buildMetadata")) - {"originAnnotations"}:
        raise NotInProcessError("buildMetadata")
    if len(set(this.entries("resources"))) != len(this.entries("resources")):
        raise NotInProcessError("a resource listed twice")
    _check_entries(this)


def _check_entries(this: Kustomization) -> None:
    """Refuse what stands in the fields in another form."""
    for name, allowed in MEMBERS.items():
        for entry in this.entries(name):
            _check(entry, allowed, name)
    _check(this.fields.get("generatorOptions") or {}, OPTIONS, "generatorOptions")
    for name in ("commonLabels", "commonAnnotations"):
        text_map(this.fields.get(name))
    for name in ("patches", "patchesJson6902"):
        for entry in this.entries(name):
            if bool(entry.get("path")) is bool(entry.get("patch")):
                raise NotInProcessError(f"{name} with path and patch")


def text_map(value: Any) -> Mapping[str, str]:
    """Return a mapping of text to text; an absent one is empty."""
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise NotInProcessError("a value that is no text")
    if not all(is_text(key) for key in value):  # kustomize takes the quotes off keys
        raise NotInProcessError("a key that is no text without quotes")
    return value


def _check(entry: Any, allowed: Iterable[str], place: str) -> None:
    """Refuse an entry with other members, or with members of another type."""
    if not isinstance(entry, dict):
        raise NotInProcessError(f"{place}: an entry of another form")
    for name, value in entry.items():
        if name not in allowed:
            raise NotInProcessError(f"{place}.{name}")
        if name in FLAGS:
            right = isinstance(value, bool)
        elif name == "count":
            right = type(value) is int
        elif name in LISTS:
            right = isinstance(value, list) and all(isinstance(one, str) for one in value)
        elif name in MAPPINGS:
            right = isinstance(value, dict)
        else:
            right = isinstance(value, str)
        if not right:
            raise NotInProcessError(f"{place}.{name} of another type")
    _check_parts(entry, place)


def _check_parts(entry: Mapping[str, Any], place: str) -> None:
    if "target" in entry:
        _check(entry["target"], SELECTOR, f"{place}.target")
    if "options" in entry:
        _check(entry["options"], OPTIONS, f"{place}.options")
    for name in ("pairs", "labels", "annotations"):
        text_map(entry.get(name))
