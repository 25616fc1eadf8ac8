"""Rules of built-in kinds, with the causes that the server names.

One table says which functions look at a kind: at a new object and at each that changes what they
look at; at what an update may not change; and at a status written through its subresource. Kinds
that are not in it are checked by schema and metadata only.

Source: k8s.io/kubernetes, pkg/apis/*/validation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gitops_sim.apimachinery import validation_autoscaling as autoscaling
from gitops_sim.apimachinery import validation_batch as batch
from gitops_sim.apimachinery import validation_cluster as cluster
from gitops_sim.apimachinery import validation_core as core
from gitops_sim.apimachinery import validation_definitions as definitions
from gitops_sim.apimachinery import validation_job_policies as job_policies
from gitops_sim.apimachinery import validation_nodes as nodes
from gitops_sim.apimachinery import validation_persistent as persistent
from gitops_sim.apimachinery import validation_pods as pods
from gitops_sim.apimachinery import validation_policies as policies
from gitops_sim.apimachinery import validation_quotas as quotas
from gitops_sim.apimachinery import validation_services as services
from gitops_sim.apimachinery import validation_volumes as volumes
from gitops_sim.apimachinery import validation_webhooks as webhooks
from gitops_sim.apimachinery import validation_workloads as workloads
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.validation_metadata import (
    metadata_causes,
    metadata_update_causes,
    name_rule,
)
from gitops_sim.types import Manifest

__all__ = ["validate_create", "validate_custom_metadata", "validate_update"]

_Check = Callable[[Manifest], Iterator[Cause]]
_UpdateCheck = Callable[[Manifest, Manifest], Iterator[Cause]]


@dataclass(frozen=True, slots=True)
class _Rules:
    """What is checked of a kind; None: nothing."""

    object: _Check | None = None
    update: _UpdateCheck | None = None
    status: _Check | None = None
    new: _Check | None = None


def validate_create(manifest: Manifest) -> list[Cause]:
    """Return what is wrong with a new object, defaults filled in."""
    group, kind = _group_kind(manifest)
    core = group != _EXTENSIONS
    found = list(metadata_causes(manifest, name_rule(group, kind), core=core))
    rules = _RULES.get((group, kind), _NONE)
    if rules.object is not None:
        found += rules.object(manifest)
    if rules.new is not None:
        found += rules.new(manifest)
    return found


def validate_update(manifest: Manifest, before: Manifest, *, subresource: str = "") -> list[Cause]:
    """Return what is wrong with an object changed through a subresource, defaults filled in.

    Parts that are shared with the object before it (the same dict) are not looked at again.
    """
    group, kind = _group_kind(manifest)
    rules = _PARTS.get((kind, subresource)) or _RULES.get((group, kind), _NONE)
    found: list[Cause] = []
    if manifest["metadata"] is not before["metadata"]:
        found += metadata_update_causes(manifest, before, core=group != _EXTENSIONS)
    changed = {part for part in manifest if manifest[part] is not before.get(part)}
    changed |= before.keys() - manifest.keys()
    if changed - {"metadata", "status", "apiVersion", "kind"}:
        if rules.object is not None:
            found += rules.object(manifest)
        if rules.update is not None:
            found += rules.update(manifest, before)
    if "status" in changed and rules.status is not None:
        found += rules.status(manifest)
    return found


def validate_custom_metadata(manifest: Manifest, before: Manifest | None) -> list[Cause]:
    """Return what is wrong with the metadata of a custom resource."""
    if before is None:
        return list(metadata_causes(manifest, name_rule("", ""), core=False))
    return list(metadata_update_causes(manifest, before, core=False))


def _group_kind(manifest: Manifest) -> tuple[str, str]:
    return str(manifest["apiVersion"]).rpartition("/")[0], str(manifest["kind"])


_NONE = _Rules()
_PARTS = {
    ("Pod", "binding"): _NONE,
    ("Pod", "ephemeralcontainers"): _Rules(pods.pod_causes, pods.ephemeral_update_causes),
    ("Pod", "resize"): _Rules(pods.pod_causes, pods.resize_causes),
}
_EXTENSIONS = "apiextensions.k8s.io"
_RBAC = "rbac.authorization.k8s.io"
_HOOKS = "admissionregistration.k8s.io"
_RULES: dict[tuple[str, str], _Rules] = {
    ("", "ConfigMap"): _Rules(core.config_map_causes, core.frozen_data_causes),
    ("", "Endpoints"): _Rules(core.endpoints_causes),
    ("", "Event"): _Rules(core.event_causes),
    ("", "LimitRange"): _Rules(core.limit_range_causes),
    ("", "Namespace"): _Rules(nodes.namespace_causes, None, nodes.namespace_status_causes),
    ("", "Node"): _Rules(nodes.node_causes, nodes.node_update_causes),
    ("", "PersistentVolume"): _Rules(persistent.volume_causes, persistent.volume_update_causes),
    ("", "PersistentVolumeClaim"): _Rules(volumes.claim_causes, volumes.claim_update_causes),
    ("", "Pod"): _Rules(pods.pod_causes, pods.pod_update_causes, new=pods.new_pod_causes),
    ("", "PodTemplate"): _Rules(lambda m: pods.pod_template_causes(m["template"], "template")),
    ("", "ReplicationController"): _Rules(
        workloads.controller_causes, None, workloads.controller_status_causes
    ),
    ("", "ResourceQuota"): _Rules(quotas.quota_causes, quotas.quota_update_causes),
    ("", "Secret"): _Rules(core.secret_causes, core.secret_update_causes),
    ("", "Service"): _Rules(
        services.service_causes, services.service_update_causes, services.service_status_causes
    ),
    ("apps", "ControllerRevision"): _Rules(nodes.revision_causes, nodes.revision_update_causes),
    ("apps", "DaemonSet"): _Rules(workloads.daemon_set_causes, workloads.daemon_set_update_causes),
    ("apps", "Deployment"): _Rules(
        workloads.deployment_causes,
        workloads.selector_update_causes,
        workloads.deployment_status_causes,
    ),
    ("apps", "ReplicaSet"): _Rules(
        workloads.replica_set_causes,
        workloads.selector_update_causes,
        workloads.controller_status_causes,
    ),
    ("apps", "StatefulSet"): _Rules(
        workloads.stateful_set_causes, workloads.stateful_set_update_causes
    ),
    ("autoscaling", "HorizontalPodAutoscaler"): _Rules(autoscaling.autoscaler_causes),
    ("batch", "CronJob"): _Rules(batch.cron_job_causes, batch.cron_job_update_causes),
    ("batch", "Job"): _Rules(
        batch.job_causes, batch.job_update_causes, new=job_policies.generated_label_causes
    ),
    ("certificates.k8s.io", "CertificateSigningRequest"): _Rules(new=nodes.signing_request_causes),
    ("coordination.k8s.io", "Lease"): _Rules(cluster.lease_causes),
    ("discovery.k8s.io", "EndpointSlice"): _Rules(
        core.endpoint_slice_causes, core.endpoint_slice_update_causes
    ),
    ("events.k8s.io", "Event"): _Rules(core.event_causes),
    ("networking.k8s.io", "Ingress"): _Rules(
        services.ingress_causes, new=services.new_ingress_causes
    ),
    ("networking.k8s.io", "IngressClass"): _Rules(
        services.ingress_class_causes, services.ingress_class_update_causes
    ),
    ("networking.k8s.io", "NetworkPolicy"): _Rules(cluster.network_policy_causes),
    ("node.k8s.io", "RuntimeClass"): _Rules(nodes.runtime_class_causes),
    ("policy", "PodDisruptionBudget"): _Rules(workloads.budget_causes),
    ("scheduling.k8s.io", "PriorityClass"): _Rules(
        cluster.priority_class_causes, cluster.priority_class_update_causes
    ),
    ("storage.k8s.io", "CSIDriver"): _Rules(nodes.driver_causes),
    ("storage.k8s.io", "VolumeAttachment"): _Rules(new=nodes.attachment_causes),
    ("storage.k8s.io", "StorageClass"): _Rules(
        volumes.storage_class_causes, volumes.storage_class_update_causes
    ),
    (_EXTENSIONS, "CustomResourceDefinition"): _Rules(
        definitions.definition_causes,
        definitions.definition_update_causes,
        new=definitions.new_definition_causes,
    ),
    (_HOOKS, "MutatingWebhookConfiguration"): _Rules(webhooks.webhook_configuration_causes),
    (_HOOKS, "ValidatingAdmissionPolicy"): _Rules(policies.policy_causes),
    (_HOOKS, "ValidatingAdmissionPolicyBinding"): _Rules(policies.binding_causes),
    (_HOOKS, "ValidatingWebhookConfiguration"): _Rules(webhooks.webhook_configuration_causes),
    (_RBAC, "ClusterRole"): _Rules(cluster.cluster_role_causes),
    (_RBAC, "ClusterRoleBinding"): _Rules(cluster.binding_causes, cluster.binding_update_causes),
    (_RBAC, "Role"): _Rules(cluster.role_causes),
    (_RBAC, "RoleBinding"): _Rules(cluster.binding_causes, cluster.binding_update_causes),
}
