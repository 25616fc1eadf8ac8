"""Branches and tags of one repository, and what people may write for a revision.

A ref is a full name (`refs/heads/main`) and an object id. A revision is what someone types: it is
resolved to a commit here, in one place, so that `main`, `v1.2`, `HEAD~2` and `3f2a91c` mean the
same everywhere.

Source: git, gitrevisions(7) and refs/files-backend.c (`refs_verify_refname_available`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gitops_sim.errors import GitError, UnknownRefError
from gitops_sim.forge.objects import COMMIT, TAG, ObjectStore

__all__ = ["Refs"]

MAX_TAG_DEPTH = 10
"""Tags of tags followed before it counts as no commit."""

_HEX = re.compile(r"[0-9a-f]{4,40}")
_STEPS = re.compile(r"(?P<name>.+?)(?P<steps>(?:~\d*|\^\d*)+)")
_STEP = re.compile(r"([~^])(\d*)")


class Refs:
    """The refs of one repository; names are checked before they come here.

    Args:
        repository: Its name, for messages.
        objects: Where the objects are that refs name.
        default_branch: What `HEAD` means.
    """

    def __init__(self, repository: str, objects: ObjectStore, default_branch: str) -> None:
        self._repository = repository
        self._objects = objects
        self.default_branch = default_branch
        self._ids: dict[str, str] = {}

    def all(self) -> Mapping[str, str]:
        """Return every full name and its object id, sorted by name; a fresh dict."""
        return dict(sorted(self._ids.items()))

    def get(self, ref: str) -> str:
        """Return what a full name names, "" when there is no such ref."""
        return self._ids.get(ref, "")

    def set(self, ref: str, new: str) -> None:
        """Let a full name name another object; "" takes the name away."""
        if new:
            self._ids[ref] = new
        else:
            self._ids.pop(ref, None)

    def names(self, prefix: str) -> list[str]:
        """Return the names that begin with `prefix`, without it, sorted."""
        return sorted(ref.removeprefix(prefix) for ref in self._ids if ref.startswith(prefix))

    def check_room(self, ref: str) -> None:
        """Raise GitError when a new ref would be both a file and a folder, which Git cannot have.

        `refs/heads/fix` and `refs/heads/fix/web` exclude each other.
        """
        for other in sorted(self._ids):
            if other.startswith(f"{ref}/") or ref.startswith(f"{other}/"):
                raise GitError(
                    f"{self._repository}: cannot lock ref '{ref}': '{other}' exists; "
                    f"cannot create '{ref}'"
                )

    def resolve(self, revision: str) -> str:
        """Return the id of the commit that a revision names.

        A revision is a commit id or the beginning of one (4 digits or more), a full name, a
        branch, a tag, `HEAD` (the default branch), each with `~2` or `^2` behind it.

        Raises:
            UnknownRefError: There is no such revision.
            GitError: Several commits begin with these digits.

        Differs: a branch goes before a tag of the same name; Git warns and takes the tag.
        """
        steps = _STEPS.fullmatch(revision)
        if not steps:
            return self._named(revision)
        commit_id = self._named(steps["name"])
        for sign, digits in _STEP.findall(steps["steps"]):
            commit_id = self._step(commit_id, sign, int(digits or 1), revision)
        return commit_id

    def _step(self, commit_id: str, sign: str, number: int, revision: str) -> str:
        """Go to the parent `number` (`^`), or to the first parent `number` times (`~`)."""
        if sign == "^":
            parents = self._objects.commit(commit_id).parents
            if number > len(parents):
                raise UnknownRefError(self._repository, revision)
            return parents[number - 1] if number else commit_id
        for _ in range(number):
            parents = self._objects.commit(commit_id).parents
            if not parents:
                raise UnknownRefError(self._repository, revision)
            commit_id = parents[0]
        return commit_id

    def _named(self, name: str) -> str:
        plain = self.default_branch if name in ("HEAD", "@") else name
        tried = (name, f"refs/heads/{plain}", f"refs/tags/{name}", f"refs/{name}")
        found = next((self._ids[ref] for ref in tried if ref in self._ids), "")
        commit_id = self.peel(found or self._by_id(name))
        if not commit_id:
            known = ", ".join([*self.names("refs/heads/"), *self.names("refs/tags/")])
            plain = name.removeprefix("refs/heads/")
            raise UnknownRefError(self._repository, plain, f"it has: {known}" if known else "")
        return commit_id

    def peel(self, object_id: str) -> str:
        """Return the commit that an object is or that a tag object names, "" when neither."""
        for _ in range(MAX_TAG_DEPTH):
            kind = self._objects.kind(object_id)
            if kind == COMMIT:
                return object_id
            if kind != TAG:
                return ""
            first_line = self._objects.raw(object_id)[1].partition(b"\n")[0]
            object_id = first_line.removeprefix(b"object ").decode("ascii", "replace")
        return ""

    def _by_id(self, digits: str) -> str:
        if not _HEX.fullmatch(digits):
            return ""
        if digits in self._objects:
            return digits
        found = [
            object_id
            for object_id in self._objects
            if object_id.startswith(digits) and self._objects.kind(object_id) == COMMIT
        ]
        if len(found) > 1:
            shown = ", ".join(commit_id[:10] for commit_id in sorted(found)[:4])
            raise GitError(
                f"{self._repository}: short commit id {digits} is ambiguous: write more digits "
                f"({shown})"
            )
        return found[0] if found else ""
