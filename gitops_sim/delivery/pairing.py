"""Which live object a declared one means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from gitops_sim.types import Manifest, ResourceKey

__all__ = ["Pair", "pair_by_key"]


@dataclass(frozen=True, slots=True)
class Pair:
    """One object on both sides; `desired` is None when nobody declares it, `live` when it is gone.

    `key` has the namespace of the live side where there is one.
    """

    key: ResourceKey
    desired: Manifest | None
    live: Manifest | None


def pair_by_key(
    desired: Iterable[Manifest], live: Iterable[Manifest], *, namespace: str = "default"
) -> list[Pair]:
    """Pair declared objects with live ones by group, kind, namespace and name.

    The version does not count: `apps/v1` and `apps/v1beta1` are one object to the API. A declared
    object without a namespace is the cluster-scoped one of that name, or the one in `namespace`.

    Args:
        desired: As rendered; their order is kept.
        live: As read from the API.
        namespace: Where objects go that name no namespace.

    Returns:
        One pair per object; those that only live come last, by key.
    """
    by_key = {ResourceKey.of(manifest): manifest for manifest in live}
    pairs = []
    for manifest in desired:
        key = ResourceKey.of(manifest)
        if key not in by_key and not key.namespace:
            inside = replace(key, namespace=namespace)
            key = inside if inside in by_key else key
        pairs.append(Pair(key, manifest, by_key.pop(key, None)))
    return pairs + [Pair(key, None, by_key[key]) for key in sorted(by_key)]
