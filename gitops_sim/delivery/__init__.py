"""What every way of delivering shares: pure functions over manifests, no I/O and no clock."""

from gitops_sim.delivery.changes import Action, Change, ChangeSet
from gitops_sim.delivery.differences import (
    ABSENT,
    FieldDifference,
    declared_diff,
    diff,
    is_same,
)
from gitops_sim.delivery.health import Health, HealthStatus, assess_health, worst
from gitops_sim.delivery.inventory import Inventory, InventoryEntry, parse_object_id
from gitops_sim.delivery.ordering import apply_order, apply_stages, prune_order
from gitops_sim.delivery.pairing import Pair, pair_by_key

__all__ = [
    "ABSENT",
    "Action",
    "Change",
    "ChangeSet",
    "FieldDifference",
    "Health",
    "HealthStatus",
    "Inventory",
    "InventoryEntry",
    "Pair",
    "apply_order",
    "apply_stages",
    "assess_health",
    "declared_diff",
    "diff",
    "is_same",
    "pair_by_key",
    "parse_object_id",
    "prune_order",
    "worst",
]
