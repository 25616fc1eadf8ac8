"""Rules of Nodes, and of small kinds that few people write by hand.

Source: k8s.io/kubernetes, pkg/apis/core/validation (ValidateNode, ValidateNamespace),
pkg/apis/{apps,certificates,node,storage}/validation.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery import causes, names
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.validation_metadata import finalizer_causes
from gitops_sim.apimachinery.validation_parts import (
    label_causes,
    named,
    network_causes,
    supported,
)
from gitops_sim.types import Manifest

__all__ = [
    "attachment_causes",
    "driver_causes",
    "namespace_causes",
    "namespace_status_causes",
    "node_causes",
    "node_update_causes",
    "revision_causes",
    "revision_update_causes",
    "runtime_class_causes",
    "signing_request_causes",
]

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_CERTIFICATE_REQUEST = b"-----BEGIN CERTIFICATE REQUEST-----"


def node_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a Node: its taints and its networks."""
    spec = manifest.get("spec") or {}
    seen = set()
    for index, taint in enumerate(spec.get("taints") or ()):
        path, effect = f"metadata.taints[{index}]", taint.get("effect", "")
        yield from named(taint.get("key", ""), f"{path}.key", names.validate_label_key)
        yield from named(taint.get("value") or "", f"{path}.value", names.validate_label_value)
        if effect:
            yield from supported(effect, f"{path}.effect", _EFFECTS)
        else:
            yield causes.required(f"{path}.effect")
        if (taint.get("key"), effect) in seen:
            shown = {
                "Key": taint.get("key", ""),
                "Value": taint.get("value", ""),
                "Effect": effect,
                "TimeAdded": taint.get("timeAdded"),
            }
            told = causes.duplicate(path, shown)
            text = "taints must be unique by key and effect pair"
            yield Cause(told.reason, f"{told.message}: {text}", path)
        seen.add((taint.get("key"), effect))
    for index, network in enumerate(spec.get("podCIDRs") or ()):
        yield from network_causes(network, f"spec.podCIDRs[{index}]")


def node_update_causes(manifest: Manifest, before: Manifest) -> Iterator[Cause]:
    """Yield what an update of a Node may not change once it is set."""
    new, old = manifest.get("spec") or {}, before.get("spec") or {}
    if old.get("podCIDRs") and new.get("podCIDRs") != old["podCIDRs"]:
        text = 'node updates may not change podCIDR except from "" to valid'
        yield causes.forbidden("spec.podCIDRs", text)
    if old.get("providerID") and new.get("providerID") != old["providerID"]:
        yield causes.invalid("spec.providerID", None, "field cannot be modified once set")


def namespace_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with the finalizers in the spec of a Namespace."""
    finalizers = (manifest.get("spec") or {}).get("finalizers") or ()
    yield from finalizer_causes(finalizers, "spec.finalizers")


def namespace_status_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield the phase of a Namespace, if it is not the one of its deletion."""
    phase, is_going = manifest["status"].get("phase"), "deletionTimestamp" in manifest["metadata"]
    wanted = "Terminating" if is_going else "Active"
    if phase != wanted:
        when = "not empty" if is_going else "empty"
        text = f"may only be '{wanted}' if `deletionTimestamp` is {when}"
        yield causes.invalid("status.Phase", phase or "", text)


def revision_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a ControllerRevision."""
    if manifest.get("data") is None:
        yield causes.required("data", "data is mandatory")
    if manifest.get("revision", 0) < 0:
        text = "must be greater than or equal to 0"
        yield causes.invalid("revision", manifest["revision"], text)


def revision_update_causes(new: Manifest, old: Manifest) -> Iterator[Cause]:
    """Yield what may not change in a ControllerRevision."""
    if new.get("data") != old.get("data"):
        yield causes.invalid("data", new.get("data"), "field is immutable")


def runtime_class_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a RuntimeClass."""
    yield from named(manifest.get("handler", ""), "handler", names.validate_label)
    selector = (manifest.get("scheduling") or {}).get("nodeSelector")
    yield from label_causes(selector, "scheduling.nodeSelector")


def signing_request_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a CertificateSigningRequest."""
    spec = manifest.get("spec") or {}
    text, signer = spec.get("request") or "", spec.get("signerName", "")
    if not b64decode(text).lstrip().startswith(_CERTIFICATE_REQUEST):
        shown = text or None if "request" in spec else None
        problem = "PEM block type must be CERTIFICATE REQUEST"
        yield causes.invalid("spec.request", "" if shown is None else shown, problem)
    if not spec.get("usages"):
        yield causes.required("spec.usages")
    if not signer:
        yield causes.required("spec.signerName")
    elif "/" not in signer:
        told = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        yield causes.invalid("spec.signerName", signer, told)


def attachment_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a VolumeAttachment."""
    spec = manifest.get("spec") or {}
    source = spec.get("source") or {}
    members = ("inlineVolumeSpec", "persistentVolumeName")
    if len([member for member in members if source.get(member) is not None]) != 1:
        text = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
        yield causes.required("spec.source", text)
    yield from named(spec.get("nodeName", ""), "spec.nodeName", names.validate_subdomain)
    if not spec.get("attacher"):
        yield causes.required("spec.attacher")


def driver_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a CSIDriver."""
    spec: dict[str, Any] = manifest.get("spec") or {}
    words = ("File", "None", "ReadWriteOnceWithFSType")
    yield from supported(spec.get("fsGroupPolicy"), "spec.fsGroupPolicy", words)
    audiences: list[str] = []
    for index, request in enumerate(spec.get("tokenRequests") or ()):
        path, audience = f"spec.tokenRequests[{index}]", request.get("audience", "")
        if audience in audiences:
            yield causes.duplicate(f"{path}.audience", audience)
            continue
        audiences.append(audience)
        seconds = request.get("expirationSeconds")
        if seconds is not None and seconds < 600:
            text = "may not specify a duration less than 10 minutes"
            yield causes.invalid(f"{path}.expirationSeconds", seconds, text)
    for mode in spec.get("volumeLifecycleModes") or ():
        yield from supported(mode, "spec.volumeLifecycleModes", ("Persistent", "Ephemeral"))
