"""What the server warns of in pods and pod templates that it accepts all the same.

Source: k8s.io/kubernetes, pkg/api/pod/warnings.go and pkg/api/node/util.go.
Differs: overlapping paths of volumes and old annotations of security profiles are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery import quantities
from gitops_sim.apimachinery.causes import go_json

__all__ = ["fraction_warnings", "label_warning", "pod_warnings", "term_warnings"]

_OLD_LABELS = {
    "app.kubernetes.io/created-by": "deprecated since v1.9",
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/instance-type": (
        'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'
    ),
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": (
        'deprecated since v1.17; use "topology.kubernetes.io/region" instead'
    ),
    "failure-domain.beta.kubernetes.io/zone": (
        'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'
    ),
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
    "scheduler.alpha.kubernetes.io/preferAvoidPods": (
        "deprecated since v1.22; use Taints and Tolerations instead"
    ),
}
_OLD_VOLUMES = {
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "gitRepo": "deprecated in v1.11, and disabled by default in v1.33+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
}
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_NO_POD = "a null labelSelector results in matching no pod"
_BYTES = ("memory", "ephemeral-storage")


def pod_warnings(spec: dict[str, Any], path: str) -> Iterator[str]:
    """Yield what to warn of in a pod spec; `path` is where it is, such as `spec.template.spec`."""
    for key in sorted(spec.get("nodeSelector") or ()):
        if key in _OLD_LABELS:
            yield f"{path}.nodeSelector[{key}]: {_OLD_LABELS[key]}"
    affinity = spec.get("affinity") or {}
    yield from _node_warnings(affinity.get("nodeAffinity") or {}, f"{path}.affinity.nodeAffinity")
    for index, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        place, key = f"{path}.topologySpreadConstraints[{index}]", constraint.get("topologyKey", "")
        if key in _OLD_LABELS:
            yield f"{place}.topologyKey: {key} is {_OLD_LABELS[key]}"
        if constraint.get("labelSelector") is None:
            yield f"{place}.labelSelector: {_NO_POD}"
    for index, volume in enumerate(spec.get("volumes") or ()):
        for kind, text in _OLD_VOLUMES.items():
            if volume.get(kind) is not None:
                yield f"{path}.volumes[{index}].{kind}: {text}"
    yield from _repeated(spec, path)
    containers = list(_containers(spec, path))
    for container, place in containers:
        yield from _resource_warnings(container.get("resources") or {}, f"{place}.resources")
        yield from _environment_warnings(container.get("env") or [], f"{place}.env")
    yield from _port_warnings(containers)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        text = "must be >= 0; negative values are invalid and will be treated as 1"
        yield f"{path}.terminationGracePeriodSeconds: {text}"
    for kind in ("podAffinity", "podAntiAffinity"):
        yield from _pod_term_warnings(affinity.get(kind) or {}, f"{path}.affinity.{kind}")


def label_warning(key: str) -> str:
    """Return why a label of nodes is out of date; empty: it is not."""
    return _OLD_LABELS.get(key, "")


def term_warnings(term: dict[str, Any], path: str) -> Iterator[str]:
    """Yield where a term of a node selector asks for labels that are out of date."""
    for index, wanted in enumerate(term.get("matchExpressions") or ()):
        key = wanted.get("key", "")
        if key in _OLD_LABELS:
            yield f"{path}.matchExpressions[{index}].key: {key} is {_OLD_LABELS[key]}"


def fraction_warnings(amounts: dict[str, str], path: str, *names: str) -> Iterator[str]:
    """Yield which of some amounts are parts of a byte."""
    for name in names:
        amount = amounts.get(name)
        if amount is not None and quantities.parse(amount).denominator != 1:
            text = f"fractional byte value {go_json(amount)} is invalid, must be an integer"
            yield f"{path}[{name}]: {text}"


def _node_warnings(affinity: dict[str, Any], path: str) -> Iterator[str]:
    terms = (affinity.get(_REQUIRED) or {}).get("nodeSelectorTerms") or ()
    for index, term in enumerate(terms):
        yield from term_warnings(term, f"{path}.{_REQUIRED}.nodeSelectorTerms[{index}]")
    for index, weighted in enumerate(affinity.get(_PREFERRED) or ()):
        place = f"{path}.{_PREFERRED}[{index}].preference"
        yield from term_warnings(weighted.get("preference") or {}, place)


def _pod_term_warnings(affinity: dict[str, Any], path: str) -> Iterator[str]:
    for index, term in enumerate(affinity.get(_REQUIRED) or ()):
        if term.get("labelSelector") is None:
            yield f"{path}.{_REQUIRED}[{index}].labelSelector: {_NO_POD}"
    for index, weighted in enumerate(affinity.get(_PREFERRED) or ()):
        if (weighted.get("podAffinityTerm") or {}).get("labelSelector") is None:
            yield f"{path}.{_PREFERRED}[{index}].podAffinityTerm.labelSelector: {_NO_POD}"


def _repeated(spec: dict[str, Any], path: str) -> Iterator[str]:
    seen: set[str] = set()
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        address = alias.get("ip", "")
        if address in seen:
            yield f"{path}.hostAliases[{index}].ip: duplicate ip {go_json(address)}"
        seen.add(address)
    names: set[str] = set()
    for index, secret in enumerate(spec.get("imagePullSecrets") or ()):
        name, place = secret.get("name", ""), f"{path}.imagePullSecrets[{index}].name"
        if name in names:
            yield f"{place}: duplicate name {go_json(name)}"
        if not name:
            yield f'{place}: invalid empty name ""'
        names.add(name)


def _containers(spec: dict[str, Any], path: str) -> Iterator[tuple[dict[str, Any], str]]:
    for group in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(group) or ()):
            yield container, f"{path}.{group}[{index}]"


def _resource_warnings(resources: dict[str, Any], path: str) -> Iterator[str]:
    for name in _BYTES:
        for kind in ("limits", "requests"):
            yield from fraction_warnings(resources.get(kind) or {}, f"{path}.{kind}", name)


def _environment_warnings(variables: list[dict[str, Any]], path: str) -> Iterator[str]:
    seen: set[str] = set()
    for index, variable in enumerate(variables):
        name, value = variable.get("name", ""), variable.get("value") or ""
        itself = f"$({name})"
        builds_on = itself in value and value != itself and variable.get("valueFrom") is None
        if name in seen and not builds_on:
            text = "which may be dropped when using apply"
            yield f"{path}[{index}]: hides previous definition of {go_json(name)}, {text}"
        seen.add(name)


def _port_warnings(containers: list[tuple[dict[str, Any], str]]) -> Iterator[str]:
    taken: dict[tuple[Any, Any], list[tuple[str, dict[str, Any]]]] = {}
    for container, path in containers:
        for index, port in enumerate(container.get("ports") or ()):
            place = f"{path}.ports[{index}]"
            others = taken.setdefault((port.get("containerPort"), port.get("protocol")), [])
            for where, other in others:
                told = _overlap(port, other)
                if told:
                    yield f"{place}: {told} port definition with {where}"
            others.append((place, port))
    names: dict[str, str] = {}
    for container, path in containers:
        for index, port in enumerate(container.get("ports") or ()):
            name, place = port.get("name"), f"{path}.ports[{index}]"
            if name and name in names:
                first = names[name]
                text = f"services and probes that select ports by name will use {first}"
                yield f"{place}: duplicate port name {go_json(name)} with {first}, {text}"
            elif name:
                names[name] = place


def _overlap(port: dict[str, Any], other: dict[str, Any]) -> str:
    """Return how two ports of one number and protocol are in each other's way; empty: not."""
    hosts = [(one.get("hostIP") or "", one.get("hostPort") or 0) for one in (port, other)]
    if hosts[0] == hosts[1]:
        return "duplicate"
    if 0 in (hosts[0][1], hosts[1][1]):
        return "overlapping"
    is_open = [not address for address, _ in hosts]
    same_port = hosts[0][1] == hosts[1][1]
    return "dangerously ambiguous" if same_port and is_open[0] is not is_open[1] else ""
