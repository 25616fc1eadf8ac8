"""Schemas of API objects: built-in ones and those of custom resources.

A kind's OpenAPI schema becomes a graph of `Schema` nodes. Patches read merge keys from it,
server-side apply its list types, and a write is decoded, pruned, defaulted and checked by it:

    schema = schemas.schema_for("apps", "v1", "Deployment")
    problem = decode_problem(manifest, schema)       # built-in: 400, "json: cannot unmarshal ..."
    unknown = unknown_fields(manifest, schema)       # strict: 400, otherwise a warning
    manifest = prune(manifest, schema)
    causes = validate(manifest, schema)              # custom resources: 422
"""

from __future__ import annotations

from math import inf

from gitops_sim.apimachinery.builtin_schemas import compiled, object_meta
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.crd_schemas import apply_schema_defaults, from_crd
from gitops_sim.apimachinery.decoding import decode_problem, prune, unknown_fields
from gitops_sim.apimachinery.schema_checks import blocks_rules, validate
from gitops_sim.apimachinery.schema_nodes import ANY, NodeType, Schema

__all__ = [
    "ANY",
    "Cause",
    "NodeType",
    "Schema",
    "Schemas",
    "apply_schema_defaults",
    "blocks_rules",
    "decode_problem",
    "from_crd",
    "object_meta",
    "prune",
    "unknown_fields",
    "validate",
]


class Schemas:
    """The schemas that one server knows: all built-in kinds, and what CRDs add."""

    def __init__(self) -> None:
        self._custom: dict[tuple[str, str, str], Schema] = {}
        self._built_in: dict[tuple[str, str, str], Schema] = {}
        self._since: dict[tuple[str, str, str], float] = {}

    def schema_for(self, group: str, version: str, kind: str) -> Schema | None:
        """Return the schema of a kind, compiled when first asked for; None when unknown."""
        key = (group, version, kind)
        found = self._custom.get(key) or self._built_in.get(key)
        if found is None:
            found = compiled(group, version, kind)
            if found is not None:
                self._built_in[key] = found
        return found

    def is_custom(self, group: str, version: str, kind: str) -> bool:
        """True when the kind came by `add`."""
        return (group, version, kind) in self._custom

    def add(
        self, group: str, version: str, kind: str, schema: Schema, *, since: float = inf
    ) -> None:
        """Know a custom kind, or its new schema.

        Args:
            group: Of the kind.
            version: Of the kind.
            kind: Its name.
            schema: Of this version.
            since: The revision from which on all stored objects have its defaults; unlimited: no
                stored object is known to.
        """
        self._custom[group, version, kind] = schema
        self._since[group, version, kind] = since

    def since(self, group: str, version: str, kind: str) -> float:
        """Return the revision from which on stored objects have the defaults of a kind."""
        return self._since.get((group, version, kind), inf)

    def remove(self, group: str, version: str, kind: str) -> None:
        """Forget a custom kind; nothing when it is not there."""
        self._custom.pop((group, version, kind), None)
        self._since.pop((group, version, kind), None)
