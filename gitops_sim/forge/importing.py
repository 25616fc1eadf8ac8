"""What is outside becomes a repository: a folder, a local clone, or a URL.

All three end as a `Snapshot`: refs and one pack, which the forge takes in through the door. A
saved lab holds that pack, so it can be loaded where the folder or the network is not. Nothing of
what is imported is run, and no link is followed.

Differs: refs other than branches and tags are left out, so remote-tracking branches too; of a
folder within a working copy, what is ignored by `.gitignore` files inside the folder is left out.
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from gitops_sim.errors import GitError, GitOpsSimError, InputError, LabError
from gitops_sim.forge.checking import MAX_FILES, check_objects
from gitops_sim.forge.contents import MAX_FILE_BYTES, too_large
from gitops_sim.forge.names import check_path
from gitops_sim.forge.objects import (
    BLOB,
    COMMIT,
    EXECUTABLE,
    FILE,
    LINK,
    SUBMODULE,
    TAG,
    TREE,
    ObjectStore,
    TreeEntry,
    parse_commit,
    parse_tree,
)
from gitops_sim.forge.packs import MAX_PACK_BYTES, write_pack
from gitops_sim.forge.trees import write

__all__ = [
    "Snapshot",
    "is_url",
    "local_path",
    "read_clone",
    "read_folder",
    "read_url",
    "repository_name",
    "source_text",
]

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
"""Sample repositories that come with the package, as folders."""
SLOW = {"GIT_HTTP_LOW_SPEED_LIMIT": "1000", "GIT_HTTP_LOW_SPEED_TIME": "60"}
"""Give up a download below 1000 bytes a second for a minute."""

_URL = re.compile(r"https?://(?P<user>[^/@]*@)?[^/\s]+/\S*")

Raw: TypeAlias = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was found: full ref names and object ids, where history was cut, and all objects."""

    refs: dict[str, str]
    default_branch: str
    shallow: list[str]
    pack: bytes


def source_text(given: object) -> str:
    """Return the path or URL to import as text.

    Raises:
        LabError: It is empty, or neither.
    """
    text = os.fspath(given) if isinstance(given, str | os.PathLike) else ""
    if isinstance(text, str) and text.strip():
        return text
    next_step = "give the path of a folder or of a clone, or an https URL"
    raise LabError(f"{given!r} is nothing to import", next_step)


def repository_name(source: str) -> str:
    """Return what a repository is called after the last part of a path or URL."""
    last = re.split(r"[/\\]", source.rstrip("/\\"))[-1].removesuffix(".git")
    return re.sub(r"[^A-Za-z0-9._-]+", "-", last).lstrip("._-")[:63] or "imported"


def is_url(source: str) -> bool:
    """Return True for what is fetched, allowed or not; `file://` is a local path."""
    return ("://" in source or "::" in source) and not source.startswith("file://")


def local_path(source: str) -> Path:
    """Return the folder that is meant: as given, or `samples/…` of this package.

    Raises:
        LabError: There is no such folder.
    """
    given = Path(source.removeprefix("file://")).expanduser()
    if given.is_dir():
        return given.resolve()
    if given.parts[:1] == ("samples",):
        sample = SAMPLES / Path(*given.parts[1:])
        if ".." not in given.parts and sample.is_dir():
            return sample
        known = ", ".join(sorted(f"samples/{path.name}" for path in SAMPLES.glob("*/")))
        raise LabError(f"there is no sample {source!r}", f"take one of: {known}")
    kind = "is a file" if given.exists() else "does not exist"
    raise LabError(f"{source} {kind}", "give the path of a folder or of a clone, or an https URL")


# -- a folder


