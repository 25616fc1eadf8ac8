"""A repository by its URL, as agents and runners see it: refs and trees, or Git's own errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from gitops_sim.errors import GitError, LabError, UnknownRefError
from gitops_sim.forge.objects import COMMIT
from gitops_sim.forge.repository import Repository
from gitops_sim.protocols import TreeReader

__all__ = ["HOST", "Remote"]

HOST = "git.example.com"
"""The name of the forge inside the lab; example.com is reserved, so it is nobody's (RFC 2606)."""

_URL = re.compile(r"(?P<scheme>https?|ssh)://(?:[^@/]*@)?(?P<host>[^/:]+)(?::\d+)?/(?P<path>.*)")


class _Host(Protocol):
    """What a remote needs of its forge."""

    down: bool

    def repository(self, name: str) -> Repository:
        """Return a repository by name; LabError when there is none."""


class Remote:
    """One URL; implements `GitRemote`.

    Every call asks the forge anew, so that what happens to it in between shows.
    """

    def __init__(self, forge: _Host, url: str) -> None:
        self._forge = forge
        self._url = url

    def refs(self) -> Mapping[str, str]:
        """Return full names and their commits, `HEAD` first; a tag object counts as its commit.

        Raises:
            GitError: Nobody answers at this URL.
        """
        repository = self._reached()
        refs = {ref: repository.refs.peel(found) for ref, found in repository.refs.all().items()}
        head = refs.get(f"refs/heads/{repository.default_branch}")
        return {"HEAD": head, **refs} if head else refs

    def tree(self, commit: str) -> TreeReader:
        """Return the files of a commit; UnknownRefError when the repository has none such."""
        return self._with(commit).tree(commit)

    def message(self, commit: str) -> str:
        """Return what a commit says; UnknownRefError when the repository has none such."""
        return self._with(commit).objects.commit(commit).message

    def _with(self, commit: str) -> Repository:
        """Return the repository, which has this commit."""
        repository = self._reached()
        if repository.objects.kind(commit) != COMMIT:
            raise UnknownRefError(repository.name, commit)
        return repository

    def _reached(self) -> Repository:
        """Return the repository, or raise what Git says when it cannot get there."""
        parts = _URL.fullmatch(self._url)
        if not parts:
            raise GitError(f"fatal: repository '{self._url}' does not exist")
        if parts["host"] != HOST:
            raise GitError(
                f"fatal: unable to access '{self._url}': Could not resolve host: {parts['host']}"
            )
        if self._forge.down:
            raise GitError(
                f"fatal: unable to access '{self._url}': "
                f"Failed to connect to {HOST} port 443: Connection refused"
            )
        name = parts["path"].rstrip("/").removesuffix(".git")
        try:
            return self._forge.repository(name)
        except LabError:
            raise GitError(f"fatal: repository '{self._url}' not found") from None
