"""Admission of pods: service account and its token, priority, tolerations of failing nodes.

Source: k8s.io/kubernetes, plugin/pkg/admission (serviceaccount, priority,
defaulttolerationseconds).
Differs: the server does not wait up to a second for the account `default` to come. Controllers and
clients over HTTPS are refused at once and try again; what a person writes inside the lab is taken
as after the wait, without a token.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_sim.apimachinery import names
from gitops_sim.apimachinery.status_errors import forbidden
from gitops_sim.apiserver.server import ApiServer, Write
from gitops_sim.apiserver.store import Kind
from gitops_sim.apiserver.users import INSIDE
from gitops_sim.types import Manifest

__all__ = ["admit_pod"]

_PODS, _ACCOUNTS = Kind("", "Pod"), Kind("", "ServiceAccount")
_CLASSES = Kind("scheduling.k8s.io", "PriorityClass")
_MIRROR = "kubernetes.io/config.mirror"
_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_PREFIX = "kube-api-access-"
_CONTROLLERS = "kube-controller-manager"
_FAILING: Mapping[str, dict[str, Any]] = {
    key: {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
}
"""What pods tolerate of failing nodes, by the taint; never changed, as all pods share it."""
_TOKEN_SOURCES: dict[str, Any] = {
    "sources": [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {
            "configMap": {
                "name": "kube-root-ca.crt",
                "items": [{"key": "ca.crt", "path": "ca.crt"}],
            }
        },
        {
            "downwardAPI": {
                "items": [
                    {
                        "path": "namespace",
                        "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"},
                    }
                ]
            }
        },
    ],
    "defaultMode": 420,
}
"""What is in the volume by which pods reach the API; never changed, as all pods share it."""


def admit_pod(server: ApiServer, write: Write, manifest: Manifest) -> None:
    """Admission: complete a new pod in place, or refuse it.

    Raises:
        ForbiddenError: Its service account or priority class is not there.
    """
    kind = write.resource_type.group_kind
    if kind != _PODS or write.subresource:
        return
    if write.before is not None:
        _give_tolerations(manifest["spec"])
        return
    if _MIRROR not in (manifest["metadata"].get("annotations") or {}):
        _give_account(server, write, manifest)
    _give_tolerations(manifest["spec"])
    _give_priority(server, write, manifest)


def _give_account(server: ApiServer, write: Write, pod: Manifest) -> None:
    spec, namespace = pod["spec"], pod["metadata"]["namespace"]
    name = spec.get("serviceAccountName") or "default"
    spec["serviceAccountName"] = spec["serviceAccount"] = name
    account = server.store.get(_ACCOUNTS, namespace, name)
    if account is None:
        caller = server.caller.user
        if name == "default" and caller is INSIDE and write.manager != _CONTROLLERS:
            return
        raise forbidden(
            write.resource_type,
            pod["metadata"].get("name", ""),
            f"error looking up service account {namespace}/{name}: serviceaccount "
            f'"{name}" not found',
        )
    mounts = spec.get("automountServiceAccountToken")
    if mounts is None:
        mounts = account.get("automountServiceAccountToken", True)
    if mounts:
        _mount_token(server, spec)
    if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
        spec["imagePullSecrets"] = [{"name": s["name"]} for s in account["imagePullSecrets"]]


def _mount_token(server: ApiServer, spec: dict[str, Any]) -> None:
    volumes = spec.get("volumes") or []
    known = next((v["name"] for v in volumes if v["name"].startswith(_PREFIX)), None)
    stream = server.clock.random(f"names/{server.name}")
    name = known or names.generate(_PREFIX, stream)
    mount = {"name": name, "readOnly": True, "mountPath": _MOUNT}
    needs_volume = False
    for container in [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]:
        present = container.get("volumeMounts") or []
        if any(m.get("mountPath") == _MOUNT for m in present):
            continue
        container["volumeMounts"] = [*present, mount]
        needs_volume = True
    if needs_volume and known is None:
        spec["volumes"] = [*volumes, {"name": name, "projected": _TOKEN_SOURCES}]


def _give_tolerations(spec: dict[str, Any]) -> None:
    present = spec.get("tolerations") or []
    missing = [key for key in _FAILING if not any(_tolerates(t, key) for t in present)]
    if missing:
        spec["tolerations"] = [*present, *(_FAILING[key] for key in missing)]


def _tolerates(toleration: dict[str, Any], key: str) -> bool:
    return toleration.get("key", "") in ("", key) and toleration.get("effect", "") in (
        "",
        "NoExecute",
    )


def _give_priority(server: ApiServer, write: Write, pod: Manifest) -> None:
    spec = pod["spec"]
    chosen = _priority_class(server, spec.get("priorityClassName", ""))
    if chosen is None and spec.get("priorityClassName"):
        raise _refused(
            write, pod, f"no PriorityClass with name {spec['priorityClassName']} was found"
        )
    value, policy = 0, "PreemptLowerPriority"
    if chosen is not None:
        spec["priorityClassName"] = chosen["metadata"]["name"]
        value = chosen.get("value", 0)
        policy = chosen.get("preemptionPolicy", policy)
    if spec.get("priority") not in (None, value):
        raise _refused(
            write,
            pod,
            f"the integer value of priority ({spec['priority']}) must not be provided in pod spec; "
            f"priority admission controller computed {value} from the given PriorityClass name",
        )
    if spec.get("preemptionPolicy") not in (None, policy):
        raise _refused(
            write,
            pod,
            f"the string value of PreemptionPolicy ({spec['preemptionPolicy']}) must not be "
            f"provided in pod spec; priority admission controller computed {policy} from the "
            "given PriorityClass name",
        )
    spec["priority"], spec["preemptionPolicy"] = value, policy


def _priority_class(server: ApiServer, name: str) -> Manifest | None:
    if name:
        return server.store.get(_CLASSES, "", name)
    defaults = [c for c in server.store.objects(_CLASSES) if c.get("globalDefault")]
    return min(defaults, key=lambda c: int(c.get("value", 0)), default=None)


def _refused(write: Write, pod: Manifest, detail: str) -> Exception:
    return forbidden(write.resource_type, pod["metadata"].get("name", ""), detail)
