"""Which commit a GitRepository means now, out of what the remote lists.

Source: fluxcd/pkg git/gogit/clone.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gitops_sim.errors import GitError, UnknownRefError
from gitops_sim.protocols import GitRemote
from gitops_sim.pull.flux.git_spec import GitRef, GitRepositorySpec
from gitops_sim.pull.flux.semver import SemverRange

__all__ = ["GitFailure", "Upstream", "look_upstream"]

DEFAULT_BRANCH = "master"
_HEADS, _TAGS = "refs/heads/", "refs/tags/"


@dataclass(frozen=True, slots=True)
class Upstream:
    """A commit and the revision that names it, such as `main@sha1:...`."""

    commit: str
    revision: str


@dataclass(frozen=True, slots=True)
class GitFailure:
    """Why there is no commit: a reason of the condition FetchFailed, and text."""

    reason: str
    message: str


def look_upstream(remote: GitRemote, spec: GitRepositorySpec) -> Upstream | GitFailure:
    """Ask the remote which commit is meant.

    Args:
        remote: The repository behind `spec.url`.
        spec: `commit` beats `name`, `name` beats `semver`, then `tag`, then `branch`; with none
            of them the branch `master` is meant.
    """
    try:
        refs = remote.refs()
        if not any(name.startswith((_HEADS, _TAGS)) for name in refs):
            return GitFailure("EmptyGitRepository", "git repository is empty")
        return _choose(remote, spec.ref, refs)
    except UnknownRefError:
        problem = f"unable to resolve commit object for '{spec.ref.commit}': object not found"
    except GitError as error:
        problem = f"unable to clone '{spec.url}': {str(error).removeprefix('fatal: ')}"
    except ValueError as error:
        problem = f"semver parse error: {error}"
    return GitFailure("GitOperationFailed", f"failed to checkout and determine revision: {problem}")


def _choose(remote: GitRemote, ref: GitRef, refs: Mapping[str, str]) -> Upstream:
    if ref.commit:
        remote.tree(ref.commit)
        name = f"{ref.branch}@" if ref.branch else ""
        return Upstream(ref.commit, f"{name}sha1:{ref.commit}")
    full = _full_name(ref, refs)
    commit = refs.get(full)
    if commit is None:
        raise GitError(f'couldn\'t find remote ref "{full}"')
    short = full if ref.name else full.removeprefix(_HEADS).removeprefix(_TAGS)
    return Upstream(commit, f"{short}@sha1:{commit}")


def _full_name(ref: GitRef, refs: Mapping[str, str]) -> str:
    if ref.name:
        return ref.name
    if ref.semver:
        tags = [name.removeprefix(_TAGS) for name in refs if name.startswith(_TAGS)]
        found = SemverRange(ref.semver).highest(sorted(tags))
        if not found:
            raise GitError(f"no match found for semver: {ref.semver}")
        return _TAGS + found
    if ref.tag:
        return _TAGS + ref.tag
    return _HEADS + (ref.branch or DEFAULT_BRANCH)
