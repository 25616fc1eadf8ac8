"""Rules of Services and Ingresses.

Source: k8s.io/kubernetes, pkg/apis/core/validation/validation.go (validateService) and
pkg/apis/networking/validation.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery import causes, names
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.validation_containers import PROTOCOLS
from gitops_sim.apimachinery.validation_core import endpoint_ip_causes
from gitops_sim.apimachinery.validation_metadata import path_segment_causes
from gitops_sim.apimachinery.validation_parts import (
    between,
    label_causes,
    named,
    network_causes,
    port_number,
    port_number_or_name,
    supported,
)
from gitops_sim.types import Manifest

__all__ = [
    "ingress_causes",
    "ingress_class_causes",
    "ingress_class_update_causes",
    "new_ingress_causes",
    "service_causes",
    "service_status_causes",
    "service_update_causes",
]

_FAMILIES = ("IPv4", "IPv6")
_CLASS = "kubernetes.io/ingress.class"
_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_ONLY_BALANCED = "may only be used when `type` is 'LoadBalancer'"


def service_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a Service."""
    spec = manifest.get("spec") or {}
    kind, ports = spec.get("type"), spec.get("ports") or []
    headless = spec.get("clusterIP") == "None"
    if not ports and not headless and kind != "ExternalName":
        yield causes.required("spec.ports")
    yield from _type_causes(spec, headless=headless)
    seen: set[str] = set()
    for index, port in enumerate(ports):
        yield from _port_causes(port, f"spec.ports[{index}]", seen, required=len(ports) > 1)
    yield from label_causes(spec.get("selector"), "spec.selector")
    affinity = spec.get("sessionAffinity")
    yield from supported(affinity, "spec.sessionAffinity", ("ClientIP", "None"))
    if affinity == "ClientIP":
        seconds = spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"]
        path = "spec.sessionAffinityConfig.clientIP.timeoutSeconds"
        yield from _affinity_seconds(seconds, path)
    for index, address in enumerate(spec.get("externalIPs") or ()):
        yield from _address(address, f"spec.externalIPs[{index}]")
        yield from endpoint_ip_causes(address, f"spec.externalIPs[{index}]")
    yield from supported(kind, "spec.type", _TYPES)
    yield from _duplicate_causes(ports)
    yield from _balancer_causes(spec)
    yield from _family_causes(spec)
    yield from _traffic_causes(spec)


def _family_causes(spec: dict[str, Any]) -> Iterator[Cause]:
    """Refuse families of addresses that there are not, or that this cluster has not."""
    families, policy = spec.get("ipFamilies") or [], spec.get("ipFamilyPolicy")
    for index, family in enumerate(families):
        path = f"spec.ipFamilies[{index}]"
        if family not in _FAMILIES:
            yield causes.not_supported(path, family, _FAMILIES)
        elif family in families[:index]:
            yield causes.duplicate(path, family)
    path = "spec.ipFamilyPolicy"
    if policy is not None:
        words = ("PreferDualStack", "RequireDualStack", "SingleStack")
        yield from supported(policy, path, words)
    if len(families) > 1 and policy == "SingleStack":
        text = "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are "
        yield causes.invalid(path, policy, f"{text}specified")
    elif families and families[0] == "IPv6" and spec.get("type") != "ExternalName":
        yield causes.invalid("spec.ipFamilies[0]", "IPv6", "not configured on this cluster")
    elif policy == "RequireDualStack":
        text = "this cluster is not configured for dual-stack services"
        yield causes.invalid(path, policy, text)


