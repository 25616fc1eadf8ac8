"""A merge request: a branch that asks to go into another one, reviewed and checked on the way.

It is opened with the commits that its source has and its target lacks, follows the source branch
while it is open, collects reviews, and ends merged or closed. What stands in the way is asked
anew each time (`refusals`): conflicts by file, and every rule of the target by name. Merging makes
the commit and moves the target through `Repository.move`, the only gate.

Source: the words and the messages of the merge commits are GitLab's (commit templates).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from gitops_sim.clock.door import outside
from gitops_sim.errors import GitError, MergeConflictError, RefRejectedError
from gitops_sim.forge import history, rules
from gitops_sim.forge.diffs import Diff, diff_trees
from gitops_sim.forge.line_merging import Sides
from gitops_sim.forge.merging import MergedTree, merge_trees
from gitops_sim.forge.names import branch_ref, identity
from gitops_sim.forge.rules import Protection, Refusal, Review, Verdict
from gitops_sim.journal import facts

if TYPE_CHECKING:
    from gitops_sim.forge.repository import Repository

__all__ = ["MergeMethod", "MergeRequest", "MergeRequestState"]

MergeMethod: TypeAlias = Literal["merge", "squash", "fast-forward"]
MergeRequestState: TypeAlias = Literal["open", "merged", "closed"]
METHODS: tuple[str, ...] = get_args(MergeMethod)


class MergeRequest:
    """One merge request; made by `Repository.open_merge_request`.

    Attributes:
        number: Counted from 1 in its repository.
        title: One line.
        description: Why; goes into the commit that merges it.
        source: The branch with the new commits.
        target: The branch that shall get them.
        author: Who opened it; may not approve it.
        state: open, merged or closed.
        reviews: All reviews, oldest first; a dismissed one says so.
        head: The newest commit of the source, as long as it is open.
        base: Where source and target parted, when it was merged or closed.
        merged_commit: The head of the target after the merge, "" before.
    """

    def __init__(
        self, repository: Repository, number: int, branches: tuple[str, str], author: str
    ) -> None:
        self.repository = repository
        self.number = number
        self.source, self.target = branches
        self.author = author
        self.title = self.description = ""
        self.state: MergeRequestState = "open"
        self.reviews: list[Review] = []
        self.head = repository.head(branch_ref(self.source))
        self.base = ""
        self.merged_commit = ""
        self._door = repository.door
        self._address = f"forge/repo:{repository.name}/mr:{number}"
        if self._door:
            self._door.register(self._address, self)

    @classmethod
    def open(
        cls, repository: Repository, branches: tuple[str, str], author: str, text: tuple[str, str]
    ) -> MergeRequest:
        """Open one and tell of it; `text` is title and description. See `open_merge_request`."""
        source, target = branches
        identity(author)
        if source == target:
            raise GitError(
                f"{repository.name}: {source} cannot be merged into itself: "
                "create_branch makes another one to commit to"
            )
        number = len(repository.merge_requests) + 1
        request = cls(repository, number, (source, target), author)
        if history.is_ancestor(repository.objects, request.head, request._target_head()):
            raise GitError(
                f"{repository.name}: {target} has everything of {source} already: "
                f"commit to {source} first"
            )
        for other in repository.merge_requests:
            if (other.source, other.target, other.state) == (source, target, "open"):
                raise GitError(
                    f"{repository.name}: !{other.number} from {source} into {target} is open: "
                    f"use it"
                )
        subject = repository.objects.commit(request.head).message.partition("\n")[0]
        request.title, request.description = text[0] or subject, text[1]
        repository.merge_requests.append(request)
        repository.announcer.journal.record(
            facts.MergeRequestOpened(
                repository=repository.name,
                number=number,
                source=source,
                target=target,
                author=author,
                title=request.title,
            )
        )
        repository.announcer.merge_request(repository, request, "opened")
        return request

    def __repr__(self) -> str:
        return (
            f"<MergeRequest {self.repository.name}!{self.number} {self.state}: {self.title} "
            f"({self.source} into {self.target})>"
        )

    # -- reading

    @property
    def commits(self) -> list[str]:
        """The commits that the source has and the target lacks, newest first."""
        without = [self.base or self._target_head()]
        return list(history.walk(self.repository.objects, [self.head], without=without))

    @property
    def diff(self) -> Diff:
        """What the source changed since it left the target, as a reviewer sees it."""
        objects = self.repository.objects
        base = self.base or self._merge_base()
        before = objects.commit(base).tree if base else ""
        return diff_trees(objects, before, objects.commit(self.head).tree)

    @property
    def conflicts(self) -> dict[str, str]:
        """The files that both sides changed, with conflict markers; empty when it can merge."""
        return self._merged().conflicts if self.state == "open" else {}

    @property
    def refusals(self) -> list[Refusal]:
        """Why it may not be merged, each rule with its next step; empty when it may."""
        if self.state != "open":
            return [Refusal(f"it is {self.state}", "open another merge request")]
        refusals = rules.refused_merge(
            self.repository.protection(self.target) or Protection(),
            self.reviews,
            self.repository.checks(self.head),
        )
        if self.conflicts:
            rule = f"conflict in {', '.join(self.conflicts)}"
            step = f"merge {self.target} into {self.source}, resolve it there and push"
            refusals.append(Refusal(rule, step))
        return refusals

    # -- changing

    @outside
    def review(self, reviewer: str, verdict: Verdict, comment: str = "") -> None:
        """Give a verdict on the newest commit: approve, request_changes or comment.

        Raises:
            GitError: It is not open, there is no such verdict, or someone approves their own.
        """
        self._must_be_open("reviewed")
        if verdict not in rules.VERDICTS:
            known = ", ".join(rules.VERDICTS)
            raise GitError(f"{self._name}: {verdict!r} is no verdict: use one of {known}")
        if identity(reviewer) == identity(self.author) and verdict != "comment":
            raise GitError(
                f"{self._name}: {reviewer} opened it and may only comment: ask someone else"
            )
        announcer = self.repository.announcer
        now = announcer.clock.now()
        self.reviews.append(Review(reviewer, verdict, comment, self.head, now))
        announcer.journal.record(
            facts.ReviewGiven(
                repository=self.repository.name,
                number=self.number,
                reviewer=reviewer,
                verdict=verdict,
                comment=comment,
            )
        )
        announcer.merge_request(self.repository, self, "reviewed")

    @outside
    def merge(self, *, method: MergeMethod = "merge", by: str = "") -> str:
        """Bring the source into the target; return the new head of the target.

        Args:
            method: `merge` makes a commit with two parents, `squash` one commit with the whole
                change, `fast-forward` moves the target to the source's head.
            by: Who merges; default: the author.

        Raises:
            MergeConflictError: Both sides changed the same lines.
            RefRejectedError: Rules of the target are not satisfied; names each of them.
            GitError: It is not open, or there is no such method.
        """
        self._must_be_open("merged")
        if method not in METHODS:
            known = ", ".join(METHODS)
            raise GitError(f"{self._name}: {method!r} is no way to merge: use one of {known}")
        target_head = self._target_head()
        merged = self._merged()
        if merged.conflicts:
            files = tuple(merged.conflicts)
            raise MergeConflictError(self.repository.name, self.source, self.target, files)
        refusals = self.refusals
        if method == "fast-forward" and not self._is_fast_forward(target_head):
            rule = f"{self.target} has commits that {self.source} lacks, no fast-forward"
            step = f"rebase {self.source} on {self.target}, or merge with another method"
            refusals.append(Refusal(rule, step))
        if refusals:
            rule = ", and ".join(refusal.rule for refusal in refusals)
            raise RefRejectedError(
                self.repository.name, f"!{self.number}", rule, refusals[0].next_step
            )
        actor = by or self.author
        new = self._merge_commit(method, merged.tree, target_head, actor)
        self._end("merged", new)
        self.repository.move(branch_ref(self.target), new, actor, by_merge=True)
        self._tell_merged(method, actor)
        return new

    @outside
    def close(self, *, by: str = "") -> None:
        """End it without a merge; GitError when it is not open."""
        self._must_be_open("closed")
        self._end("closed")
        self._tell_closed(by or self.author)

    # -- for the repository

    def branch_moved(self, branch: str, old: str, actor: str) -> None:
        """Follow a branch that moved: new commits in the source, or all of them in the target."""
        if self.state != "open" or branch not in (self.source, self.target):
            return
        refs = self.repository.refs
        source, target = (refs.get(branch_ref(name)) for name in (self.source, self.target))
        if not source or not target:
            self._end("closed")
            self._tell_closed(actor)
        elif history.is_ancestor(self.repository.objects, source, target):
            if branch == self.source:  # nothing is left to merge
                self._end("closed")
                self._tell_closed(actor)
            else:
                self._end("merged", target)
                self.base = history.merge_base(self.repository.objects, old, source)
                self._tell_merged("push", actor)
        elif source != self.head:
            self.head = source
            self._dismiss_stale()
            self.repository.announcer.merge_request(self.repository, self, "synchronize")

    # -- inner parts

    @property
    def _name(self) -> str:
        return f"{self.repository.name}!{self.number}"

    def _must_be_open(self, wanted: str) -> None:
        if self.state != "open":
            raise GitError(f"{self._name} is {self.state} and cannot be {wanted}")

    def _target_head(self) -> str:
        return self.repository.head(branch_ref(self.target))

    def _merge_base(self) -> str:
        return history.merge_base(self.repository.objects, self._target_head(), self.head)

    def _is_fast_forward(self, target_head: str) -> bool:
        return history.is_ancestor(self.repository.objects, target_head, self.head)

    def _merged(self) -> MergedTree:
        objects, base = self.repository.objects, self._merge_base()
        return merge_trees(
            objects,
            objects.commit(base).tree if base else "",
            objects.commit(self._target_head()).tree,
            objects.commit(self.head).tree,
            sides=Sides(self.target, self.source),
        )

    def _merge_commit(self, method: str, tree: str, target_head: str, actor: str) -> str:
        if method == "fast-forward":
            return self.head
        paragraphs = [self.title, self.description]
        if method == "squash":
            parents: tuple[str, ...] = (target_head,)
        else:
            parents = (target_head, self.head)
            paragraphs.insert(0, f"Merge branch '{self.source}' into '{self.target}'")
            paragraphs.append(f"See merge request {self._name}")
        message = "\n\n".join(paragraph for paragraph in paragraphs if paragraph)
        author = self.author if method == "squash" else actor
        return self.repository.add_commit(tree, parents, message, author=author, committer=actor)

    def _dismiss_stale(self) -> None:
        protection = self.repository.protection(self.target)
        if protection and protection.dismiss_stale:
            self.reviews = [
                replace(review, dismissed=True) if review.verdict == "approve" else review
                for review in self.reviews
            ]

    def _end(self, state: MergeRequestState, merged_commit: str = "") -> None:
        """Keep what it was about, since its branches may go."""
        refs = self.repository.refs
        if refs.get(branch_ref(self.target)):
            self.base = self._merge_base()
        self.state, self.merged_commit = state, merged_commit

    def _tell_merged(self, method: str, actor: str) -> None:
        self.repository.announcer.journal.record(
            facts.MergeRequestMerged(
                repository=self.repository.name,
                number=self.number,
                method=method,
                commit=self.merged_commit,
                actor=actor,
            )
        )
        self.repository.announcer.merge_request(self.repository, self, "merged")

    def _tell_closed(self, actor: str) -> None:
        self.repository.announcer.journal.record(
            facts.MergeRequestClosed(
                repository=self.repository.name, number=self.number, actor=actor
            )
        )
        self.repository.announcer.merge_request(self.repository, self, "closed")
