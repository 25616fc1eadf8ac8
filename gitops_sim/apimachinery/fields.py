"""Field selectors: `kubectl get pods --field-selector status.phase=Running,spec.nodeName!=n1`.

Source: k8s.io/apimachinery, pkg/fields/selector.go; the labels that a kind supports are those of
the AddFieldLabelConversionFunc calls in k8s.io/kubernetes, pkg/apis.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_sim.apimachinery.causes import go_json
from gitops_sim.errors import BadRequestError
from gitops_sim.types import Manifest

__all__ = ["FieldSelector", "parse_field_selector", "supported_fields"]

_NAMED = ("metadata.name", "metadata.namespace")
_INVOLVED = tuple(
    f"{{}}.{name}"
    for name in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
)
_SUPPORTED: dict[tuple[str, str], tuple[str, ...]] = {
    ("", "Pod"): (
        *_NAMED,
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "spec.host",
        "status.phase",
        "status.podIP",
        "status.podIPs",
        "status.nominatedNodeName",
    ),
    ("", "Node"): ("metadata.name", "spec.unschedulable"),
    ("", "ReplicationController"): (*_NAMED, "status.replicas"),
    ("", "Event"): (
        *(name.format("involvedObject") for name in _INVOLVED),
        "reason",
        "reportingComponent",
        "source",
        "type",
        *_NAMED,
    ),
    ("events.k8s.io", "Event"): (
        *(name.format("regarding") for name in _INVOLVED),
        "reason",
        "reportingController",
        "type",
        *_NAMED,
    ),
    ("", "Namespace"): ("status.phase", "metadata.name"),
    ("", "Secret"): ("type", *_NAMED),
    ("", "Service"): (*_NAMED, "spec.clusterIP", "spec.type"),
    ("batch", "Job"): (*_NAMED, "status.successful"),
    ("certificates.k8s.io", "CertificateSigningRequest"): ("metadata.name", "spec.signerName"),
    ("certificates.k8s.io", "ClusterTrustBundle"): ("metadata.name", "spec.signerName"),
}
_PATHS = {
    "spec.host": "spec.nodeName",
    "status.successful": "status.succeeded",
}
_OF_OLD_EVENT = {"reportingController": "reportingComponent"}
_TERMS = re.compile(r"((?:\\.|[^\\,]|\\$)*)(?:,|$)", re.DOTALL)
_TERM = re.compile(r"(.*?)(!=|==|=)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """Conditions `(path, equal, value)` that must all be met."""

    terms: tuple[tuple[str, bool, str], ...] = ()

    def matches(self, manifest: Manifest) -> bool:
        """True when the object meets them; a field that is not there is empty text."""
        return all((_value(manifest, path) == value) is equal for path, equal, value in self.terms)

    def exact(self, path: str) -> str | None:
        """Return the one value that a field must have; None when it is free."""
        return next((value for at, equal, value in self.terms if equal and at == path), None)

    @property
    def empty(self) -> bool:
        """True when it selects everything."""
        return not self.terms

    def check(self, group: str, kind: str, selectable: Collection[str] = ()) -> None:
        """Refuse fields that this kind does not support, as the server does.

        Args:
            group: API group of the kind.
            kind: Its name.
            selectable: Further fields (selectableFields of a custom resource).

        Raises:
            BadRequestError: Names the field.
        """
        supported = supported_fields(group, kind)
        for path, _, _ in self.terms:
            if path in supported or path in selectable:
                continue
            if (group, kind) == ("batch", "Job"):
                raise BadRequestError(f"field label {go_json(path)} not supported for Job")
            if (group, kind) in _SUPPORTED or ("." in group and not _is_builtin(group)):
                raise BadRequestError(f"field label not supported: {path}")
            known = ", ".join(go_json(name) for name in _NAMED)
            raise BadRequestError(f"{go_json(path)} is not a known field selector: only {known}")


def parse_field_selector(text: str) -> FieldSelector:
    """Read `metadata.name=web,status.phase!=Running`; empty text selects everything.

    Commas, equals signs and backslashes in a value are written with a backslash before them.

    Raises:
        BadRequestError: Worded as the API server does.
    """
    terms = []
    for term in sorted(part for part in _TERMS.findall(text) if part):
        found = _TERM.fullmatch(term)
        if found is None:
            raise BadRequestError(f"invalid selector: '{text}'; can't understand '{term}'")
        path, operator, value = found.groups()
        terms.append((path, operator != "!=", _unescape(value)))
    return FieldSelector(tuple(dict.fromkeys(terms)))


def supported_fields(group: str, kind: str) -> Collection[str]:
    """Return the fields that may be selected for a kind."""
    return _SUPPORTED.get((group, kind), _NAMED)


def _is_builtin(group: str) -> bool:
    return group.endswith(".k8s.io") or "." not in group


def _unescape(value: str) -> str:
    wrong = re.search(r"\\(?![\\,=])(.?)", re.sub(r"\\[\\,=]", "", value), re.DOTALL)
    if wrong:
        raise BadRequestError(f"invalid field selector: invalid escape sequence: \\{wrong[1]}")
    bare = re.search(r"[,=]", re.sub(r"\\.", "", value, flags=re.DOTALL))
    if bare:
        raise BadRequestError(
            f"invalid field selector: unescaped character in value: {ord(bare[0])}"
        )
    return re.sub(r"\\([\\,=])", r"\1", value)


def _value(manifest: Manifest, path: str) -> str:
    found: Any = manifest
    if path == "source" and manifest.get("kind") == "Event":
        found = (manifest.get("source") or {}).get("component") or manifest.get(
            "reportingComponent"
        )
    elif path == "status.podIPs":
        found = ""  # may be asked for, and nobody ever fills it in
    else:
        if manifest.get("kind") == "Event" and "involvedObject" in manifest:
            path = _OF_OLD_EVENT.get(path, path.replace("regarding.", "involvedObject.", 1))
        for part in _PATHS.get(path, path).split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    if found is None:
        found = _EMPTY.get(path, "")
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found)


_EMPTY = {
    "spec.unschedulable": "false",
    "spec.hostNetwork": "false",
    "status.replicas": "0",
    "status.successful": "0",
}
