"""The forge: where the repositories are, what the lab calls them, and who is told of changes.

A person makes or imports a repository here. Agents and runners do not get the repository: they
get a `GitRemote` by its URL, as over a network, which fails while the forge is down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from gitops_sim.clock.door import Door, outside
from gitops_sim.errors import GitOpsSimError, LabError
from gitops_sim.forge import importing
from gitops_sim.forge.announcing import Announcer, OnMergeRequest, OnPush
from gitops_sim.forge.contents import Content, encode_files
from gitops_sim.forge.names import branch_ref, check_repository_name
from gitops_sim.forge.packs import write_pack
from gitops_sim.forge.pushes import take_import
from gitops_sim.forge.remotes import HOST, Remote
from gitops_sim.forge.repository import Repository
from gitops_sim.journal import Journal, facts
from gitops_sim.protocols import Clock, GitRemote

__all__ = ["Forge"]


class Forge:
    """All repositories of a lab.

    Args:
        clock: Gives commits their time.
        journal: Where commits, moves, reviews and merges are told.
        door: The lab's door; None for a forge that nobody replays.
    """

    def __init__(self, clock: Clock, journal: Journal, door: Door | None = None) -> None:
        self.down = False
        self._announcer = Announcer(clock, journal)
        self._repositories: dict[str, Repository] = {}
        self._door = door
        self._address = "forge"
        if door:
            door.register(self._address, self)

    def __repr__(self) -> str:
        return f"<Forge {HOST}: {', '.join(self._repositories) or 'no repositories'}>"

    @property
    def repositories(self) -> list[Repository]:
        """All repositories, by name."""
        return [self._repositories[name] for name in sorted(self._repositories)]

    def repository(self, name: str) -> Repository:
        """Return a repository; LabError when there is none of that name."""
        found = self._repositories.get(name)
        if found is None:
            known = ", ".join(sorted(self._repositories)) or "none yet"
            raise LabError(
                f"the forge has no repository {name!r} (it has: {known})",
                f"lab.forge.create_repository({name!r})",
            )
        return found

    def url(self, name: str) -> str:
        """Return how agents and runners address a repository: `https://git.example.com/…`."""
        return f"https://{HOST}/{self.repository(name).name}.git"

    def remote(self, url: str) -> GitRemote:
        """Return the repository behind a URL, as seen over the network.

        Nothing is asked yet: a wrong URL or a forge that is down shows when it is used.
        """
        return Remote(self, url)

    def create_repository(
        self, name: str, files: Mapping[str, Content] | None = None, *, default_branch: str = "main"
    ) -> Repository:
        """Make a repository; with `files`, as one first commit.

        Raises:
            LabError: The name is taken, or no name.
            InputError: A path or content that no repository can hold.
        """
        return self.create_from_files(name, encode_files(files or {}), default_branch)

    @outside
    def create_from_files(
        self, name: str, files: Mapping[str, Any], default_branch: str
    ) -> Repository:
        """Do what `create_repository` says; its recorded form, with files as JSON."""
        repository = self._new_repository(name, default_branch)
        self._repositories[name] = repository  # first, since a pipeline looks it up at the push
        try:
            if files:
                repository.commit_files(files, "Initial commit", "", "alice")
        except GitOpsSimError:
            del self._repositories[name]
            raise
        return repository

    def import_repository(
        self, path_or_url: str | PathLike[str], name: str = "", *, depth: int = 0
    ) -> Repository:
        """Make a repository of a folder, a local clone or a URL.

        Args:
            path_or_url: A folder becomes one commit; a clone (bare or not) comes with branches,
                tags and history; an http or https URL is cloned first; `samples/shop` is a
                sample of this package.
            name: Default: the last part of the path or URL.
            depth: Of a URL, how many commits of history; 0 for all.

        Raises:
            LabError: There is no such folder, or the name is taken.
            InputError: A file is too large, or named as no repository can hold it; a damaged
                clone.
            GitError: Git cannot clone the URL; the message is Git's.
        """
        source = importing.source_text(path_or_url)
        name = name or importing.repository_name(source)
        self._new_repository(name, "main")
        if importing.is_url(source):
            found = importing.read_url(source, depth)
        else:
            place = importing.local_path(source)
            found = importing.read_clone(place) or self._first_commit(place)
        return self.take_snapshot(name, found.refs, found.default_branch, found.shallow, found.pack)

    @outside
    def take_snapshot(
        self,
        name: str,
        refs: Mapping[str, str],
        default_branch: str,
        shallow: Sequence[str],
        pack: bytes,
    ) -> Repository:
        """Do what `import_repository` says; its recorded form, with all objects as one pack."""
        repository = self._new_repository(name, default_branch)
        take_import(repository, refs, shallow, pack)
        self._repositories[name] = repository
        return repository

    def on_push(self, callback: OnPush) -> None:
        """Call back at once, from now on, when a branch is new or has moved."""
        self._announcer.on_push.append(callback)

    def on_merge_request(self, callback: OnMergeRequest) -> None:
        """Call back at once, from now on, when something happens to a merge request."""
        self._announcer.on_merge_request.append(callback)

    def add_webhook(
        self,
        target: str,
        *,
        on_push: OnPush | None = None,
        on_merge_request: OnMergeRequest | None = None,
    ) -> None:
        """Call back like `on_push` and `on_merge_request`; each delivery to `target` is a fact."""
        self._announcer.add_webhook(target, on_push, on_merge_request)

    @outside
    def take_down(self) -> None:
        """Let every remote fail from now on; what people do in Python still works."""
        if not self.down:
            self.down = True
            self._announcer.journal.record(facts.FaultStarted("forge-down", HOST, "no answer"))

    @outside
    def bring_back(self) -> None:
        """Let remotes answer again."""
        if self.down:
            self.down = False
            self._announcer.journal.record(facts.FaultEnded("forge-down", HOST, "answers again"))

    def _first_commit(self, folder: Path) -> importing.Snapshot:
        """Return a folder as a repository with one commit, made now."""
        draft = Repository("draft", self._announcer, None)
        tree = importing.read_folder(folder, draft.objects)
        made = draft.add_commit(tree, (), f"Import {folder.name}", author="alice")
        pack = write_pack(draft.objects, list(draft.objects))
        return importing.Snapshot({branch_ref(draft.default_branch): made}, "main", [], pack)

    def _new_repository(self, name: str, default_branch: str) -> Repository:
        """Return an empty repository, not yet listed; LabError when the name is taken."""
        if check_repository_name(name) in self._repositories:
            raise LabError(
                f"the forge has a repository {name!r} already",
                f"lab.forge.repository({name!r}) returns it; or choose another name",
            )
        return Repository(name, self._announcer, self._door, default_branch=default_branch)
