"""Defaults of pods: of their spec, containers, probes and volumes.

Everything is filled in place; what a client set stays. A null, and text that is empty where Go
cannot tell it from missing text, count as not set.

Source: k8s.io/kubernetes, pkg/apis/core/v1/defaults.go and zz_generated.defaults.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["fill", "fill_claim", "fill_pod", "fill_pod_spec", "pull_policy"]

_POD_SPEC = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
}
_CONTAINER = {
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_VOLUMES: dict[str, dict[str, Any]] = {
    "azureDisk": {
        "cachingMode": "ReadWrite",
        "fsType": "ext4",
        "readOnly": False,
        "kind": "Shared",
    },
    "configMap": {"defaultMode": 0o644},
    "downwardAPI": {"defaultMode": 0o644},
    "hostPath": {"type": ""},
    "iscsi": {"iscsiInterface": "default"},
    "projected": {"defaultMode": 0o644},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
    "secret": {"defaultMode": 0o644},
}
_TOKEN_SECONDS = 3600


def fill(target: dict[str, Any], defaults: dict[str, Any]) -> None:
    """Set what is missing, null, or empty text, to the given values; in place."""
    for name, value in defaults.items():
        if target.get(name) in (None, ""):
            target[name] = value


def fill_pod(pod: dict[str, Any]) -> None:
    """Fill the defaults of a Pod: of its spec, and those that pod templates do not get."""
    spec = pod.get("spec")
    if not isinstance(spec, dict):
        return
    fill_pod_spec(spec)
    fill(spec, {"enableServiceLinks": True})
    for container in _containers(spec):
        resources = container.get("resources") or {}
        limits = resources.get("limits")
        if limits:
            requests = resources.get("requests") or {}
            resources["requests"] = requests
            fill(requests, limits)
        for port in container.get("ports") or () if spec.get("hostNetwork") else ():
            if not port.get("hostPort"):
                port["hostPort"] = port["containerPort"]


def fill_pod_spec(spec: dict[str, Any]) -> None:
    """Fill the defaults of the spec of a pod or of a pod template."""
    fill(spec, _POD_SPEC)
    if spec.get("securityContext") is None:
        spec["securityContext"] = {}
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    for container in _containers(spec):
        _fill_container(container)
    for volume in spec.get("volumes") or ():
        _fill_volume(volume)


def fill_claim(claim: dict[str, Any]) -> None:
    """Fill the defaults of the spec of a PersistentVolumeClaim, or of a template of one."""
    spec = claim.get("spec")
    if not isinstance(spec, dict):
        return
    fill(spec, {"volumeMode": "Filesystem"})
    resources = spec.get("resources") or {}
    if resources.get("limits"):
        requests = resources.setdefault("requests", {})
        fill(requests, resources["limits"])


def pull_policy(image: str) -> str:
    """Return when the image is pulled: always for the tag `latest`, given or implied."""
    if "@" in image:
        return "IfNotPresent"
    tag = image.rpartition("/")[2].partition(":")[2]
    return "Always" if tag in ("", "latest") else "IfNotPresent"


def _containers(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for group in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(group) or ()


def _fill_container(container: dict[str, Any]) -> None:
    fill(container, _CONTAINER)
    if not container.get("imagePullPolicy"):
        container["imagePullPolicy"] = pull_policy(container.get("image") or "")
    if container.get("resources") is None:
        container["resources"] = {}
    for port in container.get("ports") or ():
        fill(port, {"protocol": "TCP"})
    for variable in container.get("env") or ():
        _fill_field_reference(variable.get("valueFrom") or {})
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(name)
        if probe is not None:
            _fill_probe(probe)
    lifecycle = container.get("lifecycle") or {}
    for name in ("postStart", "preStop"):
        _fill_http(lifecycle.get(name) or {})


def _fill_probe(probe: dict[str, Any]) -> None:
    for name, value in _PROBE.items():
        if not probe.get(name):
            probe[name] = value
    _fill_http(probe)
    if probe.get("grpc") and probe["grpc"].get("service") is None:
        probe["grpc"]["service"] = ""


def _fill_http(handler: dict[str, Any]) -> None:
    if handler.get("httpGet") is not None:
        fill(handler["httpGet"], {"path": "/", "scheme": "HTTP"})


def _fill_field_reference(source: dict[str, Any]) -> None:
    if source.get("fieldRef"):
        fill(source["fieldRef"], {"apiVersion": "v1"})


def _fill_volume(volume: dict[str, Any]) -> None:
    sources = [name for name in volume if name != "name" and volume[name] is not None]
    if not sources:
        volume["emptyDir"] = {}
        return
    for name in sources:
        source = volume[name]
        fill(source, _VOLUMES.get(name, {}))
        if name == "downwardAPI":
            _fill_items(source)
        elif name == "projected":
            _fill_projections(source)
        elif name == "ephemeral":
            fill_claim(source.get("volumeClaimTemplate") or {})
        elif name == "image":
            fill(source, {"pullPolicy": pull_policy(source.get("reference") or "")})


def _fill_projections(projected: dict[str, Any]) -> None:
    for source in projected.get("sources") or ():
        if source.get("serviceAccountToken") is not None:
            fill(source["serviceAccountToken"], {"expirationSeconds": _TOKEN_SECONDS})
        if source.get("downwardAPI") is not None:
            _fill_items(source["downwardAPI"])


def _fill_items(source: dict[str, Any]) -> None:
    for item in source.get("items") or ():
        _fill_field_reference(item)
