"""In which order objects are applied, and pruned: what others need comes first and goes last.

Source: fluxcd/pkg ssa/sort.go, manager_apply.go (ApplyAllStaged) and manager_delete.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

from gitops_sim.types import Manifest, ResourceKey

__all__ = ["apply_order", "apply_stages", "prune_order"]

_FIRST: Final = (
    "CustomResourceDefinition",
    "Namespace",
    "ClusterRole",
    "ClusterClass",
    "RuntimeClass",
    "PriorityClass",
    "StorageClass",
    "VolumeSnapshotClass",
    "IngressClass",
    "GatewayClass",
    "ClusterRoleBinding",
    "ResourceQuota",
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "ConfigMap",
    "Secret",
    "Service",
    "LimitRange",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
)
_LAST: Final = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_RANK: Final = {kind: rank - len(_FIRST) for rank, kind in enumerate(_FIRST)} | {
    kind: rank + 1 for rank, kind in enumerate(_LAST)
}
_DEFINITIONS: Final = ("CustomResourceDefinition", "Namespace", "ClusterRole")

T = TypeVar("T")


def _place(key: ResourceKey) -> tuple[int, str, str, str, str]:
    return (_RANK.get(key.kind, 0), key.group, key.kind, key.namespace, key.name)


def apply_order(manifests: Iterable[Manifest]) -> list[Manifest]:
    """Return the manifests in the order in which to apply them."""
    return sorted(manifests, key=lambda manifest: _place(ResourceKey.of(manifest)))


def apply_stages(
    manifests: Iterable[Manifest], *, custom_kinds: Sequence[str] = ()
) -> list[list[Manifest]]:
    """Return the stages of an apply, each in order; empty ones are left out.

    Objects of a stage are applied when those of the one before are there: definitions and
    namespaces first, then classes, then kinds that somebody put before the rest, then the rest.

    Args:
        manifests: All objects of one pass.
        custom_kinds: Kinds of the third stage (`--custom-apply-stage-kinds`).
    """
    stages: list[list[Manifest]] = [[], [], [], []]
    for manifest in apply_order(manifests):
        kind = str(manifest.get("kind", ""))
        if kind in _DEFINITIONS:
            stages[0].append(manifest)
        elif kind.endswith("Class"):
            stages[1].append(manifest)
        else:
            stages[2 if kind in custom_kinds else 3].append(manifest)
    return [stage for stage in stages if stage]


def prune_order(orphans: Iterable[T], *, key: Callable[[T], ResourceKey] | None = None) -> list[T]:
    """Order objects for deletion so that nothing outlives what it needs.

    Workloads go before their configuration, namespaced objects before their namespace, instances
    before their CustomResourceDefinition: the apply order, reversed.

    Args:
        orphans: Keys, or anything that `key` finds a key in.
        key: Returns the key of an orphan; keys themselves need none.

    Example:
        >>> [k.kind for k in prune_order([ResourceKey("", "Namespace", "", "shop"),
        ...                               ResourceKey("apps", "Deployment", "shop", "web")])]
        ['Deployment', 'Namespace']
    """

    def place(orphan: T) -> tuple[int, str, str, str, str]:
        found = orphan if key is None else key(orphan)
        if not isinstance(found, ResourceKey):
            raise TypeError(f"{found!r} is no ResourceKey: give `key`")
        return _place(found)

    return sorted(orphans, key=place, reverse=True)
