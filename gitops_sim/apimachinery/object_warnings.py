"""What the server warns of in objects of built-in kinds that it accepts all the same.

Source: k8s.io/kubernetes, the WarningsOnCreate and WarningsOnUpdate of pkg/registry/*/strategy.go.
Differs: addresses and networks in an unusual notation, and certificates that are none, are passed
over.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import Any

from gitops_sim.apimachinery import names, quantities
from gitops_sim.apimachinery.warnings_pods import (
    fraction_warnings,
    label_warning,
    pod_warnings,
    term_warnings,
)
from gitops_sim.types import Manifest

__all__ = ["object_warnings"]

_Warn = Callable[[Manifest, Manifest | None], Iterator[str]]
_LABEL = "which can result in surprising behavior; a DNS label is recommended: "
_TEMPLATES = {
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Deployment": ("spec", "template"),
    "Job": ("spec", "template"),
    "PodTemplate": ("template",),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
}
_NAMES_PODS = frozenset({"CronJob", "Deployment", "Job", "ReplicaSet", "ReplicationController"})
_INGRESS_CLASS = "kubernetes.io/ingress.class"
_MOUNTABLE = "kubernetes.io/enforce-mountable-secrets"
_RECYCLE = (
    "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the "
    "recommended approach is to use dynamic provisioning."
)


def object_warnings(manifest: Manifest, before: Manifest | None) -> Iterator[str]:
    """Yield what to warn the writer of an object of.

    Args:
        manifest: As it will be stored.
        before: As it is stored now; None for a new one.
    """
    kind = str(manifest.get("kind"))
    if kind in _TEMPLATES:
        yield from _template_warnings(kind, manifest, before)
    warn = _KINDS.get(kind)
    if warn is not None:
        yield from warn(manifest, before)


def _template_warnings(kind: str, manifest: Manifest, before: Manifest | None) -> Iterator[str]:
    if before is None and kind in _NAMES_PODS:
        yield from _name_warnings(manifest, "Pod names and hostnames")
    steps = _TEMPLATES[kind]
    template = _inside(manifest, steps)
    if before is None or _inside(before, steps) != template:
        yield from pod_warnings((template or {}).get("spec") or {}, ".".join((*steps, "spec")))


def _inside(manifest: Manifest, steps: tuple[str, ...]) -> Any:
    found: Any = manifest
    for step in steps:
        found = (found or {}).get(step)
    return found


def _name_warnings(manifest: Manifest, where: str) -> Iterator[str]:
    problems = names.validate_label(manifest["metadata"].get("name", ""))
    if problems:
        yield f"metadata.name: this is used in {where}, {_LABEL}[{' '.join(problems)}]"


def _pod(manifest: Manifest, before: Manifest | None) -> Iterator[str]:
    if before is None:
        yield from _name_warnings(manifest, "the Pod's hostname")
        yield from pod_warnings(manifest.get("spec") or {}, "spec")


def _stateful_set(manifest: Manifest, _: Manifest | None) -> Iterator[str]:
    spec = manifest["spec"]
    for index, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
        path = f"spec.volumeClaimTemplates[{index}].resources"
        yield from _claim_warnings(claim.get("spec") or {}, path)
    if (spec.get("revisionHistoryLimit") or 0) < 0:
        text = "a negative value retains all historical revisions; a value >= 0 is recommended"
        yield f"spec.revisionHistoryLimit: {text}"


def _claim(manifest: Manifest, _: Manifest | None) -> Iterator[str]:
    yield from _claim_warnings(manifest.get("spec") or {}, "spec.resources")


def _claim_warnings(spec: dict[str, Any], path: str) -> Iterator[str]:
    resources = spec.get("resources") or {}
    for kind in ("requests", "limits"):
        yield from fraction_warnings(resources.get(kind) or {}, f"{path}.{kind}", "storage")


def _volume(manifest: Manifest, _: Manifest | None) -> Iterator[str]:
    spec = manifest.get("spec") or {}
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        yield _RECYCLE
    terms = ((spec.get("nodeAffinity") or {}).get("required") or {}).get("nodeSelectorTerms")
    for index, term in enumerate(terms or ()):
        yield from term_warnings(term, f"spec.nodeAffinity.required.nodeSelectorTerms[{index}]")


def _service(manifest: Manifest, _: Manifest | None) -> Iterator[str]:
    spec = manifest.get("spec") or {}
    is_outside = spec.get("type") == "ExternalName"
    is_headless = spec.get("type") == "ClusterIP" and spec.get("clusterIP") == "None"
    if is_headless:
        for member, shown in (
            ("loadBalancerIP", "loadBalancerIP"),
            ("externalIPs", "externalIPs"),
        ):
            if spec.get(member):
                yield f"spec.{shown} is ignored for headless services"
        if spec.get("sessionAffinity", "None") != "None":
            yield "spec.SessionAffinity is ignored for headless services"
    if spec.get("externalIPs") and not (is_headless or is_outside):
        yield "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
    if is_outside and spec.get("externalIPs"):
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    if not is_outside and spec.get("externalName"):
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
    if spec.get("trafficDistribution") == "PreferClose":
        yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'


def _ingress(manifest: Manifest, before: Manifest | None) -> Iterator[str]:
    if before is None and _INGRESS_CLASS in (manifest["metadata"].get("annotations") or {}):
        text = "is deprecated, please use 'spec.ingressClassName' instead"
        yield f'annotation "{_INGRESS_CLASS}" {text}'


def _slice(manifest: Manifest, before: Manifest | None) -> Iterator[str]:
    if before is None and manifest.get("addressType") == "FQDN":
        yield "spec.addressType: FQDN endpoints are deprecated"


def _secret(manifest: Manifest, _: Manifest | None) -> Iterator[str]:
    if manifest.get("type") != "kubernetes.io/tls":
        return
    data = manifest.get("data") or {}
    for key, what in (("tls.crt", "certificate"), ("tls.key", "key")):
        if b"-----BEGIN " not in b64decode(data.get(key) or ""):
            yield f"tls: failed to find any PEM data in {what} input"
            return


def _account(manifest: Manifest, before: Manifest | None) -> Iterator[str]:
    old = {} if before is None else before["metadata"].get("annotations") or {}
    if _MOUNTABLE in (manifest["metadata"].get("annotations") or {}) and _MOUNTABLE not in old:
        text = "prefer separate namespaces to isolate access to mounted secrets"
        yield f"metadata.annotations[{_MOUNTABLE}]: deprecated in v1.32+; {text}"


def _quota(manifest: Manifest, _: Manifest | None) -> Iterator[str]:
    hard = (manifest.get("spec") or {}).get("hard") or {}
    for name in ("cpu", "memory", "storage", "ephemeral-storage"):
        request, limit = f"requests.{name}", f"limits.{name}"
        if request not in hard and name in ("cpu", "memory"):
            request = name
        if request not in hard or limit not in hard:
            continue
        if quantities.parse(hard[request]) > quantities.parse(hard[limit]):
            told = f"{request} ({hard[request]}) should be less than {limit} ({hard[limit]})"
            yield f"ResourceQuota {told}"


def _runtime_class(manifest: Manifest, _: Manifest | None) -> Iterator[str]:
    for key in sorted((manifest.get("scheduling") or {}).get("nodeSelector") or ()):
        if label_warning(key):
            yield f"scheduling.nodeSelector: {label_warning(key)}"


_KINDS: dict[str, _Warn] = {
    "EndpointSlice": _slice,
    "Ingress": _ingress,
    "PersistentVolume": _volume,
    "PersistentVolumeClaim": _claim,
    "Pod": _pod,
    "ResourceQuota": _quota,
    "RuntimeClass": _runtime_class,
    "Secret": _secret,
    "Service": _service,
    "ServiceAccount": _account,
    "StatefulSet": _stateful_set,
}
