"""Rules of containers: names, images, ports, environment, mounts, probes, resources.

Source: k8s.io/kubernetes, pkg/apis/core/validation/validation.go (validateContainers).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery import causes, names
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.contents import Known, content_of
from gitops_sim.apimachinery.validation_parts import (
    named,
    non_negative,
    port_number,
    port_number_or_name,
    requirements,
    supported,
)
from gitops_sim.apimachinery.validation_security import container_security_causes
from gitops_sim.apimachinery.validation_sources import (
    field_selector_causes,
    resource_selector_causes,
)

__all__ = ["PROTOCOLS", "containers_causes"]

PROTOCOLS = ("SCTP", "TCP", "UDP")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_OF_ENVIRONMENT = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
_ONLY_SIDECARS = "may not be set for init containers without restartPolicy=Always"


def containers_causes(spec: dict[str, Any], path: str, volumes: set[str]) -> Iterator[Cause]:
    """Yield what is wrong with the containers of a pod spec; `volumes` are those to mount."""
    containers = spec.get("containers") or []
    if not containers:
        yield causes.required(f"{path}.containers")
    seen: set[str] = set()
    ports: set[tuple[Any, ...]] = set()
    for index, container in enumerate(containers):
        place = f"{path}.containers[{index}]"
        content = _content(container, volumes, spec)
        is_good = _good.get(content)
        if not is_good:
            found = [*_common_causes(container, place, volumes)]
            found += _context_causes(container, place, spec)
            yield from found
        if container.get("name") in seen:
            yield causes.duplicate(f"{place}.name", container["name"])
        seen.add(container.get("name", ""))
        if not is_good:
            others = [*_running_causes(container, place)]
            yield from others
            if not found and not others:
                _good.keep(content, content)
        yield from _host_port_conflicts(container, place, ports)
    for index, container in enumerate(spec.get("initContainers") or ()):
        place = f"{path}.initContainers[{index}]"
        yield from _common_causes(container, place, volumes)
        yield from _context_causes(container, place, spec)
        if container.get("name") in seen:
            yield causes.duplicate(f"{place}.name", container["name"])
        seen.add(container.get("name", ""))
        yield from _init_causes(container, place)


_good: Known[bytes] = Known(4096)
"""Containers that break no rule: those of all pods of a workload are the same."""


def _content(container: dict[str, Any], volumes: set[str], spec: dict[str, Any]) -> bytes:
    """Return all that decides whether a container is a good one, among others or alone."""
    around = (sorted(volumes), spec.get("hostUsers"), spec.get("resourceClaims"))
    return content_of((container, around))


def _common_causes(container: dict[str, Any], path: str, volumes: set[str]) -> Iterator[Cause]:
    if not container.get("name"):
        yield causes.required(f"{path}.name")
    else:
        yield from named(container["name"], f"{path}.name", names.validate_label)
    if not container.get("image"):
        yield causes.required(f"{path}.image")
    policies = ("File", "FallbackToLogsOnError")
    yield from supported(
        container.get("terminationMessagePolicy"), f"{path}.terminationMessagePolicy", policies
    )
    yield from _port_causes(container.get("ports") or (), f"{path}.ports")
    yield from _env_causes(container.get("env") or (), f"{path}.env")
    yield from _env_from_causes(container.get("envFrom") or (), f"{path}.envFrom")
    yield from _mount_causes(container.get("volumeMounts") or (), f"{path}.volumeMounts", volumes)
    rules = ("Always", "IfNotPresent", "Never")
    yield from supported(container.get("imagePullPolicy"), f"{path}.imagePullPolicy", rules)
    yield from _resize_causes(container.get("resizePolicy") or (), f"{path}.resizePolicy")
    yield from requirements(container.get("resources") or {}, f"{path}.resources")


def _context_causes(container: dict[str, Any], path: str, spec: dict[str, Any]) -> Iterator[Cause]:
    """Yield what is wrong with a security context, and with claims of devices."""
    users = spec.get("hostUsers") is not False
    context = container.get("securityContext") or {}
    yield from container_security_causes(context, f"{path}.securityContext", host_users=users)
    known = [claim.get("name", "") for claim in spec.get("resourceClaims") or ()]
    for index, claim in enumerate((container.get("resources") or {}).get("claims") or ()):
        place, name = f"{path}.resources.claims[{index}]", claim.get("name", "")
        if not name:
            yield causes.required(f"{place}.name")
        elif name not in known:
            text = "must be one of the names in pod.spec.resourceClaims"
            text += "" if known else " which is empty"
            yield Cause("FieldValueNotFound", f"Not found: {causes.go_json(name)}: {text}", place)


def _resize_causes(policies: Any, path: str) -> Iterator[Cause]:
    for policy in policies:
        yield from supported(policy.get("resourceName"), path, ("cpu", "memory"))
        words = ("NotRequired", "RestartContainer")
        yield from supported(policy.get("restartPolicy"), path, words)


def _running_causes(container: dict[str, Any], path: str) -> Iterator[Cause]:
    for name, handler in (container.get("lifecycle") or {}).items():
        if name in ("postStart", "preStop"):
            yield from _handler_causes(handler, f"{path}.lifecycle.{name}")
    for name in _PROBES:
        if container.get(name) is not None:
            yield from _probe_causes(name, container[name], f"{path}.{name}")


def _init_causes(container: dict[str, Any], path: str) -> Iterator[Cause]:
    policy = container.get("restartPolicy")
    if policy is not None:
        yield from supported(policy, f"{path}.restartPolicy", ("Always", "Never", "OnFailure"))
    if policy == "Always":
        yield from _running_causes(container, path)
        return
    for name in ("lifecycle", *_PROBES):
        if container.get(name) is not None:
            yield causes.forbidden(f"{path}.{name}", _ONLY_SIDECARS)


def _port_causes(ports: Any, path: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, port in enumerate(ports):
        place, name = f"{path}[{index}]", port.get("name", "")
        if name:
            problems = names.validate_port_name(name)
            yield from (causes.invalid(f"{place}.name", name, text) for text in problems)
            if not problems and name in seen:
                yield causes.duplicate(f"{place}.name", name)
            seen.add(name)
        if not port.get("containerPort"):
            yield causes.required(f"{place}.containerPort")
        else:
            yield from port_number(port["containerPort"], f"{place}.containerPort")
        if port.get("hostPort"):
            yield from port_number(port["hostPort"], f"{place}.hostPort")
        yield from supported(port.get("protocol"), f"{place}.protocol", PROTOCOLS)


def _host_port_conflicts(
    container: dict[str, Any], path: str, taken: set[tuple[Any, ...]]
) -> Iterator[Cause]:
    for index, port in enumerate(container.get("ports") or ()):
        if not port.get("hostPort"):
            continue
        key = (port.get("protocol"), port.get("hostIP", ""), port["hostPort"])
        if key in taken:
            text = "/".join(str(part) for part in key)
            yield causes.duplicate(f"{path}.ports[{index}].hostPort", text)
        taken.add(key)


def _env_causes(variables: Any, path: str) -> Iterator[Cause]:
    for index, variable in enumerate(variables):
        place, name = f"{path}[{index}]", variable.get("name", "")
        if not name:
            yield causes.required(f"{place}.name")
        else:
            yield from named(name, f"{place}.name", names.validate_env_name)
        source = variable.get("valueFrom")
        if source is not None:
            yield from _env_source_causes(variable, source, f"{place}.valueFrom")


def _env_source_causes(
    variable: dict[str, Any], source: dict[str, Any], path: str
) -> Iterator[Cause]:
    kinds = [kind for kind in _SOURCES if source.get(kind) is not None]
    if not kinds:
        listed = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        yield causes.invalid(path, "", f"must specify one of: {listed}")
    elif variable.get("value"):
        yield causes.invalid(path, "", "may not be specified when `value` is not empty")
    elif len(kinds) > 1:
        yield causes.invalid(path, "", "may not have more than one field specified at a time")
    if source.get("fieldRef") is not None:
        yield from field_selector_causes(source["fieldRef"], f"{path}.fieldRef", _OF_ENVIRONMENT)
    if source.get("resourceFieldRef") is not None:
        place = f"{path}.resourceFieldRef"
        yield from resource_selector_causes(source["resourceFieldRef"], place, of_volume=False)
    for kind in ("configMapKeyRef", "secretKeyRef"):
        reference = source.get(kind)
        if reference is None:
            continue
        name, key = reference.get("name", ""), reference.get("key", "")
        yield from named(name, f"{path}.{kind}.name", names.validate_subdomain)
        if not key:
            yield causes.required(f"{path}.{kind}.key")
        else:
            yield from named(key, f"{path}.{kind}.key", names.validate_config_key)


def _env_from_causes(sources: Any, path: str) -> Iterator[Cause]:
    for index, source in enumerate(sources):
        place = f"{path}[{index}]"
        if source.get("prefix"):
            yield from named(source["prefix"], f"{place}.prefix", names.validate_env_name)
        kinds = [kind for kind in ("configMapRef", "secretRef") if source.get(kind) is not None]
        if not kinds:
            text = "must specify one of: `configMapRef` or `secretRef`"
            yield causes.invalid(path, "", text)  # the server does not say which one
        elif len(kinds) > 1:
            yield causes.invalid(path, "", "may not have more than one field specified at a time")
        for kind in kinds:
            if not source[kind].get("name"):
                yield causes.required(f"{place}.{kind}.name")
            else:
                name = source[kind]["name"]
                yield from named(name, f"{place}.{kind}.name", names.validate_subdomain)


def _mount_causes(mounts: Any, path: str, volumes: set[str]) -> Iterator[Cause]:
    taken: set[str] = set()
    for index, mount in enumerate(mounts):
        place, name = f"{path}[{index}]", mount.get("name", "")
        if not name:
            yield causes.required(f"{place}.name")
        if name not in volumes:
            yield Cause("FieldValueNotFound", f"Not found: {causes.go_json(name)}", f"{place}.name")
        where = mount.get("mountPath", "")
        if not where:
            yield causes.required(f"{place}.mountPath")
        if where in taken:
            yield causes.invalid(f"{place}.mountPath", where, "must be unique")
        taken.add(where)
        if mount.get("subPath") and mount.get("subPathExpr"):
            text = "subPathExpr and subPath are mutually exclusive"
            yield causes.invalid(f"{place}.subPathExpr", mount["subPathExpr"], text)
        inside = mount.get("subPath", "")
        if inside.startswith("/"):
            yield causes.invalid(f"{path}.subPath", inside, "must be a relative path")
        if ".." in inside.split("/"):
            yield causes.invalid(f"{path}.subPath", inside, "must not contain '..'")


def _probe_causes(name: str, probe: dict[str, Any], path: str) -> Iterator[Cause]:
    yield from _handler_causes(probe, path)
    yield from non_negative(
        probe,
        path,
        "initialDelaySeconds",
        "timeoutSeconds",
        "periodSeconds",
        "successThreshold",
        "failureThreshold",
    )
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and grace <= 0:
        text = "must be greater than 0"
        yield causes.invalid(f"{path}.terminationGracePeriodSeconds", grace, text)
    if name == "readinessProbe":
        if grace is not None:
            text = "must not be set for readinessProbes"
            yield causes.invalid(f"{path}.terminationGracePeriodSeconds", grace, text)
    elif probe.get("successThreshold") != 1:
        yield causes.invalid(f"{path}.successThreshold", probe["successThreshold"], "must be 1")


def _handler_causes(handler: dict[str, Any], path: str) -> Iterator[Cause]:
    kinds = [kind for kind in _HANDLERS if handler.get(kind) is not None]
    if not kinds:
        yield causes.required(path, "must specify a handler type")
        return
    for kind in kinds[1:]:
        yield causes.forbidden(f"{path}.{kind}", "may not specify more than 1 handler type")
    kind = kinds[0]
    action, place = handler[kind], f"{path}.{kind}"
    if kind == "exec" and not action.get("command"):
        yield causes.required(f"{place}.command")
    elif kind == "httpGet":
        yield from port_number_or_name(action.get("port", 0), f"{place}.port")
        yield from supported(action.get("scheme"), f"{place}.scheme", ("HTTP", "HTTPS"))
    elif kind == "tcpSocket":
        yield from port_number_or_name(action.get("port", 0), f"{place}.port")
    elif kind == "grpc":
        yield from port_number(action.get("port", 0), f"{place}.port")
