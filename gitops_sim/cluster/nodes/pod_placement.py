"""Rules of a pod about other pods: affinity, anti-affinity, topology spread.

Source: k8s.io/kubernetes, pkg/scheduler/framework/plugins (interpodaffinity, podtopologyspread).
Differs: preferred pod (anti-)affinity and ScheduleAnyway spread do not weigh; minDomains and
nodeTaintsPolicy are taken at their defaults.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gitops_sim.apimachinery.labels import Selector, from_label_selector
from gitops_sim.cluster.nodes.filters import Misfit, matches_node_terms
from gitops_sim.cluster.nodes.node_infos import NodeInfos
from gitops_sim.types import Manifest

__all__ = ["Placement"]

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


class Placement:
    """Where the other pods are, for one pod that is to be placed.

    Args:
        pod: That pod.
        nodes: All nodes.
        infos: What is on them.
        namespaces: Labels of all namespaces, for namespaceSelector.
    """

    def __init__(
        self,
        pod: Manifest,
        nodes: Sequence[Manifest],
        infos: NodeInfos,
        namespaces: Mapping[str, Mapping[str, str]],
    ) -> None:
        self._pod = pod
        self._nodes = nodes
        self._infos = infos
        self._namespaces = namespaces
        affinity = pod["spec"].get("affinity") or {}
        self._together = [self._term(t) for t in _terms(affinity.get("podAffinity"))]
        self._apart = [self._term(t) for t in _terms(affinity.get("podAntiAffinity"))]
        self._spread = [
            (constraint, self._counts(constraint))
            for constraint in pod["spec"].get("topologySpreadConstraints") or ()
            if constraint["whenUnsatisfiable"] == "DoNotSchedule"
        ]
        self._unwelcome = self._domains_that_refuse()

    def misfits(self, node: Manifest) -> Iterator[Misfit]:
        """Return why the pod may not go to a node, by the first rule that it breaks."""
        labels = node["metadata"].get("labels") or {}
        yield from (found for found in [self._spread_misfit(labels)] if found is not None)
        if any(labels.get(key) == value for key, value in self._unwelcome):
            text = "node(s) didn't satisfy existing pods anti-affinity rules"
            yield Misfit(text, helps_preemption=True)
        elif any(self._is_with(term, labels) for term in self._apart):
            yield Misfit("node(s) didn't match pod anti-affinity rules", helps_preemption=True)
        elif not all(self._may_be_with(term, labels) for term in self._together):
            yield Misfit("node(s) didn't match pod affinity rules", helps_preemption=False)

    def _spread_misfit(self, labels: Mapping[str, str]) -> Misfit | None:
        for constraint, counts in self._spread:
            key = constraint["topologyKey"]
            if key not in labels:
                text = (
                    "node(s) didn't match pod topology spread constraints (missing required label)"
                )
                return Misfit(text, helps_preemption=False)
            selector = from_label_selector(constraint.get("labelSelector"))
            own = int(selector.matches(self._pod["metadata"].get("labels")))
            least = min(counts.values(), default=0)
            if counts.get(labels[key], 0) + own - least > constraint["maxSkew"]:
                text = "node(s) didn't match pod topology spread constraints"
                return Misfit(text, helps_preemption=True)
        return None

    def _counts(self, constraint: Mapping[str, Any]) -> dict[str, int]:
        """Count the pods that a constraint selects, in each domain that the pod may go to."""
        key = constraint["topologyKey"]
        selector = from_label_selector(constraint.get("labelSelector"))
        namespace = self._pod["metadata"]["namespace"]
        counts: dict[str, int] = {}
        for node in self._nodes:
            domain = (node["metadata"].get("labels") or {}).get(key)
            if domain is None or not _may_select(self._pod, node):
                continue
            counts.setdefault(domain, 0)
            for other in self._infos[node["metadata"]["name"]].pods.values():
                metadata = other["metadata"]
                if metadata["namespace"] == namespace and "deletionTimestamp" not in metadata:
                    counts[domain] += selector.matches(metadata.get("labels"))
        return counts

    def _term(self, term: Mapping[str, Any]) -> _Term:
        return _Term(term, self._pod, self._namespaces)

    def _is_with(self, term: _Term, labels: Mapping[str, str]) -> bool:
        """True when a pod that the term means is in the same domain as a node."""
        domain = labels.get(term.key)
        return domain is not None and domain in self._domains(term)

    def _may_be_with(self, term: _Term, labels: Mapping[str, str]) -> bool:
        if term.key not in labels:
            return False
        domains = self._domains(term)
        if not domains and term.means(self._pod):
            return True  # the first of a group that wants to be together
        return labels[term.key] in domains

    def _domains(self, term: _Term) -> set[str]:
        if term.domains is None:
            term.domains = {
                domain
                for node in self._nodes
                if (domain := (node["metadata"].get("labels") or {}).get(term.key)) is not None
                and any(term.means(p) for p in self._infos[node["metadata"]["name"]].pods.values())
            }
        return term.domains

    def _domains_that_refuse(self) -> set[tuple[str, str]]:
        """Return (topology key, domain) where a pod is that wants this one to be elsewhere."""
        found = set()
        labels_of = {n["metadata"]["name"]: n["metadata"].get("labels") or {} for n in self._nodes}
        for other in self._infos.avoiding.values():
            labels = labels_of.get(other["spec"]["nodeName"], {})
            for entry in _terms(other["spec"]["affinity"]["podAntiAffinity"]):
                term = _Term(entry, other, self._namespaces)
                if term.key in labels and term.means(self._pod):
                    found.add((term.key, labels[term.key]))
        return found


class _Term:
    """One required term of pod (anti-)affinity."""

    def __init__(
        self,
        term: Mapping[str, Any],
        of: Manifest,
        namespaces: Mapping[str, Mapping[str, str]],
    ) -> None:
        self.key: str = term["topologyKey"]
        self.domains: set[str] | None = None
        self._selector: Selector = from_label_selector(term.get("labelSelector"))
        self._namespaces = set(term.get("namespaces") or ())
        if "namespaceSelector" in term:
            wanted = from_label_selector(term["namespaceSelector"])
            self._namespaces |= {n for n, labels in namespaces.items() if wanted.matches(labels)}
        elif not self._namespaces:
            self._namespaces = {of["metadata"]["namespace"]}

    def means(self, pod: Manifest) -> bool:
        """True when the term is about this pod."""
        metadata = pod["metadata"]
        return metadata["namespace"] in self._namespaces and self._selector.matches(
            metadata.get("labels")
        )


def _terms(affinity: Mapping[str, Any] | None) -> Iterable[Mapping[str, Any]]:
    return (affinity or {}).get(_REQUIRED) or ()


def _may_select(pod: Manifest, node: Manifest) -> bool:
    """True when a node counts for the spread of a pod (nodeAffinityPolicy: Honor)."""
    labels = node["metadata"].get("labels") or {}
    selector = pod["spec"].get("nodeSelector") or {}
    if any(labels.get(key) != value for key, value in selector.items()):
        return False
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get(_REQUIRED)
    return required is None or matches_node_terms(node, required.get("nodeSelectorTerms") or ())
