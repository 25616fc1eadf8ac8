"""Resources during a build: a manifest, its names so far, and where it comes from.

kustomize finds a resource by any name that it has had: patches and references are written with the
names of the files, while prefixes, suffixes, namespaces and hashes change them on the way up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gitops_sim.types import Manifest

__all__ = ["Id", "Item", "NotInProcessError", "Resources", "is_selected"]

CLUSTER_SCOPED = frozenset(
    {
        ("", "ComponentStatus"),
        ("", "Namespace"),
        ("", "Node"),
        ("", "PersistentVolume"),
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("apiregistration.k8s.io", "APIService"),
        ("authentication.k8s.io", "TokenReview"),
        ("authorization.k8s.io", "SelfSubjectAccessReview"),
        ("authorization.k8s.io", "SelfSubjectRulesReview"),
        ("authorization.k8s.io", "SubjectAccessReview"),
        ("certificates.k8s.io", "CertificateSigningRequest"),
        ("networking.k8s.io", "IngressClass"),
        ("node.k8s.io", "RuntimeClass"),
        ("rbac.authorization.k8s.io", "ClusterRole"),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
        ("scheduling.k8s.io", "PriorityClass"),
        ("storage.k8s.io", "CSIDriver"),
        ("storage.k8s.io", "CSINode"),
        ("storage.k8s.io", "StorageClass"),
        ("storage.k8s.io", "VolumeAttachment"),
    }
)
"""What kustomize knows to have no namespace: the kinds of its built-in schema, Kubernetes 1.21.

It takes all others, younger built-in kinds too, for namespaced.
"""
NO_NAMESPACE = "_non_namespaceable_"


class NotInProcessError(Exception):
    """A build needs something that only kubectl does; the argument says what."""


class Id(NamedTuple):
    """What kustomize tells resources apart by."""

    group: str
    version: str
    kind: str
    namespace: str
    name: str

    @property
    def cluster_scoped(self) -> bool:
        """True for kinds known to have no namespace."""
        if (self.group, self.kind) not in CLUSTER_SCOPED:
            return False
        if self.version != "v1":
            raise NotInProcessError(f"{self.kind} of {self.group}/{self.version}")
        return True

    @property
    def effective_namespace(self) -> str:
        """The namespace for comparisons: `default` where none is written."""
        return NO_NAMESPACE if self.cluster_scoped else self.namespace or "default"

    def equals(self, other: Id) -> bool:
        """Return True for the same object: a missing namespace is `default`."""
        return (
            self.name == other.name
            and (self.group, self.version, self.kind) == (other.group, other.version, other.kind)
            and self.effective_namespace == other.effective_namespace
        )


def is_selected(this: Id, group: str, version: str, kind: str) -> bool:
    """Return True when a type fits; an empty part of it fits all."""
    return group in ("", this.group) and version in ("", this.version) and kind in ("", this.kind)


@dataclass(slots=True, eq=False)
class Item:
    """A resource on its way.

    Attributes:
        manifest: Its own copy; what transformers change.
        file: The file it is written in, or the kustomization that generates it.
        earlier: The ids it had before, oldest first.
        hashed: True when its name gets a suffix from its content.
        written: Values of labels and annotations that transformers wrote, by key. kustomize keeps
            one node for all places of such a value, so that a later change in one place is one
            in all: builds in which that would show are left to it.
    """

    manifest: Manifest
    file: str
    earlier: list[Id] = field(default_factory=list)
    hashed: bool = False
    written: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> Id:
        """The id that it has now."""
        version = str(self.manifest["apiVersion"])
        group, _, version = version.rpartition("/")
        metadata = self.manifest["metadata"]
        kind = str(self.manifest["kind"])
        return Id(group, version, kind, metadata.get("namespace") or "", metadata["name"])

    @property
    def first_id(self) -> Id:
        """The id that its file gives it."""
        return self.earlier[0] if self.earlier else self.id

    def remember(self) -> None:
        """Keep the present id among the earlier ones."""
        self.earlier.append(self.id)

    def write(self, pairs: Mapping[str, str]) -> None:
        """Note values that a transformer writes."""
        for key, value in pairs.items():
            if self.written.setdefault(key, value) != value:
                raise NotInProcessError(f"{key} written twice")

    def ids(self) -> Iterator[Id]:
        """Yield all ids it has or had."""
        yield from self.earlier
        yield self.id


class Resources:
    """The resources of a kustomization so far, in order."""

    def __init__(self) -> None:
        self.items: list[Item] = []

    def append(self, item: Item) -> None:
        """Add a resource; one that is there already is for kubectl to complain about."""
        if any(item.id.equals(other.id) for other in self.items):
            raise NotInProcessError(f"{item.id} twice")
        self.items.append(item)

    def extend(self, items: Iterable[Item]) -> None:
        """Add resources one by one."""
        for item in items:
            self.append(item)

    def by_any_id(self, wanted: Id) -> Item:
        """Return the one resource that has or had an id."""
        found = self._with_any_id(wanted)
        if len(found) != 1:
            raise NotInProcessError(f"{len(found)} resources for {wanted}")
        return found[0]

    def have_had(self, wanted: Id) -> bool:
        """Return True when a resource has or had an id."""
        return bool(self._with_any_id(wanted))

    def _with_any_id(self, wanted: Id) -> list[Item]:
        return [item for item in self.items if any(one.equals(wanted) for one in item.ids())]

    def refuse_conflicts(self) -> None:
        """Leave to kubectl what now has the id of another."""
        seen: set[Any] = set()
        for item in self.items:
            this = item.id
            key = (this.group, this.version, this.kind, this.effective_namespace, this.name)
            if key in seen:
                raise NotInProcessError(f"{this} twice")
            seen.add(key)
