"""One request for a resource: its server, its path, and the helpers that every verb needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gitops_sim.apimachinery.fields import parse_field_selector
from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apimachinery.labels import parse_selector
from gitops_sim.apiserver.server import ApiServer
from gitops_sim.apiserver.watching import Filter
from gitops_sim.errors import BadRequestError
from gitops_sim.server.answers import Answer, encoded
from gitops_sim.server.beside import Beside
from gitops_sim.server.bodies import decode_body
from gitops_sim.server.media import Form, negotiate
from gitops_sim.server.requests import Request, Wanted
from gitops_sim.server.shapes import FORMS, Shaper
from gitops_sim.types import Manifest

__all__ = ["Target"]


@dataclass(frozen=True, slots=True)
class Target:
    """What a request for a resource is about."""

    server: ApiServer
    request: Request
    wanted: Wanted
    resource_type: ResourceType
    beside: Beside

    @property
    def namespace(self) -> str:
        """The namespace of the object; empty for cluster-scoped ones."""
        return self.wanted.namespace if self.resource_type.namespaced else ""

    @property
    def inside(self) -> str | None:
        """The namespace of a list; None for all of them."""
        return self.namespace or None

    @property
    def form(self) -> Form:
        """The form that the client accepts; NotAcceptableError when there is none."""
        return negotiate(self.request.header("accept"), FORMS)

    def answer(self, manifest: Manifest, *, form: Form, status: int = 200) -> Answer:
        """Return an object in the form that the client wants."""
        include = self.request.parameter("includeObject")
        shaper = Shaper(self.server, self.resource_type, form, include)
        return Answer(status, form.content_type, encoded(shaper.one(manifest), form))

    def filter(self, namespace: str | None = None) -> Filter:
        """Return what the selectors in the query ask for.

        Raises:
            BadRequestError: A selector cannot be read, or names a field that is none.
        """
        labels = self.request.parameter("labelSelector")
        fields = self.request.parameter("fieldSelector")
        chosen = parse_field_selector(fields) if fields else None
        if chosen is not None:
            kind = self.resource_type
            chosen.check(kind.group, kind.kind, kind.selectable)
        if self.wanted.name and chosen is None:
            chosen = parse_field_selector(f"metadata.name={self.wanted.name}")
        if chosen is not None and chosen.empty:
            chosen = None
        return Filter(namespace, parse_selector(labels) if labels.strip() else None, chosen)

    def body(self) -> Manifest:
        """Return the object in the body, placed by the path; what was repeated is noted."""
        kind = self.resource_type
        custom = self.server.schemas.is_custom(kind.group, kind.version, kind.kind)
        body = decode_body(self.request, kind, custom=custom)
        self.note_duplicates(body.duplicates)
        self.place(body.value, is_update=self.wanted.verb == "update")
        return body.value

    def place(self, manifest: Manifest, *, is_update: bool = False) -> None:
        """Give an object the namespace and name of the path, or refuse others.

        Args:
            manifest: Is changed in place.
            is_update: It must tell its name itself.

        Raises:
            BadRequestError: They contradict the path.
        """
        metadata: Any = manifest.get("metadata")
        if metadata is None:
            metadata = manifest["metadata"] = {}
        if not isinstance(metadata, dict):
            return
        name = metadata.get("name") or ""
        if self.wanted.name:
            if name and name != self.wanted.name:
                raise BadRequestError(
                    f"the name of the object ({name}) does not match the name on the URL "
                    f"({self.wanted.name})"
                )
            if not name and is_update:
                raise BadRequestError(
                    f"the name of the object ({self.wanted.name} based on URL) was undeterminable: "
                    "name must be provided"
                )
            metadata["name"] = self.wanted.name
        if not self.resource_type.namespaced:
            metadata.pop("namespace", None)
            return
        namespace = metadata.get("namespace") or ""
        if namespace and namespace != self.namespace:
            raise BadRequestError(
                "the namespace of the provided object does not match the namespace sent on the "
                "request"
            )
        metadata["namespace"] = self.namespace

    def note_duplicates(self, problems: Sequence[str]) -> None:
        """Keep what is to be said of members that were written twice, for the decoder."""
        self.server.caller.problems += problems
