"""What may be called how: paths in a tree, branches and tags, repositories, people.

Everything that names something is checked here once, at the door, with the reason and a fix.

Source: git, check-ref-format and the path rules of read-cache.c (`verify_path`).
"""

from __future__ import annotations

import re

from gitops_sim.errors import GitError, InputError, LabError

__all__ = ["branch_ref", "check_path", "check_ref_name", "check_repository_name", "identity"]

MAX_PATH_BYTES = 4096
MAX_NAME_BYTES = 255
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_BAD_IN_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")
_BAD_IN_PERSON = re.compile(r"[\x00-\x1f\x7f<>]")
_PERSON = re.compile(r"(?P<name>[^<>\x00-\x1f]*[^<>\x00-\x1f ]) ?<(?P<email>[^<>\x00-\x20]+)>")


def check_path(path: object) -> str:
    """Return the path of a file in a repository, unchanged.

    Raises:
        InputError: It is empty, absolute, leaves the repository, or names Git's own data.
    """
    problem = _path_problem(path) if isinstance(path, str) else "a path is text"
    if problem:
        fix = "write it relative to the root of the repository, such as apps/web.yaml"
        raise InputError(str(path), 0, problem, fix)
    return str(path)


def _path_problem(path: str) -> str:
    if not path:
        return "a file needs a path that is not empty"
    try:
        raw = path.encode()
    except UnicodeEncodeError:
        return "path is not valid Unicode"
    if path.startswith("/"):
        return "path is absolute"
    if "\\" in path or any(byte < 0x20 or byte == 0x7F for byte in raw):
        return "path holds a backslash or a control character"
    if len(raw) > MAX_PATH_BYTES:
        return f"path is longer than {MAX_PATH_BYTES} bytes"
    for part in path.split("/"):
        if not part:
            return "path has an empty part"
        if part in (".", ".."):
            return f"path has the part {part!r}"
        if is_git_data(part):
            return "path names Git's own data (.git)"
        if len(part.encode()) > MAX_NAME_BYTES:
            return f"path has a part longer than {MAX_NAME_BYTES} bytes"
    return ""


def is_git_data(name: str) -> bool:
    """Return True for `.git` as any file system may spell it."""
    # Windows drops trailing dots and spaces and calls it git~1; macOS ignores some code points.
    plain = re.sub("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]", "", name).lower()
    return plain.rstrip(". ") in (".git", "git~1")


def check_ref_name(name: str, *, what: str = "branch") -> str:
    """Return the name of a branch or tag, unchanged.

    Raises:
        GitError: Git would not take it.
    """
    parts = name.split("/")
    bad = (
        not all(parts)
        or _BAD_IN_REF.search(name)
        or any(part.startswith(".") or part.endswith((".lock", ".")) for part in parts)
        or name.startswith("-")
        or name in ("@", "HEAD")
        or len(name) > MAX_NAME_BYTES
    )
    if bad:
        raise GitError(f"{name!r} is no {what} name: use letters, digits, '-', '_', '.' and '/'")
    return name


def branch_ref(branch: str) -> str:
    """Return the full name of a branch."""
    return f"refs/heads/{branch}"


def check_repository_name(name: str) -> str:
    """Return the name of a repository, unchanged.

    Raises:
        LabError: It cannot be part of a URL.
    """
    if not _REPOSITORY.fullmatch(name) or name.endswith(".git"):
        raise LabError(
            f"{name!r} is no repository name",
            "use up to 63 letters, digits, '-', '_' and '.', beginning with a letter or digit",
        )
    return name


def identity(person: str) -> str:
    """Return who made a commit as Git writes it: `alice` becomes `alice <alice@example.com>`.

    Raises:
        GitError: The name holds brackets or control characters, or is empty.
    """
    full = _PERSON.fullmatch(person)
    if full:
        return f"{full['name']} <{full['email']}>"
    if not person.strip() or _BAD_IN_PERSON.search(person):
        raise GitError(f"{person!r} is no author: write a name such as alice, or Name <email>")
    name = person.strip()
    return f"{name} <{re.sub(r'[^a-z0-9.+-]+', '.', name.lower())}@example.com>"
