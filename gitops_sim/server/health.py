"""Health checks: what a probe or a person asks whether the server lives and is ready.

Source: k8s.io/apiserver, pkg/server/healthz.
Differs: in a simulated server nothing of this can fail, so every check says ok.
"""

from __future__ import annotations

from gitops_sim.server.answers import NOT_FOUND, Answer, text_answer

__all__ = ["CHECKS", "health", "paths_of_checks"]

_HOOKS = (
    "start-apiserver-admission-initializer",
    "generic-apiserver-start-informers",
    "priority-and-fairness-config-consumer",
    "priority-and-fairness-filter",
    "storage-object-count-tracker-hook",
    "start-apiextensions-informers",
    "start-apiextensions-controllers",
    "crd-informer-synced",
    "start-system-namespaces-controller",
    "peer-endpoint-reconciler-controller",
    "start-cluster-authentication-info-controller",
    "start-kube-apiserver-identity-lease-controller",
    "start-kube-apiserver-identity-lease-garbage-collector",
    "storage-readiness",
    "start-legacy-token-tracking-controller",
    "start-service-ip-repair-controllers",
    "rbac/bootstrap-roles",
    "scheduling/bootstrap-system-priority-classes",
    "priority-and-fairness-config-producer",
    "bootstrap-controller",
    "start-kubernetes-service-cidr-controller",
    "aggregator-reload-proxy-client-cert",
    "start-kube-aggregator-informers",
    "apiservice-status-local-available-controller",
    "apiservice-status-remote-available-controller",
    "apiservice-registration-controller",
    "apiservice-discovery-controller",
    "kube-apiserver-autoregistration",
    "autoregister-completion",
    "apiservice-openapi-controller",
    "apiservice-openapiv3-controller",
)
_FIRST = {
    "healthz": ("ping", "log", "etcd"),
    "livez": ("ping", "log", "etcd"),
    "readyz": ("ping", "log", "etcd", "etcd-readiness", "informer-sync"),
}
_LAST = {
    "healthz": ("loopback-serving-certificate",),
    "livez": ("loopback-serving-certificate",),
    "readyz": ("shutdown",),
}
CHECKS = tuple(_FIRST)
"""The roots of the three trees of checks."""


def health(path: str, *, verbose: bool) -> Answer:
    """Answer a health check, or one of its parts."""
    word, _, part = path.strip("/").partition("/")
    if path.endswith("/"):
        return NOT_FOUND
    if part:
        return text_answer("ok") if part in _parts(word) else NOT_FOUND
    if not verbose:
        return text_answer("ok")
    lines = [f"[+]{name} ok" for name in _parts(word)]
    return text_answer("\n".join([*lines, f"{word} check passed", ""]))


def paths_of_checks() -> list[str]:
    """Return the paths of all checks."""
    return [f"/{word}" for word in CHECKS] + [
        f"/{word}/{part}" for word in CHECKS for part in _parts(word)
    ]


def _parts(word: str) -> tuple[str, ...]:
    hooks = (
        name if name == "autoregister-completion" else f"poststarthook/{name}" for name in _HOOKS
    )
    return (*_FIRST[word], *hooks, *_LAST[word])
