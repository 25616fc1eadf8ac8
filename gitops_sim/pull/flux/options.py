"""The flags of Flux's controllers that a lab may want to turn, and how long their work takes."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FluxOptions", "Pace"]


@dataclass(frozen=True, slots=True)
class FluxOptions:
    """Flags; times in seconds, the defaults are Flux's own.

    Attributes:
        interval_jitter: `--interval-jitter-percentage` as a part of 1; 0 repeats exactly.
        requeue_dependency: `--requeue-dependency`.
        min_retry_delay: `--min-retry-delay`.
        max_retry_delay: `--max-retry-delay`.
        retention_ttl: `--artifact-retention-ttl`.
        retention_records: `--artifact-retention-records`.
        custom_apply_stage_kinds: `--custom-apply-stage-kinds`.
        strict_substitutions: Feature gate `StrictPostBuildSubstitutions` (on since Flux 2.9).
        no_cross_namespace_refs: `--no-cross-namespace-refs`.
        kube_api_qps: `--kube-api-qps`.
        kube_api_burst: `--kube-api-burst`.
    """

    interval_jitter: float = 0.05
    requeue_dependency: float = 30.0
    min_retry_delay: float = 0.75
    max_retry_delay: float = 900.0
    retention_ttl: float = 60.0
    retention_records: int = 2
    custom_apply_stage_kinds: tuple[str, ...] = ()
    strict_substitutions: bool = True
    no_cross_namespace_refs: bool = False
    kube_api_qps: float = 50.0
    kube_api_burst: int = 300


class Pace:
    """How long the work of the controllers takes, in seconds.

    Measured on real controllers with a repository of a few files: a pass that finds nothing to do
    takes 0.1 to 0.2 s, most of it the build.
    """

    STATUS = 0.007
    WRITE = 0.006
    DRY_RUN = 0.004
    LIST_REFS = 0.05
    CLONE = 0.04
    STORE = 0.005
    FETCH = 0.008
    BUILD = 0.08
