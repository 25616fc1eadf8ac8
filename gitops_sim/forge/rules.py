"""What protects a branch, and how a refusal says so: the rule, then the next step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias, get_args

__all__ = ["Check", "CheckStatus", "Protection", "Refusal", "Review", "Verdict", "refused_push"]

Verdict: TypeAlias = Literal["approve", "request_changes", "comment"]
CheckStatus: TypeAlias = Literal["pending", "success", "failure", "error"]
VERDICTS: tuple[str, ...] = get_args(Verdict)
CHECK_STATUSES: tuple[str, ...] = get_args(CheckStatus)


class Refusal(NamedTuple):
    """Why something may not be done, and what to do instead."""

    rule: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Protection:
    """The rules of one branch.

    Attributes:
        reviews: Approvals that a merge request needs, from people other than its author.
        checks: Names of checks that must be `success` on the head of the source branch.
        no_direct_push: Changes come by merge requests only.
        no_force_push: Commits may not be taken away again, nor the branch deleted.
        dismiss_stale: New commits on the source branch make approvals void.
    """

    reviews: int = 0
    checks: tuple[str, ...] = ()
    no_direct_push: bool = True
    no_force_push: bool = True
    dismiss_stale: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """What someone reported about a commit: a pipeline, a policy, a person."""

    name: str
    status: CheckStatus
    description: str


@dataclass(frozen=True, slots=True)
class Review:
    """One review. `commit` is what the reviewer saw; `time` is in seconds of the lab."""

    reviewer: str
    verdict: Verdict
    comment: str
    commit: str
    time: float
    dismissed: bool = False


def refused_push(
    branch: str, protection: Protection, *, fast_forward: bool, deletes: bool
) -> Refusal | None:
    """Return why a branch may not be pushed to; None when it may."""
    if deletes and protection.no_force_push:
        return Refusal("protected branch, it cannot be deleted", "delete another branch")
    if protection.no_direct_push:
        return Refusal(
            "protected branch, direct pushes are refused",
            f"push another branch and open a merge request into {branch}",
        )
    if not fast_forward and protection.no_force_push:
        return Refusal(
            "protected branch, force pushes are refused",
            f"fetch {branch}, put your commits on top of it and push again",
        )
    return None


def refused_merge(
    protection: Protection, reviews: Sequence[Review], checks: Mapping[str, Check]
) -> list[Refusal]:
    """Return every rule of the target branch that a merge request does not satisfy yet."""
    refusals = []
    latest = {r.reviewer: r for r in reviews if not r.dismissed and r.verdict != "comment"}
    approvals = sum(review.verdict == "approve" for review in latest.values())
    against = [name for name, review in latest.items() if review.verdict == "request_changes"]
    if protection.reviews and against:
        who = ", ".join(against)
        refusals.append(Refusal(f"{who} requested changes", f"make them, then ask {who} again"))
    if approvals < protection.reviews:
        rule = f"needs {_count(protection.reviews, 'approval')}, has {approvals}"
        step = 'ask someone other than the author: mr.review("bob", "approve")'
        refusals.append(Refusal(rule, step))
    for name in protection.checks:
        refusal = _refused_check(name, checks.get(name))
        if refusal:
            refusals.append(refusal)
    return refusals


def _refused_check(name: str, check: Check | None) -> Refusal | None:
    if check is None:
        step = "run the lab until the pipeline has reported it, or correct its name in protect()"
        return Refusal(f"required check {name!r} has not been reported", step)
    if check.status == "pending":
        return Refusal(f"required check {name!r} is pending", "run the lab until it is done")
    if check.status != "success":
        told = f": {check.description}" if check.description else ""
        rule = f"required check {name!r} has status {check.status}{told}"
        return Refusal(rule, "push a commit that mends it")
    return None


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