def read_folder(folder: Path, store: ObjectStore) -> str:
    """Put the files of a folder into a store; return their tree.

    Links stay links; sockets, devices, `.git` and what `.gitignore` files name are left out, as
    `git add` does.

    Raises:
        InputError: A file is too large or cannot be read, or a name that no repository can hold.
    """
    staged: dict[str, TreeEntry] = {}
    left = MAX_PACK_BYTES
    for path, place in _walk(folder):
        mode, content = _read_file(path, place)
        left -= len(content)
        if left < 0 or len(staged) >= MAX_FILES:
            problem = f"holds more than {MAX_PACK_BYTES // 1024**2} MiB or {MAX_FILES:,} files"
            raise InputError(str(folder), 0, problem, "import the folder of the manifests only")
        if mode:
            staged[path] = TreeEntry(mode, store.add(BLOB, content))
    return write(store, "", staged) if staged else store.add_tree({})


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield path and place of each file and link, sorted; linked folders are not entered."""
    from dulwich.ignore import IgnoreFilterManager

    ignored = IgnoreFilterManager(os.fspath(folder), [], ignorecase=False)
    for here, folders, files in os.walk(folder, onerror=_unreadable):
        base = Path(here).relative_to(folder)
        links = [name for name in folders if Path(here, name).is_symlink()]
        kept = []
        for name in sorted([*folders, *files]):
            path = (base / name).as_posix()
            is_folder = name in folders and name not in links
            if name == ".git" or ignored.is_ignored(f"{path}/" if is_folder else path):
                continue
            if is_folder:
                kept.append(name)
            else:
                yield check_path(path), Path(here, name)
        folders[:] = kept


def _read_file(path: str, place: Path) -> Raw:
    """Return mode and content; mode 0 for what is no file."""
    try:
        info = place.lstat()
        if stat.S_ISLNK(info.st_mode):
            return LINK, os.fsencode(place.readlink())
        if not stat.S_ISREG(info.st_mode):
            return 0, b""
        if info.st_size > MAX_FILE_BYTES:
            raise too_large(path, info.st_size)
        return EXECUTABLE if info.st_mode & stat.S_IXUSR else FILE, place.read_bytes()
    except OSError as error:
        raise _unreadable(error) from None


def _unreadable(error: OSError) -> InputError:
    fix = "make it readable, or take it out of the folder"
    raise InputError(str(error.filename), 0, f"cannot be read: {error.strerror}", fix) from None


# -- a clone


def read_clone(place: Path) -> Snapshot | None:
    """Return branches, tags and full history of a local clone, bare or not; None for a folder.

    Raises:
        InputError: It is damaged, or holds what no repository here can hold.
    """
    from dulwich.errors import NotGitRepository
    from dulwich.repo import Repo

    try:
        repo = Repo(os.fspath(place))
    except NotGitRepository:
        if (place / ".git").exists():
            raise _damaged(place, "its .git is no repository") from None
        return None
    try:
        found = _attempt(repo, place)
    finally:
        repo.close()
    if isinstance(found, InputError):
        raise found
    return found


def _attempt(repo: Any, place: Path) -> Snapshot | InputError:
    """Return what is in a clone, or what is wrong with it, no longer holding its packs."""
    try:
        return _CloneReader(repo).snapshot()
    except InputError as error:
        return error.with_traceback(None)
    except GitOpsSimError as error:
        return _damaged(place, str(error))
    except Exception as error:  # a foreign parser on damaged input: anything can come
        return _damaged(place, f"{type(error).__name__}: {error}")


def _damaged(place: Path, problem: str) -> InputError:
    fix = "run git fsck there; a partial clone needs: git fetch --refetch"
    return InputError(place.name, 0, f"the clone is damaged: {problem}", fix)


class _CloneReader:
    """One pass over a clone's objects, from its branches and tags."""

    def __init__(self, repo: Any) -> None:
        self._repo = repo
        self._store = ObjectStore()
        self._bytes = 0

    def snapshot(self) -> Snapshot:
        refs = {
            name.decode(): found.decode("ascii")
            for name, found in sorted(self._repo.get_refs().items())
            if name.startswith((b"refs/heads/", b"refs/tags/"))
        }
        shallow = {commit.decode("ascii") for commit in self._repo.get_shallow()}
        for found in refs.values():
            self._copy(found, shallow)
        objects = {each: self._store.raw(each) for each in self._store}
        check_objects(objects, refs.values(), ObjectStore(), shallow=shallow)
        cut = sorted(commit for commit in shallow if commit in self._store)
        branch = self._default_branch(refs)
        return Snapshot(refs, branch, cut, write_pack(self._store, list(objects)))

    def _copy(self, head: str, shallow: set[str]) -> None:
        pending = [head]
        while pending:
            object_id = pending.pop()
            if object_id in self._store:
                continue
            kind, content = self._raw(object_id)
            self._store.add(kind, content)
            if kind == TREE:
                entries = parse_tree(content).values()
                pending += [entry.id for entry in entries if entry.mode != SUBMODULE]
            elif kind == COMMIT:
                commit = parse_commit(content)
                pending += [commit.tree, *(() if object_id in shallow else commit.parents)]
            elif kind == TAG:
                pending.append(content[7:47].decode("ascii"))

    def _raw(self, object_id: str) -> Raw:
        try:
            kind, content = self._repo.object_store.get_raw(object_id.encode())
        except KeyError:
            raise GitError(f"object {object_id} is missing") from None
        self._bytes += len(content)
        if self._bytes > MAX_PACK_BYTES:
            limit = MAX_PACK_BYTES // 1024**2
            problem = f"its history is larger than {limit} MiB"
            raise InputError(
                Path(self._repo.path).name,
                0,
                problem,
                "import a folder of it, or a clone made with --depth 1",
            )
        return int(kind), bytes(content)

    def _default_branch(self, refs: Mapping[str, str]) -> str:
        head = self._repo.refs.read_ref(b"HEAD") or b""
        branches = [
            ref.removeprefix("refs/heads/") for ref in refs if ref.startswith("refs/heads/")
        ]
        named = head.decode("utf-8", "replace").removeprefix("ref: refs/heads/").strip()
        candidates = [named, "main", "master", *branches]
        return next((name for name in candidates if name in branches), "main")


# -- a URL


def read_url(url: str, depth: int) -> Snapshot:
    """Clone a URL into a temporary folder and return what is in it.

    Args:
        url: http or https; what the person's own Git is set up for (proxies, credential helpers)
            holds.
        depth: How many commits of history; 0 for all.

    Raises:
        LabError: Another protocol, or a password in the URL.
        GitError: It cannot be cloned; the message is Git's.
    """
    found = _URL.fullmatch(url)
    if not found:
        raise LabError(f"{url} cannot be imported", "give an http or https URL, or a local path")
    if ":" in (found["user"] or ""):
        raise LabError(
            "the URL holds a password, which other processes could see",
            "take it out and set up a Git credential helper",
        )
    import git  # here, since it looks for the git binary and takes 0.2 s

    limits = {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "http:https", **SLOW}
    options: dict[str, Any] = {"depth": depth, "no_single_branch": True} if depth else {}
    with tempfile.TemporaryDirectory(prefix="gitops-sim-") as folder:
        place = Path(folder, "clone.git")
        try:
            git.Repo.clone_from(url, place, env=limits, bare=True, **options).close()
        except git.GitCommandError as error:
            lines = [line for line in str(error.stderr).splitlines() if "fatal:" in line]
            said = lines[-1].strip(" '") if lines else "git clone failed"
            raise GitError(said.removeprefix("stderr: '")) from None
        snapshot = read_clone(place)
    if snapshot is None:
        raise GitError(f"fatal: {url} is no repository")
    return snapshot
