"""Names that resources call each other by, mended after prefixes, suffixes and hashes.

Source: kustomize api/internal/konfig/builtinpluginconsts/namereference.go,
api/filters/nameref/nameref.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from gitops_sim.render.inprocess.field_paths import Field, change_at, parse_fields
from gitops_sim.render.inprocess.items import Id, Item, NotInProcessError, Resources, is_selected

__all__ = ["mend_references"]

Target = tuple[str, str, str]
"""Group, version and kind of what is referred to; an empty part is any."""

POD_SPECS = (
    ("spec", "Pod"),
    ("template/spec", "PodTemplate"),
    ("spec/template/spec", "Deployment,ReplicaSet,DaemonSet,StatefulSet,Job"),
    ("spec/jobTemplate/spec/template/spec", "CronJob"),
)
WORKLOADS = (
    ("spec", "Pod"),
    ("spec/template/spec", "StatefulSet,Deployment,ReplicationController,Job,DaemonSet"),
    ("spec/jobTemplate/spec/template/spec", "CronJob"),
)


def _everywhere(places: tuple[tuple[str, str], ...], *paths: str) -> str:
    return "".join(f"{place}/{path} {kinds}\n" for place, kinds in places for path in paths)


_CONFIG_MAPS = _everywhere(
    POD_SPECS,
    "volumes/configMap/name",
    "containers/env/valueFrom/configMapKeyRef/name",
    "initContainers/env/valueFrom/configMapKeyRef/name",
    "containers/envFrom/configMapRef/name",
    "initContainers/envFrom/configMapRef/name",
    "volumes/projected/sources/configMap/name",
)
_SECRETS = _everywhere(
    POD_SPECS,
    "volumes/secret/secretName",
    "containers/env/valueFrom/secretKeyRef/name",
    "initContainers/env/valueFrom/secretKeyRef/name",
    "containers/envFrom/secretRef/name",
    "initContainers/envFrom/secretRef/name",
    "imagePullSecrets/name",
    "volumes/projected/sources/secret/name",
)
_SCALED = "spec/scaleTargetRef/name HorizontalPodAutoscaler\n"

REFERENCES: tuple[tuple[Target, tuple[Field, ...]], ...] = tuple(
    (target, parse_fields(table))
    for target, table in (
        (("", "", "Deployment"), _SCALED),
        (("", "", "ReplicationController"), _SCALED),
        (("", "", "ReplicaSet"), _SCALED),
        (("", "", "StatefulSet"), _SCALED),
        (
            ("", "v1", "ConfigMap"),
            _CONFIG_MAPS
            + "spec/configSource/configMap Node\n"
            + "rules/resourceNames Role,ClusterRole\n"
            + "metadata/annotations/nginx.ingress.kubernetes.io%fastcgi-params-configmap Ingress",
        ),
        (
            ("", "v1", "Secret"),
            _SECRETS
            + """spec/tls/secretName Ingress
metadata/annotations/ingress.kubernetes.io%auth-secret Ingress
metadata/annotations/nginx.ingress.kubernetes.io%auth-secret Ingress
metadata/annotations/nginx.ingress.kubernetes.io%auth-tls-secret Ingress
imagePullSecrets/name ServiceAccount
parameters/secretName StorageClass
parameters/adminSecretName StorageClass
parameters/userSecretName StorageClass
parameters/secretRef StorageClass
rules/resourceNames Role,ClusterRole
spec/template/spec/containers/env/valueFrom/secretKeyRef/name Service serving.knative.dev v1
spec/azureFile/secretName PersistentVolume""",
        ),
        (
            ("", "v1", "Service"),
            """spec/serviceName StatefulSet apps
spec/rules/http/paths/backend/serviceName Ingress
spec/backend/serviceName Ingress
spec/rules/http/paths/backend/service/name Ingress
spec/defaultBackend/service/name Ingress
spec/service/name APIService apiregistration.k8s.io
webhooks/clientConfig/service ValidatingWebhookConfiguration admissionregistration.k8s.io
webhooks/clientConfig/service MutatingWebhookConfiguration admissionregistration.k8s.io
spec/rules/backendRefs/name HTTPRoute""",
        ),
        (
            ("rbac.authorization.k8s.io", "", "Role"),
            "roleRef/name RoleBinding rbac.authorization.k8s.io",
        ),
        (
            ("rbac.authorization.k8s.io", "", "ClusterRole"),
            "roleRef/name RoleBinding,ClusterRoleBinding rbac.authorization.k8s.io",
        ),
        (
            ("", "v1", "ServiceAccount"),
            "subjects RoleBinding,ClusterRoleBinding rbac.authorization.k8s.io\n"
            + _everywhere(WORKLOADS, "serviceAccountName"),
        ),
        (
            ("", "v1", "PersistentVolumeClaim"),
            _everywhere(WORKLOADS, "volumes/persistentVolumeClaim/claimName"),
        ),
        (
            ("", "v1", "PersistentVolume"),
            "spec/volumeName PersistentVolumeClaim\nrules/resourceNames ClusterRole",
        ),
        (
            ("storage.k8s.io", "v1", "StorageClass"),
            """spec/storageClassName PersistentVolume,PersistentVolumeClaim