def _traffic_causes(spec: dict[str, Any]) -> Iterator[Cause]:
    inside = spec.get("internalTrafficPolicy")
    if inside is not None:
        yield from supported(inside, "spec.internalTrafficPolicy", ("Cluster", "Local"))
    number = spec.get("healthCheckNodePort")
    balanced = spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"
    if number and not balanced:
        text = (
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        )
        yield causes.invalid("spec.healthCheckNodePort", number, text)
    if spec.get("trafficDistribution") is not None:
        words = ("PreferClose", "PreferSameZone", "PreferSameNode")
        yield from supported(spec["trafficDistribution"], "spec.trafficDistribution", words)
    if spec.get("type") == "LoadBalancer":
        for index, text in enumerate(spec.get("loadBalancerSourceRanges") or ()):
            path = f"spec.LoadBalancerSourceRanges[{index}]"
            yield from network_causes(text, path)


def _affinity_seconds(seconds: int, path: str) -> Iterator[Cause]:
    if not 0 < seconds <= 86400:
        yield causes.invalid(path, seconds, "must be greater than 0 and less than 86400")


def _type_causes(spec: dict[str, Any], *, headless: bool) -> Iterator[Cause]:
    kind = spec.get("type")
    if kind in ("LoadBalancer", "NodePort") and headless:
        text = f"may not be set to 'None' for {kind} services"
        yield causes.invalid("spec.clusterIPs[0]", "None", text)
    if kind == "ExternalName":
        for member in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            given = spec.get(member) or (member == "clusterIPs" and spec.get("clusterIP"))
            if given:
                text = "may not be set for ExternalName services"
                yield causes.forbidden(f"spec.{member}", text)
        name = (spec.get("externalName") or "").removesuffix(".")
        if name:
            yield from named(name, "spec.externalName", names.validate_subdomain)
        else:
            yield causes.required("spec.externalName")
    elif kind in _TYPES:
        addresses = spec.get("clusterIPs") or []
        if spec.get("clusterIP") and spec["clusterIP"] not in ("None", *addresses[:1]):
            text = "first value must match `clusterIP`"
            yield causes.invalid("spec.clusterIPs", addresses, text)
        for index, address in enumerate(addresses):
            if address != "None":
                yield from _address(address, f"spec.clusterIPs[{index}]")


def _port_causes(
    port: dict[str, Any], path: str, seen: set[str], *, required: bool
) -> Iterator[Cause]:
    name = port.get("name", "")
    if name:
        yield from named(name, f"{path}.name", names.validate_label)
        if name in seen:
            yield causes.duplicate(f"{path}.name", name)
        seen.add(name)
    elif required:
        yield causes.required(f"{path}.name")
    yield from port_number(port.get("port", 0), f"{path}.port")
    yield from supported(port.get("protocol"), f"{path}.protocol", PROTOCOLS)
    yield from port_number_or_name(port.get("targetPort", 0), f"{path}.targetPort")
    if port.get("appProtocol"):
        yield from named(port["appProtocol"], f"{path}.appProtocol", names.validate_label_key)


def _duplicate_causes(ports: list[dict[str, Any]]) -> Iterator[Cause]:
    node_ports: set[tuple[Any, Any]] = set()
    numbers: set[tuple[Any, Any]] = set()
    for index, port in enumerate(ports):
        path, protocol, number = f"spec.ports[{index}]", port.get("protocol"), port.get("port")
        if port.get("nodePort"):
            if (protocol, port["nodePort"]) in node_ports:
                yield causes.duplicate(f"{path}.nodePort", port["nodePort"])
            node_ports.add((protocol, port["nodePort"]))
        if (protocol, number) in numbers:
            shown = {
                "Name": "",
                "Protocol": protocol,
                "AppProtocol": None,
                "Port": number,
                "TargetPort": 0,
                "NodePort": 0,
            }
            yield causes.duplicate(path, shown)
        numbers.add((protocol, number))


