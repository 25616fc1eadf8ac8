"""Strategic merge patches: merge patches that know which lists have keys, and obey directives.

A list of maps with a merge key (containers by name, ports by containerPort) is merged item by
item, a list of scalars with strategy `merge` (finalizers) as a set; all other lists are replaced.
Directives inside the patch say more: `$patch: delete|replace`, `$retainKeys`,
`$deleteFromPrimitiveList/<field>`, `$setElementOrder/<field>`.

No argument is changed; the result shares with both what it did not have to make anew.

Source: k8s.io/apimachinery, pkg/util/strategicpatch/patch.go; its error texts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn, TypeAlias

from gitops_sim.apimachinery.go_text import plain, quoted
from gitops_sim.apimachinery.schemas import Schema
from gitops_sim.apimachinery.shapes import same
from gitops_sim.apimachinery.status_errors import bad_request, generic_unprocessable
from gitops_sim.errors import UnknownError

__all__ = ["strategic_merge"]

DIRECTIVE = "$patch"
RETAIN_KEYS = "$retainKeys"
DELETE_FROM = "$deleteFromPrimitiveList"
ORDER = "$setElementOrder"

Object: TypeAlias = dict[str, Any]
Items: TypeAlias = list[Any]


def strategic_merge(doc: Object, patch: Any, schema: Schema | None) -> Object:
    """Return an object after a strategic merge patch.

    Args:
        doc: The object.
        patch: The patch, with or without directives.
        schema: Schema of the object's kind; a custom resource has none that says how to merge.

    Raises:
        BadRequestError: The patch is no object, or a directive has not the form of one.
        InvalidError: The patch has lists of lists.
        UnknownError: The server fails (500): an item without its merge key, an unknown directive.
    """
    if schema is None:
        raise bad_request("strategic merge patch format is not supported")
    if not isinstance(patch, dict):
        raise bad_request("invalid JSON document")
    return _merge_map(doc, patch, schema)


def _merge_map(doc: Object, patch: Object, schema: Schema) -> Object:
    if DIRECTIVE in patch:
        return _replaced_by(patch)
    merged = _retained(doc, patch)
    handled = {RETAIN_KEYS}
    for name in patch:
        if name.startswith(ORDER):
            handled |= _merge_ordered(merged, patch, name, schema)
    for name in patch:
        if name.startswith(DELETE_FROM):
            handled.add(name)
            _delete_from(merged, _list_name(name, DELETE_FROM), patch[name], schema)
    for name, want in patch.items():
        if name in handled:
            continue
        if want is None:
            merged.pop(name, None)
            continue
        new, keep = _merge_value(merged.get(name), want, name, schema)
        if keep:
            merged[name] = new
        else:
            merged.pop(name, None)
    return merged


def _replaced_by(patch: Object) -> Object:
    """Obey the directive of a map as a whole."""
    directive = patch[DIRECTIVE]
    if directive == "replace":
        return {name: value for name, value in patch.items() if name != DIRECTIVE}
    if directive != "delete":
        _unknown_directive(patch)
    return {}


def _merge_value(have: Any, want: Any, name: str, schema: Schema) -> tuple[Any, bool]:
    """Return the value of a member after the patch, and whether there is one."""
    if isinstance(have, dict) and isinstance(want, dict):
        member = _member(schema, name)
        if _strategy(member) == "replace":
            return want, True
        return _merge_map(have, want, member), True
    if isinstance(have, list) and isinstance(want, list):
        member = _member(schema, name)
        if _strategy(member) == "merge":
            return _merge_list(have, want, member), True
        return want, True
    return _without_directives(_without_nulls(want))


def _retained(doc: Object, patch: Object) -> Object:
    """Return a copy of the object with the members that `$retainKeys`, if there, lets stay."""
    if RETAIN_KEYS not in patch:
        return dict(doc)
    keys = patch[RETAIN_KEYS]
    if not isinstance(keys, list):
        raise bad_request("invalid patch format of retainKeys")
    parallel = (DELETE_FROM, ORDER)
    for name, value in patch.items():
        if value is None or name.startswith(parallel) or name == RETAIN_KEYS or name in keys:
            continue
        raise bad_request("invalid patch format of retainKeys")
    return {name: value for name, value in doc.items() if name in keys}


def _delete_from(merged: Object, name: str, unwanted: Any, schema: Schema) -> None:
    if unwanted is None:
        merged.pop(name, None)
        return
    have = merged.get(name)
    if not isinstance(have, list) or not isinstance(unwanted, list):
        return
    _member(schema, name)
    if have or unwanted:
        _item_kind(have, unwanted)
    merged[name] = [item for item in have if not _holds(unwanted, item)]


def _merge_ordered(merged: Object, patch: Object, directive: str, schema: Schema) -> set[str]:
    """Merge the list that a `$setElementOrder` speaks of; return the members dealt with."""
    name = _list_name(directive, ORDER)
    order, have, want = patch[directive], merged.get(name), patch.get(name)
    for given in (order, have if name in merged else [], want if name in patch else []):
        if not isinstance(given, list):
            _fail(f"expected a []interface {{}}, but received a {_go_type(given)}")
    member = _member(schema, name)
    merge_key = member.patch_merge_key
    _check_order(want or [], order, merge_key)
    if have is None and want is None:
        return {directive}
    if want is None:
        items = have
    elif have is None:
        items = _without_directives(want)[0]
    else:
        strategy = _strategy(member)
        items = _merge_list(have, want, member) if strategy == "merge" else want
    chosen, others = _partition(items or [], order, merge_key)
    kind = _item_kind(have or [], want or [])
    live = have or []
    if kind is dict and have is not None and want is not None:
        live = _live_order(have, want, merge_key)
    merged[name] = _interleaved(chosen, others, order, live, merge_key)
    return {directive, name}


def _live_order(have: Items, want: Items, merge_key: str) -> Items:
    """Return the live items in the order that the server goes by when it places them.

    It has merged the patch in place by then: a new item stands where a deleted one stood.
    """
    if any(item.get(DIRECTIVE) == "replace" for item in want):
        return have
    kept, new = _after_item_directives(have, want, merge_key)
    added = [item for item in new if not any(_alike(item, old, merge_key) for old in kept)]
    return (kept + added)[: len(have)]


def _merge_list(have: Items, want: Items, member: Schema) -> Items:
    if not have and not want:
        return have
    merge_key = member.patch_merge_key
    kind = _item_kind(have, want)
    if kind is not dict:
        merged = _unique([*have, *want])
    elif not merge_key:
        _fail(f"cannot merge lists without merge key for {member.name}")
    else:
        have, want = _after_item_directives(have, want, merge_key)
        merged = _merge_items(have, want, merge_key, member.items or member)
    chosen, others = _partition(merged, want, merge_key)
    return _interleaved(chosen, others, want, have, merge_key)


def _after_item_directives(have: Items, want: Items, merge_key: str) -> tuple[Items, Items]:
    """Obey `$patch` inside the items of a list; return what is left to merge."""
    plain_items: Items = []
    replace = False
    for item in want:
        directive = item.get(DIRECTIVE)
        if DIRECTIVE not in item:
            plain_items.append(item)
        elif directive == "delete":
            wanted = _key_of(item, merge_key)
            have = [old for old in have if not _has_key(old, merge_key, wanted)]
        elif directive == "replace":
            replace = True
        elif directive == "merge":
            _fail("merging lists cannot yet be specified in the patch")
        else:
            _unknown_directive(item)
    return (plain_items, []) if replace else (have, plain_items)


def _merge_items(have: Items, want: Items, merge_key: str, schema: Schema) -> Items:
    merged = list(have)
    for item in want:
        wanted = _key_of(item, merge_key)
        place = next(
            (place for place, old in enumerate(merged) if _has_key(old, merge_key, wanted)), None
        )
        if place is None:
            merged.append(item)
        else:
            merged[place] = _merge_map(merged[place], item, schema)
    return merged


def _check_order(want: Items, order: Items, merge_key: str) -> None:
    """Refuse a patch whose list is ordered otherwise than its `$setElementOrder` says."""
    if not order or not want:
        return
    items = deque(item for item in want if not _is_deletion(item))
    for wanted in order:
        while items and isinstance(items[0], dict) and DIRECTIVE in items[0]:
            items.popleft()
        if items and _alike(items[0], wanted, merge_key):
            items.popleft()
    if items:
        _fail(
            f"The order in patch list:\n{plain(want)}\n doesn't match {ORDER} list:\n"
            f"{plain(order)}\n"
        )


def _is_deletion(item: Any) -> bool:
    return isinstance(item, dict) and item.get(DIRECTIVE) == "delete"


def _partition(items: Items, chosen: Items, merge_key: str) -> tuple[Items, Items]:
    """Split items into those that are among the chosen ones, and others."""
    inside: Items = []
    outside: Items = []
    if merge_key:
        for item in items:
            _key_of(item, merge_key)
    for item in items:
        found = any(_alike(item, other, merge_key) for other in chosen)
        (inside if found else outside).append(item)
    return inside, outside


def _interleaved(chosen: Items, others: Items, order: Items, live: Items, merge_key: str) -> Items:
    """Return the chosen items in the patch's order, with the others where they stood among them.

    An item of the live list goes before the first chosen item that it stood before.
    """
    place = _placer(live, merge_key)
    chosen = _sorted(chosen, _placer(order, merge_key))
    others = _sorted(others, place)
    found: Items = []
    while chosen and others:
        left, right = place(others[0]), place(chosen[0])
        found.append(others.pop(0) if 0 <= left < right else chosen.pop(0))
    return found + chosen + others


def _sorted(items: Items, place: Callable[[Any], int]) -> Items:
    """Return items by their place; one without a place goes before all that came before it."""
    found: Items = []
    for item in items:
        at, spot = place(item), len(found)
        while spot and (at < 0 or (before := place(found[spot - 1])) < 0 or at < before):
            spot -= 1
        found.insert(spot, item)
    return found


def _placer(order: Items, merge_key: str) -> Callable[[Any], int]:
    """Return what tells the place of an item in a list; -1 for one that is not in it."""

    def place(item: Any) -> int:
        return next(
            (index for index, other in enumerate(order) if _alike(item, other, merge_key)), -1
        )

    return place


def _alike(one: Any, other: Any, merge_key: str) -> bool:
    if not merge_key:
        return same(one, other)
    return same(_key_of(one, merge_key), _key_of(other, merge_key))


def _has_key(item: Any, merge_key: str, wanted: Any) -> bool:
    return merge_key in item and same(item[merge_key], wanted)


def _key_of(item: Any, merge_key: str) -> Any:
    if not isinstance(item, dict):
        _fail(f"expected a map[string]interface {{}}, but received a {_go_type(item)}")
    if merge_key not in item:
        _fail(f"map: {plain(item)} does not contain declared merge key: {merge_key}")
    return item[merge_key]


def _holds(items: Iterable[Any], wanted: Any) -> bool:
    return any(same(item, wanted) for item in items)


def _unique(items: Iterable[Any]) -> Items:
    found: Items = []
    for item in items:
        if not _holds(found, item):
            found.append(item)
    return found


def _item_kind(*lists: Sequence[Any]) -> type:
    """Return the one type that the items of some lists have."""
    kinds = {type(item) for items in lists for item in items}
    if list in kinds:
        raise generic_unprocessable()
    if len(kinds) > 1:
        _fail(f"list element types are not identical: {plain(list(lists))}")
    if not kinds:
        _fail("no elements in any of the given slices")
    return kinds.pop()


def _member(schema: Schema, name: str) -> Schema:
    member = schema.properties.get(name) or schema.additional
    if member is None:
        _fail(f"unable to find api field in struct {schema.name} for the json field {quoted(name)}")
    return member


def _strategy(member: Schema) -> str:
    """Return "merge", "replace" or nothing: retainKeys says only what a patch is to hold."""
    found = [word for word in member.patch_strategy.split(",") if word != "retainKeys"]
    return found[0] if found else ""


def _list_name(directive: str, prefix: str) -> str:
    """Return the list that a directive such as `$setElementOrder/containers` speaks of."""
    found, slash, name = directive.partition("/")
    if found != prefix or not slash:
        words = {DELETE_FROM: "primitive list", ORDER: "setElementOrder list"}
        raise bad_request(f"invalid patch format of {words[prefix]}")
    return name


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _without_directives(value: Any) -> tuple[Any, bool]:
    """Return a value that meets nothing in the object, and whether to keep it."""
    if isinstance(value, dict):
        if DIRECTIVE in value:
            return None, False
        kept = {name: _without_directives(inner) for name, inner in value.items()}
        return {name: inner for name, (inner, keep) in kept.items() if keep}, True
    if isinstance(value, list):
        found = map(_without_directives, value)
        return [item for item, keep in found if keep], True
    return value, True


def _go_type(value: Any) -> str:
    names = {dict: "map[string]interface {}", list: "[]interface {}", str: "string", bool: "bool"}
    return names.get(type(value), "float64" if isinstance(value, float) else "int64")


def _unknown_directive(patch: Object) -> NoReturn:
    directive = patch[DIRECTIVE]
    if directive is None:
        directive = "%!s(<nil>)"
    elif not isinstance(directive, str):
        directive = f"%!s({_go_type(directive)}={plain(directive)})"
    _fail(f"unknown patch type: {directive} in map: {plain(patch)}")


def _fail(message: str) -> NoReturn:
    """Raise what the server answers with a bare 500."""
    raise UnknownError(message)
