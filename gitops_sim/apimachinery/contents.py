"""What was found out about JSON values, kept under their content.

The same few values come again and again: the containers of a workload in each of its pods, the
configuration that an agent applies every minute. What depends on nothing but a value need be
found out only once.
"""

from __future__ import annotations

import marshal
from typing import Any, Generic, TypeVar

__all__ = ["Known", "content_of"]

T = TypeVar("T")

_PLAINLY = 2
"""The newest form of marshal in which equal values, members in the same order, are equal bytes."""


def content_of(value: Any) -> bytes:
    """Return bytes that are equal for equal JSON values, true and 1 told apart.

    Members in another order give other bytes; so does, at worst, what is no JSON: none at all.
    """
    try:
        return marshal.dumps(value, _PLAINLY)
    except ValueError:
        return b""


class Known(Generic[T]):
    """What is known of contents: the newest, and no more than so many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_content: dict[bytes, T] = {}

    def get(self, content: bytes) -> T | None:
        """Return what is known of a content; None: nothing, or it is no content."""
        return self._by_content.get(content)

    def keep(self, content: bytes, found: T) -> T:
        """Know this of a content from now on; returns it."""
        if content:
            if len(self._by_content) >= self._most:
                self._by_content.clear()
            self._by_content[content] = found
        return found
