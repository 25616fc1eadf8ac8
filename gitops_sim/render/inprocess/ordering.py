"""The order in which kustomize gives out resources, and that of the keys in them.

Source: kustomize api/internal/builtins/SortOrderTransformer.go (the order called legacy).
"""

from __future__ import annotations

from typing import Any

from gitops_sim.apimachinery.yaml_dump import in_key_order
from gitops_sim.render.inprocess.items import Id, Item

__all__ = ["in_legacy_order", "with_sorted_keys"]

FIRST = (
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
)
LAST = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_PLACES = {kind: place - len(FIRST) for place, kind in enumerate(FIRST)} | {
    kind: place + 1 for place, kind in enumerate(LAST)
}


def in_legacy_order(items: list[Item]) -> list[Item]:
    """Return resources by kind, then type, then namespace and name."""
    return sorted(items, key=lambda item: _place(item.id))


def with_sorted_keys(value: Any) -> Any:
    """Return a JSON value with the keys of all mappings in the order of kubectl's YAML."""
    if isinstance(value, dict):
        return {key: with_sorted_keys(value[key]) for key in in_key_order(value)}
    if isinstance(value, list):
        return [with_sorted_keys(item) for item in value]
    return value


def _place(this: Id) -> tuple[int, str, str]:
    type_text = f"{this.group or '~G'}_{this.version or '~V'}_{this.kind}"
    return _PLACES.get(this.kind, 0), type_text, f"{this.namespace or '~X'}|{this.name}"
