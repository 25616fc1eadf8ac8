"""A client that can be taken away: what a killed controller must not write any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gitops_sim.errors import RevokedWriterError
from gitops_sim.protocols import Cluster, PatchType, Propagation, Watch
from gitops_sim.runtime.cache_source import CacheSource
from gitops_sim.types import Manifest, ResourceKey

__all__ = ["RevocableClient"]


class RevocableClient:
    """Any cluster, until it is revoked; then every write raises RevokedWriterError.

    A write after the kill is always a bug: something outlived the controller that it belongs to.

    Attributes:
        calls: How many requests were made.
        writes: How many writes went through; dry runs are none.
        account: What the wrapped client pays from in virtual time, if it has one.
        caches: The caches that the wrapped client shares with others, if it does.
    """

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.name = name
        self.calls = 0
        self.writes = 0
        self.account: Any = getattr(cluster, "account", None)
        self.caches: CacheSource | None = getattr(cluster, "caches", None)
        self._cluster = cluster
        self._revoked = False

    def revoke(self) -> None:
        """Refuse all writes from now on."""
        self._revoked = True

    def get(
        self, kind: str, name: str, namespace: str | None = None, *, at: str | None = None
    ) -> Manifest:
        """Return a fresh copy of one object."""
        self.calls += 1
        return self._cluster.get(kind, name, namespace, at=at)

    def list(
        self,
        kind: str,
        namespace: str | None = None,
        *,
        labels: str | None = None,
        fields: str | None = None,
        at: str | None = None,
    ) -> Sequence[Manifest]:
        """Return fresh copies, ordered by namespace and name."""
        self.calls += 1
        return self._cluster.list(kind, namespace, labels=labels, fields=fields, at=at)

    def watch(
        self,
        kind: str,
        namespace: str | None = None,
        *,
        since: str | None = None,
        labels: str | None = None,
        fields: str | None = None,
    ) -> Watch:
        """Watch from a resourceVersion, or from the present objects on."""
        self.calls += 1
        return self._cluster.watch(kind, namespace, since=since, labels=labels, fields=fields)

    def discover(self) -> Sequence[Mapping[str, Any]]:
        """Return the kinds served."""
        self.calls += 1
        return self._cluster.discover()

    def create(
        self, manifest: Manifest, *, field_manager: str = "", dry_run: bool = False
    ) -> Manifest:
        """Store a new object."""
        self._check("create", lambda: str(ResourceKey.of(manifest)))
        stored = self._cluster.create(manifest, field_manager=field_manager, dry_run=dry_run)
        return self._counted(stored, dry_run=dry_run)

    def update(
        self,
        manifest: Manifest,
        *,
        subresource: str = "",
        field_manager: str = "",
        dry_run: bool = False,
    ) -> Manifest:
        """Replace an object."""
        self._check("update", lambda: str(ResourceKey.of(manifest)))
        stored = self._cluster.update(
            manifest, subresource=subresource, field_manager=field_manager, dry_run=dry_run
        )
        return self._counted(stored, dry_run=dry_run)

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
        """Change an object by a patch."""
        self._check("patch", lambda: _subject(kind, namespace, name))
        stored = self._cluster.patch(
            kind,
            name,
            patch,
            namespace,
            type=type,
            subresource=subresource,
            field_manager=field_manager,
            dry_run=dry_run,
        )
        return self._counted(stored, dry_run=dry_run)

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
        self._check("apply", lambda: str(ResourceKey.of(manifest)))
        stored = self._cluster.apply(
            manifest,
            field_manager=field_manager,
            force=force,
            subresource=subresource,
            dry_run=dry_run,
        )
        return self._counted(stored, dry_run=dry_run)

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
        """Delete an object, or mark it as deleting."""
        self._check("delete", lambda: _subject(kind, namespace, name))
        last = self._cluster.delete(
            kind,
            name,
            namespace,
            propagation=propagation,
            resource_version=resource_version,
            uid=uid,
            grace_period=grace_period,
            dry_run=dry_run,
        )
        return self._counted(last, dry_run=dry_run)

    def _check(self, verb: str, subject: Callable[[], str]) -> None:
        self.calls += 1
        if self._revoked:
            raise RevokedWriterError(self.name, verb, subject())

    def _counted(self, stored: Manifest, *, dry_run: bool) -> Manifest:
        if not dry_run:
            self.writes += 1
        return stored


def _subject(kind: str, namespace: str | None, name: str) -> str:
    return "/".join(part for part in (kind.rpartition("/")[2], namespace, name) if part)
