"""Images and replicas.

Source: kustomize api/filters/imagetag, api/internal/plugins/builtinhelpers, api/pkg/util/image.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gitops_sim.render.inprocess.field_paths import Field, change_at, parse_fields
from gitops_sim.render.inprocess.items import Item, NotInProcessError, Resources

__all__ = ["set_images", "set_replicas"]

REPLICAS = parse_fields("+spec/replicas Deployment,ReplicationController,ReplicaSet,StatefulSet")
NAME = re.compile(r"[A-Za-z0-9._/:-]+")
REFERENCE = re.compile(r"([^@]*?)(?::([^/@:]*))?(?:@(.*))?")
"""Name, tag and digest of an image."""


def set_images(resources: Resources, images: list[Mapping[str, Any]]) -> None:
    """Change the images of all containers, wherever a list of them stands in an object."""
    for change in images:
        if not NAME.fullmatch(change.get("name", "")):
            raise NotInProcessError("images.name is a pattern")
        pattern = re.compile(
            rf"{change['name']}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?"
        )
        for item in resources.items:
            if item.id.kind != "CustomResourceDefinition":
                _check_shape(item.manifest)
                _in_containers(item.manifest, pattern, change)


def set_replicas(resources: Resources, replicas: list[Mapping[str, Any]]) -> None:
    """Set `spec.replicas` of the workloads with a name, which they have or had."""
    for change in replicas:
        found = False
        for field in REPLICAS:
            for item in resources.items:
                if any(one.name == change.get("name") and field.of(one) for one in item.ids()):
                    found = True
                    _set(item, field, change.get("count", 0))
        if not found:
            raise NotInProcessError("no workload for replicas")


def _set(item: Item, field: Field, count: int) -> None:
    change_at(item.manifest, field.path, lambda _: count, create=count)


def _check_shape(node: Any) -> None:
    """Leave to kubectl the complaint about a `spec` or `template` that is no mapping."""
    for step in ("spec", "template", "spec"):
        if step not in node:
            return
        node = node[step]
        if not isinstance(node, dict):
            raise NotInProcessError(f"{step} is no mapping")


def _in_containers(node: Any, pattern: re.Pattern[str], change: Mapping[str, Any]) -> None:
    if isinstance(node, list):
        for item in node:
            _in_containers(item, pattern, change)
        return
    if not isinstance(node, dict):
        return
    for name, value in node.items():
        if name in ("containers", "initContainers"):
            if not isinstance(value, list):
                raise NotInProcessError(f"{name} is no list")
            for container in value:
                image = container.get("image", "") if isinstance(container, dict) else None
                if not isinstance(image, str):
                    raise NotInProcessError("a container of another form")
                if pattern.fullmatch(image):
                    container["image"] = _changed(image, change)
        if name == "image" and isinstance(value, dict) and "reference" in value:
            raise NotInProcessError("an image as a volume")
        _in_containers(value, pattern, change)


def _changed(image: str, change: Mapping[str, Any]) -> str:
    """Return an image with its new name, and new tag and digest, which go together."""
    found = REFERENCE.fullmatch(image)
    if found is None:
        raise NotInProcessError(f"image {image}")
    name, tag, digest = found.groups(default="")
    if change.get("newTag") or change.get("digest"):
        tag, digest = change.get("newTag", ""), change.get("digest", "")
    name = change.get("newName") or name
    return f"{name}{':' if tag else ''}{tag}{'@' if digest else ''}{digest}"
