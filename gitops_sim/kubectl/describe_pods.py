"""Descriptions of pods, and of the pod templates in other objects.

Source: k8s.io/kubectl pkg/describe/describe.go (describePod, DescribePodTemplate).
Differs: of a volume whose source few clusters have only its kind is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gitops_sim.apiserver.table_cells import format_selector
from gitops_sim.kubectl.describe_containers import describe_containers
from gitops_sim.kubectl.describe_text import Page, controller_name, moment
from gitops_sim.types import Manifest

__all__ = ["describe_pod", "describe_template"]

_OVER = ("Succeeded", "Failed")


def describe_pod(page: Page, pod: Manifest, since: str) -> None:
    """Write a pod; `since` is how long it has been going, if it goes."""
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    page.add(f"Name:\t{metadata['name']}")
    page.add(f"Namespace:\t{metadata['namespace']}")
    page.add_present("Priority", spec.get("priority"))
    page.add_present("Priority Class Name", spec.get("priorityClassName"))
    page.add_present("Runtime Class Name", spec.get("runtimeClassName"))
    page.add_present("Service Account", spec.get("serviceAccountName"))
    node = spec.get("nodeName")
    page.add(f"Node:\t{node}/{status.get('hostIP', '')}" if node else "Node:\t<none>")
    if status.get("startTime"):
        page.add(f"Start Time:\t{moment(status['startTime'])}")
    page.add_labels("Labels", metadata.get("labels"))
    page.add_annotations("Annotations", metadata.get("annotations"))
    if metadata.get("deletionTimestamp") and status.get("phase") not in _OVER:
        page.add(f"Status:\tTerminating (lasts {since})")
        page.add(f"Termination Grace Period:\t{metadata.get('deletionGracePeriodSeconds', 0)}s")
    else:
        page.add(f"Status:\t{status.get('phase', '')}")
    page.add_present("Reason", status.get("reason"))
    page.add_present("Message", status.get("message"))
    seccomp = ((spec.get("securityContext") or {}).get("seccompProfile") or {}).get("type")
    page.add_present("SeccompProfile", seccomp)
    page.add(f"IP:\t{status.get('podIP', '')}")
    addresses = [entry["ip"] for entry in status.get("podIPs") or ()]
    page.add("IPs:" if addresses else "IPs:\t<none>")
    for address in addresses:
        page.add(f"IP:\t{address}", level=1)
    page.add_present("Controlled By", controller_name(pod))
    page.add_present("NominatedNodeName", status.get("nominatedNodeName"))
    if spec.get("initContainers"):
        describe_containers(page, "Init Containers", spec["initContainers"], pod)
    describe_containers(page, "Containers", spec["containers"], pod)
    if spec.get("ephemeralContainers"):
        describe_containers(page, "Ephemeral Containers", spec["ephemeralContainers"], pod)
    page.add_conditions(status.get("conditions") or (), reasons=False)
    _volumes(page, spec.get("volumes") or (), "")
    page.add(f"QoS Class:\t{status.get('qosClass', '')}")
    _placement(page, spec, "")


def describe_template(page: Page, template: Mapping[str, Any]) -> None:
    """Write the pod template of an object."""
    metadata, spec = template.get("metadata") or {}, template.get("spec") or {}
    page.add("Pod Template:")
    page.add_labels("  Labels", metadata.get("labels"))
    if metadata.get("annotations"):
        page.add_annotations("  Annotations", metadata["annotations"])
    page.add_present("Service Account", spec.get("serviceAccountName"), level=1)
    if spec.get("initContainers"):
        describe_containers(page, "Init Containers", spec["initContainers"], None)
    describe_containers(page, "Containers", spec.get("containers") or (), None)
    _volumes(page, spec.get("volumes") or (), "  ")
    _spread(page, spec, "  ")
    page.add_present("Priority Class Name", spec.get("priorityClassName"), level=1)
    page.add_labels("  Node-Selectors", spec.get("nodeSelector"))
    page.add_each("  Tolerations:", _tolerations(spec))


def _placement(page: Page, spec: Mapping[str, Any], blank: str) -> None:
    page.add_labels(f"{blank}Node-Selectors", spec.get("nodeSelector"))
    page.add_each(f"{blank}Tolerations:", _tolerations(spec))
    _spread(page, spec, blank)


def _tolerations(spec: Mapping[str, Any]) -> list[str]:
    texts = []
    for entry in sorted(spec.get("tolerations") or (), key=lambda entry: entry.get("key", "")):
        text = str(entry.get("key", ""))
        text += f"={entry['value']}" if entry.get("value") else ""
        text += f":{entry['effect']}" if entry.get("effect") else ""
        if entry.get("operator") == "Exists" and not entry.get("value"):
            text += " op=Exists" if text else "op=Exists"
        if entry.get("tolerationSeconds") is not None:
            text += f" for {entry['tolerationSeconds']}s"
        texts.append(text)
    return texts


def _spread(page: Page, spec: Mapping[str, Any], blank: str) -> None:
    rules = sorted(
        spec.get("topologySpreadConstraints") or (), key=lambda rule: str(rule["topologyKey"])
    )
    texts = []
    for rule in rules:
        text = f"{rule['topologyKey']}:{rule['whenUnsatisfiable']} when max skew "
        text += f"{rule['maxSkew']} is exceeded"
        if rule.get("labelSelector") is not None:
            text += f" for selector {format_selector(rule['labelSelector'])}"
        texts.append(text)
    if texts:
        page.add_each(f"{blank}Topology Spread Constraints:", texts)


def _volumes(page: Page, volumes: Sequence[Mapping[str, Any]], blank: str) -> None:
    page.add(f"{blank}Volumes:" if volumes else f"{blank}Volumes:\t<none>")
    for volume in volumes:
        page.add(f"{' ' if blank else ''}{volume['name']}:", level=1)
        kind = next((member for member in volume if member != "name"), "")
        for line in _volume_lines(kind, volume.get(kind) or {}):
            page.add(line, level=2)


_SIMPLE: Mapping[str, tuple[str, tuple[tuple[str, str, str], ...]]] = {
    "configMap": (
        "ConfigMap (a volume populated by a ConfigMap)",
        (("Name", "name", ""), ("Optional", "optional", "false")),
    ),
    "emptyDir": (
        "EmptyDir (a temporary directory that shares a pod's lifetime)",
        (("Medium", "medium", ""), ("SizeLimit", "sizeLimit", "<unset>")),
    ),
    "hostPath": (
        "HostPath (bare host directory volume)",
        (("Path", "path", ""), ("HostPathType", "type", "<none>")),
    ),
    "nfs": (
        "NFS (an NFS mount that lasts the lifetime of a pod)",
        (("Server", "server", ""), ("Path", "path", ""), ("ReadOnly", "readOnly", "false")),
    ),
    "persistentVolumeClaim": (
        "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        (("ClaimName", "claimName", ""), ("ReadOnly", "readOnly", "false")),
    ),
    "secret": (
        "Secret (a volume populated by a Secret)",
        (("SecretName", "secretName", ""), ("Optional", "optional", "false")),
    ),
}
"""What kinds of volumes are, and their members: title, name, and what stands for none."""


def _volume_lines(kind: str, source: Mapping[str, Any]) -> list[str]:
    if kind == "projected":
        return _projected_lines(source)
    if kind == "downwardAPI":
        told = "DownwardAPI (a volume populated by information about the pod)"
        items = [
            f"  {(item.get('fieldRef') or {}).get('fieldPath')} -> {item['path']}"
            for item in source.get("items") or ()
            if item.get("fieldRef")
        ]
        return [f"Type:\t{told}", "Items:", *items]
    told, members = _SIMPLE.get(kind, (f"{kind[:1].upper()}{kind[1:]}", ()))
    lines = [f"Type:\t{told}"]
    for title, member, unset in members:
        value = source.get(member, unset)
        lines.append(f"{title}:\t{str(value).lower() if isinstance(value, bool) else value}")
    return lines


def _projected_lines(source: Mapping[str, Any]) -> list[str]:
    lines = ["Type:\tProjected (a volume that contains injected data from multiple sources)"]
    for part in source.get("sources") or ():
        for title, member in (("SecretName", "secret"), ("ConfigMapName", "configMap")):
            if part.get(member):
                optional = str(bool(part[member].get("optional"))).lower()
                lines += [f"{title}:\t{part[member].get('name', '')}", f"Optional:\t{optional}"]
        if part.get("downwardAPI"):
            lines.append("DownwardAPI:\ttrue")
        if part.get("serviceAccountToken"):
            seconds = part["serviceAccountToken"].get("expirationSeconds", 3600)
            lines.append(f"TokenExpirationSeconds:\t{seconds}")
    return lines
