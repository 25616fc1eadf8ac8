"""PodSecurity: namespaces say by labels which pods they enforce, warn of, or note in the audit log.

Source: k8s.io/pod-security-admission, admission/admission.go and api/helpers.go.
Differs: nobody is exempt, and without labels everything is allowed, as with the default
configuration.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from gitops_sim.apimachinery import causes
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.pod_security import LEVELS, violations
from gitops_sim.apimachinery.status_errors import forbidden, invalid
from gitops_sim.apiserver.server import ApiServer, Write
from gitops_sim.apiserver.store import Kind
from gitops_sim.types import Manifest

__all__ = ["secure_pods"]

_PREFIX = "pod-security.kubernetes.io/"
_VERSION = re.compile(r"^(latest|v1\.(0|[1-9][0-9]*))$")
_NAMESPACES, _PODS = Kind("", "Namespace"), Kind("", "Pod")
_TEMPLATES: dict[Kind, tuple[str, ...]] = {
    Kind("", "PodTemplate"): ("template",),
    Kind("", "ReplicationController"): ("spec", "template"),
    Kind("apps", "ReplicaSet"): ("spec", "template"),
    Kind("apps", "Deployment"): ("spec", "template"),
    Kind("apps", "StatefulSet"): ("spec", "template"),
    Kind("apps", "DaemonSet"): ("spec", "template"),
    Kind("batch", "Job"): ("spec", "template"),
    Kind("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
}


class _Policy(NamedTuple):
    """One of the three that a namespace has; printed as `restricted:latest`."""

    level: str
    version: str

    def __str__(self) -> str:
        return f"{self.level}:{self.version}"


def secure_pods(server: ApiServer, write: Write, manifest: Manifest) -> None:
    """Admission: refuse pods that their namespace does not allow; warn of them, and of templates.

    Raises:
        ForbiddenError: The pod violates the level that is enforced.
        InvalidError: A label of a namespace is no level or version.
    """
    if write.verb == "delete" or write.subresource:
        return
    kind = write.resource_type.group_kind
    if kind == _NAMESPACES:
        _check_namespace(server, write, manifest)
    elif kind == _PODS:
        if write.before is None:
            _judge(server, write, manifest, manifest)
    elif kind in _TEMPLATES:
        template: Any = manifest
        for step in _TEMPLATES[kind]:
            template = template.get(step) or {}
        _judge(server, write, manifest, template)


def _judge(server: ApiServer, write: Write, manifest: Manifest, pod: Manifest) -> None:
    namespace = server.store.get(_NAMESPACES, "", manifest["metadata"]["namespace"])
    labels = {} if namespace is None else namespace["metadata"].get("labels") or {}
    if not any(label.startswith(_PREFIX) for label in labels):
        return
    annotations, enforce = server.caller.annotations, _policy(labels, "enforce")
    if pod is manifest:
        annotations[f"{_PREFIX}enforce-policy"] = str(enforce)
        told = _told(enforce, pod)
        if told:
            name = manifest["metadata"].get("name", "")
            raise forbidden(write.resource_type, name, f'violates PodSecurity "{enforce}": {told}')
    audit, warn = _policy(labels, "audit"), _policy(_with_warning(labels), "warn")
    told = _told(audit, pod)
    if told:
        text = f'would violate PodSecurity "{audit}": {told}'
        annotations[f"{_PREFIX}audit-violations"] = text
    told = _told(warn, pod)
    if told:
        server.caller.warn(f'would violate PodSecurity "{warn}": {told}')


def _with_warning(labels: dict[str, str]) -> dict[str, str]:
    """Return labels that warn of what is refused, where they do not say what to warn of."""
    enforced, warn = labels.get(f"{_PREFIX}enforce", ""), f"{_PREFIX}warn"
    if warn in labels or enforced not in LEVELS:
        return labels
    version = labels.get(f"{_PREFIX}enforce-version", "latest")
    return {f"{warn}-version": version, **labels, warn: enforced}


def _told(policy: _Policy, pod: Manifest) -> str:
    notes = (pod.get("metadata") or {}).get("annotations")
    return ", ".join(map(str, violations(policy.level, pod.get("spec") or {}, notes)))


def _policy(labels: dict[str, str], mode: str) -> _Policy:
    """Return a policy; a label that is none counts as the strictest level, as the server does."""
    level = labels.get(f"{_PREFIX}{mode}", "privileged")
    version = labels.get(f"{_PREFIX}{mode}-version", "latest")
    return _Policy(
        level if level in LEVELS else "restricted",
        version if _VERSION.match(version) else "latest",
    )


def _check_namespace(server: ApiServer, write: Write, namespace: Manifest) -> None:
    labels = namespace["metadata"].get("labels") or {}
    old = {} if write.before is None else write.before["metadata"].get("labels") or {}
    name = namespace["metadata"].get("name", "")
    problems = list(_label_causes(labels))
    if problems and problems != list(_label_causes(old)):
        raise invalid(write.resource_type, name, problems)
    if write.before is None:
        return
    new, was = _policy(labels, "enforce"), _policy(old, "enforce")
    relaxed = LEVELS.index(new.level) <= LEVELS.index(was.level) and new.version == was.version
    if new != was and not relaxed:
        _warn_of_pods(server, name, new)


def _label_causes(labels: dict[str, str]) -> Iterator[Cause]:
    for mode in ("enforce", "audit", "warn"):
        key = f"{_PREFIX}{mode}"
        level, version = labels.get(key), labels.get(f"{key}-version")
        if level is not None and level not in LEVELS:
            text = f"must be one of {', '.join(LEVELS)}"
            yield causes.invalid(f"metadata.labels[{key}]", level, text)
        if version is not None and not _VERSION.match(version):
            text = 'must be "latest" or "v1.x"'
            yield causes.invalid(f"metadata.labels[{key}-version]", version, text)


def _warn_of_pods(server: ApiServer, namespace: str, policy: _Policy) -> None:
    """Warn of the pods that are there and would not be let in any more."""
    by_reasons: dict[str, list[str]] = {}
    for pod in server.store.objects(_PODS, namespace):
        found = violations(policy.level, pod["spec"], pod["metadata"].get("annotations"))
        if found:
            reasons = ", ".join(violation.reason for violation in found)
            by_reasons.setdefault(reasons, []).append(pod["metadata"]["name"])
    if not by_reasons:
        return
    caller = server.caller
    caller.warn(
        f'existing pods in namespace "{namespace}" violate the new PodSecurity enforce level '
        f'"{policy}"'
    )
    for reasons, names in sorted(by_reasons.items(), key=lambda entry: entry[1][0]):
        others = len(names) - 1
        more = f" (and {others} other pod{'s' if others > 1 else ''})" if others else ""
        caller.warn(f"{names[0]}{more}: {reasons}")
