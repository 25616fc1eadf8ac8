"""What goes from an object when the manager that applied it does so no longer.

Source: sigs.k8s.io/structured-merge-diff v6, merge/update.go (prune, addBackOwnedItems,
addBackDanglingItems).
"""

from __future__ import annotations

from gitops_sim.apimachinery.field_sets import Tree, difference, intersection, union
from gitops_sim.apimachinery.merging import remove_fields, without_nulls
from gitops_sim.apimachinery.shapes import Shape
from gitops_sim.apimachinery.typed_values import field_tree, with_named_fields
from gitops_sim.types import Manifest

__all__ = ["given_up"]


def given_up(merged: Manifest, last: Tree, owned: list[Tree], shape: Shape) -> Manifest:
    """Return an object without what its manager applied last, but for what anyone owns now.

    Args:
        merged: The object with what is applied now; not changed.
        last: The fields that the manager applied last.
        owned: The fields of every manager, with those that are applied now.
        shape: What the kind's schema says.

    Three removals, as the server does it: first everything of the last apply; then, from the
    whole, whatever the first took that nobody owns; then, of that, only what was in the last
    apply, so that parts which nobody ever owned stay.
    """
    last = with_named_fields(last, shape)
    wanted: Tree = {}
    for tree in owned:
        wanted = union(wanted, tree)
    wanted = with_named_fields(wanted, shape)
    whole = with_named_fields(field_tree(merged, shape), shape)
    pruned = remove_fields(merged, last, shape)
    for keep in (None, last):
        kept = with_named_fields(field_tree(pruned, shape), shape)
        if keep is None:
            going = difference(whole, union(kept, wanted))
        else:
            going = intersection(difference(whole, kept), keep)
        pruned = remove_fields(merged, going, shape)
    return without_nulls(pruned) if shape.typed else pruned  # type: ignore[no-any-return]
