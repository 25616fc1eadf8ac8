"""Rules of pods and pod templates.

Source: k8s.io/kubernetes, pkg/apis/core/validation/validation.go (ValidatePodSpec,
ValidatePodTemplateSpec, ValidatePodUpdate).
Differs: devices and resource claims are taken as they are; a resize may take requests and limits
away.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery import causes, names
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.internal_forms import go_difference
from gitops_sim.apimachinery.pod_qos import qos_class
from gitops_sim.apimachinery.validation_containers import containers_causes
from gitops_sim.apimachinery.validation_parts import (
    between,
    ip_causes,
    label_causes,
    named,
    requirements,
    supported,
)
from gitops_sim.apimachinery.validation_placement import placement_causes
from gitops_sim.apimachinery.validation_security import pod_security_causes
from gitops_sim.apimachinery.validation_sources import volume_list_causes
from gitops_sim.types import Manifest

__all__ = [
    "ephemeral_update_causes",
    "pod_causes",
    "pod_spec_causes",
    "pod_template_causes",
    "pod_update_causes",
    "resize_causes",
]

_MIRROR = "kubernetes.io/config.mirror"
_DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_MOST_NAMESERVERS = 3
_FEWEST = "must provide at least one DNS nameserver when `dnsPolicy` is None"
_FOR_WINDOWS = "cannot be set for a windows pod"
_UPDATABLE = (
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def pod_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with the spec of a Pod."""
    spec = manifest.get("spec") or {}
    yield from pod_spec_causes(spec, "spec")
    yield from _gate_causes(spec.get("schedulingGates") or ())
    mirrored = (manifest["metadata"].get("annotations") or {}).get(_MIRROR)
    if mirrored is not None and not spec.get("nodeName"):
        text = "must set spec.nodeName if mirror pod annotation is set"
        yield causes.invalid(f"metadata.annotations[{_MIRROR}]", mirrored, text)


