"""Field ownership: server-side apply, and who owns what after any other write.

The life of a field: whoever applies it owns it, alone or with others who apply the same value.
Whoever changes it by an update owns it from then on, and it is taken from those who owned it
before. Someone else who applies another value meets a conflict, unless they force it. A manager
who applied a field and no longer does gives it up; when nobody else owns it, it goes from the
object.

Objects that come in are not changed, and what goes out shares with them whatever stayed the same.
A write that changes nothing returns the live object itself.

Source: sigs.k8s.io/structured-merge-diff v6, merge/update.go; k8s.io/apimachinery,
pkg/util/managedfields/internal (fieldmanager, managedfieldsupdater, skipnonapplied, stripmeta,
lastappliedmanager).
Differs: entries of another version of a kind are compared field by field in this version, since
objects are not converted between versions.
"""

from __future__ import annotations

from typing import NamedTuple

from gitops_sim.apimachinery.comparing import compare
from gitops_sim.apimachinery.contents import Known, content_of
from gitops_sim.apimachinery.field_conflicts import FieldConflict, conflicts_of
from gitops_sim.apimachinery.field_sets import (
    Tree,
    difference,
    interned,
    intersection,
    is_subset,
    leaves,
    members,
    recursive_difference,
    union,
)
from gitops_sim.apimachinery.giving_up import given_up
from gitops_sim.apimachinery.kubectl_upgrade import (
    KUBECTL,
    allowed_by_last_applied,
    with_synced_annotation,
)
from gitops_sim.apimachinery.manager_entries import (
    Entries,
    Identity,
    ManagerEntry,
    capped,
    identity,
    is_reset,
    read_entries,
    written,
)
from gitops_sim.apimachinery.merging import merge
from gitops_sim.apimachinery.reset_fields import reset_fields
from gitops_sim.apimachinery.schemas import Schema
from gitops_sim.apimachinery.shapes import Shape, shape_of
from gitops_sim.apimachinery.status_errors import bad_request
from gitops_sim.apimachinery.type_problems import type_problems
from gitops_sim.apimachinery.typed_values import (
    TypeMismatchError,
    field_tree,
    whole_atomics,
)
from gitops_sim.errors import UnknownError
from gitops_sim.types import Manifest

__all__ = ["after_update", "apply", "owners", "without_idle_times"]

BEFORE_FIRST_APPLY = "before-first-apply"


class _Write(NamedTuple):
    """What one request brings along: who writes what kind of object, where and when."""

    shape: Shape
    reset: Tree
    who: Identity
    api_version: str
    time: str

    def tracked(self, tree: Tree) -> Tree:
        """Return the fields that this write can own."""
        return recursive_difference(tree, self.reset)

    def entry(self, tree: Tree) -> ManagerEntry:
        return ManagerEntry(tree, self.api_version, self.time)


def apply(
    live: Manifest | None,
    applied: Manifest,
    *,
    manager: str,
    force: bool,
    schema: Schema | None,
    time: str,
    api_version: str,
    subresource: str = "",
) -> Manifest:
    """Return an object after a server-side apply, its managedFields brought up to date.

    Args:
        live: The object as it is; None: the apply creates it.
        applied: The configuration: what its manager wants, and nothing else.
        manager: Field manager; its last apply is replaced by this one.
        force: Take fields from others instead of conflicting with them.
        schema: Schema of the kind; None: every list is one field.
        time: Now, RFC 3339 with whole seconds.
        api_version: Version of the request; the configuration must have it too.
        subresource: "status" and the like; empty: the object itself.

    Returns:
        The merged object, defaults not filled in: they come back for fields that were given up.
        It shares subtrees with `live` and `applied`. `live` itself if nothing changes.

    Raises:
        ConflictError: Another manager owns a field with another value, and not `force`;
            `details["causes"]` names managers and fields.
        BadRequestError: Another kind or version than the request's, or managedFields inside.
        UnknownError: The configuration or the live object is not of its type (a 500).
    """
    uid = None if live is None else (live.get("metadata") or {}).get("uid")
    asked = content_of((uid, applied, manager, force, api_version, subresource))
    idle = _idle.get(asked)
    if idle is not None and idle[0] is live and idle[1] is schema:
        return idle[0]
    _check_kind(live, applied, api_version)
    write = _write(applied, schema, identity(manager, "Apply", api_version, subresource), time)
    entries = read_entries(_managed_fields(live), trusted=True)
    if not write.shape.typed:
        entries = _whole(entries, write.shape)
    owned = write.tracked(_applied_fields(applied, write.shape))
    try:
        if live is not None and not entries:
            entries = _before_first_apply(live, write)
        merged, entries = _apply(live or {}, applied, owned, entries, write, force=force)
    except TypeMismatchError:
        raise _untyped(live or {}, write.shape, "live") from None
    except FieldConflict as conflict:
        left = conflict.found
        if manager == KUBECTL and live is not None:
            allowed = allowed_by_last_applied(live, write.shape, api_version)
            left = conflict.beyond(allowed)
        if left:
            raise FieldConflict(left).error() from None
        merged, entries = _apply(live or {}, applied, owned, entries, write, force=True)
    if manager == KUBECTL:
        merged = with_synced_annotation(merged, applied)
    applied_to = _with_entries(merged, live, entries)
    if applied_to is live and live is not None:
        _idle.keep(asked, (live, schema))
    return applied_to


