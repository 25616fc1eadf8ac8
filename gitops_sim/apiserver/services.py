"""What the registry gives Services: cluster IPs, node ports, and what a change of type drops.

Source: k8s.io/kubernetes, pkg/registry/core/service/storage and strategy.go.
Differs: addresses are given in order, not at random, so that histories are easy to read; only
IPv4 is served.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from gitops_sim.apimachinery import causes
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.status_errors import invalid
from gitops_sim.apiserver.server import ApiServer, Write
from gitops_sim.apiserver.store import Kind
from gitops_sim.types import Manifest

__all__ = ["ServiceAllocation"]

_SERVICES = Kind("", "Service")
_ADDRESSES = ipaddress.IPv4Network("10.96.0.0/16")
_NODE_PORTS = range(30000, 32768)
_WITH_NODE_PORTS = ("NodePort", "LoadBalancer")
_FIRST = 10


class ServiceAllocation:
    """The addresses and node ports of one server's Services.

    What is taken follows from the stored Services; it is kept here so that giving the next one
    does not look at them all.
    """

    def __init__(self, server: ApiServer) -> None:
        self._addresses: dict[str, str] = {}
        self._ports: dict[int, str] = {}
        self._next = _FIRST
        self._server = server
        server.strategies.append(self.prepare)
        server.after_write.append(self.follow)

    def prepare(self, write: Write, manifest: Manifest) -> None:
        """Fill what is to be given into a Service that is created or changed.

        Raises:
            InvalidError: An address or node port that it asks for cannot be had.
        """
        if (write.resource_type.group, write.resource_type.kind) != _SERVICES:
            return
        before = (write.before or {}).get("spec") or {}
        if write.subresource or manifest.get("spec") is before:
            return
        spec = manifest["spec"] = dict(manifest.get("spec") or {})
        spec["ports"] = [dict(port) for port in spec.get("ports") or ()]
        if not spec["ports"]:
            del spec["ports"]
        if before:
            _drop_unneeded(spec, before)
            _drop_unneeded_check(spec, before)
            if spec.get("type") != "LoadBalancer":
                manifest["status"] = {"loadBalancer": {}}
        found: list[Cause] = []
        if spec.get("type") != "ExternalName":
            self._give_address(spec, before, found, dry_run=write.dry_run)
        if spec.get("type") in _WITH_NODE_PORTS:
            self._give_node_ports(manifest, before, found)
        if found:
            raise invalid(write.resource_type, manifest["metadata"].get("name", ""), found)

    def follow(self, write: Write, after: Manifest | None) -> None:
        """After each write: know what is taken now."""
        if (write.resource_type.group, write.resource_type.kind) != _SERVICES:
            return
        uid = ((after or write.before or {})["metadata"])["uid"]
        before, spec = (write.before or {}).get("spec") or {}, (after or {}).get("spec") or {}
        if spec is before:
            return
        for address in before.get("clusterIPs") or ():
            self._addresses.pop(address, None)
        for number in _node_ports(before):
            self._ports.pop(number, None)
        for address in spec.get("clusterIPs") or ():
            self._addresses[address] = uid
        for number in _node_ports(spec):
            self._ports[number] = uid

    def _give_address(
        self,
        spec: dict[str, Any],
        before: dict[str, Any],
        found: list[Cause],
        *,
        dry_run: bool,
    ) -> None:
        asked = spec.get("clusterIP") or (spec.get("clusterIPs") or [""])[0]
        if not asked and before.get("clusterIP") and "clusterIP" not in spec:
            asked = before["clusterIP"]
        if not asked:
            asked = str(_ADDRESSES[0]) if dry_run else self._next_address()
        elif asked != "None" and not before.get("clusterIP"):
            problem = self._problem_of(asked)
            if problem:
                text = f"failed to allocate IP {asked}: {problem}"
                found.append(causes.invalid("spec.clusterIPs", [asked], text))
        changed = asked != before.get("clusterIP")
        if changed and spec.get("clusterIPs") == before.get("clusterIPs"):
            spec["clusterIPs"] = [asked]
        spec["clusterIP"] = asked
        spec.setdefault("clusterIPs", [asked])
        spec.setdefault("ipFamilies", ["IPv4"])
        spec.setdefault("ipFamilyPolicy", "SingleStack")

    def _problem_of(self, asked: str) -> str:
        try:
            address = ipaddress.ip_address(asked)
        except ValueError:
            return ""  # validation tells
        if address not in _ADDRESSES:
            return "the provided network does not match the current range"
        return "provided IP is already allocated" if asked in self._addresses else ""

    def _next_address(self) -> str:
        for _ in range(_ADDRESSES.num_addresses):
            address = str(_ADDRESSES[self._next])
            self._next = self._next + 1
            if self._next >= _ADDRESSES.num_addresses - 1:
                self._next = _FIRST
            if address not in self._addresses:
                break
        return address

    def _give_node_ports(
        self, manifest: Manifest, before: dict[str, Any], found: list[Cause]
    ) -> None:
        spec = manifest["spec"]
        own = {port.get("nodePort") for port in before.get("ports") or ()}
        kept = {
            (port.get("port"), port.get("protocol")): port.get("nodePort")
            for port in before.get("ports") or ()
        }
        given = spec.get("allocateLoadBalancerNodePorts") is not False
        used = {port.get("nodePort") for port in spec.get("ports") or ()}
        for index, port in enumerate(spec.get("ports") or ()):
            asked = port.get("nodePort")
            if asked and asked not in own:
                problem = _port_problem(asked, taken=asked in self._ports)
                if problem:
                    path = f"spec.ports[{index}].nodePort"
                    found.append(causes.invalid(path, asked, problem))
            elif not asked and given:
                number = kept.get((port.get("port"), port.get("protocol")))
                port["nodePort"] = number or self._free_port(used)
                used.add(port["nodePort"])
        if _is_checked(spec) and not spec.get("healthCheckNodePort"):
            number = before.get("healthCheckNodePort")
            spec["healthCheckNodePort"] = number or self._free_port(used)

    def _free_port(self, used: set[int | None]) -> int:
        return next(n for n in _NODE_PORTS if n not in self._ports and n not in used)


def _node_ports(spec: dict[str, Any]) -> list[int]:
    """Return the node ports that a Service has, that of its health checks among them."""
    numbers = [port.get("nodePort") for port in spec.get("ports") or ()]
    return [number for number in (*numbers, spec.get("healthCheckNodePort")) if number]


def _is_checked(spec: dict[str, Any]) -> bool:
    """True for a load balancer that asks each node whether it has pods of the Service."""
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def _port_problem(port: int, *, taken: bool) -> str:
    if port not in _NODE_PORTS:
        return (
            "provided port is not in the valid range. The range of valid ports is "
            f"{_NODE_PORTS.start}-{_NODE_PORTS.stop - 1}"
        )
    return "provided port is already allocated" if taken else ""


def _drop_unneeded(spec: dict[str, Any], before: dict[str, Any]) -> None:
    """Drop what the new type has no use for, where the writer left it as it was."""
    kind, was = spec.get("type"), before.get("type")
    if kind == "ExternalName" != was:
        for members in (("clusterIP", "clusterIPs"), ("ipFamilies",), ("ipFamilyPolicy",)):
            if all(spec.get(member) == before.get(member) for member in members):
                for member in members:
                    spec.pop(member, None)
    if was in _WITH_NODE_PORTS and kind not in _WITH_NODE_PORTS:
        old = {port.get("nodePort") for port in before.get("ports") or ()}
        if {port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")} <= old:
            for port in spec.get("ports") or ():
                port.pop("nodePort", None)
        if spec.get("externalTrafficPolicy") == before.get("externalTrafficPolicy"):
            spec.pop("externalTrafficPolicy", None)
    if was == "LoadBalancer" != kind:
        for member in ("allocateLoadBalancerNodePorts", "loadBalancerClass"):
            if spec.get(member) == before.get(member):
                spec.pop(member, None)


def _drop_unneeded_check(spec: dict[str, Any], before: dict[str, Any]) -> None:
    port = before.get("healthCheckNodePort")
    if _is_checked(before) and not _is_checked(spec) and spec.get("healthCheckNodePort") == port:
        spec.pop("healthCheckNodePort", None)
