"""The words of Flux: API groups, finalizer, annotations, conditions, reasons.

Source: fluxcd/pkg apis/meta (conditions.go, annotations.go), fluxcd/source-controller api/v1,
fluxcd/kustomize-controller api/v1.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "ENABLED",
    "FINALIZER",
    "GIT_REPOSITORY",
    "KUSTOMIZATION",
    "KUSTOMIZE_CONTROLLER",
    "KUSTOMIZE_GROUP",
    "REQUESTED_AT",
    "SOURCE_CONTROLLER",
    "SOURCE_GROUP",
    "STATUS_MANAGER",
    "SYSTEM",
    "WATCH_SELECTOR",
]

SYSTEM: Final = "flux-system"
"""The namespace in which Flux lives."""

SOURCE_GROUP: Final = "source.toolkit.fluxcd.io"
KUSTOMIZE_GROUP: Final = "kustomize.toolkit.fluxcd.io"
GIT_REPOSITORY: Final = f"{SOURCE_GROUP}/v1/GitRepository"
KUSTOMIZATION: Final = f"{KUSTOMIZE_GROUP}/v1/Kustomization"

SOURCE_CONTROLLER: Final = "source-controller"
KUSTOMIZE_CONTROLLER: Final = "kustomize-controller"
STATUS_MANAGER: Final = "gotk-kustomize-controller"
"""The field manager of what kustomize-controller writes to its own Kustomizations."""

FINALIZER: Final = "finalizers.fluxcd.io"
REQUESTED_AT: Final = "reconcile.fluxcd.io/requestedAt"
WATCH_SELECTOR: Final = "reconcile.fluxcd.io/watch=Enabled"
"""Which ConfigMaps and Secrets wake those that use them (`--watch-configs-label-selector`)."""

ENABLED: Final = "enabled"
