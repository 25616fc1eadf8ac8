"""Paths inside a tree: cleaned, joined, and never above the root.

Paths are relative, with `/`, without a leading or trailing one; the root is "".
"""

from __future__ import annotations

__all__ = ["clean", "join", "parent"]


def clean(path: str) -> str | None:
    """Return a path in its shortest form: `./a//b/../c/` becomes `a/c`; None when it leaves.

    A leading `/` means the root of the tree, as in a Flux `spec.path`.
    """
    parts: list[str] = []
    for part in path.split("/"):
        if part in ("", "."):
            continue
        if part == "..":
            if not parts:
                return None
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def join(folder: str, path: str) -> str | None:
    """Return `path` as seen from `folder`, cleaned; None when it leaves the tree."""
    return clean(f"{folder}/{path}" if folder else path)


def parent(path: str) -> str:
    """Return the folder that holds `path`; the root's is the root."""
    return path.rpartition("/")[0]
