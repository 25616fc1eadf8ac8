"""Field paths as kustomize writes them: `spec/template/metadata/labels`, lists passed through.

Source: kustomize api/filters/fieldspec/fieldspec.go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from gitops_sim.render.inprocess.items import Id, NotInProcessError, is_selected

__all__ = ["Field", "change_at", "parse_fields"]


class Field(NamedTuple):
    """A path in the objects of a type; an empty part of the type fits all."""

    path: tuple[str, ...]
    group: str = ""
    version: str = ""
    kind: str = ""
    create: bool = False

    def of(self, this: Id) -> bool:
        """Return True for objects that have the field."""
        return is_selected(this, self.group, self.version, self.kind)


def parse_fields(table: str) -> tuple[Field, ...]:
    """Return the fields of a table: `path kinds [group [version]]`, `+` before one to create.

    Kinds are separated by commas, `*` is any kind, `-` any group; `%` is a slash inside a step.
    """
    fields: list[Field] = []
    for line in table.strip().splitlines():
        path, kinds, *rest = line.split()
        group, version = (*rest, "", "")[:2]
        steps = tuple(part.replace("%", "/") for part in path.removeprefix("+").split("/"))
        fields.extend(
            Field(
                steps,
                "" if group == "-" else group,
                version,
                "" if kind == "*" else kind,
                create=path.startswith("+"),
            )
            for kind in kinds.split(",")
        )
    return tuple(fields)


def change_at(
    node: Any, path: tuple[str, ...], change: Callable[[Any], Any], *, create: Any = None
) -> None:
    """Replace the values at a path by what `change` makes of them, in place.

    Args:
        node: A manifest, or a part of one.
        path: Steps; a list on the way means each of its items.
        change: Gets the value, which it may change in place, and returns the new one.
        create: What a missing value begins as; None leaves out what is not there.
    """
    if isinstance(node, list):
        for item in node:
            change_at(item, path, change, create=create)
        return
    if not isinstance(node, dict):
        raise NotInProcessError(f"no mapping before {'/'.join(path)}")
    step, rest = path[0], path[1:]
    if node.get(step) is None:
        if create is None:
            return
        if step in node or step.endswith("[]"):
            raise NotInProcessError(f"null at {step}")
        node[step] = {} if rest else create
    if rest:
        change_at(node[step], rest, change, create=create)
    else:
        node[step] = change(node[step])
