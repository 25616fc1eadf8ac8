"""The form in which the server stores what a client sends: as Go writes the struct that it read.

A null, an unknown field, an empty list or map, and a scalar that Go cannot tell from an unset one
go; members that Go always writes come, `status: {}` for instance; quantities become canonical.
`template.metadata: {}` and `minReadySeconds: 0` are the well-known cases.

A schema is compiled once into functions. They change nothing in place: what is in this form
already is returned itself, so that an update shares with the object before it whatever it left
alone.

Source: Go's encoding/json on the structs of k8s.io/api, whose tags the data file holds.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest
from typing import Any, TypeAlias

from gitops_sim.apimachinery import quantities
from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apimachinery.decoding import INT32, INT64, base64_problem, is_time
from gitops_sim.apimachinery.schema_nodes import Schema
from gitops_sim.types import Manifest

__all__ = ["WrongTypeError", "go_form"]

_Form: TypeAlias = Callable[[Any, Any], Any]
"""Forms a value; the second argument is what stands there in an object of this form already."""

_ABSENT: Any = object()
_NOTHING: dict[str, Any] = {}
_UNTOUCHED = frozenset({"managedFields"})
_forms: dict[Schema, _Form] = {}


class WrongTypeError(Exception):
    """A value has another JSON type than its schema says; `decode_problem` finds the words."""


def go_form(manifest: Manifest, schema: Schema, known: Manifest | None = None) -> Manifest:
    """Return an object of a built-in kind as Go writes it; the same one if it is so already.

    Args:
        manifest: The object; not changed.
        schema: Of its kind.
        known: An object in this form; parts that are shared with it are not looked at.

    Raises:
        WrongTypeError: It cannot be read.
    """
    formed: Manifest = _compiled(schema)(manifest, known)
    return formed


def _compiled(schema: Schema) -> _Form:
    found = _forms.get(schema)
    if found is None:
        _forms[schema] = lambda value, known: _forms[schema](value, known)  # may contain itself
        found = _forms[schema] = _compile(schema)
    return found


def _compile(schema: Schema) -> _Form:
    if schema.type == "map":
        if schema.properties:
            return _struct_form(schema)
        return _map_form(schema.additional) if schema.additional is not None else _checked(dict)
    if schema.type == "list":
        return _list_form(schema.items)
    return _scalar_form(schema) if schema.type == "scalar" else _as_it_is


def _as_it_is(value: Any, _: Any) -> Any:
    return value


def _checked(*types: type) -> _Form:
    """Return the form of a value that only has to be of one of some types."""
    if len(types) == 1:
        only = types[0]

        def check_one(value: Any, _: Any) -> Any:
            if type(value) is not only:
                raise WrongTypeError(value)
            return value

        return check_one

    def check(value: Any, _: Any) -> Any:
        if type(value) not in types:
            raise WrongTypeError(value)
        return value

    return check


def _scalar_form(schema: Schema) -> _Form:
    if schema.format == "quantity":
        return _quantity
    if schema.int_or_string:
        return _int_or_string
    if schema.scalar == "integer":
        return _integer(INT32 if schema.format == "int32" else INT64)
    if schema.format in ("byte", "date-time"):
        return _base64 if schema.format == "byte" else _time
    types = {"number": (int, float), "boolean": (bool,)}
    return _checked(*types.get(schema.scalar, (str,)))


def _integer(limits: range) -> _Form:
    def check(value: Any, _: Any) -> Any:
        if type(value) is not int or value not in limits:
            raise WrongTypeError(value)
        return value

    return check


def _int_or_string(value: Any, _: Any) -> Any:
    if type(value) is not str and (type(value) is not int or value not in INT32):
        raise WrongTypeError(value)
    return value


def _quantity(value: Any, _: Any) -> Any:
    if type(value) not in (str, int, float):
        raise WrongTypeError(value)
    try:
        return quantities.canonical(value)
    except ValueError as problem:
        raise WrongTypeError(value) from problem


def _base64(value: Any, _: Any) -> Any:
    if type(value) is not str or base64_problem(value):
        raise WrongTypeError(value)
    return value


def _time(value: Any, _: Any) -> Any:
    if type(value) is not str or not is_time(value):
        raise WrongTypeError(value)
    return value


def _list_form(items: Schema | None) -> _Form:
    form = _as_it_is if items is None else _compiled(items)
    null = None if items is None else _null(items)

    def form_list(value: Any, known: Any) -> Any:
        if type(value) is not list:
            raise WrongTypeError(value)
        past = known if type(known) is list else ()
        formed = [
            item if item is old and item is not None else form(null if item is None else item, old)
            for item, old in zip_longest(value, past[: len(value)])
        ]
        return value if all(map(_is, formed, value)) else formed

    return form_list


def _map_form(values: Schema) -> _Form:
    form, null = _compiled(values), _null(values)

    def form_map(value: Any, _: Any) -> Any:
        if type(value) is not dict:
            raise WrongTypeError(value)
        formed: dict[str, Any] | None = None
        for key, member in value.items():
            new = form(null if member is None else member, None)
            if new is not member:
                formed = dict(value) if formed is None else formed
                formed[key] = new
        return value if formed is None else formed

    return form_map


def _null(schema: Schema) -> Any:
    """Return what Go makes of a null in a list or map."""
    if schema.type == "scalar":
        if schema.int_or_string or schema.scalar in ("integer", "number"):
            return 0
        return "0" if schema.format == "quantity" else False if schema.scalar == "boolean" else ""
    return {} if schema.type == "map" else [] if schema.type == "list" else None


def _struct_form(schema: Schema) -> _Form:
    always, members = _always(schema), _members(schema)
    keeps_unknown = schema.preserve_unknown

    def form_struct(value: Any, known: Any) -> Any:
        if type(value) is not dict:
            raise WrongTypeError(value)
        formed: dict[str, Any] | None = None
        past = known if type(known) is dict else _NOTHING
        for name, member in value.items():
            old = past.get(name)
            if member is old and member is not None:
                continue
            declared = members.get(name)
            if declared is None:
                new = member if keeps_unknown else _ABSENT
            elif member is None:
                new = always[name]() if name in always else _ABSENT
            else:
                new = declared[0](member, old)
                if not new and declared[1]:
                    new = _ABSENT
            if new is not member:
                formed = dict(value) if formed is None else formed
                if new is _ABSENT:
                    del formed[name]
                else:
                    formed[name] = new
        for name, unset in always.items():
            if name not in value:
                formed = dict(value) if formed is None else formed
                formed[name] = unset()
        return value if formed is None else formed

    return form_struct


def _always(schema: Schema) -> dict[str, Callable[[], Any]]:
    """Return, for each member that Go always writes, the maker of an unset one."""
    return {
        name: _form_of_unset(schema.properties[name], zero)
        for name, zero in schema.always.items()
        if name in schema.properties
    }


def _members(schema: Schema) -> dict[str, tuple[_Form, bool]]:
    """Return the form of each member, and whether it vanishes when it is empty."""
    return {
        name: (
            _as_it_is if name in _UNTOUCHED else _compiled(member),
            _vanishing(name, member, schema),
        )
        for name, member in schema.properties.items()
    }


def _form_of_unset(member: Schema, zero: Any) -> Callable[[], Any]:
    """Return the maker of what stands for an unset member: a struct has members of its own."""
    if zero != {}:
        return lambda: zero
    form = _compiled(member)
    return lambda: fresh_copy(form({}, None))


def _vanishing(name: str, member: Schema, schema: Schema) -> bool:
    """True for a member that Go does not write when it is empty."""
    if name in schema.always or name in _UNTOUCHED:
        return False
    if member.type == "scalar":
        return name in schema.zeros
    return member.type == "list" or (member.type == "map" and not member.name)


def _is(one: Any, other: Any) -> bool:
    return one is other
