"""`strategy.matrix`: one job for each combination of values.

Source: GitHub Actions, "Running variations of jobs in a workflow".
Differs: the matrix is written out; one that an expression makes is refused.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from gitops_sim.push.expression_values import text_of
from gitops_sim.push.workflow_yaml import Entry

__all__ = ["Combination", "Matrix", "parse_matrix", "suffix"]

Combination: TypeAlias = Mapping[str, Any]
MAX_PRODUCT = 10_000
"""Combinations that are looked at before `exclude` takes some away."""
MAX_JOBS = 256


@dataclass(frozen=True, slots=True)
class Matrix:
    """What `strategy` says.

    Attributes:
        combinations: The values of each job, in order; one empty one without a matrix.
        fail_fast: A failed job cancels the others.
        max_parallel: Jobs at a time; 0: any number.
    """

    combinations: tuple[Combination, ...] = ({},)
    fail_fast: bool = True
    max_parallel: int = 0


def suffix(combination: Combination) -> str:
    """Return what tells a job of a matrix from the others: ` (a, 1)`."""
    return f" ({', '.join(text_of(v) for v in combination.values())})" if combination else ""


def parse_matrix(entry: Entry | None) -> Matrix:
    """Read `strategy:`.

    Raises:
        SpecError: It is no matrix, or one of too many jobs.
    """
    if entry is None:
        return Matrix()
    members = entry.mapping(("fail-fast", "matrix", "max-parallel"))
    fail_fast, parallel = members.get("fail-fast"), members.get("max-parallel")
    return Matrix(
        _combinations(members["matrix"]) if "matrix" in members else ({},),
        fail_fast.flag() if fail_fast else True,
        int(parallel.number()) if parallel else 0,
    )


def _combinations(entry: Entry) -> tuple[Combination, ...]:
    if isinstance(entry.value, str):
        raise entry.refuse("a matrix made by an expression is not available here", "write it out")
    members = entry.mapping()
    axes = {key: value for key, value in members.items() if key not in ("include", "exclude")}
    for axis in axes.values():
        if not axis.items():
            raise axis.refuse("the list is empty", "give at least one value")
    values = [[item.plain() for item in axis.items()] for axis in axes.values()]
    if (product := math.prod(map(len, values))) > MAX_PRODUCT:
        raise entry.refuse(f"the matrix gives {product} jobs", f"want 1 to {MAX_JOBS}")
    found: list[dict[str, Any]] = [
        dict(zip(axes, combination, strict=True)) for combination in itertools.product(*values)
    ]
    if not axes:
        found = []
    for excluded in members["exclude"].items() if "exclude" in members else ():
        gone = {key: below.plain() for key, below in excluded.mapping().items()}
        found = [one for one in found if not gone.items() <= one.items()]
    for included in members["include"].items() if "include" in members else ():
        _include(found, {k: below.plain() for k, below in included.mapping().items()}, set(axes))
    if not found or len(found) > MAX_JOBS:
        raise entry.refuse(f"the matrix gives {len(found)} jobs", f"want 1 to {MAX_JOBS}")
    return tuple(found)


def _include(found: list[dict[str, Any]], more: dict[str, Any], axes: set[str]) -> None:
    """Add values to the combinations that they fit, or a combination of their own."""
    on_axes = {key: value for key, value in more.items() if key in axes}
    fitting = [one for one in found if axes and on_axes.items() <= one.items()]
    for one in fitting:
        one.update(more)
    if not fitting:
        found.append(more)
