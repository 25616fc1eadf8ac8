"""Which volume fits a claim, and what a provisioner makes for one. Pure.

Source: k8s.io/kubernetes, pkg/controller/volume/persistentvolume/index.go and
staging/src/k8s.io/component-helpers/storage/volume/pv_helpers.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from gitops_sim.apimachinery.labels import from_label_selector
from gitops_sim.apimachinery.quantities import parse
from gitops_sim.types import Manifest

__all__ = [
    "BY_CONTROLLER",
    "NO_PROVISIONER",
    "best_volume",
    "claim_reference",
    "claims_of",
    "class_of",
    "default_class",
    "fresh_volume",
    "is_for",
    "reserved_volume",
    "used_claims",
    "waits_for_consumer",
]

NO_PROVISIONER = "kubernetes.io/no-provisioner"
BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
_OLD_DEFAULT_CLASS = "storageclass.beta.kubernetes.io/is-default-class"


def class_of(manifest: Manifest) -> str | None:
    """Return the class of a claim or volume, by field or by the old annotation.

    None when a claim names none, which means the default; empty when it wants none at all.
    """
    old: str | None = (manifest["metadata"].get("annotations") or {}).get(_OLD_CLASS)
    named: str | None = manifest["spec"].get("storageClassName")
    return named if old is None else old


def default_class(classes: Iterable[Manifest]) -> Manifest | None:
    """Return the class marked as default; of several, the youngest."""
    marked = [
        storage_class
        for storage_class in classes
        if any(
            (storage_class["metadata"].get("annotations") or {}).get(key) == "true"
            for key in (_DEFAULT_CLASS, _OLD_DEFAULT_CLASS)
        )
    ]
    marked.sort(key=lambda c: (c["metadata"]["creationTimestamp"], c["metadata"]["name"]))
    return marked[-1] if marked else None


def claims_of(pod: Manifest) -> Sequence[str]:
    """Return the names of the claims that a pod uses, those of ephemeral volumes too."""
    names = []
    for volume in pod["spec"].get("volumes") or ():
        if volume.get("persistentVolumeClaim"):
            names.append(volume["persistentVolumeClaim"]["claimName"])
        elif volume.get("ephemeral"):
            names.append(f"{pod['metadata']['name']}-{volume['name']}")
    return names


def used_claims(pod: Manifest) -> Sequence[str]:
    """Index pods by the claims that they hold, as `namespace/name`: ended pods hold none."""
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return ()
    return [f"{pod['metadata']['namespace']}/{name}" for name in claims_of(pod)]


def is_for(volume: Manifest, claim: Manifest) -> bool:
    """True when a volume is reserved for a claim: by name, and by uid if it has one."""
    reference = volume["spec"].get("claimRef")
    if not reference:
        return False
    metadata = claim["metadata"]
    same = (reference.get("namespace"), reference.get("name")) == (
        metadata["namespace"],
        metadata["name"],
    )
    return same and reference.get("uid") in (None, "", metadata["uid"])


def waits_for_consumer(storage_class: Manifest | None) -> bool:
    """True for a class whose claims are bound when their first pod has a node."""
    if storage_class is None:
        return False
    return bool(storage_class.get("volumeBindingMode") == "WaitForFirstConsumer")


def reserved_volume(claim: Manifest, volumes: Iterable[Manifest]) -> Manifest | None:
    """Return the volume that is reserved for a claim, if one is and serves it."""
    for volume in volumes:
        is_going = "deletionTimestamp" in volume["metadata"]
        if not is_going and is_for(volume, claim) and _serves(volume, claim):
            return volume
    return None


def best_volume(claim: Manifest, volumes: Iterable[Manifest]) -> Manifest | None:
    """Return the volume to bind to a claim: one reserved for it, else the smallest that fits."""
    fitting = []
    selector = claim["spec"].get("selector")
    wanted = None if selector is None else from_label_selector(selector)
    for volume in volumes:
        if "deletionTimestamp" in volume["metadata"] or not _serves(volume, claim):
            continue
        if is_for(volume, claim):
            return volume
        if volume["spec"].get("claimRef") or (volume.get("status") or {}).get("phase") != (
            "Available"
        ):
            continue
        if wanted is None or wanted.matches(volume["metadata"].get("labels")):
            fitting.append(volume)
    fitting.sort(key=lambda volume: (_size(volume), volume["metadata"]["name"]))
    return fitting[0] if fitting else None


def claim_reference(claim: Manifest) -> dict[str, str]:
    """Return the reference by which a volume names its claim."""
    metadata = claim["metadata"]
    return {
        "kind": "PersistentVolumeClaim",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "apiVersion": "v1",
        "resourceVersion": metadata["resourceVersion"],
    }


def fresh_volume(claim: Manifest, storage_class: Manifest) -> Manifest:
    """Return the volume that a provisioner makes for a claim; its name is made of the uid."""
    spec, driver = claim["spec"], storage_class["provisioner"]
    name = f"pvc-{claim['metadata']['uid']}"
    made: Manifest = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": name,
            "annotations": {"pv.kubernetes.io/provisioned-by": driver},
        },
        "spec": {
            "accessModes": spec["accessModes"],
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "claimRef": claim_reference(claim),
            "csi": {"driver": driver, "volumeHandle": name},
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
            "storageClassName": storage_class["metadata"]["name"],
            "volumeMode": spec.get("volumeMode", "Filesystem"),
        },
    }
    if storage_class.get("mountOptions"):
        made["spec"]["mountOptions"] = storage_class["mountOptions"]
    return made


def _serves(volume: Manifest, claim: Manifest) -> bool:
    spec: Mapping[str, Any] = volume["spec"]
    asked = claim["spec"]
    modes = set(spec.get("accessModes") or ())
    request = asked.get("resources", {}).get("requests", {}).get("storage", "0")
    return (
        (class_of(volume) or "") == (class_of(claim) or "")
        and modes.issuperset(asked.get("accessModes") or ())
        and spec.get("volumeMode", "Filesystem") == asked.get("volumeMode", "Filesystem")
        and _size(volume) >= parse(request)
    )


def _size(volume: Manifest) -> Fraction:
    return parse((volume["spec"].get("capacity") or {}).get("storage", "0"))
