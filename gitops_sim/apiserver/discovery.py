"""What a server tells about the kinds that it serves: the old lists and the aggregated form.

Source: k8s.io/apiserver, pkg/endpoints/discovery; k8s.io/kube-aggregator; k8s.io/
apiextensions-apiserver, pkg/apiserver/customresource_discovery_controller.go.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery import builtin_data
from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apiserver.definitions import is_custom_group, maturity, stored_version
from gitops_sim.apiserver.server import ApiServer

__all__ = ["aggregated", "api_group", "api_groups", "api_resources", "groups_in_order"]

_LIST_KIND = "APIGroupDiscoveryList"
_STORED_AS = {
    ("apiextensions.k8s.io", "CustomResourceDefinition"): ("apiextensions.k8s.io", "v1beta1"),
    ("autoscaling", "HorizontalPodAutoscaler"): ("autoscaling", "v2"),
    ("certificates.k8s.io", "ClusterTrustBundle"): ("certificates.k8s.io", "v1beta1"),
    ("certificates.k8s.io", "PodCertificateRequest"): ("certificates.k8s.io", "v1beta1"),
    ("events.k8s.io", "Event"): ("", "v1"),
    ("resource.k8s.io", "DeviceTaintRule"): ("resource.k8s.io", "v1beta2"),
    ("storagemigration.k8s.io", "StorageVersionMigration"): ("storagemigration.k8s.io", "v1beta1"),
}
"""Kinds that are stored as another group or version than the one asked for; its hash is told."""

_SCALE = {"group": "autoscaling", "version": "v1", "kind": "Scale"}


def groups_in_order(server: ApiServer) -> dict[str, list[str]]:
    """Return the named groups with their versions, in the order in which discovery lists them."""
    found = server.kinds.groups()
    found.pop("", None)
    for group, versions in found.items():
        if len(versions) > 1 and is_custom_group(group):
            versions.sort(key=maturity, reverse=True)
    return found


def api_groups(server: ApiServer) -> dict[str, Any]:
    """Return the APIGroupList of `/apis`."""
    groups = [_group(name, versions) for name, versions in groups_in_order(server).items()]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def api_group(server: ApiServer, group: str) -> dict[str, Any] | None:
    """Return the APIGroup of `/apis/<group>`; None when nothing of it is served."""
    versions = groups_in_order(server).get(group)
    if versions is None:
        return None
    return {"kind": "APIGroup", "apiVersion": "v1"} | _group(group, versions)


def api_resources(server: ApiServer, group: str, version: str) -> dict[str, Any] | None:
    """Return the APIResourceList of one version; None when it is not served."""
    found = _version(server, group, version)
    if found is None:
        return None
    told: dict[str, Any] = {"kind": "APIResourceList"}
    if group:
        told["apiVersion"] = "v1"
    name = f"{group}/{version}" if group else version
    resources = [
        entry
        for resource in found["resources"]
        for entry in _legacy(
            group, stored_version(server, group, resource["resource"]) or version, resource
        )
    ]
    if not _is_custom(server, group, version):
        resources.sort(key=lambda entry: str(entry["name"]))
    return told | {"groupVersion": name, "resources": resources}


def aggregated(server: ApiServer, api_version: str, *, core: bool) -> dict[str, Any]:
    """Return the APIGroupDiscoveryList of `/api` (core) or `/apis`.

    Args:
        server: Whose kinds.
        api_version: `apidiscovery.k8s.io/v2`, or an older one.
        core: True for the core group, False for all others.
    """
    groups = {"": ["v1"]} if core else groups_in_order(server)
    items = []
    for name, versions in groups.items():
        listed = [_version(server, name, version) for version in versions]
        metadata = {"name": name} if name else {}
        items.append({"metadata": metadata, "versions": [v for v in listed if v is not None]})
    return {"kind": _LIST_KIND, "apiVersion": api_version, "metadata": {}, "items": items}


def _group(name: str, versions: list[str]) -> dict[str, Any]:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def _version(server: ApiServer, group: str, version: str) -> dict[str, Any] | None:
    """Return one version in the aggregated form."""
    for known in builtin_data.groups():
        if known["metadata"].get("name", "") == group:
            for listed in known["versions"]:
                if listed["version"] == version:
                    found: dict[str, Any] = listed
                    return found
    custom = [_custom(t) for t in server.kinds if (t.group, t.version) == (group, version)]
    if not custom:
        return None
    return {"version": version, "resources": custom, "freshness": "Current"}


def _is_custom(server: ApiServer, group: str, version: str) -> bool:
    return any(
        server.schemas.is_custom(group, version, t.kind)
        for t in server.kinds
        if (t.group, t.version) == (group, version)
    )


def _custom(resource_type: ResourceType) -> dict[str, Any]:
    own = {
        "group": resource_type.group,
        "version": resource_type.version,
        "kind": resource_type.kind,
    }
    told: dict[str, Any] = {
        "resource": resource_type.plural,
        "responseKind": own,
        "scope": "Namespaced" if resource_type.namespaced else "Cluster",
        "singularResource": resource_type.singular,
        "verbs": list(resource_type.verbs),
    }
    if resource_type.short_names:
        told["shortNames"] = list(resource_type.short_names)
    if resource_type.categories:
        told["categories"] = list(resource_type.categories)
    parts = [
        {
            "subresource": part,
            "responseKind": _SCALE if part == "scale" else own,
            "verbs": ["get", "patch", "update"],
        }
        for part in ("status", "scale")
        if part in resource_type.subresources
    ]
    return told | ({"subresources": parts} if parts else {})


def _legacy(group: str, stored: str, resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a resource and its parts as the old lists have them; `stored` is a version."""
    namespaced, kind = resource["scope"] == "Namespaced", resource["responseKind"]["kind"]
    if resource.get("verbs"):
        told: dict[str, Any] = {
            "name": resource["resource"],
            "singularName": resource.get("singularResource", ""),
            "namespaced": namespaced,
            "kind": kind,
            "verbs": resource["verbs"],
        }
        told |= {key: resource[key] for key in ("shortNames", "categories") if key in resource}
        if "watch" in resource["verbs"]:
            told["storageVersionHash"] = _storage_hash(group, stored, kind)
        yield told
    for part in resource.get("subresources", ()):
        answered = part["responseKind"]
        entry: dict[str, Any] = {
            "name": f"{resource['resource']}/{part['subresource']}",
            "singularName": "",
            "namespaced": namespaced,
        }
        if answered.get("version") and answered["kind"] != kind:
            entry |= {"group": answered.get("group", ""), "version": answered["version"]}
        yield entry | {"kind": answered["kind"], "verbs": part["verbs"]}


def _storage_hash(group: str, version: str, kind: str) -> str:
    group, version = _STORED_AS.get((group, kind), (group, version))
    digest = hashlib.sha256(f"{group}/{version}/{kind}".encode()).digest()
    return base64.b64encode(digest[:8]).decode()
