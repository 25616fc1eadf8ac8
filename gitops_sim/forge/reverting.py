"""The opposite of a commit, as a new commit.

A revert is a three-way merge: the commit is where both sides started, its parent is the other
side. So what came later stays, and a conflict is what was changed again.

Source: git, builtin/revert.c and sequencer.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitops_sim.errors import GitError, MergeConflictError, UnknownRefError
from gitops_sim.forge.line_merging import Sides
from gitops_sim.forge.merging import merge_trees
from gitops_sim.forge.names import branch_ref

if TYPE_CHECKING:
    from gitops_sim.forge.repository import Repository

__all__ = ["revert"]


def revert(repository: Repository, commit: str, branch: str, author: str) -> str:
    """Do what `Repository.revert` says."""
    if not commit or not isinstance(commit, str):
        raise UnknownRefError(
            repository.name, str(commit), "give the commit that commit() returned"
        )
    undone, head = repository.head(commit), repository.head(branch_ref(branch))
    theirs = repository.objects.commit(undone)
    before = repository.objects.commit(theirs.parents[0]).tree if theirs.parents else ""
    ours = repository.objects.commit(head).tree
    sides = Sides(branch, f"parent of {undone[:7]}")
    merged = merge_trees(repository.objects, theirs.tree, ours, before, sides=sides)
    if merged.conflicts:
        what = f"the revert of {undone[:7]}"
        raise MergeConflictError(repository.name, what, branch, tuple(merged.conflicts))
    if merged.tree == ours:
        raise GitError(
            f"{repository.name}: nothing to revert: {branch} has not {undone[:7]}'s changes"
        )
    subject = theirs.message.partition("\n")[0]
    message = f'Revert "{subject}"\n\nThis reverts commit {undone}.'
    reverting = repository.add_commit(merged.tree, (head,), message, author=author)
    repository.move(branch_ref(branch), reverting, author)
    return reverting
