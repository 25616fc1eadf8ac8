"""Identities and results that every room speaks of: frozen dataclasses, no behaviour beyond text.

API objects themselves stay plain JSON dicts (`Manifest`), as on the wire: apply, managedFields
and custom resources need fields that no class knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = [
    "Condition",
    "Image",
    "Manifest",
    "ResourceKey",
    "Result",
    "Revision",
    "Step",
    "WatchEvent",
]

Manifest: TypeAlias = dict[str, Any]
"""One API object as JSON: apiVersion, kind, metadata, and what its kind adds."""


@dataclass(frozen=True, slots=True, order=True)
class ResourceKey:
    """Which object is meant, whatever its version: group, kind, namespace and name.

    `namespace` is empty for cluster-scoped objects, `group` is empty for the core group.
    """

    group: str
    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, manifest: Manifest) -> ResourceKey:
        """Return the key of a manifest; missing parts are empty strings."""
        group, _, _ = str(manifest.get("apiVersion", "")).rpartition("/")
        metadata = manifest.get("metadata") or {}
        return cls(
            group,
            str(manifest.get("kind", "")),
            str(metadata.get("namespace") or ""),
            str(metadata.get("name") or ""),
        )

    def __str__(self) -> str:
        """Print as `Kind/namespace/name`, the form that Flux uses for a subject."""
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit on a branch, printed as Flux does: `main@sha1:<40 hex digits>`.

    Source: Flux RFC-0005, revision format.
    """

    branch: str
    commit: str

    def __str__(self) -> str:
        """Print in the RFC-0005 form."""
        return f"{self.branch}@sha1:{self.commit}" if self.branch else f"sha1:{self.commit}"

    @classmethod
    def parse(cls, text: str) -> Revision:
        """Read `branch@sha1:hash` or `sha1:hash`; anything else is a ValueError."""
        branch, separator, commit = text.rpartition("sha1:")
        if not separator or not commit:
            raise ValueError(f"revision {text!r}: want branch@sha1:<hash>")
        return cls(branch.removesuffix("@"), commit)


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One change that a watch reports.

    `type` is ADDED, MODIFIED, DELETED or BOOKMARK; `object` is the manifest after the change
    (before it, for DELETED), shared and read-only; `resource_version` is where to resume.
    """

    type: str
    object: Manifest
    resource_version: str


@dataclass(frozen=True, slots=True)
class Condition:
    """One entry of `status.conditions`.

    `status` is "True", "False" or "Unknown"; `last_transition_time` is RFC 3339, empty when
    unset; `observed_generation` is 0 where the kind does not use it.

    Source: k8s.io/apimachinery, meta/v1 Condition.
    """

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: str = ""
    observed_generation: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What a reconciler or a job does now, and how long that takes in the simulation.

    `takes` is in virtual seconds; `subject` is what it is about, printed `Kind/namespace/name`.
    Against a real cluster a step is only recorded: real work takes its own time.
    """

    name: str
    takes: float = 0.0
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What a reconciler promises the loop.

    `requeue_after` in seconds: come back then, even if nothing changed; None: only on change.

    Source: controller-runtime, pkg/reconcile/reconcile.go.
    """

    requeue_after: float | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """How a container image behaves in the simulation; times in virtual seconds.

    Attributes:
        reference: As it was asked for: `shop/web:1.2`.
        digest: `sha256:` and 64 hex digits.
        version: What users of a service see: by default the tag.
        pull_seconds: From the pull to the image being on the node, the first time.
        start_seconds: From the start of the container until it would pass its probes.
        crash_after: Seconds after its start at which it ends by itself; None: it runs on.
        exit_code: Its exit code then.
        needs_env: Names of environment variables without which it ends at once with code 1.
        ready: False for an image that never passes its readiness or liveness probe.
        memory_mib: What it uses; more than the container's limit is an OOM kill.
        leak_mib_per_minute: What it uses more, minute by minute.
        error_rate: Part of requests, 0 to 1, that it answers with an error.
        latency_seconds: How long an answer takes while it has nothing else to do.
        cpu_seconds: What one request costs of a core.
        log: Lines that it prints when it starts.
    """

    reference: str
    digest: str
    version: str = ""
    pull_seconds: float = 1.0
    start_seconds: float = 1.0
    crash_after: float | None = None
    exit_code: int = 1
    needs_env: tuple[str, ...] = ()
    ready: bool = True
    memory_mib: int = 32
    error_rate: float = 0.0
    leak_mib_per_minute: float = 0.0
    latency_seconds: float = 0.02
    cpu_seconds: float = 0.005
    log: tuple[str, ...] = ()
