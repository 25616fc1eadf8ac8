"""The kubeconfig of a served lab: how kubectl and every client find it, and nothing else.

Source: k8s.io/client-go, tools/clientcmd/api/v1.
"""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from gitops_sim.apimachinery.yaml_dump import dump
from gitops_sim.apimachinery.yaml_loader import load_all
from gitops_sim.errors import InputError

__all__ = [
    "Access",
    "early_readers",
    "idle_kubeconfig",
    "is_ours",
    "kubeconfig",
    "write_private",
]

_IDLE = "no-lab-is-serving"
_OURS = [{"name": "gitops-sim", "extension": {"provider": "gitops-sim"}}]
"""Marks a kubeconfig of the lab's, as minikube marks its own: no other may be written to."""
_EARLY = ("kubernetes.config", "kubernetes.config.kube_config")


@dataclass(frozen=True, slots=True)
class Access:
    """Where one cluster is served, and the token of who uses it."""

    server: str
    token: str


def kubeconfig(clusters: Mapping[str, Access], authority: bytes) -> str:
    """Return a kubeconfig with one context a cluster; the first is current."""
    told: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "preferences": {}}
    told["extensions"] = _OURS
    data = base64.b64encode(authority).decode()
    told["clusters"] = [
        {
            "name": name,
            "cluster": {"server": access.server, "certificate-authority-data": data},
        }
        for name, access in clusters.items()
    ]
    told["users"] = [
        {"name": f"{name}-admin", "user": {"token": access.token}}
        for name, access in clusters.items()
    ]
    told["contexts"] = [
        {"name": name, "context": {"cluster": name, "user": f"{name}-admin"}} for name in clusters
    ]
    told["current-context"] = next(iter(clusters), _IDLE)
    return dump(told)


def idle_kubeconfig() -> str:
    """Return a kubeconfig that names no cluster, and says why: kubectl fails at once by it."""
    return dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "preferences": {},
            "extensions": _OURS,
            "clusters": [],
            "contexts": [],
            "users": [],
            "current-context": _IDLE,
        }
    )


def is_ours(text: str) -> bool:
    """Return True for a kubeconfig that a lab has written, whether that lab still serves or not."""
    try:
        documents = load_all(text)
    except InputError:
        return False
    told = documents[0].manifest if len(documents) == 1 else None
    return isinstance(told, dict) and told.get("extensions") == _OURS


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, all of it or nothing.

    What stands in the way beside it, such as a link, is taken away and not written to.
    """
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(beside, path)


def early_readers() -> list[ModuleType]:
    """Return the loaded modules that read KUBECONFIG once, when they were imported.

    The official client does: its `KUBE_CONFIG_DEFAULT_LOCATION` must be set beside the variable,
    else a program that imported it before would reach a person's own cluster.
    """
    return [sys.modules[name] for name in _EARLY if name in sys.modules]
