"""What the server adds to pods for the scheduler's sake: labels of the place, selectors of a kind.

A pod gets the zone and region of its node as labels, so that it can read them by the downward API.
`matchLabelKeys` become expressions of the selectors beside them, with the pod's own values.

Source: k8s.io/kubernetes, plugin/pkg/admission/podtopologylabels; pkg/registry/core/pod/strategy.go
(applyMatchLabelKeysAndMismatchLabelKeys).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_sim.apiserver.server import ApiServer
from gitops_sim.apiserver.store import Kind
from gitops_sim.types import Manifest

__all__ = ["place_labels", "with_label_keys"]

_NODES = Kind("", "Node")
_PLACES = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_SIDES = ("podAffinity", "podAntiAffinity")


def place_labels(server: ApiServer, node: str) -> dict[str, str]:
    """Return the labels of a node that its pods get."""
    found = server.store.get(_NODES, "", node)
    labels: Mapping[str, str] = (found or {}).get("metadata", {}).get("labels") or {}
    return {key: labels[key] for key in _PLACES if key in labels}


def with_label_keys(pod: Manifest) -> Manifest:
    """Return the spec of a new pod with its matchLabelKeys told as expressions.

    What does not change is shared with the pod.
    """
    spec: Manifest = pod["spec"]
    labels: Mapping[str, str] = pod["metadata"].get("labels") or {}
    affinity = spec.get("affinity") or {}
    changed: dict[str, Any] = {}
    for side in _SIDES:
        terms = affinity.get(side) or {}
        told: dict[str, Any] = {}
        if terms.get(_REQUIRED):
            told[_REQUIRED] = [_merged(term, labels) for term in terms[_REQUIRED]]
        if terms.get(_PREFERRED):
            told[_PREFERRED] = [
                {**entry, "podAffinityTerm": _merged(entry["podAffinityTerm"], labels)}
                for entry in terms[_PREFERRED]
            ]
        if told:
            changed[side] = {**terms, **told}
    if changed:
        spec = {**spec, "affinity": {**affinity, **changed}}
    constraints = spec.get("topologySpreadConstraints")
    if constraints:
        merged = [_merged(constraint, labels) for constraint in constraints]
        spec = {**spec, "topologySpreadConstraints": merged}
    return spec


def _merged(term: dict[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    selector = term.get("labelSelector")
    added = [
        {"key": key, "operator": operator, "values": [labels[key]]}
        for field, operator in (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn"))
        for key in term.get(field) or ()
        if key in labels
    ]
    if selector is None or not added:
        return term
    expressions = [*(selector.get("matchExpressions") or ()), *added]
    return {**term, "labelSelector": {**selector, "matchExpressions": expressions}}