def new_pod_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what a Pod may not have when it is created."""
    spec = manifest.get("spec") or {}
    if spec.get("ephemeralContainers"):
        yield causes.forbidden("spec.ephemeralContainers", "cannot be set on create")
    if spec.get("nodeName") and spec.get("schedulingGates"):
        text = "cannot be set until all schedulingGates have been cleared"
        yield causes.forbidden("spec.nodeName", text)


def _gate_causes(gates: Any) -> Iterator[Cause]:
    seen = set()
    for index, gate in enumerate(gates):
        name, path = gate.get("name", ""), f"spec.schedulingGates[{index}]"
        yield from named(name, path, names.validate_label_key)
        if name in seen:
            yield causes.duplicate(path, name)
        seen.add(name)


def pod_template_causes(
    template: dict[str, Any], path: str, *, claims: frozenset[str] = frozenset()
) -> Iterator[Cause]:
    """Yield what is wrong with a pod template; `claims` are volumes that its owner adds."""
    metadata = template.get("metadata") or {}
    yield from label_causes(metadata.get("labels"), f"{path}.metadata.labels")
    for key in metadata.get("annotations") or ():
        for problem in names.validate_label_key(key.lower()):
            yield causes.invalid(f"{path}.metadata.annotations", key, problem)
    spec = template.get("spec") or {}
    yield from pod_spec_causes(spec, f"{path}.spec", claims=claims)
    if spec.get("ephemeralContainers"):
        text = "ephemeral containers not allowed in pod template"
        yield causes.forbidden(f"{path}.spec.ephemeralContainers", text)


def pod_spec_causes(
    spec: dict[str, Any], path: str, *, claims: frozenset[str] = frozenset()
) -> Iterator[Cause]:
    """Yield what is wrong with a pod spec, its defaults filled in."""
    volumes: set[str] = set()
    yield from volume_list_causes(spec.get("volumes") or (), f"{path}.volumes", volumes)
    yield from containers_causes(spec, path, volumes | claims)
    if spec.get("hostNetwork"):
        yield from _host_port_causes(spec, path)
    policies = ("Always", "OnFailure", "Never")
    yield from supported(spec.get("restartPolicy"), f"{path}.restartPolicy", policies)
    yield from supported(spec.get("dnsPolicy"), f"{path}.dnsPolicy", _DNS)
    yield from _dns_causes(spec, f"{path}.dnsConfig")
    yield from label_causes(spec.get("nodeSelector"), f"{path}.nodeSelector")
    yield from _name_causes(spec, path)
    yield from _alias_causes(spec.get("hostAliases") or (), f"{path}.hostAliases")
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None:
        yield from between(deadline, 1, 2**31 - 1, f"{path}.activeDeadlineSeconds")
    yield from placement_causes(spec, path)
    yield from pod_security_causes(spec.get("securityContext") or {}, f"{path}.securityContext")
    for index, gate in enumerate(spec.get("readinessGates") or ()):
        place = f"{path}.readinessGates[{index}].conditionType"
        yield from named(gate.get("conditionType", ""), place, names.validate_label_key)
    yield from _other_causes(spec, path)


def _other_causes(spec: dict[str, Any], path: str) -> Iterator[Cause]:
    """Yield what is wrong with members that depend on each other, or on a short list of words."""
    if spec.get("preemptionPolicy") is not None:
        words = ("PreemptLowerPriority", "Never")
        yield from supported(spec["preemptionPolicy"], f"{path}.preemptionPolicy", words)
    if spec.get("resources"):
        yield from requirements(spec["resources"], f"{path}.resources", of_pod=True)
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        text = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield causes.invalid(f"{path}.shareProcessNamespace", spec["shareProcessNamespace"], text)
    if spec.get("hostUsers") is False:
        for member in ("hostNetwork", "hostPID", "hostIPC"):
            if spec.get(member):
                yield causes.forbidden(f"{path}.{member}", "when `hostUsers` is false")
    system = (spec.get("os") or {}).get("name")
    if system is not None:
        yield from supported(system, f"{path}.os", ("linux", "windows"))
    if system == "windows":
        yield from _windows_causes(spec, path)


def _windows_causes(spec: dict[str, Any], path: str) -> Iterator[Cause]:
    """Refuse what only Linux has."""
    for member in ("hostPID", "hostIPC", "hostUsers", "shareProcessNamespace"):
        if spec.get(member):
            yield causes.forbidden(f"{path}.{member}", _FOR_WINDOWS)
    context = spec.get("securityContext") or {}
    for member in (
        "appArmorProfile",
        "seLinuxOptions",
        "seccompProfile",
        "fsGroup",
        "fsGroupChangePolicy",
        "sysctls",
        "runAsUser",
        "runAsGroup",
        "supplementalGroups",
    ):
        if context.get(member) is not None:
            yield causes.forbidden(f"{path}.securityContext.{member}", _FOR_WINDOWS)


def _dns_causes(spec: dict[str, Any], path: str) -> Iterator[Cause]:
    config = spec.get("dnsConfig")
    servers = (config or {}).get("nameservers") or []
    if spec.get("dnsPolicy") == "None" and not servers:
        if config is None:
            yield causes.required(path, "must provide `dnsConfig` when `dnsPolicy` is None")
        else:
            yield causes.required(f"{path}.nameservers", _FEWEST)
        return
    if len(servers) > _MOST_NAMESERVERS:
        text = f"must not have more than {_MOST_NAMESERVERS} nameservers"
        yield causes.invalid(f"{path}.nameservers", servers, text)
    for index, server in enumerate(servers):
        yield from ip_causes(server, f"{path}.nameservers[{index}]")
    for index, search in enumerate((config or {}).get("searches") or ()):
        if search != ".":
            bare = search.removesuffix(".")
            yield from named(bare, f"{path}.searches[{index}]", names.validate_search)
    for index, option in enumerate((config or {}).get("options") or ()):
        if not option.get("name"):
            yield causes.required(f"{path}.options[{index}]", "must not be empty")


def _alias_causes(aliases: Any, path: str) -> Iterator[Cause]:
    for index, alias in enumerate(aliases):
        place = f"{path}[{index}]"
        yield from ip_causes(alias.get("ip", ""), f"{place}.ip")
        for number, name in enumerate(alias.get("hostnames") or ()):
            yield from named(name, f"{place}.hostnames[{number}]", names.validate_subdomain)


def pod_update_causes(manifest: Manifest, before: Manifest) -> Iterator[Cause]:
    """Yield what an update of a Pod may not change: all but images and a few more."""
    new, old = manifest.get("spec") or {}, before.get("spec") or {}
    if new is old:
        return
    for group in ("containers", "initContainers"):
        if len(new.get(group) or ()) != len(old.get(group) or ()):
            text = "pod updates may not add or remove containers"
            yield causes.forbidden(f"spec.{group}", text)
            return
    tolerations = new.get("tolerations") or []
    if any(entry not in tolerations for entry in old.get("tolerations") or ()):
        text = "existing toleration can not be modified except its tolerationSeconds"
        yield causes.forbidden("spec.tolerations", text)
    deadline, was = new.get("activeDeadlineSeconds"), old.get("activeDeadlineSeconds")
    if was is not None and deadline is None:
        text = "must not update from a positive integer to nil value"
        yield causes.invalid("spec.activeDeadlineSeconds", None, text)
    elif was is not None and deadline is not None and deadline > was:
        text = "must be less than or equal to previous value"
        yield causes.invalid("spec.activeDeadlineSeconds", deadline, text)
    munged = _with_updatable_of(new, old)
    if munged != old:
        text = f"pod updates may not change fields other than {_UPDATABLE}"
        yield causes.forbidden("spec", f"{text}\n{go_difference(old, munged, 'PodSpec')}")


def ephemeral_update_causes(manifest: Manifest, before: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with the new list of a pod's ephemeral containers: it only grows."""
    found = {entry["name"]: entry for entry in manifest["spec"].get("ephemeralContainers") or ()}
    for old in before["spec"].get("ephemeralContainers") or ():
        new, text = found.get(old["name"]), f'existing ephemeral containers "{old["name"]}" may'
        if new is None:
            yield causes.forbidden("spec.ephemeralContainers", f"{text} not be removed\n")
        elif new != old:
            shown = go_difference(old, new, "EphemeralContainer")
            yield causes.forbidden("spec.ephemeralContainers", f"{text} not be changed\n{shown}")


