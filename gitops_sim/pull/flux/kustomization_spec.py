"""The spec of a Kustomization, parsed once at the door.

Differs: `decryption`, `kubeConfig`, `healthCheckExprs`, `ignore` and `dependsOn[].readyExpr` are
refused with a Stalled condition that names the field. `serviceAccountName` is taken, but requests
are made as the controller itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gitops_sim.clock import parse_duration
from gitops_sim.pull.flux.names import KUSTOMIZE_GROUP
from gitops_sim.render import BuildOptions
from gitops_sim.types import Manifest, ResourceKey

__all__ = ["DependencyReference", "KustomizationSpec", "PostBuild", "SourceReference"]

_LEAST_TIMEOUT: Final = 30.0
_UNSUPPORTED: Final = ("decryption", "kubeConfig", "healthCheckExprs", "ignore")


@dataclass(frozen=True, slots=True)
class SourceReference:
    """Where the manifests come from; `namespace` is filled in."""

    kind: str
    name: str
    namespace: str

    def __str__(self) -> str:
        """`GitRepository/flux-system/shop`."""
        return f"{self.kind}/{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class DependencyReference:
    """Another Kustomization that must be ready before; `namespace` is filled in."""

    name: str
    namespace: str

    def __str__(self) -> str:
        """`flux-system/infrastructure`."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class PostBuild:
    """Variables: `substitute_from` are kind, name and whether it may be missing, in order."""

    substitute: Mapping[str, str] = field(default_factory=dict)
    substitute_from: tuple[tuple[str, str, bool], ...] = ()
    always: bool = False


@dataclass(frozen=True, slots=True)
class KustomizationSpec:
    """What the controller does with a Kustomization; times in seconds.

    `unsupported` names a field that is set and that this lab cannot honour, if there is one.
    """

    source: SourceReference
    interval: float
    retry_interval: float
    timeout: float
    path: str
    prune: bool
    deletion_policy: str
    wait: bool
    force: bool
    suspend: bool
    build: BuildOptions
    depends_on: tuple[DependencyReference, ...] = ()
    health_checks: tuple[tuple[str, ResourceKey], ...] = ()
    post_build: PostBuild | None = None
    unsupported: str = ""

    @classmethod
    def from_manifest(cls, manifest: Manifest) -> KustomizationSpec:
        """Read the spec of an object that its schema has checked."""
        spec = manifest["spec"]
        namespace = str(manifest["metadata"]["namespace"])
        interval = parse_duration(spec["interval"])
        retry = spec.get("retryInterval")
        reference = spec["sourceRef"]
        return cls(
            source=SourceReference(
                reference["kind"], reference["name"], reference.get("namespace") or namespace
            ),
            interval=interval,
            retry_interval=parse_duration(retry) if retry else interval,
            timeout=_timeout(spec, interval),
            path=spec.get("path", ""),
            prune=bool(spec["prune"]),
            deletion_policy=spec.get("deletionPolicy", "MirrorPrune"),
            wait=bool(spec.get("wait")),
            force=bool(spec.get("force")),
            suspend=bool(spec.get("suspend")),
            build=_build_options(spec),
            depends_on=tuple(
                DependencyReference(entry["name"], entry.get("namespace") or namespace)
                for entry in spec.get("dependsOn") or ()
            ),
            health_checks=tuple(
                _health_check(entry, namespace) for entry in spec.get("healthChecks") or ()
            ),
            post_build=_post_build(spec.get("postBuild")),
            unsupported=_unsupported(spec),
        )

    @property
    def deletes_its_objects(self) -> bool:
        """True when what it applied goes with it."""
        if self.deletion_policy == "MirrorPrune":
            return self.prune
        return self.deletion_policy in ("Delete", "WaitForTermination")


def _timeout(spec: Mapping[str, Any], interval: float) -> float:
    """Return the timeout of a pass. Source: api/v1 kustomization_types.go, GetTimeout."""
    text = spec.get("timeout")
    return max(parse_duration(text) if text else interval - 30.0, _LEAST_TIMEOUT)


def _build_options(spec: Mapping[str, Any]) -> BuildOptions:
    common = spec.get("commonMetadata") or {}
    return BuildOptions(
        target_namespace=spec.get("targetNamespace", ""),
        name_prefix=spec.get("namePrefix", ""),
        name_suffix=spec.get("nameSuffix", ""),
        patches=tuple(spec.get("patches") or ()),
        images=tuple(spec.get("images") or ()),
        components=tuple(spec.get("components") or ()),
        ignore_missing_components=bool(spec.get("ignoreMissingComponents")),
        build_metadata=tuple(spec.get("buildMetadata") or ()),
        labels=common.get("labels") or {},
        annotations=common.get("annotations") or {},
        allow_empty=True,
    )


def _health_check(entry: Mapping[str, Any], namespace: str) -> tuple[str, ResourceKey]:
    """Return the exact kind and the key of an object to wait for."""
    version = entry.get("apiVersion") or "apps/v1"
    if entry["kind"] == "Kustomization" and not entry.get("apiVersion"):
        version = f"{KUSTOMIZE_GROUP}/v1"
    group, _, _ = version.rpartition("/")
    key = ResourceKey(group, entry["kind"], entry.get("namespace") or namespace, entry["name"])
    return f"{version}/{entry['kind']}", key


def _post_build(post_build: Mapping[str, Any] | None) -> PostBuild | None:
    if not post_build:
        return None
    return PostBuild(
        substitute=post_build.get("substitute") or {},
        substitute_from=tuple(
            (entry["kind"], entry["name"], bool(entry.get("optional")))
            for entry in post_build.get("substituteFrom") or ()
        ),
        always=post_build.get("substituteStrategy") == "Always",
    )


def _unsupported(spec: Mapping[str, Any]) -> str:
    if any(entry.get("readyExpr") for entry in spec.get("dependsOn") or ()):
        return "dependsOn[].readyExpr"
    return next((name for name in _UNSUPPORTED if spec.get(name)), "")
