"""What containers get from ConfigMaps and Secrets, and what is wrong when they are not there.

Source: k8s.io/kubernetes, pkg/kubelet/kubelet_pods.go (makeEnvironmentVariables),
pkg/volume/configmap, pkg/volume/secret.
Differs: token, CA and downward API parts of projected volumes are always there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gitops_sim.runtime import Informer
from gitops_sim.types import Manifest

__all__ = ["Configuration", "uses"]

_Use = tuple[str, str, str, bool]
"""Kind, name, key (empty: all) and whether it is optional."""


class Configuration:
    """ConfigMaps and Secrets as a kubelet sees them."""

    def __init__(self, config_maps: Informer, secrets: Informer) -> None:
        self._caches = {"ConfigMap": config_maps, "Secret": secrets}

    def volume_problem(self, pod: Manifest) -> str:
        """Return why a volume cannot be mounted, in the kubelet's words; empty: all can."""
        for volume, use in _volume_uses(pod):
            problem = self._problem(pod, use, in_volume=True)
            if problem:
                return f'MountVolume.SetUp failed for volume "{volume}" : {problem}'
        return ""

    def container_problem(self, pod: Manifest, container: Mapping[str, Any]) -> str:
        """Return why a container's environment cannot be made; empty: it can."""
        problems = (self._problem(pod, use) for use in _env_uses(container))
        return next((problem for problem in problems if problem), "")

    def env_names(self, pod: Manifest, container: Mapping[str, Any]) -> frozenset[str]:
        """Return the names of the environment variables that a container gets."""
        names = {
            variable["name"]
            for variable in container.get("env") or ()
            if self._gives_value(pod, variable)
        }
        for source in container.get("envFrom") or ():
            kind, reference = _reference(source, "configMapRef", "secretRef")
            found = self._caches[kind].get(reference.get("name", ""), _namespace(pod))
            prefix = source.get("prefix") or ""
            names.update(f"{prefix}{key}" for key in (found or {}).get("data") or ())
        return frozenset(names)

    def _gives_value(self, pod: Manifest, variable: Mapping[str, Any]) -> bool:
        source = variable.get("valueFrom") or {}
        if not ("configMapKeyRef" in source or "secretKeyRef" in source):
            return True
        kind, reference = _reference(source, "configMapKeyRef", "secretKeyRef")
        found = self._caches[kind].get(reference.get("name", ""), _namespace(pod))
        return found is not None and reference.get("key") in _keys(found)

    def _problem(self, pod: Manifest, use: _Use, *, in_volume: bool = False) -> str:
        kind, name, key, optional = use
        if optional:
            return ""
        namespace = _namespace(pod)
        found = self._caches[kind].get(name, namespace)
        if found is None:
            return f'{kind.lower()} "{name}" not found'
        if not key or key in _keys(found):
            return ""
        if in_volume:
            return f"references non-existent {kind.lower()} key: {key}"
        return f"couldn't find key {key} in {kind} {namespace}/{name}"


def uses(pod: Manifest) -> Iterable[str]:
    """Return the ConfigMaps and Secrets that a pod names, as `ConfigMap/<namespace>/<name>`."""
    spec, namespace = pod["spec"], _namespace(pod)
    found = [use for _, use in _volume_uses(pod)]
    for group in ("initContainers", "containers"):
        for container in spec.get(group) or ():
            found += _env_uses(container)
    return {f"{kind}/{namespace}/{name}": None for kind, name, _, _ in found}


def _volume_uses(pod: Manifest) -> Iterator[tuple[str, _Use]]:
    for volume in pod["spec"].get("volumes") or ():
        sources = [volume]
        projected = (volume.get("projected") or {}).get("sources") or ()
        if any("serviceAccountToken" in source for source in projected):
            projected = ()  # the API access that every pod gets
        sources += projected
        for source in sources:
            for field, kind, name_field in (
                ("configMap", "ConfigMap", "name"),
                ("secret", "Secret", "name" if source is not volume else "secretName"),
            ):
                reference = source.get(field)
                if reference is None:
                    continue
                name, optional = reference.get(name_field, ""), bool(reference.get("optional"))
                keys = [item["key"] for item in reference.get("items") or ()] or [""]
                for key in keys:
                    yield volume["name"], (kind, name, key, optional)


def _env_uses(container: Mapping[str, Any]) -> Iterator[_Use]:
    for source in container.get("envFrom") or ():
        kind, reference = _reference(source, "configMapRef", "secretRef")
        yield kind, reference.get("name", ""), "", bool(reference.get("optional"))
    for variable in container.get("env") or ():
        source = variable.get("valueFrom") or {}
        if "configMapKeyRef" in source or "secretKeyRef" in source:
            kind, reference = _reference(source, "configMapKeyRef", "secretKeyRef")
            optional = bool(reference.get("optional"))
            yield kind, reference.get("name", ""), reference.get("key", ""), optional


def _reference(
    source: Mapping[str, Any], of_config_map: str, of_secret: str
) -> tuple[str, Mapping[str, Any]]:
    if of_config_map in source:
        return "ConfigMap", source[of_config_map]
    return "Secret", source.get(of_secret) or {}


def _keys(found: Manifest) -> set[str]:
    return {*(found.get("data") or ()), *(found.get("binaryData") or ())}


def _namespace(pod: Manifest) -> str:
    return str(pod["metadata"]["namespace"])
