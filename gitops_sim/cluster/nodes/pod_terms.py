"""What a pod says about other pods: the terms of its affinity and anti-affinity.

Source: k8s.io/kube-scheduler, framework (AffinityTerm, PodInfo).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from gitops_sim.apimachinery.labels import Selector, from_label_selector
from gitops_sim.types import Manifest

__all__ = ["Namespaces", "PodTerms", "Term"]

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"

Namespaces: TypeAlias = Callable[[str], Mapping[str, str]]
"""The labels of a namespace, for namespaceSelector."""


class Term(NamedTuple):
    """One term: pods with these labels in these namespaces, in one domain of this key."""

    key: str
    selector: Selector
    namespaces: frozenset[str]
    wanted_namespaces: Selector | None

    def means(self, pod: Manifest, namespaces: Namespaces) -> bool:
        """True when the term is about this pod."""
        metadata = pod["metadata"]
        if not self.selector.matches(metadata.get("labels")):
            return False
        namespace = metadata["namespace"]
        if namespace in self.namespaces:
            return True
        wanted = self.wanted_namespaces
        return wanted is not None and wanted.matches(namespaces(namespace))


class PodTerms(NamedTuple):
    """The terms of one pod; the wishes have weights, below zero when they say "not there"."""

    near: tuple[Term, ...]
    away: tuple[Term, ...]
    wishes: tuple[tuple[Term, int], ...]

    @classmethod
    def of(cls, pod: Manifest) -> PodTerms:
        """Read the terms of a pod."""
        affinity = pod["spec"].get("affinity")
        if not affinity:
            return _NONE
        near, away = affinity.get("podAffinity") or {}, affinity.get("podAntiAffinity") or {}
        if not near and not away:
            return _NONE
        return cls(
            tuple(_read(term, pod) for term in near.get(_REQUIRED) or ()),
            tuple(_read(term, pod) for term in away.get(_REQUIRED) or ()),
            (*_wishes(near, pod, 1), *_wishes(away, pod, -1)),
        )


_NONE = PodTerms((), (), ())


def _wishes(side: Mapping[str, Any], pod: Manifest, sign: int) -> Iterator[tuple[Term, int]]:
    for entry in side.get(_PREFERRED) or ():
        yield _read(entry["podAffinityTerm"], pod), sign * entry["weight"]


def _read(term: Mapping[str, Any], of: Manifest) -> Term:
    named = frozenset(term.get("namespaces") or ())
    wanted = None
    if "namespaceSelector" in term:
        wanted = from_label_selector(term["namespaceSelector"])
    elif not named:
        named = frozenset({of["metadata"]["namespace"]})
    return Term(term["topologyKey"], from_label_selector(term.get("labelSelector")), named, wanted)
