"""Fields that a resource or subresource does not write, so that nobody comes to own them there.

A write to a Deployment leaves its status alone, a write to its status leaves its spec alone: the
server resets them, and managedFields pass over them.

Source: k8s.io/kubernetes 1.37, GetResetFields of the strategies in pkg/registry, and of custom
resources in k8s.io/apiextensions-apiserver, pkg/registry/customresource/strategy.go.
Differs: the filters of `pods/resize` and `pods/ephemeralcontainers` are left out.
"""

from __future__ import annotations

from functools import cache

from gitops_sim.apimachinery.field_sets import LEAF, Tree, in_order

__all__ = ["reset_fields"]

_STATUS_KEEPS_METADATA = frozenset(
    [
        "CSINode",
        "CompositePodGroup",
        "CustomResourceDefinition",
        "DeviceTaintRule",
        "Eviction",
        "EvictionRequest",
        "FlowSchema",
        "PodCertificateRequest",
        "PodGroup",
        "PriorityLevelConfiguration",
        "ResourceClaim",
        "ResourcePoolStatusRequest",
        "ServiceCIDR",
        "StorageVersion",
        "StorageVersionMigration",
        "ValidatingAdmissionPolicy",
        "VolumeAttachment",
    ]
)
"""Kinds whose status subresource writes no metadata either."""

_SPECIAL: dict[tuple[str, str], tuple[str, ...]] = {
    ("CertificateSigningRequest", ""): ("spec", "status"),
    ("CertificateSigningRequest", "status"): ("spec", "status.conditions"),
    ("CertificateSigningRequest", "approval"): ("spec", "status.certificate"),
    ("Deployment", "status"): ("spec", "metadata.labels"),
    ("Pod", "status"): ("spec", "metadata.deletionTimestamp", "metadata.ownerReferences"),
    ("Namespace", "finalize"): ("status",),
}


@cache
def reset_fields(kind: str, subresource: str) -> Tree:
    """Return the fields that a write to a kind, or to one of its subresources, resets."""
    paths = _SPECIAL.get((kind, subresource))
    if paths is None:
        paths = ("status",) if not subresource else ()
        if subresource == "status":
            paths = ("metadata", "spec") if kind in _STATUS_KEEPS_METADATA else ("spec",)
    tree: Tree = {}
    for path in paths:
        *above, last = path.split(".")
        at = tree
        for name in above:
            at = at.setdefault(f"f:{name}", {})
        at[f"f:{last}"] = LEAF
    return in_order(tree)
