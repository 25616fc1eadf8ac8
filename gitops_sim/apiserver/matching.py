"""Which requests policies and webhooks are about: rules, selectors, and the request as CEL sees it.

Source: k8s.io/apiserver, pkg/admission/plugin/webhook/predicates and pkg/admission/plugin/policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gitops_sim.apimachinery.labels import from_label_selector
from gitops_sim.apiserver.server import ApiServer, Write
from gitops_sim.apiserver.store import Kind
from gitops_sim.types import Manifest

__all__ = ["AdmissionRequest"]

_NAMESPACES = Kind("", "Namespace")
_OPERATIONS = {"create": "CREATE", "update": "UPDATE", "patch": "UPDATE", "delete": "DELETE"}


@dataclass(frozen=True, slots=True)
class AdmissionRequest:
    """What is judged: the write, and the object as it is to be."""

    server: ApiServer
    write: Write
    manifest: Manifest

    @property
    def operation(self) -> str:
        """CREATE, UPDATE or DELETE."""
        if self.write.verb == "apply":
            return "CREATE" if self.write.before is None else "UPDATE"
        return _OPERATIONS[self.write.verb]

    @property
    def namespace(self) -> Manifest | None:
        """The object's namespace (the object itself, for one); None at the cluster scope."""
        metadata, resource_type = self.manifest["metadata"], self.write.resource_type
        if resource_type.namespaced:
            return self.server.store.get(_NAMESPACES, "", metadata["namespace"])
        is_namespace = (resource_type.group, resource_type.kind) == _NAMESPACES
        return self.manifest if is_namespace else None

    @property
    def object(self) -> Manifest | None:
        """The object as it is to be; None for a deletion."""
        return None if self.operation == "DELETE" else self.manifest

    @property
    def old_object(self) -> Manifest | None:
        """The object as it is; None for a creation."""
        return self.manifest if self.operation == "DELETE" else self.write.before

    def attributes(self) -> dict[str, Any]:
        """Return the request as an AdmissionReview tells it, without the objects."""
        kind, metadata = self.write.resource_type, self.manifest["metadata"]
        name, namespace = metadata.get("name", ""), metadata.get("namespace", "")
        if (kind.group, kind.kind) == _NAMESPACES:
            namespace = name
        return {
            "operation": self.operation,
            "name": name,
            "namespace": namespace,
            "kind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
            "resource": {"group": kind.group, "version": kind.version, "resource": kind.plural},
            "subResource": self.write.subresource,
            "dryRun": self.write.dry_run,
            "userInfo": self.server.caller.user.to_json(),
        }

    def is_selected(self, chosen: Manifest) -> bool:
        """True when the `objectSelector` and `namespaceSelector` of something choose it.

        One of the old and the new object is enough for the first.
        """
        labels = from_label_selector(chosen.get("objectSelector") or {})
        objects = [o for o in (self.object, self.old_object) if o is not None]
        if not any(labels.matches(o["metadata"].get("labels")) for o in objects):
            return False
        namespace = self.namespace
        if namespace is None:
            return True
        selector = from_label_selector(chosen.get("namespaceSelector") or {})
        return selector.matches(namespace["metadata"].get("labels"))

    def is_covered(self, rule: dict[str, Any]) -> bool:
        """True when a rule (operations, groups, versions, resources, scope) is about it."""
        kind, part = self.write.resource_type, self.write.subresource
        plural = f"{kind.plural}/{part}" if part else kind.plural
        names = rule.get("resourceNames") or ()
        covered = {plural, "*/*", f"{kind.plural}/*", f"*/{part}" if part else "*"}
        return (
            _has(rule.get("operations"), self.operation)
            and _has(rule.get("apiGroups"), kind.group)
            and _has(rule.get("apiVersions"), kind.version)
            and bool(covered & set(rule.get("resources") or ()))
            and (not names or self.manifest["metadata"].get("name") in names)
            and rule.get("scope", "*") in ("*", "Namespaced" if kind.namespaced else "Cluster")
        )


def _has(listed: Any, wanted: str) -> bool:
    return bool(listed) and ("*" in listed or wanted in listed)
