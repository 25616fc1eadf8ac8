"""The data of the built-in kinds: schemas and discovery of Kubernetes 1.37, generated.

Source: the Go module k8s.io/kubernetes v1.37.2, by `tools/generate_schemas.py`.
"""

from __future__ import annotations

import json
import lzma
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = [
    "FILE",
    "KUBERNETES_VERSION",
    "component_of",
    "components",
    "descriptions",
    "enums",
    "go_form_of",
    "groups",
]

FILE = "kubernetes-1.37.json.xz"
DESCRIPTIONS = "descriptions-1.37.json.xz"
KUBERNETES_VERSION = "v1.37.2"
_KINDS = "x-kubernetes-group-version-kind"


def components() -> dict[str, Any]:
    """Return the OpenAPI v3 schemas by type name, without descriptions; read-only."""
    schemas: dict[str, Any] = _content()["schemas"]
    return schemas


def descriptions() -> dict[str, dict[str, str]]:
    """Return what types and their members are for, by type name and member; read-only.

    The member "" is the type itself. Apart from the schemas, since only people read it.
    """
    found: dict[str, dict[str, str]] = _for_people()["texts"]
    return found


def enums() -> dict[str, dict[str, list[str]]]:
    """Return the words that a member may have, by type name and member; read-only.

    `finalizers[]` is a list of such words. The server tells them and checks them otherwise.
    """
    found: dict[str, dict[str, list[str]]] = _for_people()["enums"]
    return found


def groups() -> list[dict[str, Any]]:
    """Return the groups that a server has from the start, the core group first; read-only.

    Each is an APIGroupDiscovery of apidiscovery.k8s.io/v2: `metadata.name` (empty for the core
    group) and `versions`, the preferred one first, with their `resources`.
    """
    listed: list[dict[str, Any]] = _content()["groups"]
    return listed


def go_form_of(name: str) -> dict[str, Any]:
    """Return how Go writes a type: `zero` and `always`, see `tools/go_structs.py`; read-only."""
    form: dict[str, Any] = _content()["forms"].get(name, {})
    return form


def internal_structs() -> dict[str, list[list[str]]]:
    """Return members of the server's internal structs, see `tools/go_structs.py`; read-only."""
    structs: dict[str, list[list[str]]] = _content()["internal"]
    return structs


def component_of(group: str, version: str, kind: str) -> str | None:
    """Return the name of the type of a built-in kind, such as `io.k8s.api.apps.v1.Deployment`."""
    return _by_kind().get((group, version, kind))


@cache
def _for_people() -> dict[str, Any]:
    packed = (files("gitops_sim.apimachinery") / "data" / DESCRIPTIONS).read_bytes()
    content: dict[str, Any] = json.loads(lzma.decompress(packed))
    return content


@cache
def _content() -> dict[str, Any]:
    packed = (files("gitops_sim.apimachinery") / "data" / FILE).read_bytes()
    content: dict[str, Any] = json.loads(lzma.decompress(packed))
    return content


@cache
def _by_kind() -> dict[tuple[str, str, str], str]:
    return {
        (entry["group"], entry["version"], entry["kind"]): name
        for name, schema in components().items()
        for entry in schema.get(_KINDS, ())
    }