_idle: Known[tuple[Manifest, Schema | None]] = Known(1024)
"""Applies that came to nothing, with the very object that they met: they would again, whenever.

Stored objects never change, so the same object is the same version; only the time is another, and
the time of an entry moves only with its object.
"""


def after_update(
    old: Manifest | None,
    new: Manifest,
    *,
    manager: str,
    schema: Schema | None,
    time: str,
    api_version: str,
    subresource: str = "",
) -> Manifest:
    """Return a created, replaced or patched object with its managedFields brought up to date.

    Fields that were added or changed go to the manager's Update entry, and from all others; those
    that were removed go from all. An update that empties managedFields resets them; one that
    sends entries of its own has them taken over; an object without any is not tracked, unless it
    is being created.

    Args:
        old: The object before; None: it is being created.
        new: The object after, defaults filled in; not changed.
        manager: Field manager of the request, or the first part of its user agent.
        schema: Schema of the kind; None: every list is one field.
        time: Now, RFC 3339 with whole seconds.
        api_version: Version of the request.
        subresource: "status" and the like; empty: the object itself.

    Returns:
        The new object, sharing all but metadata with `new`.
    """
    write = _write(new, schema, identity(manager, "Update", api_version, subresource), time)
    entries = _entries_for_update(old, new, subresource)
    if old is not None and not entries:
        return _with_entries(new, old, entries)
    try:
        if not write.shape.typed:
            entries = _whole(entries, write.shape)
        changed, removed = map(
            write.tracked, compare(write.shape.empty if old is None else old, new, write.shape)
        )
    except TypeMismatchError:  # the server cannot make sense of the lists either
        return _with_entries(new, old, read_entries(_managed_fields(old), trusted=True))
    entries = _left_to_others(entries, changed, removed)
    if changed:
        previous = entries.get(write.who)
        tree = changed if previous is None else union(previous.tree, changed)
        if previous is None or tree is not previous.tree:
            tree = interned(tree)
        entries[write.who] = write.entry(tree)
        entries = capped(entries)
    return _with_entries(new, old, entries)


def owners(manifest: Manifest) -> dict[str, list[str]]:
    """Return who owns each field of an object: printed path -> managers.

    Only the innermost fields are listed: `.spec.replicas`, and not `.spec`.
    """
    found: dict[str, list[str]] = {}
    for who, entry in read_entries(_managed_fields(manifest), trusted=True).items():
        for path in members(leaves(entry.tree)):
            managers = found.setdefault(path, [])
            if who.manager not in managers:
                managers.append(who.manager)
    return found


def without_idle_times(old: Manifest, new: Manifest) -> Manifest:
    """Return `old` if all that `new` changes is the times of managedFields entries, else `new`.

    The server asks this last, after defaults and admission, so that a write that comes to nothing
    leaves the resourceVersion alone.

    Source: k8s.io/apiserver, pkg/endpoints/handlers/fieldmanager/equality.go.
    """
    before, after = _managed_fields(old), _managed_fields(new)
    if not before or not after or len(before) != len(after):
        return new
    if before is not after and any(
        {**one, "time": ""} != {**other, "time": ""}
        for one, other in zip(before, after, strict=True)
    ):
        return new
    for part in old.keys() | new.keys():
        if part != "metadata" and old.get(part) != new.get(part):
            return new
    return old if new["metadata"] | {"managedFields": before} == old["metadata"] else new


def _write(manifest: Manifest, schema: Schema | None, who: Identity, time: str) -> _Write:
    version = who.api_version or str(manifest.get("apiVersion"))
    reset = reset_fields(str(manifest.get("kind")), who.subresource)
    return _Write(shape_of(schema), reset, who, version, time)


def _managed_fields(manifest: Manifest | None) -> list[Manifest] | None:
    if manifest is None:
        return None
    fields: list[Manifest] | None = (manifest.get("metadata") or {}).get("managedFields")
    return fields


