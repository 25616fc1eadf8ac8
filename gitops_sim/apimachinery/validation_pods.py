"""Rules of pods and pod templates.

Source: k8s.io/kubernetes, pkg/apis/core/validation/validation.go (ValidatePodSpec,
ValidatePodTemplateSpec, ValidatePodUpdate).
Differs: of volume sources only that there is exactly one is checked; security contexts,
topology spread constraints, devices and resource claims are taken as they are; of a resize not
that the quality of service stays, nor that nothing is taken away.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery import causes, names
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.internal_forms import go_difference
from gitops_sim.apimachinery.validation_containers import containers_causes
from gitops_sim.apimachinery.validation_parts import (
    between,
    label_causes,
    named,
    non_negative,
    supported,
)
from gitops_sim.types import Manifest

__all__ = [
    "ephemeral_update_causes",
    "pod_causes",
    "pod_spec_causes",
    "pod_template_causes",
    "pod_update_causes",
    "resize_causes",
]

_DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_UPDATABLE = (
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def pod_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with the spec of a Pod."""
    yield from pod_spec_causes(manifest.get("spec") or {}, "spec")


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
    yield from _volume_causes(spec.get("volumes") or (), f"{path}.volumes", volumes)
    yield from containers_causes(spec, path, volumes | claims)
    if spec.get("hostNetwork"):
        yield from _host_port_causes(spec, path)
    policies = ("Always", "OnFailure", "Never")
    yield from supported(spec.get("restartPolicy"), f"{path}.restartPolicy", policies)
    yield from supported(spec.get("dnsPolicy"), f"{path}.dnsPolicy", _DNS)
    if spec.get("dnsPolicy") == "None" and not (spec.get("dnsConfig") or {}).get("nameservers"):
        yield causes.required(
            f"{path}.dnsConfig",
            "must provide `dnsConfig` when `dnsPolicy` is None"
            if not spec.get("dnsConfig")
            else "must provide at least one DNS nameserver when `dnsPolicy` is None",
        )
    yield from label_causes(spec.get("nodeSelector"), f"{path}.nodeSelector")
    yield from _name_causes(spec, path)
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None:
        yield from between(deadline, 1, 2**31 - 1, f"{path}.activeDeadlineSeconds")
    yield from non_negative(spec, path, "terminationGracePeriodSeconds")
    for index, secret in enumerate(spec.get("imagePullSecrets") or ()):
        if not secret.get("name"):
            yield causes.required(f"{path}.imagePullSecrets[{index}].name")
    for index, toleration in enumerate(spec.get("tolerations") or ()):
        yield from _toleration_causes(toleration, f"{path}.tolerations[{index}]")


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


def _volume_causes(volumes: Any, path: str, known: set[str]) -> Iterator[Cause]:
    """Yield what is wrong with volumes; the good ones' names are added to `known`."""
    for index, volume in enumerate(volumes):
        place, name = f"{path}[{index}]", volume.get("name", "")
        found: list[Cause] = []
        sources = [source for source in volume if source != "name"]
        for extra in sources[1:]:
            text = "may not specify more than 1 volume type"
            found.append(causes.forbidden(f"{place}.{extra}", text))
        for source in sources[:1]:
            found += _source_causes(source, volume[source], f"{place}.{source}")
        if not name:
            found.append(causes.required(f"{place}.name"))
        else:
            found += named(name, f"{place}.name", names.validate_label)
        if name in known:
            found.append(causes.duplicate(f"{place}.name", name))
        yield from found
        if not found:
            known.add(name)


_NAMED_SOURCES = {
    "persistentVolumeClaim": "claimName",
    "secret": "secretName",
    "configMap": "name",
    "hostPath": "path",
    "csi": "driver",
}


def _source_causes(kind: str, source: dict[str, Any], path: str) -> list[Cause]:
    member = _NAMED_SOURCES.get(kind)
    found: list[Cause] = []
    if member is not None and not source.get(member):
        found.append(causes.required(f"{path}.{member}"))
    if kind == "nfs":
        found += [causes.required(f"{path}.{m}") for m in ("server", "path") if not source.get(m)]
    mode = source.get("defaultMode")
    if mode is not None and not 0 <= mode <= 0o777:
        text = "must be a number between 0 and 0777 (octal), both inclusive"
        found.append(causes.invalid(f"{path}.defaultMode", mode, text))
    for index, item in enumerate(source.get("items") or ()):
        for name in ("key", "path") if kind in ("secret", "configMap") else ("path",):
            if not item.get(name):
                found.append(causes.required(f"{path}.items[{index}].{name}"))
    return found


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


def _toleration_causes(toleration: dict[str, Any], path: str) -> Iterator[Cause]:
    operator = toleration.get("operator") or "Equal"
    if toleration.get("key"):
        yield from named(toleration["key"], f"{path}.key", names.validate_label_key)
    elif operator != "Exists":
        text = 'operator must be Exists when `key` is empty, which means "match all values and '
        yield causes.invalid(f"{path}.operator", toleration.get("operator", ""), f'{text}all keys"')
    if toleration.get("tolerationSeconds") is not None and toleration.get("effect") != "NoExecute":
        text = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        yield causes.invalid(f"{path}.effect", toleration.get("effect", ""), text)
    if operator == "Exists" and toleration.get("value"):
        text = "value must be empty when `operator` is 'Exists'"
        yield causes.invalid(f"{path}.operator", toleration["value"], text)
    elif operator not in ("Equal", "Exists", "Lt", "Gt"):
        yield causes.not_supported(f"{path}.operator", operator, ("Equal", "Exists"))
    if toleration.get("effect"):
        yield from supported(toleration["effect"], f"{path}.effect", _EFFECTS)
