"""What the words of a script stand for: variables, `$(…)`, splitting, names of files.

Source: bash(1), EXPANSION: variables and commands, then word splitting, then pathname expansion.
Differs: no braces, no `~`, no arithmetic; of patterns `*`, `?` and `[…]`, below the directory only.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

from gitops_sim.push.shell_streams import EndOfScript, Streams
from gitops_sim.push.shell_words import Literal, Segment, Substitution, Variable, Word

if TYPE_CHECKING:
    from gitops_sim.push.shell import Shell

__all__ = ["expand", "expand_text"]


def expand(shell: Shell, words: Sequence[Word], streams: Streams) -> Generator[Any, Any, list[str]]:
    """Return the arguments that words stand for: split, and patterns replaced by names."""
    found: list[str] = []
    for word in words:
        fields: list[list[Literal]] = []
        fresh = True  # the next piece begins a new field
        for segment in word:
            for index, piece in enumerate((yield from _pieces(shell, segment, streams))):
                if index or fresh:
                    fields.append([])
                fresh = False
                if piece is None:
                    fields.pop()
                    fresh = True
                else:
                    fields[-1].append(piece)
        for field in fields:
            found.extend(_names(shell, field))
    return found


def _pieces(
    shell: Shell, segment: Segment, streams: Streams
) -> Generator[Any, Any, list[Literal | None]]:
    """Return a segment's text in pieces: each further one begins a new field.

    None at the end says that what follows begins a new field too.
    """
    if isinstance(segment, Literal):
        return [segment]
    text = yield from _value(shell, segment, streams)
    if segment.quoted:
        return [Literal(text, quoted=True)]
    parts: list[Literal | None] = [Literal(part) for part in text.split()]
    if not parts:
        return []
    if text[0].isspace():
        parts.insert(0, Literal("", quoted=False))
    if text[-1].isspace():
        parts.append(None)
    return parts


def expand_text(shell: Shell, word: Word, streams: Streams) -> Generator[Any, Any, str]:
    """Return what a word stands for as one text, not split."""
    parts = []
    for segment in word:
        if isinstance(segment, Literal):
            parts.append(segment.text)
        else:
            parts.append((yield from _value(shell, segment, streams)))
    return "".join(parts)


def _value(
    shell: Shell, segment: Variable | Substitution, streams: Streams
) -> Generator[Any, Any, str]:
    """Return the value of a variable, or what a command prints."""
    if isinstance(segment, Substitution):
        return (yield from shell.substitute(segment, streams))
    special = {"?": str(shell.status), "#": "0", "$": "1", "!": "", "@": "", "*": ""}
    value = special.get(segment.name, shell.variables.get(segment.name))
    if segment.name.isdigit():
        value = "bash" if segment.name == "0" else ""
    unset = value is None or (not value and segment.operator.startswith(":"))
    if segment.operator.endswith("-") and unset:
        return (yield from expand_text(shell, segment.word, streams))
    if segment.operator.endswith("+"):
        return "" if unset else (yield from expand_text(shell, segment.word, streams))
    if value is None and "nounset" in shell.options:
        streams.err(f"bash: {segment.name}: unbound variable\n")
        raise EndOfScript(1)
    shell.allowance.make_text(len(value or ""))
    return value or ""


def _names(shell: Shell, field: Sequence[Literal]) -> list[str]:
    """Return a field, or the files that it is a pattern of."""
    text = "".join(piece.text for piece in field)
    patterned = any(not piece.quoted and set(piece.text) & set("*?[") for piece in field)
    if patterned and not text.startswith(("/", "-")):
        pattern = "".join(_escaped(piece) for piece in field)
        return shell.workspace.matching(shell.directory, pattern) or [text]
    return [text]


def _escaped(piece: Literal) -> str:
    """Return a piece as part of a pattern: quoted characters mean themselves."""
    if not piece.quoted:
        return piece.text
    return "".join(f"[{c}]" if c in "*?[" else c for c in piece.text)
