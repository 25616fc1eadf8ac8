"""Where in a YAML file a field stands: for messages, so only when something is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["field_text", "line_of", "line_of_key"]

MAX_TEXT = 1024 * 1024
"""Larger files are not searched: the message then names the file only."""


def field_text(path: Sequence[str | int]) -> str:
    """Print a path as people write it: `patches[0].target`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


def line_of(text: bytes, path: Sequence[str | int]) -> int:
    """Return the 1-based line of the value at `path`, or of the deepest part that is there.

    Args:
        text: YAML that has been loaded before by the safe loader.
        path: Keys and list indexes from the root of the first document.
    """
    node = _compose(text)
    if node is None:
        return 0
    line = int(node.start_mark.line) + 1
    for step in path:
        key, node = _child(node, step)
        if node is None:
            break
        line = int(key.start_mark.line) + 1
    return line


def line_of_key(text: bytes, name: str) -> int:
    """Return the 1-based line of the first key called `name` at any depth; 0 when none is."""
    pending = [_compose(text)]
    seen: list[Any] = []  # an alias makes one node appear twice, or inside itself
    while pending:
        node = pending.pop(0)
        if node is None or node.id == "scalar" or any(node is other for other in seen):
            continue
        seen.append(node)
        if node.id == "sequence":
            pending.extend(node.value)
            continue
        for key, value in node.value:
            if key.value == name:
                return int(key.start_mark.line) + 1
            pending.append(value)
    return 0


def _compose(text: bytes) -> Any:
    """Return the node tree of the first document; None for empty or oversized text."""
    if len(text) > MAX_TEXT:
        return None
    import yaml

    for node in yaml.compose_all(text, Loader=yaml.SafeLoader):
        if node is not None:
            return node
    return None


def _child(node: Any, step: str | int) -> tuple[Any, Any]:
    """Return the node that carries the line of a step, and the node below it."""
    if isinstance(step, int) and node.id == "sequence" and step < len(node.value):
        return node.value[step], node.value[step]
    if isinstance(step, str) and node.id == "mapping":
        for key, value in node.value:
            if key.value == step:
                return key, value
    return None, None