spec/volumeClaimTemplates/spec/storageClassName StatefulSet""",
        ),
        (
            ("scheduling.k8s.io", "v1", "PriorityClass"),
            _everywhere(WORKLOADS, "priorityClassName"),
        ),
    )
)


def mend_references(resources: Resources) -> None:
    """Give all references the names that their targets have now, field by field."""
    due = [
        (reference, index, item)
        for index, item in enumerate(resources.items)
        for reference in _references_in(*item.first_id[:3])
    ]
    due.sort(key=lambda entry: entry[:2])
    for reference, _, item in due:
        target, field = _ALL[reference]
        _Mender(resources, item, target, field).run()


_ALL = tuple((target, field) for target, fields in REFERENCES for field in fields)


@cache
def _references_in(group: str, version: str, kind: str) -> tuple[int, ...]:
    """Return which of all references objects of a type have."""
    this = Id(group, version, kind, "", "")
    return tuple(index for index, (_, field) in enumerate(_ALL) if field.of(this))


class _Mender:
    """Mends one field of one resource."""

    def __init__(self, resources: Resources, referrer: Item, target: Target, field: Field) -> None:
        self._resources = resources
        self._referrer = referrer
        self._target = target
        self._field = field

    def run(self) -> None:
        """Change the field where it is there."""
        change_at(self._referrer.manifest, self._field.path, self._value)

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._name(value)
        if isinstance(value, dict):
            return self._mapping(value)
        if isinstance(value, list):
            return [self._value(item) for item in value]
        raise NotInProcessError("a reference of another type")

    def _name(self, name: str) -> str:
        names = {item.id.name for item in self._candidates(name)}
        if len(names) > 1:
            raise NotInProcessError(f"several targets for {name}")
        return names.pop() if names else name

    def _mapping(self, value: dict[str, Any]) -> dict[str, Any]:
        """Mend a reference with name and namespace, such as a subject."""
        name, space = value.get("name"), value.get("namespace")
        if not isinstance(name, str) or not isinstance(space, str | None):
            raise NotInProcessError("a reference without a name")
        found = self._candidates(name)
        if space is not None:
            found = [item for item in found if item.first_id.namespace == space] or [
                item for item in found if item.id.namespace == space
            ]
        places = {(item.id.name, item.id.namespace) for item in found}
        if len(places) > 1:
            raise NotInProcessError(f"several targets for {name}")
        for new_name, new_space in places:
            value["name"] = new_name
            if new_space:
                value["namespace"] = new_space
        return value

    def _candidates(self, name: str) -> list[Item]:
        """Return what the reference may mean: of the type, once of the name, within reach."""
        return [
            item
            for item in self._resources.items
            if any(one.name == name for one in item.earlier)
            and any(is_selected(one, *self._target) for one in item.earlier)
            and any(self._role_fits(one) for one in item.earlier)
            and self._within_reach(item.id)
        ]

    def _role_fits(self, candidate: Id) -> bool:
        """Return False when a `roleRef` says that it means another type."""
        if self._field.path != ("roleRef", "name"):
            return True
        reference = self._referrer.manifest["roleRef"]
        group, kind = reference.get("apiGroup"), reference.get("kind")
        return group is None or kind is None or is_selected(candidate, group, "", kind)

    def _within_reach(self, candidate: Id) -> bool:
        referrer = self._referrer.id
        if referrer.cluster_scoped or candidate.cluster_scoped:
            return True
        if candidate.effective_namespace == referrer.effective_namespace:
            return True
        return candidate.kind == "ServiceAccount" and candidate.namespace in self._subject_spaces()

    def _subject_spaces(self) -> Iterator[str]:
        if self._referrer.id.kind == "RoleBinding":
            for subject in self._referrer.manifest.get("subjects") or []:
                yield str(subject.get("namespace", ""))
