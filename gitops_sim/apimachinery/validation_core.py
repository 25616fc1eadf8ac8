"""Rules of the core group: ConfigMap, Secret, Service, limits, endpoints, events.

Source: k8s.io/kubernetes, pkg/apis/core/validation (validation.go, events.go), and
pkg/apis/discovery/validation.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery import causes, names, quantities
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.go_json import GoJsonError, parse
from gitops_sim.apimachinery.go_text import json_kind
from gitops_sim.apimachinery.validation_containers import PROTOCOLS
from gitops_sim.apimachinery.validation_parts import (
    address_of,
    ip_causes,
    named,
    port_number,
    supported,
)
from gitops_sim.types import Manifest

__all__ = [
    "config_map_causes",
    "endpoint_ip_causes",
    "endpoint_slice_causes",
    "endpoint_slice_update_causes",
    "endpoints_causes",
    "event_causes",
    "frozen_data_causes",
    "limit_range_causes",
    "secret_causes",
    "secret_update_causes",
]

_LIMIT = 1024 * 1024
_FROZEN = "field is immutable when `immutable` is set"
_NEEDED = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
_ACCOUNT = "kubernetes.io/service-account.name"


def config_map_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a ConfigMap."""
    data, binary = manifest.get("data") or {}, manifest.get("binaryData") or {}
    for key in data:
        yield from named(key, f"data[{key}]", names.validate_config_key)
        if key in binary:
            yield causes.invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
    for key in binary:
        yield from named(key, f"binaryData[{key}]", names.validate_config_key)
    size = sum(len(value.encode()) for value in data.values())
    if size + sum(len(value) * 3 // 4 for value in binary.values()) > _LIMIT:
        yield causes.too_long("[]", _LIMIT)


def frozen_data_causes(manifest: Manifest, before: Manifest) -> Iterator[Cause]:
    """Yield what an update of an immutable ConfigMap or Secret changes."""
    if not before.get("immutable"):
        return
    if not manifest.get("immutable"):
        yield causes.forbidden("immutable", _FROZEN)
    for part in ("data", "binaryData"):
        if (manifest.get(part) or {}) != (before.get(part) or {}):
            yield causes.forbidden(part, _FROZEN)


def secret_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a Secret."""
    data, kind = manifest.get("data") or {}, manifest.get("type", "")
    for key in data:
        yield from named(key, f"data[{key}]", names.validate_config_key)
    if sum(len(value) * 3 // 4 for value in data.values()) > _LIMIT:
        yield causes.too_long("data", _LIMIT)
    if kind == "kubernetes.io/service-account-token":
        if not (manifest["metadata"].get("annotations") or {}).get(_ACCOUNT):
            yield causes.required(f"metadata.annotations[{_ACCOUNT}]")
    elif kind == "kubernetes.io/basic-auth" and not {"username", "password"} & data.keys():
        yield causes.required("data[username]")
        yield causes.required("data[password]")
    for key in _NEEDED.get(kind, ()):
        if key not in data or (kind == "kubernetes.io/ssh-auth" and not data[key]):
            yield causes.required(f"data[{key}]")
        elif "docker" in key:
            problem = _json_problem(data[key])
            if problem:
                yield causes.invalid(f"data[{key}]", "<secret contents redacted>", problem)


def secret_update_causes(manifest: Manifest, before: Manifest) -> Iterator[Cause]:
    """Yield what an update of a Secret may not change."""
    if manifest.get("type") != before.get("type"):
        yield causes.invalid("type", manifest.get("type"), "field is immutable")
    yield from frozen_data_causes(manifest, before)


def _json_problem(encoded: str) -> str:
    """Say why a value of a Secret is no JSON object, in Go's words; empty: it is one."""
    try:
        found = parse(b64decode(encoded).decode("utf-8", "replace"))
    except GoJsonError as problem:
        return str(problem)
    if found is None or isinstance(found, dict):
        return ""
    target = "Go value of type map[string]interface {}"
    return f"json: cannot unmarshal {json_kind(found)} into {target}"


def endpoints_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with Endpoints."""
    for index, subset in enumerate(manifest.get("subsets") or ()):
        path = f"subsets[{index}]"
        addresses = subset.get("addresses") or []
        not_ready = subset.get("notReadyAddresses") or []
        if not addresses and not not_ready:
            yield causes.required(path, "must specify `addresses` or `notReadyAddresses`")
        for kind, listed in (("addresses", addresses), ("notReadyAddresses", not_ready)):
            for number, address in enumerate(listed):
                place, text = f"{path}.{kind}[{number}].ip", address.get("ip", "")
                yield from ip_causes(text, place)
                if address_of(text) is None:
                    yield causes.invalid(place, text, "must be a valid IP address")
                yield from endpoint_ip_causes(text, place)
        ports = subset.get("ports") or []
        for number, port in enumerate(ports):
            place = f"{path}.ports[{number}]"
            if len(ports) > 1 and not port.get("name"):
                yield causes.required(f"{place}.name")
            elif port.get("name"):
                yield from named(port["name"], f"{place}.name", names.validate_label)
            yield from port_number(port.get("port", 0), f"{place}.port")
            yield from supported(port.get("protocol"), f"{place}.protocol", PROTOCOLS)


def endpoint_slice_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with an EndpointSlice."""
    kind = manifest.get("addressType", "")
    if not kind:
        yield causes.required("addressType")
    else:
        yield from supported(kind, "addressType", ("FQDN", "IPv4", "IPv6"))
    seen: set[str] = set()
    for index, port in enumerate(manifest.get("ports") or ()):
        path, name = f"ports[{index}]", port.get("name") or ""
        if name:
            yield from named(name, f"{path}.name", names.validate_label)
        if name in seen:
            yield causes.duplicate(f"{path}.name", name)
        seen.add(name)
        yield from supported(port.get("protocol"), f"{path}.protocol", PROTOCOLS)
    for index, endpoint in enumerate(manifest.get("endpoints") or ()):
        yield from _endpoint_causes(endpoint, kind, f"endpoints[{index}]")


def _endpoint_causes(endpoint: dict[str, Any], kind: str, path: str) -> Iterator[Cause]:
    place = f"{path}.addresses"
    if not endpoint.get("addresses"):
        yield causes.required(place)
    for number, address in enumerate(endpoint.get("addresses") or ()):
        if kind in ("IPv4", "IPv6"):
            yield from ip_causes(address, f"{place}[{number}]")
            if (":" in address) is not (kind == "IPv6") and address_of(address) is not None:
                yield causes.invalid(place, address, f"must be an {kind} address")
            yield from endpoint_ip_causes(address, f"{place}[{number}]")
        elif kind == "FQDN":
            yield from named(address, place, names.validate_domain)
    for member, rule in (
        ("nodeName", names.validate_subdomain),
        ("hostname", names.validate_label),
    ):
        if endpoint.get(member) is not None:
            yield from named(endpoint[member], f"{path}.{member}", rule)
    zones: list[str] = []
    for number, zone in enumerate((endpoint.get("hints") or {}).get("forZones") or ()):
        if zone.get("name") in zones:
            yield causes.duplicate(f"{path}.hints.forZones[{number}].name", zone["name"])
        zones.append(zone.get("name", ""))


def endpoint_slice_update_causes(manifest: Manifest, before: Manifest) -> Iterator[Cause]:
    """Yield a change of the address type."""
    if manifest.get("addressType") != before.get("addressType"):
        yield causes.invalid("addressType", None, "field is immutable")


def endpoint_ip_causes(text: str, path: str) -> Iterator[Cause]:
    """Refuse addresses at which no endpoint can be: of the host itself, or of one link alone."""
    address = address_of(text)
    if address is None:
        return
    if address.is_unspecified:
        yield causes.invalid(path, text, f"may not be unspecified ({text})")
    elif address.is_loopback:
        yield causes.invalid(path, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
    elif address.is_link_local:
        text_range = "(169.254.0.0/16, fe80::/10)"
        yield causes.invalid(path, text, f"may not be in the link-local range {text_range}")


def limit_range_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a LimitRange."""
    types: set[str] = set()
    for index, item in enumerate((manifest.get("spec") or {}).get("limits") or ()):
        path, kind = f"spec.limits[{index}]", item.get("type", "")
        if kind in types:
            yield causes.duplicate(f"{path}.type", kind)
        types.add(kind)
        yield from named(kind, f"{path}.type", names.validate_label_key)
        if kind and "/" not in kind and kind not in _LIMITED:
            text = "must be a standard limit type or fully qualified"
            yield causes.invalid(f"{path}.type", kind, text)
        if kind == "PersistentVolumeClaim" and not any(
            "storage" in (item.get(member) or {}) for member in ("min", "max")
        ):
            text = "either minimum or maximum storage value is required, but neither was provided"
            yield causes.required(f"{path}.limits", text)
        if kind == "Pod":
            for member in ("default", "defaultRequest"):
                if item.get(member):
                    text = "may not be specified when `type` is 'Pod'"
                    yield causes.forbidden(f"{path}.{member}", text)
        yield from _limit_order_causes(item, path)
        yield from _ratio_causes(item, path)


def _ratio_causes(item: dict[str, Any], path: str) -> Iterator[Cause]:
    """Refuse ratios of limit to request that are below 1, or that minimum and maximum forbid."""
    for name, ratio in (item.get("maxLimitRequestRatio") or {}).items():
        place, most = f"{path}.maxLimitRequestRatio[{name}]", quantities.parse(ratio)
        if most < 1:
            yield causes.invalid(place, ratio, f"ratio {ratio} is less than 1")
        low, high = ((item.get(member) or {}).get(name) for member in ("min", "max"))
        if low is None or high is None:
            continue
        widest = quantities.parse(high) / quantities.parse(low)
        if most > widest:
            text = f"ratio {ratio} is greater than max/min = {float(widest):f}"
            yield causes.invalid(place, ratio, text)


_LIMITED = ("Container", "PersistentVolumeClaim", "Pod")
_ABOVE_REQUEST = "min value {} is greater than default request value {}"
_REQUEST_ABOVE_MAX = "default request value {} is greater than max value {}"
_REQUEST_ABOVE_LIMIT = "default request value {} is greater than default limit value {}"
_ORDER = (
    ("min", "max", "min", "min value {} is greater than max value {}"),
    ("min", "defaultRequest", "defaultRequest", _ABOVE_REQUEST),
    ("defaultRequest", "max", "defaultRequest", _REQUEST_ABOVE_MAX),
    ("defaultRequest", "default", "defaultRequest", _REQUEST_ABOVE_LIMIT),
    ("min", "default", "default", "min value {} is greater than default value {}"),
    ("default", "max", "default", "default value {} is greater than max value {}"),
)


def _limit_order_causes(item: dict[str, Any], path: str) -> Iterator[Cause]:
    for low, high, blamed, text in _ORDER:
        above = item.get(high) or {}
        for name, value in (item.get(low) or {}).items():
            limit = above.get(name)
            if limit is not None and quantities.parse(value) > quantities.parse(limit):
                # The server shows the maximum where a default is above it.
                shown = item[high if (low, high) == ("default", "max") else blamed][name]
                yield causes.invalid(f"{path}.{blamed}[{name}]", shown, text.format(value, limit))


def event_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with an Event, of either group."""
    namespace = manifest["metadata"].get("namespace", "")
    about = manifest.get("involvedObject", manifest.get("regarding")) or {}
    inside = about.get("namespace", "")
    field = "involvedObject" if "involvedObject" in manifest else "regarding"
    if (not inside and namespace != "default") or (inside and inside != namespace):
        text = "does not match event.namespace"
        yield causes.invalid("involvedObject.namespace", inside, text)
    if field == "regarding":
        yield from _new_event_causes(manifest)


def _new_event_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what an Event of events.k8s.io lacks: it must say more than an old one."""
    if manifest.get("eventTime") is None:
        yield causes.required("eventTime")
    else:
        controller = manifest.get("reportingController", "")
        if not controller:
            yield causes.required("reportingController")
        else:
            yield from named(controller, "reportingController", names.validate_label_key)
        for member in ("reportingInstance", "action", "reason"):
            if not manifest.get(member):
                yield causes.required(member)
    if manifest.get("type", "") not in ("Normal", "Warning"):
        yield causes.invalid("type", "", f"has invalid value: {manifest.get('type', '')}")
