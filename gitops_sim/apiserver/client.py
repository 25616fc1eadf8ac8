"""A client in process: the `Cluster` protocol over one server's verbs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apimachinery.fields import parse_field_selector
from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apimachinery.labels import parse_selector
from gitops_sim.apimachinery.sharing import copy_sharing
from gitops_sim.apiserver import deleting, subresources, writing
from gitops_sim.apiserver.scaling import ScaleWriter, change_scale, patched_scale
from gitops_sim.apiserver.server import ApiServer, revision_of, storage_kind
from gitops_sim.apiserver.watching import Filter, StoreWatch
from gitops_sim.errors import BadRequestError
from gitops_sim.protocols import PatchType, Propagation, Watch
from gitops_sim.types import Manifest

__all__ = ["Charged", "InProcessClient"]


class Charged(Protocol):
    """What pays for requests in virtual time."""

    def charge(self, requests: int = 1) -> None:
        """Count requests that were just made."""


class InProcessClient:
    """One user of one server; a `gitops_sim.protocols.Cluster`.

    Args:
        server: Answers.
        name: Default field manager of its writes.
        account: Is charged for each request.
        shares: Objects in answers are the stored ones, to be read only; else they are copies.
    """

    def __init__(
        self,
        server: ApiServer,
        name: str,
        *,
        account: Charged | None = None,
        shares: bool = False,
    ) -> None:
        self.name = name
        self._server = server
        self._shares = shares
        self.account = account

    def get(
        self, kind: str, name: str, namespace: str | None = None, *, at: str | None = None
    ) -> Manifest:
        """Return one object; NotFoundError when there is none."""
        resource_type = self._type(kind)
        found = self._server.find(resource_type, _in(resource_type, namespace), name, at=at)
        return self._answer(found)

    def list(
        self,
        kind: str,
        namespace: str | None = None,
        *,
        labels: str | None = None,
        fields: str | None = None,
        at: str | None = None,
    ) -> Sequence[Manifest]:
        """Return objects, ordered by namespace and name."""
        resource_type = self._type(kind)
        inside = namespace if resource_type.namespaced else None
        table = storage_kind(resource_type)
        found = self._server.store.objects(table, inside, at=revision_of(at))
        if labels or fields:
            wanted = self._filter(resource_type, None, labels, fields)
            found = [manifest for manifest in found if wanted.matches(manifest)]
        return [self._answer(m) for m in self._server.in_versions(resource_type, found)]

    def watch(
        self,
        kind: str,
        namespace: str | None = None,
        *,
        since: str | None = None,
        labels: str | None = None,
        fields: str | None = None,
    ) -> Watch:
        """Watch from a resourceVersion; None: first the present objects as ADDED, then on."""
        resource_type = self._type(kind)
        inside = namespace if resource_type.namespaced else None
        return StoreWatch(
            self._server.store,
            storage_kind(resource_type),
            self._filter(resource_type, inside, labels, fields),
            revision_of(since),
            lambda manifest: self._server.in_version(resource_type, manifest),
        )

    def discover(self) -> Sequence[Mapping[str, Any]]:
        """Return the kinds served."""
        return [
            {
                "group": t.group,
                "version": t.version,
                "kind": t.kind,
                "plural": t.plural,
                "singular": t.singular,
                "short_names": t.short_names,
                "namespaced": t.namespaced,
                "verbs": t.verbs,
                "categories": t.categories,
                "subresources": t.subresources,
            }
            for t in self._server.kinds
        ]

    def create(
        self, manifest: Manifest, *, field_manager: str = "", dry_run: bool = False
    ) -> Manifest:
        """Store a new object; a Binding puts a pod on a node."""
        resource_type = self._type_of(manifest)
        manager = field_manager or self.name
        if resource_type.kind == "Binding" and not resource_type.group:
            return self._answer(subresources.bind(self._server, manifest, manager=manager))
        stored = writing.create(
            self._server,
            resource_type,
            copy_sharing(None, manifest),
            manager=manager,
            dry_run=dry_run,
        )
        return self._answer(stored)

    def update(
        self,
        manifest: Manifest,
        *,
        subresource: str = "",
        field_manager: str = "",
        dry_run: bool = False,
    ) -> Manifest:
        """Replace an object; metadata.resourceVersion, when given, must be the current one."""
        stored = writing.update(
            self._server,
            self._type_of(manifest),
            manifest,
            manager=field_manager or self.name,
            subresource=subresource,
            dry_run=dry_run,
        )
        return self._answer(stored)

    def patch(
        self,
        kind: str,
        name: str,
        patch: Any,
        namespace: str | None = None,
        *,
        type: PatchType = "merge",  # noqa: A002 - the API's word
        subresource: str = "",
        field_manager: str = "",
        dry_run: bool = False,
    ) -> Manifest:
        """Change an object by a JSON patch (a list), merge patch or strategic merge patch."""
        resource_type = self._type(kind)
        inside, manager = _in(resource_type, namespace), field_manager or self.name
        if subresource == "scale":
            return change_scale(
                self._server,
                resource_type,
                (inside, name),
                lambda scale: patched_scale(self._server, scale, patch, type),
                ScaleWriter(manager, dry_run),
            )
        stored = writing.patch(
            self._server,
            resource_type,
            inside,
            name,
            copy_sharing(None, patch),
            kind=type,
            manager=manager,
            subresource=subresource,
            dry_run=dry_run,
        )
        return self._answer(stored)

    def apply(
        self,
        manifest: Manifest,
        *,
        field_manager: str,
        force: bool = False,
        subresource: str = "",
        dry_run: bool = False,
    ) -> Manifest:
        """Server-side apply."""
        stored = writing.apply(
            self._server,
            self._type_of(manifest),
            fresh_copy(manifest),
            manager=field_manager,
            force=force,
            subresource=subresource,
            dry_run=dry_run,
        )
        return self._answer(stored)

    def delete(
        self,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        propagation: Propagation = "Background",
        resource_version: str | None = None,
        uid: str | None = None,
        grace_period: int | None = None,
        dry_run: bool = False,
    ) -> Manifest:
        """Delete, or mark as deleting while finalizers or grace hold it."""
        resource_type = self._type(kind)
        last = deleting.delete(
            self._server,
            resource_type,
            _in(resource_type, namespace),
            name,
            manager=self.name,
            propagation=propagation,
            resource_version=resource_version,
            uid=uid,
            grace_period=grace_period,
            dry_run=dry_run,
        )
        return self._answer(self._server.in_version(resource_type, last))

    def _answer(self, stored: Manifest) -> Manifest:
        return stored if self._shares else fresh_copy(stored)

    def _type(self, kind: str) -> ResourceType:
        if self.account is not None:
            self.account.charge()
        return self._server.kinds.lookup(kind)

    def _type_of(self, manifest: Manifest) -> ResourceType:
        if self.account is not None:
            self.account.charge()
        if not isinstance(manifest, dict):
            raise BadRequestError(f"an object is a dict, not of {type(manifest)}: read YAML first")
        kind, api_version = manifest.get("kind"), manifest.get("apiVersion")
        if not isinstance(kind, str) or not kind:
            raise BadRequestError("Object 'Kind' is missing")
        if not isinstance(api_version, str) or not api_version:
            raise BadRequestError("Object 'apiVersion' is missing")
        return self._server.kinds.exact(api_version, kind)

    @staticmethod
    def _filter(
        resource_type: ResourceType, namespace: str | None, labels: str | None, fields: str | None
    ) -> Filter:
        field_selector = parse_field_selector(fields) if fields else None
        if field_selector is not None:
            field_selector.check(resource_type.group, resource_type.kind, resource_type.selectable)
        return Filter(namespace, parse_selector(labels) if labels else None, field_selector)


def _in(resource_type: ResourceType, namespace: str | None) -> str:
    return (namespace or "default") if resource_type.namespaced else ""