def _check_kind(live: Manifest | None, applied: Manifest, api_version: str) -> None:
    version, kind = applied.get("apiVersion") or "", applied.get("kind") or ""
    if not kind or version != api_version or (live is not None and kind != live.get("kind", kind)):
        group, _, number = version.rpartition("/")
        raise bad_request(f"invalid object type: {group}/{number}, Kind={kind}")
    if _managed_fields(applied) is not None:
        raise bad_request("metadata.managedFields must be nil")


def _applied_fields(applied: Manifest, shape: Shape) -> Tree:
    try:
        return field_tree(applied, shape, strict=True)
    except TypeMismatchError:
        raise _untyped(applied, shape, "patch") from None


def _untyped(manifest: Manifest, shape: Shape, what: str) -> UnknownError:
    """Return the 500 for an object whose lists and values are not of their type."""
    metadata = manifest.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    group, _, version = str(manifest.get("apiVersion")).rpartition("/")
    return UnknownError(
        f"failed to create typed {what} object ({metadata.get('namespace', '')}/"
        f"{metadata.get('name', '')}; {group}/{version}, Kind={manifest.get('kind')}): "
        f"{type_problems(manifest, shape)}"
    )


def _apply(
    live: Manifest,
    applied: Manifest,
    owned: Tree,
    entries: Entries,
    write: _Write,
    *,
    force: bool,
) -> tuple[Manifest, Entries]:
    """Merge, take away what was given up, and settle who owns what."""
    merged = merge(live, applied, write.shape)
    others = {who: entry for who, entry in entries.items() if who != write.who}
    last = entries.get(write.who)
    if last is not None and not is_subset(last.tree, owned):
        trees = [owned, *(entry.tree for entry in others.values())]
        merged = given_up(merged, last.tree, trees, write.shape)
    if merged is not live:
        changed, removed = map(write.tracked, compare(live, merged, write.shape))
        told = union(changed, intersection(removed, owned))  # what is applied as null goes, too
        conflicts = conflicts_of(others, told) if live else []
        if conflicts and not force:
            raise FieldConflict(conflicts)
        others = _left_to_others(others, changed, removed)
    if owned:
        others[write.who] = _own_entry(last, owned, write, moved=merged is not live)
    return merged, others


def _own_entry(
    last: ManagerEntry | None, owned: Tree, write: _Write, *, moved: bool
) -> ManagerEntry:
    """Return the entry of who applies; its time moves only with the object."""
    if moved:
        same = last is not None and last.tree == owned
        return write.entry(last.tree if last is not None and same else interned(owned))
    if last is None:
        return ManagerEntry(interned(owned), write.api_version, "")
    if last.tree == owned and last.api_version == write.api_version:
        return last
    return ManagerEntry(owned, write.api_version, last.time)


def _left_to_others(entries: Entries, changed: Tree, removed: Tree) -> Entries:
    """Return the entries without the fields that someone else changed or removed."""
    left: Entries = {}
    for who, entry in entries.items():
        tree = difference(difference(entry.tree, changed), removed)
        if tree:
            left[who] = entry.owning(tree)
    return left


def _before_first_apply(live: Manifest, write: _Write) -> Entries:
    """Return who owns the fields of an object that nobody tracked until now."""
    tree = write.tracked(compare(write.shape.empty, live, write.shape)[0])
    who = identity(BEFORE_FIRST_APPLY, "Update", write.api_version, write.who.subresource)
    return {who: write.entry(tree)} if tree else {}


def _entries_for_update(old: Manifest | None, new: Manifest, subresource: str) -> Entries:
    """Return the owners that an update starts from: its own word on them, or those before."""
    before, sent = _managed_fields(old), _managed_fields(new)
    if not subresource and sent is not None and sent is not before:
        if is_reset(sent):
            return {}
        if sent != before:
            try:
                entries = read_entries(sent, trusted=False)
            except ValueError:
                entries = {}
            if entries:
                return entries
    return read_entries(before, trusted=True)


def _whole(entries: Entries, shape: Shape) -> Entries:
    """Return entries of a custom resource as its schema has them now."""
    return {who: entry.owning(whole_atomics(entry.tree, shape)) for who, entry in entries.items()}


def _with_entries(manifest: Manifest, live: Manifest | None, entries: Entries) -> Manifest:
    """Return an object with entries; the live object itself, if it is that and has them."""
    before, after = _managed_fields(live), written(entries)
    if before is not None and len(before) == len(after) and all(map(_is, before, after)):
        after = before
        if manifest is live or _managed_fields(manifest) is before:
            return manifest
    metadata = dict(manifest.get("metadata") or {})
    metadata.pop("managedFields", None)
    if after:
        metadata["managedFields"] = after
    return {**manifest, "metadata": metadata}


def _is(one: object, other: object) -> bool:
    return one is other
