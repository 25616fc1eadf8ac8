"""Rules of the volumes of a pod: each has one source, and the source what it needs.

Source: k8s.io/kubernetes, pkg/apis/core/validation/validation.go (ValidateVolumes,
validateVolumeSource).
Differs: of the sources that few clusters have (the in-tree drivers of clouds and storage systems)
only that there is no second one is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from gitops_sim.apimachinery import causes, names, quantities
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.validation_parts import label_causes, named, supported
from gitops_sim.apimachinery.validation_volumes import claim_spec_causes

__all__ = ["field_selector_causes", "resource_selector_causes", "volume_list_causes"]

_MODE = "must be a number between 0 and 0777 (octal), both inclusive"
_ORDER = ("emptyDir", "hostPath", "secret", "nfs", "persistentVolumeClaim", "configMap", "csi")
_HOST_PATHS = (
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)
_OF_METADATA = (
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
)
_OF_POD = frozenset(
    {
        *_OF_METADATA,
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "status.hostIP",
        "status.hostIPs",
        "status.phase",
        "status.podIP",
        "status.podIPs",
    }
)
"""What a field of the downward API may be called at all."""
_RESOURCES = (
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
)


def volume_list_causes(volumes: Any, path: str, known: set[str]) -> Iterator[Cause]:
    """Yield what is wrong with volumes; the good ones' names are added to `known`."""
    for index, volume in enumerate(volumes):
        place, name = f"{path}[{index}]", volume.get("name", "")
        found = list(_one_source_causes(volume, place))
        if not name:
            found.append(causes.required(f"{place}.name"))
        else:
            found += named(name, f"{place}.name", names.validate_label)
        if name in known:
            found.append(causes.duplicate(f"{place}.name", name))
        yield from found
        if not found:
            known.add(name)


