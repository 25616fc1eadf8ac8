"""Which files of a repository are no part of its artifact: gitignore patterns.

Source: fluxcd/pkg sourceignore; git, Documentation/gitignore.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from gitops_sim.protocols import TreeReader

__all__ = ["IgnoreRules", "artifact_files"]

IGNORE_FILE: Final = ".sourceignore"
_VCS: Final = (".git/", ".gitignore", ".gitmodules", ".gitattributes")
_EXTENSIONS: Final = tuple(
    f"*.{extension}" for extension in ("jpg", "jpeg", "gif", "png", "wmv", "flv", "tar.gz", "zip")
)
_CI: Final = (
    ".github/",
    ".circleci/",
    ".travis.yml",
    ".gitlab-ci.yml",
    "appveyor.yml",
    ".drone.yml",
    "cloudbuild.yaml",
    "codeship-services.yml",
    "codeship-steps.yml",
)
_EXTRA: Final = ("**/.goreleaser.yml", "**/.sops.yaml", "**/.flux.yaml")


@dataclass(frozen=True, slots=True)
class _Pattern:
    regex: re.Pattern[str]
    folders_only: bool
    takes_back: bool


class IgnoreRules:
    """Patterns in order; the last one that fits decides, and `!` takes files back in.

    Args:
        lines: Patterns as in a .gitignore, each with the folder in which it stands.
    """

    def __init__(self, lines: Iterable[tuple[str, str]]) -> None:
        self._patterns = [
            pattern for folder, line in lines if (pattern := _pattern(folder, line)) is not None
        ]

    def ignores(self, path: str) -> bool:
        """Return True for a file that is left out, itself or by one of its folders."""
        parts = path.split("/")
        return any(
            self._decides("/".join(parts[: end + 1]), is_folder=end + 1 < len(parts))
            for end in range(len(parts))
        )

    def _decides(self, path: str, *, is_folder: bool) -> bool:
        ignored = False
        for pattern in self._patterns:
            if pattern.folders_only and not is_folder:
                continue
            if pattern.regex.fullmatch(path):
                ignored = not pattern.takes_back
        return ignored


def artifact_files(
    tree: TreeReader, *, ignore: str | None = None, sparse: Sequence[str] = ()
) -> list[str]:
    """Return the paths of the files that belong into an artifact, sorted.

    As soon as a `.sourceignore` or `spec.ignore` has a pattern, only version control's own files
    stay left out by default.

    Args:
        tree: The revision.
        ignore: `spec.ignore`: patterns, one a line.
        sparse: `spec.sparseCheckout`: only these folders, with the files of the root.
    """
    paths = list(tree.files())
    own = [
        (folder, line)
        for file in paths
        if file.rpartition("/")[2] == IGNORE_FILE
        for folder in (file.rpartition("/")[0],)
        for line in tree.read(file).decode(errors="replace").splitlines()
    ]
    own += [("", line) for line in (ignore or "").splitlines()]
    own = [(folder, line) for folder, line in own if line.strip() and not line.startswith("#")]
    defaults = _VCS if own else (*_VCS, *_EXTENSIONS, *_CI, *_EXTRA)
    rules = IgnoreRules([*(("", line) for line in defaults), *own])
    return [path for path in paths if _is_checked_out(path, sparse) and not rules.ignores(path)]


def _is_checked_out(path: str, sparse: Sequence[str]) -> bool:
    if not sparse or "/" not in path:
        return True
    folders = [folder.strip("/").removeprefix("./") for folder in sparse]
    return any(path.startswith(f"{folder}/") for folder in folders)


@lru_cache(maxsize=1024)
def _pattern(folder: str, line: str) -> _Pattern | None:
    text = line.rstrip()
    takes_back = text.startswith("!")
    text = text.removeprefix("!").removeprefix("\\")
    folders_only = text.endswith("/")
    text = text.rstrip("/")
    if not text:
        return None
    anchored = "/" in text
    body = _regex(text.lstrip("/"))
    prefix = f"{re.escape(folder)}/" if folder else ""
    if not anchored:
        prefix += "(?:.*/)?"
    try:
        compiled = re.compile(prefix + body, re.DOTALL)
    except re.error:  # such as [z-a]: nothing is of that name
        return None
    return _Pattern(compiled, folders_only, takes_back)


def _regex(glob: str) -> str:
    """Translate a gitignore glob: `*` stays in a folder, `**` alone in a part does not.

    What stands between two stars is taken where it is found first, and never looked for again: so
    a pattern of many stars takes no longer than one.
    """
    runs: list[list[str]] = [[]]
    for part in glob.split("/"):
        if part == "**":
            runs.append([])
        else:
            runs[-1].append(_part(part))
    first, *between = ("/".join(run) for run in runs)
    if not between:
        return first
    *middle, last = between
    out = f"{first}/" if first else ""
    out += "".join(f"(?>(?:[^/]+/)*?{run}/)" for run in middle if run)
    return out + (f"(?:[^/]+/)*{last}" if last else ".*")


def _part(glob: str) -> str:
    """Translate what a glob says of one folder or file."""
    runs, at = [""], 0
    while at < len(glob):
        if glob[at] == "*":
            runs.append("")
        elif glob[at] == "?":
            runs[-1] += "[^/]"
        elif glob[at] == "[" and (end := glob.find("]", at + 2)) > 0:
            inside = glob[at + 1 : end]
            negated = inside[0] in "!^"
            letters = re.sub("--+", "-", inside[1:] if negated else inside)
            letters = "".join(c if c == "-" else re.escape(c) for c in letters)
            runs[-1] += f"[{'^/' if negated else ''}{letters}]"
            at = end
        else:
            if glob[at] == "\\" and at + 1 < len(glob):
                at += 1
            runs[-1] += re.escape(glob[at])
        at += 1
    first, *between = runs
    if not between:
        return first
    *middle, last = between
    return first + "".join(f"(?>[^/]*?{run})" for run in middle if run) + f"[^/]*{last}"
