"""Objects and lists in the form that a client asks for: whole, as a Table, or metadata alone.

Source: k8s.io/apiserver, pkg/endpoints/handlers/response.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gitops_sim.apimachinery.builtin_schemas import object_meta
from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apimachinery.member_order import by_key, in_struct_order
from gitops_sim.apiserver.listing import Page
from gitops_sim.apiserver.server import ApiServer
from gitops_sim.apiserver.tables import table_of
from gitops_sim.errors import BadRequestError, NotAcceptableError
from gitops_sim.server.media import Convertible, Form
from gitops_sim.types import Manifest

__all__ = ["FORMS", "Shaper"]

_META = "meta.k8s.io"
FORMS: Convertible = tuple(
    (_META, version, kind)
    for version in ("v1", "v1beta1")
    for kind in ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
)
"""What objects may be turned into by Accept."""

_CONVERTED = "deprecated.daemonset.template.generation"
_INCLUDES = ("", "Metadata", "Object", "None")


class Shaper:
    """Turns the objects of one answer into its form.

    Args:
        server: Knows the columns of kinds.
        resource_type: What the objects are.
        form: What the client wants.
        include: The `includeObject` of a Table.
    """

    def __init__(
        self, server: ApiServer, resource_type: ResourceType, form: Form, include: str = ""
    ) -> None:
        self._server = server
        self._type = resource_type
        self._form = form
        self._include = include or "Metadata"
        self._has_header = False
        if form.kind == "Table" and include not in _INCLUDES:
            raise BadRequestError(
                "Unable to convert to Table as requested: includeObject: Invalid value: "
                f"\"{include}\": must be 'Metadata', 'Object', 'None', or empty"
            )

    def one(self, manifest: Manifest) -> Any:
        """Return one object in the form."""
        match self._form.kind:
            case "Table":
                version = manifest["metadata"].get("resourceVersion", "")
                return self._table([manifest], {"resourceVersion": version}, is_list=False)
            case "PartialObjectMetadata":
                return self._partial(manifest)
            case "PartialObjectMetadataList":
                package = self._type.group.partition(".")[0] or "core"
                raise NotAcceptableError(
                    f"you requested {self._form.kind}, but the requested object is not a list "
                    f"(*{package}.{manifest.get('kind', self._type.kind)})"
                )
        return self._ordered(manifest)

    def page(self, page: Page) -> Any:
        """Return a list in the form."""
        match self._form.kind:
            case "Table":
                return self._table(page.items, page.metadata)
            case "PartialObjectMetadataList":
                items = [self._partial(manifest) for manifest in page.items] or None
                kind, version = self._form.kind, f"{_META}/{self._form.version}"
                return {
                    "kind": kind,
                    "apiVersion": version,
                    "metadata": page.metadata,
                    "items": items,
                }
            case "PartialObjectMetadata":
                package = self._type.group.partition(".")[0] or "core"
                raise NotAcceptableError(
                    f"you requested {self._form.kind}, but the requested object is a list "
                    f"(*{package}.{self._type.kind}List)"
                )
        return self._list(page)

    def event(self, manifest: Manifest) -> Any:
        """Return the object of a watch event; only the first Table has its columns."""
        shaped = self.one(manifest)
        if self._form.kind == "Table":
            if self._has_header:
                shaped["columnDefinitions"] = None
            self._has_header = True
        return shaped

    def empty(self) -> Manifest:
        """Return apiVersion and kind of a bookmark in this form."""
        if self._form.kind:
            version = f"{_META}/{self._form.version}"
            return {"kind": self._form.kind, "apiVersion": version}
        return {"kind": self._type.kind, "apiVersion": self._type.api_version}

    def _list(self, page: Page) -> Any:
        is_custom = self._server.schemas.is_custom(
            self._type.group, self._type.version, self._type.kind
        )
        items = [self._ordered(manifest) for manifest in page.items]
        listed = {
            "kind": f"{self._type.kind}List",
            "apiVersion": self._type.api_version,
            "metadata": page.metadata,
            "items": items,
        }
        if is_custom:
            listed["metadata"] = by_key({"continue": ""} | page.metadata)
            return dict(sorted(listed.items()))
        listed["items"] = [_without_type(manifest) for manifest in items]
        return listed

    def _ordered(self, manifest: Manifest) -> Manifest:
        """Return an object with its members in the order in which the real server writes them."""
        group, _, version = str(manifest.get("apiVersion", "")).rpartition("/")
        kind = str(manifest.get("kind", ""))
        schema = self._server.schemas.schema_for(group, version, kind)
        if schema is None or self._server.schemas.is_custom(group, version, kind):
            ordered: Manifest = by_key(manifest)
        else:
            ordered = in_struct_order(manifest, schema)
        return ordered

    def _table(
        self, manifests: Sequence[Manifest], metadata: dict[str, Any], *, is_list: bool = True
    ) -> Any:
        table = table_of(self._server, self._type, manifests, is_list=is_list)
        for row, manifest in zip(table["rows"] or (), manifests, strict=True):
            if self._include == "Object":
                row["object"] = self._ordered(manifest)
            elif self._include == "Metadata":
                row["object"] = self._partial(manifest)
            else:
                row["object"] = None
        version = f"{_META}/{self._form.version}"
        return {"kind": "Table", "apiVersion": version, "metadata": metadata} | table

    def _partial(self, manifest: Manifest) -> Manifest:
        return {
            "kind": "PartialObjectMetadata",
            "apiVersion": f"{_META}/{self._form.version or 'v1'}",
            "metadata": in_struct_order(_own_metadata(manifest["metadata"]), object_meta()),
        }


def _own_metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return metadata without the annotation that only the conversion to apps/v1 adds."""
    annotations = metadata.get("annotations") or {}
    if _CONVERTED not in annotations:
        return metadata
    kept = {key: value for key, value in annotations.items() if key != _CONVERTED}
    rest = {key: value for key, value in metadata.items() if key != "annotations"}
    return rest | ({"annotations": kept} if kept else {})


def _without_type(manifest: Manifest) -> Manifest:
    return {key: value for key, value in manifest.items() if key not in ("kind", "apiVersion")}
