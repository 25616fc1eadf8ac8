"""What a check is given: a lab to look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from gitops_sim.exercises.results import Verdict
from gitops_sim.journal import Journal
from gitops_sim.protocols import Clock, Reader, TreeReader
from gitops_sim.render import Renderer

__all__ = ["CheckFunction", "ForgeView", "LabView", "RepositoryView"]


class RepositoryView(Protocol):
    """A repository as a check sees it."""

    @property
    def name(self) -> str:
        """Its name in the forge."""

    def head(self, branch: str = "") -> str:
        """Return the commit that a branch points to; "" is the default branch."""

    def tree(self, ref: str = "") -> TreeReader:
        """Return the files of a branch, tag or commit; "" is the default branch."""


class ForgeView(Protocol):
    """A forge as a check sees it."""

    @property
    def repositories(self) -> Sequence[RepositoryView]:
        """All repositories, in the order in which they were made."""


@dataclass(frozen=True, slots=True)
class LabView:
    """A lab, for reading: a check that wants to change something does not pass the type checker.

    `clusters` are those that exist, by name: looking for another one does not make it. `renderer`
    is the lab's own: it remembers what Flux has built already. `answer` is what a learner hands in
    where the answer is a value or a function; None where the lab itself is the answer.
    """

    clock: Clock
    journal: Journal
    forge: ForgeView
    clusters: Mapping[str, Reader]
    renderer: Renderer
    answer: Any = field(default=None, kw_only=True)

    def repository(self, name: str) -> RepositoryView | None:
        """Return the repository of that name, None when there is none."""
        return next((found for found in self.forge.repositories if found.name == name), None)


CheckFunction: TypeAlias = Callable[[LabView], Verdict]
"""Judges one exercise: it looks, and says what it sees."""
