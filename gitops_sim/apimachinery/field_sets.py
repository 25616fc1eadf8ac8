r"""Sets of fields of an object: who owns what.

A set is a tree in the very form of `managedFields[].fieldsV1`: a dict from path element to what
lies below it. `{}` below an element means that this field is in the set and nothing below it; a
`"."` entry means that the field is in the set and so is more below it; without one, only the
fields below are. The set itself has no name: the object as a whole is never a member.

    {"f:spec": {"f:replicas": {}, "f:template": {".": {}, "f:spec": {...}}}}

Trees are never changed once made, they share subtrees with each other and with the objects they
came from, and their entries stand in the server's order. The functions at the end work on bare
trees, for callers that count microseconds; `FieldSet` is the same with a face.

Source: sigs.k8s.io/structured-merge-diff v6, fieldpath/set.go and serialize.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from gitops_sim.apimachinery.contents import Known, content_of
from gitops_sim.apimachinery.path_elements import SELF, printed, rank, readable
from gitops_sim.apimachinery.schemas import Schema
from gitops_sim.apimachinery.shapes import shape_of

__all__ = [
    "LEAF",
    "FieldSet",
    "Tree",
    "difference",
    "in_order",
    "interned",
    "intersection",
    "is_subset",
    "leaves",
    "members",
    "recursive_difference",
    "union",
]

Tree: TypeAlias = dict[str, Any]
"""A field set as JSON: path element -> Tree."""

LEAF: Tree = {}
"""What lies below a field that is in the set by itself."""


@dataclass(frozen=True, slots=True)
class FieldSet:
    """A set of fields; `tree` is its `fieldsV1` form, shared and read-only."""

    tree: Tree

    @classmethod
    def of(cls, manifest: Any, schema: Schema | None) -> FieldSet:
        """Return the fields that a value sets, as an apply of it would own them.

        Items of keyed lists go by their keys (with the schema's defaults, such as protocol TCP),
        of sets by their value; atomic lists and maps are one field. Names, versions and the like
        (`metadata.name`, `apiVersion`) belong to nobody and are left out.
        """
        from gitops_sim.apimachinery.typed_values import field_tree  # it builds on this module

        return cls(field_tree(manifest, shape_of(schema)))

    @classmethod
    def from_fields_v1(cls, fields: Any) -> FieldSet:
        """Read the `fieldsV1` of a managedFields entry; elements of unknown form are dropped.

        Raises:
            ValueError: It is no tree of path elements.
        """
        return cls(_read(fields))

    def union(self, other: FieldSet) -> FieldSet:
        """Return the fields in either."""
        return FieldSet(union(self.tree, other.tree))

    def intersection(self, other: FieldSet) -> FieldSet:
        """Return the fields in both."""
        return FieldSet(intersection(self.tree, other.tree))

    def difference(self, other: FieldSet) -> FieldSet:
        """Return the fields that `other` has not; what lies below a field of `other` stays."""
        return FieldSet(difference(self.tree, other.tree))

    def recursive_difference(self, other: FieldSet) -> FieldSet:
        """Return the fields that neither are in `other` nor lie below one of its fields."""
        return FieldSet(recursive_difference(self.tree, other.tree))

    def leaves(self) -> FieldSet:
        """Return the fields below which this set has no other."""
        return FieldSet(leaves(self.tree))

    def has(self, path: str) -> bool:
        """True if the field at a printed path, `.spec.replicas`, is in the set."""
        return any(each == path for each in self.paths())

    def paths(self) -> Iterator[str]:
        """Yield the printed path of each field, in the order in which the server reports them."""
        return members(self.tree)

    def __bool__(self) -> bool:
        """False for the empty set."""
        return bool(self.tree)

    def __len__(self) -> int:
        """How many fields are in the set."""
        return sum(1 for _ in self.paths())


def in_order(tree: Tree) -> Tree:
    """Return a tree with its topmost entries in the server's order."""
    return {each: tree[each] for each in sorted(tree, key=rank)} if len(tree) > 1 else tree


def interned(tree: Tree) -> Tree:
    """Return the one tree that stands for all equal ones: the pods of a cluster set the same.

    Its subtrees stand for theirs: pods of different owners differ in what names the owner.
    """
    content = content_of(tree)
    known = _known.get(content)
    if known is None:
        known = {element: interned(below) if below else LEAF for element, below in tree.items()}
        _known.keep(content, known)
    return known


_known: Known[Tree] = Known(4096)


def union(one: Tree, other: Tree) -> Tree:
    """Return the fields in either tree; one of the two, when it holds the other."""
    if one is other or not other:
        return one
    if not one:
        return other
    found: Tree | None = None
    grown = False
    for element, theirs in other.items():
        mine = one.get(element)
        if mine is None:
            both, grown = theirs, True
        else:
            both = _union_below(mine, theirs)
            if both is mine:
                continue
        found = dict(one) if found is None else found
        found[element] = both
    if found is None:
        return one
    return in_order(found) if grown else found


def intersection(one: Tree, other: Tree) -> Tree:
    """Return the fields in both trees."""
    if one is other:
        return one
    found: Tree = {}
    for element, mine in one.items():
        theirs = other.get(element)
        if theirs is not None:
            both = _intersection_below(mine, theirs)
            if both is not None:
                found[element] = both
    return found


def difference(one: Tree, other: Tree) -> Tree:
    """Return the fields of `one` that `other` has not; `one` itself when nothing goes.

    A field goes only when it is itself in `other`: owning a map says nothing of its members.
    """
    return _without(one, other, _difference_below)


def recursive_difference(one: Tree, other: Tree) -> Tree:
    """Return the fields of `one` that neither are in `other` nor lie below one that is."""
    return _without(one, other, _recursive_difference_below)


def is_subset(one: Tree, other: Tree) -> bool:
    """True when every field of `one` is in `other`."""
    return one is other or one == other or not difference(one, other)


def leaves(tree: Tree) -> Tree:
    """Return the fields below which the tree has no other."""
    return {
        element: leaves(below) if below else LEAF
        for element, below in tree.items()
        if element != SELF
    }


def members(tree: Tree, prefix: str = "") -> Iterator[str]:
    """Yield the printed path of each field: those of one level, then what lies below them."""
    for element, below in tree.items():
        if element != SELF and (not below or SELF in below):
            yield prefix + printed(element)
    for element, below in tree.items():
        if below:
            yield from members(below, prefix + printed(element))


def _union_below(mine: Tree, theirs: Tree) -> Tree:
    if not mine:
        return mine if not theirs else theirs if SELF in theirs else {SELF: LEAF, **theirs}
    if not theirs:
        return mine if SELF in mine else {SELF: LEAF, **mine}
    return union(mine, theirs)


def _intersection_below(mine: Tree, theirs: Tree) -> Tree | None:
    """Return what two entries have in common; None for nothing."""
    if not mine:
        return mine if not theirs or SELF in theirs else None
    if not theirs:
        return LEAF if SELF in mine else None
    return _entry(intersection(mine, theirs))


def _difference_below(mine: Tree, theirs: Tree) -> Tree | None:
    """Return what is left of an entry; None for nothing."""
    if not mine:
        return None if not theirs or SELF in theirs else mine
    if not theirs:
        if SELF not in mine:
            return mine
        return {element: below for element, below in mine.items() if element != SELF} or None
    return _entry(difference(mine, theirs))


def _recursive_difference_below(mine: Tree, theirs: Tree) -> Tree | None:
    if not theirs or SELF in theirs:
        return None
    return _entry(recursive_difference(mine, theirs)) if mine else mine


def _without(one: Tree, other: Tree, left_of: Any) -> Tree:
    found: Tree | None = None
    for element, theirs in other.items():
        mine = one.get(element)
        if mine is None:
            continue
        left = left_of(mine, theirs)
        if left is mine:
            continue
        found = dict(one) if found is None else found
        if left is None:
            del found[element]
        else:
            found[element] = left
    return one if found is None else found


def _entry(below: Tree) -> Tree | None:
    """Return a tree in the form of an entry: a lone `.` is a leaf, nothing is no entry."""
    if not below:
        return None
    return LEAF if len(below) == 1 and SELF in below else below


def _read(fields: Any) -> Tree:
    if not isinstance(fields, dict):
        raise ValueError("fields are no object")  # noqa: TRY004 - a bad document, not a bad call
    tree: Tree = {}
    for element, below in fields.items():
        if element == SELF:
            tree[SELF] = LEAF
        elif readable(element):
            inner = _read(below)
            tree[element] = _entry(inner) or LEAF
    return in_order(tree)
