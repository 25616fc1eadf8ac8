"""One repository: branches over objects, and the only gate through which a branch moves.

A commit takes files, makes a tree from the tree of the branch, and moves the branch to it. Every
move, whether by `commit`, a merge or a real `git push`, goes through `move`: there the rules of
the branch are asked, the journal is written, open merge requests learn of it, and who listens is
called.

Not here: what a merge request is (`merge_requests`), real Git clients (`http`).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from gitops_sim.clock.door import Door, outside
from gitops_sim.errors import GitError, InputError, RefRejectedError, UnknownRefError
from gitops_sim.forge import history, rules, trees
from gitops_sim.forge.announcing import Announcer
from gitops_sim.forge.blame import BlamedLine, blame
from gitops_sim.forge.contents import Content, decode, encode_files, nearest_file
from gitops_sim.forge.diffs import Diff, diff_trees
from gitops_sim.forge.history import CommitInfo
from gitops_sim.forge.merge_requests import MergeRequest
from gitops_sim.forge.names import branch_ref, check_path, check_ref_name, identity
from gitops_sim.forge.objects import BLOB, COMMIT, Commit, ObjectStore, TreeEntry, encode_commit
from gitops_sim.forge.pushes import take_push
from gitops_sim.forge.refs import Refs
from gitops_sim.forge.reverting import revert
from gitops_sim.forge.rules import Check, CheckStatus, Protection
from gitops_sim.journal import facts

__all__ = ["Repository"]

KEPT_TREES = 32
"""Parsed trees kept, the one used longest ago goes first."""


class Repository:
    """A Git repository of the forge; made by `Forge.create_repository`.

    Wherever a branch or revision may be left out, the default branch is meant. A revision is a
    branch, a tag, a full ref name, or a commit id (7 digits are enough when only one begins so).
    """

    def __init__(
        self, name: str, announcer: Announcer, door: Door | None, *, default_branch: str = "main"
    ) -> None:
        self.name = name
        self.default_branch = check_ref_name(default_branch)
        self.objects = ObjectStore()
        self.refs = Refs(name, self.objects, self.default_branch)
        self.merge_requests: list[MergeRequest] = []
        self.announcer = announcer
        self._protections: dict[str, Protection] = {}
        self._checks: dict[str, dict[str, Check]] = {}
        self._trees: dict[str, trees.GitTree] = {}
        self._known: set[str] = set()
        self.door = self._door = door
        self._address = f"forge/repo:{name}"
        if door:
            door.register(self._address, self)

    def __repr__(self) -> str:
        return f"<Repository {self.name}: {', '.join(self.branches()) or 'empty'}>"

    # -- reading

    def branches(self) -> list[str]:
        """Return the names of the branches, sorted."""
        return self.refs.names("refs/heads/")

    def tags(self) -> list[str]:
        """Return the names of the tags, sorted."""
        return self.refs.names("refs/tags/")

    def head(self, branch: str = "") -> str:
        """Return the commit that a branch, tag or revision names.

        Raises:
            UnknownRefError: There is no such revision, or the repository is empty.
        """
        return self.refs.resolve(branch or self.default_branch)

    def tree(self, ref: str = "") -> trees.GitTree:
        """Return the files of a revision (a `TreeReader`); UnknownRefError when there is none."""
        tree_id = self.objects.commit(self.head(ref)).tree
        found = self._trees.pop(tree_id, None) or trees.GitTree(self.objects, tree_id, self.name)
        self._trees[tree_id] = found
        if len(self._trees) > KEPT_TREES:
            del self._trees[next(iter(self._trees))]
        return found

    def read(self, path: str, ref: str = "") -> str:
        """Return a text file; UnknownRefError, with the nearest name, when it is not there."""
        tree = self.tree(ref)
        if not isinstance(path, str):
            raise InputError("", 0, f"{path!r} is no path", 'write read("base/web.yaml")')
        try:
            return tree.read(path).decode("utf-8", "replace")
        except UnknownRefError:
            raise UnknownRefError(self.name, path, nearest_file(path, tree.files())) from None

    def log(self, ref: str = "", *, path: str = "", limit: int | None = None) -> list[CommitInfo]:
        """Return the commits of a revision, newest first; nothing for an empty repository.

        With a `path` of a file or folder only those that changed it; a merge did, when what is
        there differs from each parent.
        """
        if not ref and not self.branches():
            return []
        commits = history.walk(self.objects, [self.head(ref)])
        if path:
            commits = (each for each in commits if history.touched(self.objects, each, path))
        return [self.info(commit_id) for commit_id in itertools.islice(commits, limit)]

    def blame(self, path: str, ref: str = "") -> list[BlamedLine]:
        """Return the lines of a file, each with the commit that it comes from.

        Raises:
            UnknownRefError: There is no such file.
        """
        self.tree(ref).blob_id(path)
        return blame(self.objects, self.head(ref), check_path(path))

    def info(self, commit_id: str) -> CommitInfo:
        """Return what one commit says, and which files it changed."""
        return history.describe(self.objects, commit_id, self.announcer.epoch)

    def diff(self, old: str, new: str = "") -> Diff:
        """Return what differs from one revision to another: paths and unified text."""
        return diff_trees(
            self.objects,
            self.objects.commit(self.head(old)).tree,
            self.objects.commit(self.head(new)).tree,
        )

    def protection(self, branch: str) -> Protection | None:
        """Return the rules of a branch; None when it has none."""
        return self._protections.get(branch)

    def checks(self, commit: str) -> Mapping[str, Check]:
        """Return what was last reported about a commit, by the name of the check."""
        return self._checks.get(self.head(commit), {})

    # -- changing

    def commit(
        self,
        files: Mapping[str, Content],
        message: str,
        branch: str = "",
        *,
        author: str = "alice",
    ) -> str:
        """Put files on a branch as one commit and return its id.

        Args:
            files: New content by path, text or bytes; None deletes the file or folder.
            message: The first line is the subject.
            branch: Must exist, except in an empty repository.
            author: A name, or `Name <email>`.

        Raises:
            InputError: A path or content that no repository can hold.
            GitError: Nothing would change.
            RefRejectedError: The branch is protected.
        """
        return self.commit_files(encode_files(files), message, branch, author)

    @outside
    def commit_files(self, files: Mapping[str, Any], message: str, branch: str, author: str) -> str:
        """Do what `commit` says; its recorded form, with files as JSON (see `contents`)."""
        branch = branch or self.default_branch
        old = self.refs.get(branch_ref(branch))
        if not old and (self.branches() or branch != self.default_branch):
            there = f"it has: {', '.join(self.branches())}; create_branch({branch!r}) makes one"
            raise UnknownRefError(self.name, branch, there)
        before = self.objects.commit(old).tree if old else ""
        gone: list[str] = []
        staged: dict[str, TreeEntry] = {}
        for path, recorded in files.items():
            new = decode(check_path(path), recorded)
            if new is None:
                gone.append(path)
            else:
                staged[path] = TreeEntry(new.mode, self.objects.add(BLOB, new.content))
        tree = trees.remove(self.objects, before or self.objects.add_tree({}), gone)
        tree = trees.write(self.objects, tree, staged)
        if tree == before:
            raise GitError(f"{self.name}: nothing to commit: {branch} has these files already")
        new_commit = self.add_commit(tree, (old,) if old else (), message, author=author)
        self.move(branch_ref(branch), new_commit, author)
        return new_commit

    @outside
    def create_branch(self, name: str, at: str = "", *, by: str = "alice") -> None:
        """Make a branch that begins at a revision; GitError when there is one of that name."""
        ref = branch_ref(check_ref_name(name))
        if self.refs.get(ref):
            raise GitError(f"{self.name}: branch {name} exists: choose another name")
        self.refs.check_room(ref)
        self.move(ref, self.head(at), by)

    @outside
    def delete_branch(self, name: str, *, by: str = "alice") -> None:
        """Delete a branch; open merge requests from it are closed."""
        if name == self.default_branch:
            rule, step = "the default branch cannot be deleted", "delete another branch"
            raise RefRejectedError(self.name, name, rule, step)
        self.head(branch_ref(name))
        self.move(branch_ref(name), "", by)

    @outside
    def tag(self, name: str, at: str = "", *, by: str = "alice") -> None:
        """Give a revision a name that stays; GitError when there is one of that name."""
        ref = f"refs/tags/{check_ref_name(name, what='tag')}"
        if self.refs.get(ref):
            raise GitError(f"{self.name}: tag {name} exists: tags do not move, choose another name")
        self.refs.check_room(ref)
        self.move(ref, self.head(at), by)

    @outside
    def revert(self, commit: str, branch: str = "", *, author: str = "alice") -> str:
        """Commit the opposite of a commit (of a merge: against its first parent); return its id.

        Raises:
            MergeConflictError: Later commits changed the same lines.
            RefRejectedError: The branch is protected: revert on another branch and open a merge
                request.
        """
        return revert(self, commit, branch or self.default_branch, author)

    @outside
    def protect(
        self,
        branch: str = "",
        *,
        reviews: int = 0,
        checks: Sequence[str] = (),
        no_direct_push: bool = True,
        no_force_push: bool = True,
        dismiss_stale: bool = False,
    ) -> None:
        """Set the rules of a branch (see `Protection`); they replace those it had."""
        self._protections[check_ref_name(branch or self.default_branch)] = Protection(
            reviews, tuple(checks), no_direct_push, no_force_push, dismiss_stale
        )

    @outside
    def unprotect(self, branch: str = "") -> None:
        """Take the rules of a branch away."""
        self._protections.pop(branch or self.default_branch, None)

    @outside
    def report_check(
        self, commit: str, name: str, status: CheckStatus, description: str = ""
    ) -> None:
        """Say how a check of a commit went; a later report of that name replaces it.

        Raises:
            GitError: The status is none of pending, success, failure, error.
        """
        if status not in rules.CHECK_STATUSES:
            known = ", ".join(rules.CHECK_STATUSES)
            raise GitError(f"{self.name}: {status!r} is no status of a check: use one of {known}")
        commit_id = self.head(commit)
        self._checks.setdefault(commit_id, {})[name] = Check(name, status, description)
        self.announcer.journal.record(
            facts.CheckReported(
                repository=self.name,
                commit=commit_id,
                name=name,
                status=status,
                description=description,
            )
        )

    @outside
    def open_merge_request(
        self,
        source: str,
        target: str = "",
        *,
        title: str = "",
        description: str = "",
        author: str = "alice",
    ) -> MergeRequest:
        """Ask for a branch to be merged into another one.

        Args:
            source: The branch with the new commits.
            target: The branch that shall get them.
            title: Default: the subject of the newest commit.
            description: Why; goes into the merge commit.
            author: May not approve it.

        Raises:
            GitError: The target has everything already, or such a request is open.
        """
        branches = source, target or self.default_branch
        return MergeRequest.open(self, branches, author, (title, description))

    @outside
    def receive(self, commands: Sequence[Sequence[str]], pack: bytes, by: str) -> dict[str, str]:
        """Take a push in: move each ref that may be moved; return why the others may not.

        Args:
            commands: For each ref: the id that the client saw, the new one, and the full name;
                "" for none.
            pack: The objects that are new; empty when there are none.
            by: Who pushes.

        Raises:
            GitError: The pack is damaged, or an object is missing; nothing has changed then.
            InputError: It holds a file that no repository here takes.
        """
        return take_push(self, commands, pack, by)

    # -- for the other parts of the forge

    def add_commit(
        self,
        tree: str,
        parents: tuple[str, ...],
        message: str,
        *,
        author: str,
        committer: str = "",
    ) -> str:
        """Store a commit made now; no branch moves."""
        now = self.announcer.unix_time()
        text = message.rstrip("\n") + "\n"
        if not text.strip() or "\0" in text:
            raise GitError(f"{self.name}: a commit needs a message that says why")
        commit = Commit(
            tree, parents, identity(author), now, identity(committer or author), now, text
        )
        return self.objects.add(COMMIT, encode_commit(commit))

    def move(
        self, ref: str, new: str, actor: str, *, by_merge: bool = False, imported: bool = False
    ) -> None:
        """Let a branch or tag name another commit ("" deletes it), if its rules allow.

        Who listens to pushes is not told of an import: no pipeline starts, as on GitHub.

        Raises:
            RefRejectedError: They do not; nothing has changed then.
        """
        old, branch = self.refs.get(ref), ref.removeprefix("refs/heads/")
        if old == new:
            return
        if not by_merge:
            self.check_move(ref, new)
        self.refs.set(ref, new)
        self._record_new_commits(new, branch)
        if branch == ref:
            return
        self.announcer.journal.record(
            facts.BranchMoved(repository=self.name, branch=branch, old=old, new=new, actor=actor)
        )
        if new and not imported:
            self.announcer.pushed(self, branch, old, new)
        for request in self.merge_requests:
            request.branch_moved(branch, old, actor)

    def check_move(self, ref: str, new: str) -> None:
        """Raise RefRejectedError when the rules of a branch are against a push."""
        branch, old = ref.removeprefix("refs/heads/"), self.refs.get(ref)
        protection = self._protections.get(branch) if branch != ref else None
        if not protection or not old:
            return
        forward = bool(new) and history.is_ancestor(self.objects, old, new)
        refusal = rules.refused_push(branch, protection, fast_forward=forward, deletes=not new)
        if refusal:
            raise RefRejectedError(self.name, branch, refusal.rule, refusal.next_step)

    def take_as_known(self, commits: Sequence[str]) -> None:
        """Take commits and what is before them as told already (imported history)."""
        self._known |= history.reachable(self.objects, commits)

    def make_default(self, branch: str) -> None:
        """Let another branch be the default one."""
        self.default_branch = self.refs.default_branch = branch

    def _record_new_commits(self, new: str, branch: str) -> None:
        """Tell of commits seen for the first time, parents first."""
        fresh = history.unknown(self.objects, self.refs.peel(new), self._known)
        self._known.update(fresh)
        for commit_id in fresh:
            told = self.info(commit_id)
            self.announcer.journal.record(
                facts.CommitMade(
                    repository=self.name,
                    branch=branch,
                    commit=commit_id,
                    author=told.author,
                    message=told.message,
                    files=told.files,
                )
            )
