"""Where in their files the objects of a build begin: for what is shown beside them."""

from __future__ import annotations

from collections.abc import Iterable

from gitops_sim.render.objects import objects_of
from gitops_sim.render.reading import Reading
from gitops_sim.types import Manifest, ResourceKey

__all__ = ["DocumentLines"]


class DocumentLines:
    """Where in their files the documents of objects begin; looked up once a build."""

    def __init__(self, files: Iterable[str], reading: Reading) -> None:
        self._places: dict[str, list[tuple[str, str, int]]] = {}
        for path in files:
            self._places[path] = [
                (item.key.kind, item.key.name, item.line)
                for document in reading.documents(path)
                for item in objects_of(document, path)
            ]

    def of(self, file: str, manifest: Manifest) -> int:
        """Return the line; prefixes and suffixes may have changed the name since."""
        key = ResourceKey.of(manifest)
        alike = [place for place in self._places.get(file, ()) if place[0] == key.kind]
        for fits in (lambda name: name == key.name, lambda name: name in key.name):
            for _, name, line in alike:
                if fits(name):
                    return line
        return alike[0][2] if len(alike) == 1 else 0
