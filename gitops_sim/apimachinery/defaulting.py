"""Defaults of built-in kinds: what the server fills in where a client says nothing.

OpenAPI tells only few of them, so this is a table of functions, one a kind that has any. Defaults
of custom resources come from their schema (`crd_schemas`).

Source: k8s.io/kubernetes, pkg/apis/*/*/defaults.go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gitops_sim.apimachinery import defaulting_workloads as workloads
from gitops_sim.apimachinery.defaulting_pods import fill, fill_claim, fill_pod
from gitops_sim.types import Manifest

__all__ = ["apply_defaults"]

_NAME_LABEL = "kubernetes.io/metadata.name"
_RBAC = "rbac.authorization.k8s.io"


def apply_defaults(manifest: Manifest) -> None:
    """Fill the defaults of a built-in kind, in place; other kinds stay as they are."""
    group = str(manifest.get("apiVersion", "")).rpartition("/")[0]
    function = _TABLE.get((group, str(manifest.get("kind", ""))))
    if function is not None:
        function(manifest)


def _namespace(manifest: Manifest) -> None:
    name = manifest["metadata"].get("name")
    labels = manifest["metadata"].get("labels") or {}
    if name and labels.get(_NAME_LABEL) != name:
        manifest["metadata"]["labels"] = labels | {_NAME_LABEL: name}


def _secret(manifest: Manifest) -> None:
    fill(manifest, {"type": "Opaque"})


def _service(manifest: Manifest) -> None:
    spec = manifest.setdefault("spec", {})
    fill(spec, {"sessionAffinity": "None", "type": "ClusterIP"})
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        config = spec.setdefault("sessionAffinityConfig", {})
        fill(config.setdefault("clientIP", {}), {"timeoutSeconds": 10800})
    for port in spec.get("ports") or ():
        fill(port, {"protocol": "TCP"})
        if port.get("targetPort") in (None, "", 0) and "port" in port:
            port["targetPort"] = port["port"]
    is_reached = spec["type"] == "ClusterIP" and spec.get("externalIPs")
    if is_reached or spec["type"] in ("NodePort", "LoadBalancer"):
        fill(spec, {"externalTrafficPolicy": "Cluster"})
    if spec["type"] in ("ClusterIP", "NodePort", "LoadBalancer"):
        fill(spec, {"internalTrafficPolicy": "Cluster"})
    if spec["type"] == "LoadBalancer":
        fill(spec, {"allocateLoadBalancerNodePorts": True})
        balancer = (manifest.get("status") or {}).get("loadBalancer") or {}
        for point in balancer.get("ingress") or ():
            if point.get("ip"):
                fill(point, {"ipMode": "VIP"})


def _endpoints(manifest: Manifest) -> None:
    for subset in manifest.get("subsets") or ():
        for port in subset.get("ports") or ():
            fill(port, {"protocol": "TCP"})


def _endpoint_slice(manifest: Manifest) -> None:
    for port in manifest.get("ports") or ():
        if port.get("name") is None:
            port["name"] = ""
        fill(port, {"protocol": "TCP"})


def _persistent_volume(manifest: Manifest) -> None:
    spec = manifest.setdefault("spec", {})
    fill(spec, {"persistentVolumeReclaimPolicy": "Retain", "volumeMode": "Filesystem"})
    if spec.get("hostPath") is not None:
        fill(spec["hostPath"], {"type": ""})
    if spec.get("iscsi") is not None:
        fill(spec["iscsi"], {"iscsiInterface": "default"})
    if spec.get("rbd") is not None:
        fill(spec["rbd"], {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"})


def _limit_range(manifest: Manifest) -> None:
    for item in (manifest.get("spec") or {}).get("limits") or ():
        if item.get("type") != "Container":
            continue
        for target, source in (
            ("default", "max"),
            ("defaultRequest", "default"),
            ("defaultRequest", "min"),
        ):
            if item.get(source):
                fill(item.setdefault(target, {}), item[source])


def _node(manifest: Manifest) -> None:
    spec = manifest.get("spec") or {}
    if spec.get("podCIDR") and not spec.get("podCIDRs"):
        spec["podCIDRs"] = [spec["podCIDR"]]
    status = manifest.get("status") or {}
    if status.get("capacity") and not status.get("allocatable"):
        status["allocatable"] = dict(status["capacity"])


def _binding(manifest: Manifest) -> None:
    role = manifest.setdefault("roleRef", {})
    fill(role, {"apiGroup": _RBAC})
    for subject in manifest.get("subjects") or ():
        if subject.get("kind") in ("User", "Group"):
            fill(subject, {"apiGroup": _RBAC})


def _ingress_class(manifest: Manifest) -> None:
    parameters = (manifest.get("spec") or {}).get("parameters")
    if parameters is not None:
        fill(parameters, {"scope": "Cluster"})


def _network_policy(manifest: Manifest) -> None:
    spec = manifest.setdefault("spec", {})
    for rules in (spec.get("ingress"), spec.get("egress")):
        for rule in rules or ():
            for port in rule.get("ports") or ():
                fill(port, {"protocol": "TCP"})
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


def _priority_class(manifest: Manifest) -> None:
    fill(manifest, {"preemptionPolicy": "PreemptLowerPriority"})


def _storage_class(manifest: Manifest) -> None:
    fill(manifest, {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"})


def _csi_driver(manifest: Manifest) -> None:
    spec = manifest.setdefault("spec", {})
    fill(
        spec,
        {
            "attachRequired": True,
            "podInfoOnMount": False,
            "storageCapacity": False,
            "fsGroupPolicy": "ReadWriteOnceWithFSType",
            "preventPodSchedulingIfMissing": False,
            "requiresRepublish": False,
            "seLinuxMount": False,
        },
    )
    if not spec.get("volumeLifecycleModes"):
        spec["volumeLifecycleModes"] = ["Persistent"]


def _webhooks(manifest: Manifest) -> None:
    for webhook in manifest.get("webhooks") or ():
        fill(webhook, {"failurePolicy": "Fail", "matchPolicy": "Equivalent", "timeoutSeconds": 10})
        if manifest["kind"] == "MutatingWebhookConfiguration":
            fill(webhook, {"reinvocationPolicy": "Never"})
        _match_all(webhook)
        _scopes(webhook.get("rules"))
        _service_port((webhook.get("clientConfig") or {}).get("service"))


def _admission_policy(manifest: Manifest) -> None:
    spec = manifest.setdefault("spec", {})
    fill(spec, {"failurePolicy": "Fail"})
    _match_resources(spec.get("matchConstraints"))


def _admission_policy_binding(manifest: Manifest) -> None:
    _match_resources((manifest.get("spec") or {}).get("matchResources"))


def _match_resources(match: dict[str, Any] | None) -> None:
    if match is None:
        return
    fill(match, {"matchPolicy": "Equivalent"})
    _match_all(match)
    _scopes(match.get("resourceRules"))
    _scopes(match.get("excludeResourceRules"))


def _match_all(target: dict[str, Any]) -> None:
    for name in ("namespaceSelector", "objectSelector"):
        if target.get(name) is None:
            target[name] = {}


def _scopes(rules: list[dict[str, Any]] | None) -> None:
    for rule in rules or ():
        fill(rule, {"scope": "*"})


def _service_port(service: dict[str, Any] | None) -> None:
    if service is not None:
        fill(service, {"port": 443})


def _definition(manifest: Manifest) -> None:
    spec = manifest.setdefault("spec", {})
    names = spec.get("names") or {}
    if names.get("kind"):
        kind = names["kind"]
        fill(names, {"singular": kind.lower(), "listKind": f"{kind}List"})
    conversion = spec.get("conversion")
    if conversion is None:
        conversion = spec["conversion"] = {}
    fill(conversion, {"strategy": "None"})
    webhook = conversion.get("webhook") or {}
    _service_port((webhook.get("clientConfig") or {}).get("service"))


def _api_service(manifest: Manifest) -> None:
    _service_port((manifest.get("spec") or {}).get("service"))


def _flow_schema(manifest: Manifest) -> None:
    spec = manifest.setdefault("spec", {})
    spec["matchingPrecedence"] = spec.get("matchingPrecedence") or 1000


def _resource_claim(manifest: Manifest) -> None:
    spec = manifest.get("spec") or {}
    spec = (spec.get("spec") or {}) if manifest["kind"] == "ResourceClaimTemplate" else spec
    for request in (spec.get("devices") or {}).get("requests") or ():
        exactly = request.get("exactly")
        for wanted in [*([] if exactly is None else [exactly]), *request.get("firstAvailable", ())]:
            fill(wanted, {"allocationMode": "ExactCount"})
            if wanted["allocationMode"] == "ExactCount":
                wanted["count"] = wanted.get("count") or 1


def _priority_level(manifest: Manifest) -> None:
    spec = manifest.get("spec") or {}
    limited, exempt = spec.get("limited"), spec.get("exempt")
    if exempt is not None:
        fill(exempt, {"nominalConcurrencyShares": 0, "lendablePercent": 0})
    if limited is None:
        return
    fill(limited, {"nominalConcurrencyShares": 30, "lendablePercent": 0})
    queuing = (limited.get("limitResponse") or {}).get("queuing")
    if queuing is not None:
        for name, value in (("queues", 64), ("handSize", 8), ("queueLengthLimit", 50)):
            queuing[name] = queuing.get(name) or value


_ADMISSION = "admissionregistration.k8s.io"
_TABLE: dict[tuple[str, str], Callable[[Manifest], None]] = {
    ("", "Endpoints"): _endpoints,
    ("", "LimitRange"): _limit_range,
    ("", "Namespace"): _namespace,
    ("", "Node"): _node,
    ("", "PersistentVolume"): _persistent_volume,
    ("", "PersistentVolumeClaim"): fill_claim,
    ("", "Pod"): fill_pod,
    ("", "PodTemplate"): workloads.pod_template,
    ("", "ReplicationController"): workloads.replication_controller,
    ("", "Secret"): _secret,
    ("", "Service"): _service,
    ("apps", "DaemonSet"): workloads.daemon_set,
    ("apps", "Deployment"): workloads.deployment,
    ("apps", "ReplicaSet"): workloads.replica_set,
    ("apps", "StatefulSet"): workloads.stateful_set,
    ("autoscaling", "HorizontalPodAutoscaler"): workloads.horizontal_pod_autoscaler,
    ("batch", "CronJob"): workloads.cron_job,
    ("batch", "Job"): workloads.job,
    ("discovery.k8s.io", "EndpointSlice"): _endpoint_slice,
    ("networking.k8s.io", "IngressClass"): _ingress_class,
    ("networking.k8s.io", "NetworkPolicy"): _network_policy,
    ("scheduling.k8s.io", "PriorityClass"): _priority_class,
    ("storage.k8s.io", "CSIDriver"): _csi_driver,
    ("storage.k8s.io", "StorageClass"): _storage_class,
    (_ADMISSION, "MutatingAdmissionPolicy"): _admission_policy,
    (_ADMISSION, "MutatingAdmissionPolicyBinding"): _admission_policy_binding,
    (_ADMISSION, "MutatingWebhookConfiguration"): _webhooks,
    (_ADMISSION, "ValidatingAdmissionPolicy"): _admission_policy,
    (_ADMISSION, "ValidatingAdmissionPolicyBinding"): _admission_policy_binding,
    (_ADMISSION, "ValidatingWebhookConfiguration"): _webhooks,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
    ("apiregistration.k8s.io", "APIService"): _api_service,
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"): _flow_schema,
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"): _priority_level,
    ("resource.k8s.io", "ResourceClaim"): _resource_claim,
    ("resource.k8s.io", "ResourceClaimTemplate"): _resource_claim,
    (_RBAC, "ClusterRoleBinding"): _binding,
    (_RBAC, "RoleBinding"): _binding,
}