def _balancer_causes(spec: dict[str, Any]) -> Iterator[Cause]:
    kind = spec.get("type")
    if kind == "ClusterIP":
        for index, port in enumerate(spec.get("ports") or ()):
            if port.get("nodePort"):
                text = "may not be used when `type` is 'ClusterIP'"
                yield causes.forbidden(f"spec.ports[{index}].nodePort", text)
    if kind != "LoadBalancer":
        for member, field in (
            ("loadBalancerSourceRanges", "LoadBalancerSourceRanges"),
            ("allocateLoadBalancerNodePorts", "allocateLoadBalancerNodePorts"),
            ("loadBalancerClass", "loadBalancerClass"),
        ):
            if spec.get(member) is not None:
                yield causes.forbidden(f"spec.{field}", _ONLY_BALANCED)
    policy = spec.get("externalTrafficPolicy")
    if policy is not None:
        if kind in ("NodePort", "LoadBalancer") or spec.get("externalIPs"):
            yield from supported(policy, "spec.externalTrafficPolicy", ("Cluster", "Local"))
        else:
            text = "may only be set for externally-accessible services"
            yield causes.invalid("spec.externalTrafficPolicy", policy, text)


def service_update_causes(manifest: Manifest, before: Manifest) -> Iterator[Cause]:
    """Yield what an update of a Service may not change: its cluster IP."""
    new, old = manifest.get("spec") or {}, before.get("spec") or {}
    if "ExternalName" in (new.get("type"), old.get("type")):
        return
    now, was = new.get("clusterIPs") or [], old.get("clusterIPs") or []
    if was and now[:1] != was[:1]:
        if now:
            yield causes.invalid("spec.clusterIPs[0]", now, "may not change once set")
        else:
            text = "primary clusterIP can not be unset"
            yield causes.invalid("spec.clusterIPs[0]", now, text)


def service_status_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with the status of a Service."""
    ingress = ((manifest.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    if ingress and (manifest.get("spec") or {}).get("type") != "LoadBalancer":
        text = "may only be used when `spec.type` is 'LoadBalancer'"
        yield causes.forbidden("status.loadBalancer.ingress", text)
        return
    for index, point in enumerate(ingress):
        path = f"status.loadBalancer.ingress[{index}]"
        if point.get("ip"):
            yield from _address(point["ip"], f"{path}.ip")
        if point.get("hostname"):
            yield from named(point["hostname"], f"{path}.hostname", names.validate_subdomain)


def ingress_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with an Ingress."""
    spec = manifest.get("spec") or {}
    rules, backend = spec.get("rules") or [], spec.get("defaultBackend")
    if not rules and backend is None:
        yield causes.invalid("spec", None, "either `defaultBackend` or `rules` must be specified")
    if backend is not None:
        yield from _backend_causes(backend, "spec.defaultBackend")
    for index, rule in enumerate(rules):
        path = f"spec.rules[{index}]"
        yield from _host_causes(rule.get("host") or "", f"{path}.host")
        http = rule.get("http")
        if http is None:
            continue
        if not http.get("paths"):
            yield causes.required(f"{path}.http.paths")
        for number, entry in enumerate(http.get("paths") or ()):
            yield from _path_causes(entry, f"{path}.http.paths[{number}]")
    for index, tls in enumerate(spec.get("tls") or ()):
        if tls.get("secretName"):
            path = f"spec.tls[{index}].secretName"
            yield from named(tls["secretName"], path, names.validate_subdomain)
        for number, host in enumerate(tls.get("hosts") or ()):
            rule_of = names.validate_wildcard_domain if "*" in host else names.validate_subdomain
            yield from named(host, f"spec.tls[{index}].hosts[{number}]", rule_of)
    if spec.get("ingressClassName") is not None:
        path = "spec.ingressClassName"
        yield from named(spec["ingressClassName"], path, names.validate_subdomain)