def resize_causes(manifest: Manifest, before: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with new resources of a pod's containers: only cpu and memory change."""
    told = (manifest.get("status") or {}).get("qosClass", "")
    if (told or qos_class(before)) != qos_class(manifest):
        text = "Pod QOS Class may not change as a result of resizing"
        yield causes.invalid("spec", told, text)
    for group in ("containers", "initContainers"):
        pairs = zip(manifest["spec"].get(group) or (), before["spec"].get(group) or (), strict=True)
        for new, old in pairs:
            if _without_cpu_and_memory(new) != _without_cpu_and_memory(old):
                yield causes.forbidden("spec", "only cpu and memory resources are mutable")


def _without_cpu_and_memory(container: dict[str, Any]) -> dict[str, Any]:
    others = {
        part: {k: v for k, v in (amounts or {}).items() if k not in ("cpu", "memory")}
        for part, amounts in (container.get("resources") or {}).items()
        if part in ("requests", "limits")
    }
    return {part: amounts for part, amounts in others.items() if amounts}


def _with_updatable_of(new: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    """Return a changed spec with what an update may change as it was."""
    munged = dict(new)
    for name in ("activeDeadlineSeconds", "tolerations", "schedulingGates"):
        munged.pop(name, None)
        if name in old:
            munged[name] = old[name]
    for group in ("containers", "initContainers"):
        if group in munged:
            pairs = zip(munged[group], old[group], strict=True)
            munged[group] = [one | {"image": other["image"]} for one, other in pairs]
    return munged


def _host_port_causes(spec: dict[str, Any], path: str) -> Iterator[Cause]:
    for number, container in enumerate(spec.get("containers") or ()):
        for index, port in enumerate(container.get("ports") or ()):
            host, inside = port.get("hostPort"), port.get("containerPort")
            if host and host != inside:
                place = f"{path}.containers[{number}].ports[{index}].hostPort"
                yield causes.invalid(
                    place, host, "must match `containerPort` when `hostNetwork` is true"
                )


def _name_causes(spec: dict[str, Any], path: str) -> Iterator[Cause]:
    for member, rule in (
        ("serviceAccountName", names.validate_subdomain),
        ("nodeName", names.validate_subdomain),
        ("hostname", names.validate_label),
        ("subdomain", names.validate_label),
        ("priorityClassName", names.validate_subdomain),
        ("runtimeClassName", names.validate_subdomain),
    ):
        if spec.get(member):
            yield from named(spec[member], f"{path}.{member}", rule)
