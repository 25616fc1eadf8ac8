"""Namespace, prefix, suffix, labels and annotations, put where kustomize puts them.

Source: kustomize api/internal/konfig/builtinpluginconsts, api/filters/namespace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gitops_sim.render.inprocess.field_paths import Field, change_at, parse_fields
from gitops_sim.render.inprocess.items import Item, NotInProcessError, Resources
from gitops_sim.render.inprocess.shape import text_map
from gitops_sim.render.kustomization import Kustomization

__all__ = ["add_annotations", "add_labels", "rename", "set_namespace"]

LABELS = parse_fields("+metadata/labels *")
TEMPLATE_LABELS = parse_fields(
    """
+spec/template/metadata/labels ReplicationController - v1
+spec/template/metadata/labels Deployment,ReplicaSet,DaemonSet
+spec/template/metadata/labels StatefulSet apps
+spec/template/metadata/labels Job batch
+spec/jobTemplate/metadata/labels CronJob batch
+spec/jobTemplate/spec/template/metadata/labels CronJob batch
"""
)
_AFFINITY = "".join(
    f"spec/template/spec/affinity/{kind}/{when} Deployment,StatefulSet apps\n"
    for kind in ("podAffinity", "podAntiAffinity")
    for when in (
        "preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
        "requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    )
)
SELECTORS = parse_fields(
    """
+spec/selector Service,ReplicationController - v1
+spec/selector/matchLabels Deployment,ReplicaSet,DaemonSet
+spec/selector/matchLabels StatefulSet apps
spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels Deployment,StatefulSet apps
spec/selector/matchLabels Job batch
spec/jobTemplate/spec/selector/matchLabels CronJob batch
spec/selector/matchLabels PodDisruptionBudget policy
spec/podSelector/matchLabels NetworkPolicy networking.k8s.io
spec/ingress/from/podSelector/matchLabels NetworkPolicy networking.k8s.io
spec/egress/to/podSelector/matchLabels NetworkPolicy networking.k8s.io
"""
    + _AFFINITY
)
CLAIM_TEMPLATES = parse_fields("spec/volumeClaimTemplates StatefulSet apps")
ANNOTATIONS = parse_fields(
    """
+metadata/annotations *
+spec/template/metadata/annotations ReplicationController - v1
+spec/template/metadata/annotations Deployment,ReplicaSet,DaemonSet,StatefulSet
+spec/template/metadata/annotations Job batch
+spec/jobTemplate/metadata/annotations CronJob batch
+spec/jobTemplate/spec/template/metadata/annotations CronJob batch
"""
)
NAMESPACES = parse_fields(
    """
+metadata/name Namespace
+spec/service/namespace APIService apiregistration.k8s.io
spec/conversion/webhook/clientConfig/service/namespace CustomResourceDefinition
"""
)
KEEP_NAME = frozenset({"CustomResourceDefinition", "Namespace"})
"""Kinds that no prefix or suffix renames; an APIService of its own group neither."""


def set_namespace(resources: Resources, namespace: str) -> None:
    """Put all resources into a namespace: metadata, the Namespace itself, default accounts."""
    for item in resources.items:
        item.remember()
        this = item.id
        if not this.cluster_scoped:
            item.manifest["metadata"]["namespace"] = namespace
        if this.kind in ("RoleBinding", "ClusterRoleBinding"):
            for subject in item.manifest.get("subjects") or []:
                if subject.get("name") == "default":
                    subject["namespace"] = namespace
        _change(item, NAMESPACES, lambda _: namespace, new=namespace)
    resources.refuse_conflicts()


def rename(resources: Resources, prefix: str, suffix: str) -> None:
    """Put a prefix and a suffix on the names of all resources that may have one."""
    for item in resources.items:
        first = item.first_id
        if first.kind in KEEP_NAME or (
            first.kind == "APIService" and first.group == "apiregistration.k8s.io"
        ):
            continue
        for before, after in ((prefix, ""), ("", suffix)):
            if before or after:
                item.remember()
                metadata = item.manifest["metadata"]
                metadata["name"] = f"{before}{metadata['name']}{after}"
    resources.refuse_conflicts()


def add_labels(resources: Resources, this: Kustomization) -> None:
    """Add what `labels` and `commonLabels` say, to metadata, templates and selectors."""
    for entry in this.entries("labels"):
        fields = LABELS
        if entry.get("includeSelectors"):
            fields += TEMPLATE_LABELS + SELECTORS
        elif entry.get("includeTemplates"):
            fields += TEMPLATE_LABELS
        _add(resources.items, text_map(entry.get("pairs")), fields)
        if fields is not LABELS:
            _label_claims(resources.items, text_map(entry.get("pairs")))
    common = text_map(this.fields.get("commonLabels"))
    if common:
        _add(resources.items, common, LABELS + TEMPLATE_LABELS + SELECTORS)
        _label_claims(resources.items, common)


def add_annotations(items: Iterable[Item], annotations: Mapping[str, str]) -> None:
    """Add common annotations, to pod templates too."""
    _add(items, annotations, ANNOTATIONS)


def _add(items: Iterable[Item], pairs: Mapping[str, str], fields: tuple[Field, ...]) -> None:
    if not pairs:
        return
    for item in items:
        item.write(pairs)
        _change(item, fields, lambda have: _with_pairs(have, pairs), new={})


def _with_pairs(have: Any, pairs: Mapping[str, str]) -> dict[str, Any]:
    if not isinstance(have, dict):
        raise NotInProcessError("labels or annotations that are no map")
    return {**have, **pairs}


def _label_claims(items: Iterable[Item], pairs: Mapping[str, str]) -> None:
    """Label the claim templates that are there; each gets metadata and labels if need be."""
    for item in items:
        _change(item, CLAIM_TEMPLATES, lambda claims: _labelled(claims, pairs), new=None)


def _labelled(claims: Any, pairs: Mapping[str, str]) -> Any:
    change_at(claims, ("metadata", "labels"), lambda have: {**have, **pairs}, create={})
    return claims


def _change(
    item: Item, fields: tuple[Field, ...], change: Callable[[Any], Any], *, new: Any
) -> None:
    """Change the fields that an item has; those to create begin as `new`."""
    this = item.id
    for field in fields:
        if field.of(this):
            change_at(item.manifest, field.path, change, create=new if field.create else None)
