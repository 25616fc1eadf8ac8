r"""One step of a path in a field set, as managedFields spells it.

`f:replicas` is a member of a map, `k:{"name":"web"}` the item of a list with those keys,
`v:"x"` the item of a set, `i:0` the item at an index. The text itself is what field sets are
made of, so that the `fieldsV1` of an object needs no parsing; only its order and its printed form
need a look inside, and both are remembered.

Source: sigs.k8s.io/structured-merge-diff v6, fieldpath/serialize-pe.go and element.go.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, TypeAlias

from gitops_sim.apimachinery.go_text import compact_json, plain, quoted

__all__ = ["SELF", "Rank", "field", "key", "printed", "rank", "readable", "value"]

SELF = "."
"""The entry of a container that says: the container itself is in the set, not only its parts."""

Rank: TypeAlias = tuple[Any, ...]
"""Where an element stands among its siblings; ranks compare with `<`."""

_REMEMBERED = 65536
"""How many elements are remembered: some megabytes, thousands of objects."""


def field(name: str) -> str:
    """Return the element of a member of a map."""
    return "f:" + name


@lru_cache(maxsize=_REMEMBERED, typed=True)
def key(names: tuple[str, ...], *values: Any) -> str:
    """Return the element of a list item by its key members, `names` sorted; a None is left out."""
    members = ",".join(
        f"{compact_json(name)}:{compact_json(given)}"
        for name, given in zip(names, values, strict=True)
        if given is not None
    )
    return f"k:{{{members}}}"


@lru_cache(maxsize=_REMEMBERED, typed=True)
def value(item: Any) -> str:
    """Return the element of an item of a set."""
    return "v:" + compact_json(item)


@lru_cache(maxsize=_REMEMBERED)
def rank(element: str) -> Rank:
    """Return the sort key of an element: members by name, then keys, values and indexes.

    Keys and values compare as JSON, so that port 80 comes before port 443.
    """
    if element == SELF:
        return (-1,)
    form, content = element[:2], element[2:]
    if form == "f:":
        return (0, content)
    if form == "i:":
        return (3, int(content))
    inside = json.loads(content)
    if form == "v:":
        return (2, *_value_rank(inside))
    return (1, *((name, *_value_rank(inside[name])) for name in sorted(inside)))


@lru_cache(maxsize=_REMEMBERED)
def printed(element: str) -> str:
    """Return an element as it stands in a printed path: `.spec`, `[name="web"]`, `[="x"]`, `[0]`.

    Source: fieldpath/element.go, String; value/value.go, ToString.
    """
    form, content = element[:2], element[2:]
    if form == "f:":
        return "." + content
    if form == "i:":
        return f"[{content}]"
    inside = json.loads(content)
    if form == "v:":
        return f"[={_printed_value(inside)}]"
    pairs = (f"{name}={_printed_value(inside[name])}" for name in sorted(inside))
    return f"[{','.join(pairs)}]"


def readable(element: str) -> bool:
    """True for an element that the server understands.

    Raises:
        ValueError: It begins like one and is none; an unknown beginning is only unreadable.
    """
    if len(element) < 2 or element[1] != ":":
        raise ValueError(f"missing colon: {element}")
    if element[0] in "fv":
        return element[0] == "f" or json.loads(element[2:]) is not NotImplemented
    if element[0] == "k":
        return isinstance(json.loads(element[2:]), dict)
    return element[0] == "i" and int(element[2:]) >= 0


def _value_rank(given: Any) -> Rank:
    """Order of JSON values of any types: numbers, text, booleans, the rest."""
    if isinstance(given, bool):
        return (2, given)
    if isinstance(given, int | float):
        return (0, given)
    return (1, given) if isinstance(given, str) else (3, compact_json(given))


def _printed_value(given: Any) -> str:
    if given is None:
        return "null"
    return quoted(given) if isinstance(given, str) else plain(given)
