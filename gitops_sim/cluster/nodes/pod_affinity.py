"""Pods that want to be near others, or away from them: pod affinity and anti-affinity.

Required terms keep a pod off nodes, the anti-affinity of pods that are there already included;
preferred terms, and required ones of pods that are there already, make nodes better or worse.

Source: k8s.io/kubernetes, pkg/scheduler/framework/plugins/interpodaffinity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from gitops_sim.cluster.nodes.filters import Misfit
from gitops_sim.cluster.nodes.node_infos import Placed
from gitops_sim.cluster.nodes.pod_terms import Namespaces, PodTerms, Term
from gitops_sim.types import Manifest

__all__ = ["Neighbourhood", "affinity_scores"]

_HARD_WEIGHT = 1
"""What a required term of a pod that is there weighs for one that comes."""
_BEST = 100


class Neighbourhood:
    """Which domains one pod may be in, by its required terms and those of other pods.

    Args:
        pod: Is to be placed.
        nodes: All nodes.
        placed: What is on them.
        namespaces: The labels of a namespace.
    """

    def __init__(
        self,
        pod: Manifest,
        nodes: Sequence[Manifest],
        placed: Placed,
        namespaces: Namespaces,
    ) -> None:
        self._pod, self._nodes, self._placed = pod, nodes, placed
        self._namespaces = namespaces
        self._near, away, _ = PodTerms.of(pod)
        self._near_domains = self._domains_with_all(self._near)
        self._away_domains = {
            (term.key, labels[term.key])
            for labels, other in (self._others() if away else ())
            for term in away
            if term.key in labels and term.means(other, namespaces)
        }
        self._refusing = self._domains_that_refuse()

    def misfit(self, node: Manifest) -> Misfit | None:
        """Return why the pod may not go to a node; None when nobody minds."""
        labels = node["metadata"].get("labels") or {}
        if self._near and not self._is_near(labels):
            return Misfit("node(s) didn't match pod affinity rules", helps_preemption=False)
        if not self._away_domains and not self._refusing:
            return None
        domains = labels.items()
        if any(domain in self._away_domains for domain in domains):
            return Misfit("node(s) didn't match pod anti-affinity rules", helps_preemption=True)
        if any(domain in self._refusing for domain in domains):
            text = "node(s) didn't satisfy existing pods anti-affinity rules"
            return Misfit(text, helps_preemption=True)
        return None

    def _is_near(self, labels: Mapping[str, str]) -> bool:
        if any(term.key not in labels for term in self._near):
            return False
        if all((term.key, labels[term.key]) in self._near_domains for term in self._near):
            return True
        is_first = not self._near_domains  # of a group that wants to be together
        return is_first and all(term.means(self._pod, self._namespaces) for term in self._near)

    def _domains_with_all(self, terms: Sequence[Term]) -> set[tuple[str, str]]:
        """Return the domains of pods that all terms mean."""
        return {
            (term.key, labels[term.key])
            for labels, other in (self._others() if terms else ())
            if all(term.means(other, self._namespaces) for term in terms)
            for term in terms
            if term.key in labels
        }

    def _domains_that_refuse(self) -> set[tuple[str, str]]:
        """Return the domains of pods that want this one to be elsewhere."""
        return {
            (term.key, labels[term.key])
            for labels, terms in _related(self._nodes, self._placed)
            for term in terms.away
            if term.key in labels and term.means(self._pod, self._namespaces)
        }

    def _others(self) -> Iterator[tuple[Mapping[str, str], Manifest]]:
        return _with_labels(self._nodes, self._placed)


def affinity_scores(
    pod: Manifest,
    fitting: Sequence[Manifest],
    nodes: Sequence[Manifest],
    placed: Placed,
    namespaces: Namespaces,
) -> Mapping[str, int] | None:
    """Return 0 to 100 for each node that a pod fits, by name; None when nobody has a wish."""
    own = PodTerms.of(pod).wishes
    weights: dict[tuple[str, str], int] = {}
    if own:
        for labels, other in _with_labels(nodes, placed):
            _weigh(weights, own, labels, other, namespaces)
    for labels, terms in _related(nodes, placed):
        hard = [(term, _HARD_WEIGHT) for term in terms.near]
        _weigh(weights, [*hard, *terms.wishes], labels, pod, namespaces)
    if not weights:
        return None
    raw = {
        node["metadata"]["name"]: sum(
            weights.get(domain, 0) for domain in (node["metadata"].get("labels") or {}).items()
        )
        for node in fitting
    }
    most, least = max(raw.values()), min(raw.values())
    if most == least:
        return None
    return {name: _BEST * (found - least) // (most - least) for name, found in raw.items()}


def _weigh(
    weights: dict[tuple[str, str], int],
    terms: Iterable[tuple[Term, int]],
    labels: Mapping[str, str],
    pod: Manifest,
    namespaces: Namespaces,
) -> None:
    """Add to the domains of a node what terms that mean a pod weigh."""
    for term, weight in terms:
        if term.key in labels and term.means(pod, namespaces):
            domain = (term.key, labels[term.key])
            weights[domain] = weights.get(domain, 0) + weight


def _with_labels(
    nodes: Iterable[Manifest], placed: Placed
) -> Iterator[tuple[Mapping[str, str], Manifest]]:
    """Yield each placed pod with the labels of its node."""
    for node in nodes:
        labels = node["metadata"].get("labels") or {}
        for other in placed[node["metadata"]["name"]].pods.values():
            yield labels, other


def _related(
    nodes: Iterable[Manifest], placed: Placed
) -> Iterator[tuple[Mapping[str, str], PodTerms]]:
    """Yield the terms of each placed pod that has some, with the labels of its node."""
    related = placed.related
    if related:
        for node in nodes:
            labels = node["metadata"].get("labels") or {}
            for terms in related.get(node["metadata"]["name"], {}).values():
                yield labels, terms