def new_ingress_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield where the old annotation of a new Ingress names another class than its spec."""
    name = (manifest.get("spec") or {}).get("ingressClassName")
    note = (manifest["metadata"].get("annotations") or {}).get(_CLASS)
    if None not in (name, note) and name != note:
        text = "must match `ingressClassName` when both are specified"
        yield causes.invalid(f"annotations.{_CLASS}", note, text)


def _host_causes(host: str, path: str) -> Iterator[Cause]:
    if not host:
        return
    if _is_address(host):
        yield causes.invalid(path, host, "must be a DNS name, not an IP address")
    rule = names.validate_wildcard_domain if "*" in host else names.validate_subdomain
    yield from named(host, path, rule)


def _path_causes(entry: dict[str, Any], path: str) -> Iterator[Cause]:
    kind, route = entry.get("pathType"), entry.get("path") or ""
    if kind is None:
        yield causes.required(f"{path}.pathType", "pathType must be specified")
        return
    if kind in ("Exact", "Prefix"):
        if not route.startswith("/"):
            yield causes.invalid(f"{path}.path", route, "must be an absolute path")
        for part in ("//", "/./", "/../", "%2f", "%2F"):
            if part in route:
                yield causes.invalid(f"{path}.path", route, f"must not contain '{part}'")
        for part in ("/..", "/."):
            if route.endswith(part):
                yield causes.invalid(f"{path}.path", route, f"cannot end with '{part}'")
    elif kind == "ImplementationSpecific":
        if route and not route.startswith("/"):
            yield causes.invalid(f"{path}.path", route, "must be an absolute path")
    else:
        words = ("Exact", "ImplementationSpecific", "Prefix")
        yield causes.not_supported(f"{path}.pathType", kind, words)
    yield from _backend_causes(entry.get("backend") or {}, f"{path}.backend")


def _backend_causes(backend: dict[str, Any], path: str) -> Iterator[Cause]:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        yield causes.invalid(path, "", "cannot set both resource and service backends")
    elif service is not None:
        if not service.get("name"):
            yield causes.required(f"{path}.service.name")
        else:
            yield from named(service["name"], f"{path}.service.name", names.validate_label)
        port = service.get("port") or {}
        name, number = port.get("name"), port.get("number")
        if name and number:
            yield causes.invalid(path, "", "cannot set both port name & port number")
        elif name:
            yield from named(name, f"{path}.service.port.name", names.validate_port_name)
        elif number:
            yield from between(number, 1, 65535, f"{path}.service.port.number")
        else:
            yield causes.required(path, "port name or number is required")
    elif resource is None:
        yield causes.invalid(path, "", "resource or service backend is required")


def ingress_class_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with an IngressClass."""
    spec = manifest.get("spec") or {}
    if len(spec.get("controller") or "") > 250:
        yield causes.too_long("spec.controller", 250)
    if spec.get("controller"):
        problems = names.validate_label_key(spec["controller"])
        if "/" not in spec["controller"]:
            problems = ['must be a domain-prefixed path (such as "acme.io/foo")']
        yield from (causes.invalid("spec.controller", spec["controller"], p) for p in problems)
    else:
        yield causes.required("spec.controller")
    parameters = spec.get("parameters")
    if parameters is not None:
        yield from _parameters_causes(parameters, "spec.parameters")


def _parameters_causes(parameters: dict[str, Any], path: str) -> Iterator[Cause]:
    for member in ("kind", "name"):
        if not parameters.get(member):
            yield causes.required(f"{path}.{member}")
        else:
            yield from path_segment_causes(parameters[member], f"{path}.{member}")
    scope = parameters.get("scope")
    yield from supported(scope, f"{path}.scope", ("Cluster", "Namespace"))
    if scope == "Namespace" and parameters.get("namespace") is None:
        text = "`parameters.scope` is set to 'Namespace'"
        yield causes.required(f"{path}.namespace", text)
    elif scope == "Cluster" and parameters.get("namespace") is not None:
        text = "`parameters.scope` is set to 'Cluster'"
        yield causes.forbidden(f"{path}.namespace", text)


def ingress_class_update_causes(manifest: Manifest, before: Manifest) -> Iterator[Cause]:
    """Yield a change of the controller."""
    new, old = ((m.get("spec") or {}).get("controller") for m in (manifest, before))
    if new != old:
        yield causes.invalid("spec.controller", new, "field is immutable")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _address(text: str, path: str) -> Iterator[Cause]:
    if not _is_address(text):
        yield causes.invalid(
            path, text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
        )
