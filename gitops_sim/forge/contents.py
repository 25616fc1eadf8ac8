"""Files on their way into a repository: what people hand over, and the JSON that is recorded.

A file is text, bytes, or None for "delete it". Recorded, text stays text, so that a saved lab can
be read; other bytes become base64.
"""

from __future__ import annotations

import base64
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from gitops_sim.errors import InputError
from gitops_sim.forge.objects import EXECUTABLE, LINK

__all__ = [
    "MAX_FILE_BYTES",
    "Content",
    "Recorded",
    "StagedFile",
    "decode",
    "encode",
    "encode_files",
    "nearest_file",
    "too_large",
]

MAX_FILE_BYTES = 5 * 1024 * 1024
"""The largest file that a repository takes."""

Content: TypeAlias = str | bytes | None
Recorded: TypeAlias = str | dict[str, Any] | None
"""Text; None; or base64 and link or executable, by name."""


@dataclass(frozen=True, slots=True)
class StagedFile:
    """Bytes to store; mode 0 keeps the mode of the file that is there."""

    content: bytes
    mode: int = 0


def too_large(path: str, size: int) -> InputError:
    """Return the refusal of a file over `MAX_FILE_BYTES`."""
    limit = MAX_FILE_BYTES // 1024**2
    problem = f"is {size / 1024**2:.1f} MiB large, the limit is {limit} MiB"
    return InputError(path, 0, problem, "keep it out of the repository or split it")


def encode_files(files: Mapping[str, Content]) -> dict[str, Recorded]:
    """Return files as JSON; raises like `encode`, and InputError when they have no paths."""
    if not isinstance(files, Mapping):
        raise InputError("", 0, f"{files!r} are no files", 'write {"base/web.yaml": text}')
    return {path: encode(path, content) for path, content in files.items()}


def encode(path: str, content: object, *, mode: int = 0) -> Recorded:
    """Return one file as JSON.

    Raises:
        InputError: It is neither text nor bytes, or larger than `MAX_FILE_BYTES`.
    """
    if content is None:
        return None
    if not isinstance(content, (str, bytes)):
        problem = f"is {type(content).__name__}, a file is text or bytes"
        raise InputError(path, 0, problem, "write it as YAML text, or None to delete the file")
    if len(content) > MAX_FILE_BYTES:
        raise too_large(path, len(content))
    text = _as_text(path, content)
    flags = {"link": True} if mode == LINK else {"executable": True} if mode == EXECUTABLE else {}
    if text is not None:
        return {"text": text, **flags} if flags else text
    raw = content.encode() if isinstance(content, str) else content
    return {"base64": base64.b64encode(raw).decode("ascii"), **flags}


def _as_text(path: str, content: str | bytes) -> str | None:
    """Return text that gives the same bytes again; None for other bytes."""
    try:
        if isinstance(content, bytes):
            return content.decode()
        content.encode()
    except UnicodeDecodeError:
        return None
    except UnicodeEncodeError:
        raise InputError(path, 0, "is not valid Unicode text", "give the file as bytes") from None
    return content


def decode(path: str, recorded: Recorded) -> StagedFile | None:
    """Return the file that was recorded; None for a deletion.

    Raises:
        InputError: It is larger than `MAX_FILE_BYTES`.
    """
    if recorded is None:
        return None
    parts = {"text": recorded} if isinstance(recorded, str) else recorded
    mode = LINK if parts.get("link") else EXECUTABLE if parts.get("executable") else 0
    text = parts.get("text")
    raw = base64.b64decode(parts["base64"]) if text is None else text.encode()
    if len(raw) > MAX_FILE_BYTES:
        raise too_large(path, len(raw))
    return StagedFile(raw, mode)


def nearest_file(path: str, files: Sequence[str]) -> str:
    """Return what to do when there is no such file: the files of that folder, or the nearest."""
    within = [file for file in files if file.startswith(path.strip("/") + "/")]
    if within:
        return f"it is a folder; read a file of it, such as {within[0]!r}"
    near = difflib.get_close_matches(path, files, n=1)
    return f"did you mean {near[0]!r}?" if near else "tree().files() lists the files"