def _one_source_causes(volume: dict[str, Any], path: str) -> Iterator[Cause]:
    sources = [name for name, source in volume.items() if name != "name" and source is not None]
    sources.sort(key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
    if not sources:
        yield causes.required(path, "must specify a volume type")
    for extra in sources[1:]:
        yield causes.forbidden(f"{path}.{extra}", "may not specify more than 1 volume type")
    for source in sources[:1]:
        rule = _SOURCES.get(source)
        if rule is not None:
            yield from rule(volume[source], f"{path}.{source}")


def field_selector_causes(
    selector: dict[str, Any], path: str, fields: tuple[str, ...]
) -> Iterator[Cause]:
    """Yield what is wrong with a field of the downward API; `fields` are those allowed there."""
    name = selector.get("fieldPath", "")
    if not name:
        yield causes.required(f"{path}.fieldPath")
        return
    bare, bracket, rest = name.partition("['")
    if bracket and rest.endswith("']"):
        key = rest.removesuffix("']")
        if bare not in ("metadata.annotations", "metadata.labels"):
            text = f"error converting fieldPath: field label does not support subscript: {name}"
            yield causes.invalid(f"{path}.fieldPath", name, text)
            return
        key = key.lower() if bare == "metadata.annotations" else key
        yield from named(key, path, names.validate_label_key)
    elif name not in _OF_POD:
        text = f"error converting fieldPath: field label not supported: {name}"
        yield causes.invalid(f"{path}.fieldPath", name, text)
    else:
        yield from supported(name, f"{path}.fieldPath", fields)


def resource_selector_causes(
    selector: dict[str, Any], path: str, *, of_volume: bool
) -> Iterator[Cause]:
    """Yield what is wrong with a resource of the downward API."""
    resource = selector.get("resource", "")
    if of_volume and not selector.get("containerName"):
        yield causes.required(f"{path}.containerName")
    elif not resource:
        yield causes.required(f"{path}.resource")
    elif not resource.startswith(("limits.hugepages-", "requests.hugepages-")):
        yield from supported(resource, f"{path}.resource", _RESOURCES)


def relative_path_causes(text: str, path: str) -> Iterator[Cause]:
    """Refuse a path that leaves its directory, or that the kubelet keeps for itself."""
    if text.startswith("/"):
        yield causes.invalid(path, text, "must be a relative path")
    yield from _backstep_causes(text, path)
    if text.startswith("..") and not text.startswith("../"):
        yield causes.invalid(path, text, "must not start with '..'")


def _backstep_causes(text: str, path: str) -> Iterator[Cause]:
    if ".." in text.split("/"):
        yield causes.invalid(path, text, "must not contain '..'")


def _mode_causes(source: dict[str, Any], path: str, member: str) -> Iterator[Cause]:
    mode = source.get(member)
    if mode is not None and not 0 <= mode <= 0o777:
        yield causes.invalid(f"{path}.{member}", mode, _MODE)


def _items_causes(source: dict[str, Any], path: str) -> Iterator[Cause]:
    for index, item in enumerate(source.get("items") or ()):
        place = f"{path}.items[{index}]"
        for member in ("key", "path"):
            if not item.get(member):
                yield causes.required(f"{place}.{member}")
        yield from relative_path_causes(item.get("path", ""), f"{place}.path")
        yield from _mode_causes(item, place, "mode")


def _config_map(source: dict[str, Any], path: str) -> Iterator[Cause]:
    yield from _keyed(source, path, "name")


def _secret(source: dict[str, Any], path: str) -> Iterator[Cause]:
    yield from _keyed(source, path, "secretName")


def _keyed(source: dict[str, Any], path: str, member: str) -> Iterator[Cause]:
    if not source.get(member):
        yield causes.required(f"{path}.{member}")
    yield from _mode_causes(source, path, "defaultMode")
    yield from _items_causes(source, path)


def _empty_dir(source: dict[str, Any], path: str) -> Iterator[Cause]:
    size = source.get("sizeLimit")
    if size is not None and quantities.parse(size) < 0:
        text = "SizeLimit field must be a valid resource quantity"
        yield causes.forbidden(f"{path}.sizeLimit", text)


def host_path_causes(source: dict[str, Any], path: str) -> Iterator[Cause]:
    """Refuse a path of the node that is missing or goes back, and unknown types."""
    if not source.get("path"):
        yield causes.required(f"{path}.path")
        return
    yield from _backstep_causes(source["path"], f"{path}.path")
    yield from supported(source.get("type") or "", f"{path}.type", _HOST_PATHS)


def nfs_causes(source: dict[str, Any], path: str) -> Iterator[Cause]:
    """Refuse an NFS share without server or absolute path."""
    for member in ("server", "path"):
        if not source.get(member):
            yield causes.required(f"{path}.{member}")
    where = source.get("path", "")
    if not where.startswith("/"):
        yield causes.invalid(f"{path}.path", where, "must be an absolute path")


def _claim(source: dict[str, Any], path: str) -> Iterator[Cause]:
    if not source.get("claimName"):
        yield causes.required(f"{path}.claimName")


def _csi(source: dict[str, Any], path: str) -> Iterator[Cause]:
    if not source.get("driver"):
        yield causes.required(f"{path}.driver")


def _downward(source: dict[str, Any], path: str) -> Iterator[Cause]:
    yield from _mode_causes(source, path, "defaultMode")
    for item in source.get("items") or ():
        yield from _file_causes(item, path)


def _file_causes(item: dict[str, Any], path: str) -> Iterator[Cause]:
    """Yield what is wrong with a file of the downward API; the server does not say which one."""
    if not item.get("path"):
        yield causes.required(f"{path}.path")
    yield from relative_path_causes(item.get("path", ""), f"{path}.path")
    if item.get("fieldRef") is not None:
        yield from field_selector_causes(item["fieldRef"], f"{path}.fieldRef", _OF_METADATA)
        if item.get("resourceFieldRef") is not None:
            text = "fieldRef and resourceFieldRef can not be specified simultaneously"
            yield causes.invalid(path, "resource", text)
    elif item.get("resourceFieldRef") is not None:
        place = f"{path}.resourceFieldRef"
        yield from resource_selector_causes(item["resourceFieldRef"], place, of_volume=True)
    else:
        yield causes.required(path, "one of fieldRef and resourceFieldRef is required")
    yield from _mode_causes(item, path, "mode")


def _projected(source: dict[str, Any], path: str) -> Iterator[Cause]:
    yield from _mode_causes(source, path, "defaultMode")
    for index, part in enumerate(source.get("sources") or ()):
        place = f"{path}.sources[{index}]"
        for kind in ("secret", "configMap"):
            if part.get(kind) is not None:
                if not part[kind].get("name"):
                    yield causes.required(f"{place}.{kind}.name")
                yield from _items_causes(part[kind], f"{place}.{kind}")
        for item in (part.get("downwardAPI") or {}).get("items") or ():
            yield from _file_causes(item, f"{place}.downwardAPI")
        if part.get("serviceAccountToken") is not None:
            yield from _token_causes(part["serviceAccountToken"], place, path)
        if len([kind for kind, told in part.items() if told is not None]) > 1:
            text = "may not specify more than 1 volume type per source"
            yield causes.forbidden(place, text)


def _token_causes(token: dict[str, Any], path: str, whole: str) -> Iterator[Cause]:
    seconds = token.get("expirationSeconds") or 3600
    place = f"{path}.serviceAccountToken.expirationSeconds"
    if seconds < 600:
        yield causes.invalid(place, seconds, "may not specify a duration less than 10 minutes")
    if seconds > 2**32:
        text = "may not specify a duration larger than 2^32 seconds"
        yield causes.invalid(place, seconds, text)
    if not token.get("path"):
        yield causes.required(f"{whole}.path")
    else:
        yield from relative_path_causes(token["path"], f"{whole}.path")


def _ephemeral(source: dict[str, Any], path: str) -> Iterator[Cause]:
    template, place = source.get("volumeClaimTemplate"), f"{path}.volumeClaimTemplate"
    if template is None:
        yield causes.required(place)
        return
    labels = (template.get("metadata") or {}).get("labels")
    yield from label_causes(labels, f"{place}.metadata.labels")
    yield from claim_spec_causes(template.get("spec") or {}, f"{place}.spec")


def _image(source: dict[str, Any], path: str) -> Iterator[Cause]:
    if not source.get("reference"):
        yield causes.required(f"{path}.reference")
    policy, words = source.get("pullPolicy"), ("Always", "IfNotPresent", "Never")
    if policy:
        yield from supported(policy, f"{path}.pullPolicy", words)


_SOURCES: dict[str, Callable[[dict[str, Any], str], Iterator[Cause]]] = {
    "configMap": _config_map,
    "csi": _csi,
    "downwardAPI": _downward,
    "emptyDir": _empty_dir,
    "ephemeral": _ephemeral,
    "hostPath": host_path_causes,
    "image": _image,
    "nfs": nfs_causes,
    "persistentVolumeClaim": _claim,
    "projected": _projected,
    "secret": _secret,
}
