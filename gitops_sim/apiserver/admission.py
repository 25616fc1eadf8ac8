"""Admission that every server has: the life of namespaces, and cluster IPs of Services.

Source: k8s.io/apiserver, pkg/admission/plugin/namespace/lifecycle; k8s.io/kubernetes,
pkg/registry/core/service.
"""

from __future__ import annotations

from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.status_errors import forbidden, not_found
from gitops_sim.apiserver.server import AdmissionHook, ApiServer, Write
from gitops_sim.apiserver.store import Kind
from gitops_sim.types import Manifest

__all__ = ["FIRST_NAMESPACES", "cluster_ips", "namespace_lifecycle"]

FIRST_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
"""Namespaces that a server has from the start; `default` and two others cannot be deleted."""

_NAMESPACES = Kind("", "Namespace")
_SERVICES = Kind("", "Service")


def namespace_lifecycle(server: ApiServer) -> AdmissionHook:
    """Return the hook that refuses objects in namespaces that are not there, or are going."""
    namespaces = server.kinds.lookup("v1/Namespace")

    def admit(write: Write, manifest: Manifest) -> None:
        if write.before is not None or not write.resource_type.namespaced:
            return
        name = manifest["metadata"]["namespace"]
        namespace = server.store.get(_NAMESPACES, "", name)
        if namespace is None:
            raise not_found(namespaces, name)
        if "deletionTimestamp" not in namespace["metadata"]:
            return
        raise forbidden(
            write.resource_type,
            manifest["metadata"].get("name", ""),
            f"unable to create new content in namespace {name} because it is being terminated",
            [
                Cause(
                    "NamespaceTerminating",
                    f"namespace {name} is being terminated",
                    "metadata.namespace",
                )
            ],
        )

    return admit


def cluster_ips(server: ApiServer) -> AdmissionHook:
    """Return the hook that gives Services an address out of 10.96.0.0/16, and node ports.

    Differs: addresses are given in order, not at random, so that histories are easy to read.
    """

    def admit(write: Write, manifest: Manifest) -> None:
        resource_type = write.resource_type
        if (resource_type.group, resource_type.kind) != _SERVICES:
            return
        spec = manifest.get("spec") or {}
        if spec.get("type") == "ExternalName":
            return
        if not spec.get("clusterIP"):
            old = ((write.before or {}).get("spec") or {}).get("clusterIP")
            spec["clusterIP"] = old or _next_address(server)
        spec["clusterIPs"] = [spec["clusterIP"]]
        if spec.get("type") in ("NodePort", "LoadBalancer"):
            _give_node_ports(server, write, manifest)

    return admit


def _next_address(server: ApiServer) -> str:
    used = {s["spec"].get("clusterIP") for s in server.store.objects(_SERVICES)}
    number = len(used) + 10
    while True:
        address = f"10.96.{number // 250}.{number % 250 + 1}"
        if address not in used:
            return address
        number += 1


def _give_node_ports(server: ApiServer, write: Write, manifest: Manifest) -> None:
    used = {
        port.get("nodePort")
        for service in server.store.objects(_SERVICES)
        for port in service["spec"].get("ports", ())
    }
    before = ((write.before or {}).get("spec") or {}).get("ports") or ()
    kept = {(p.get("port"), p.get("protocol")): p.get("nodePort") for p in before}
    number = 30000
    for port in manifest["spec"].get("ports", ()):
        if port.get("nodePort"):
            continue
        port["nodePort"] = kept.get((port.get("port"), port.get("protocol")))
        while not port["nodePort"]:
            if number not in used:
                port["nodePort"] = number
                used.add(number)
            number += 1
