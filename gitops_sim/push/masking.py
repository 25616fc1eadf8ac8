"""Secrets are not shown: each is replaced by `***` wherever a log would print it.

Source: GitHub Actions, "Using secrets": values are redacted, each line of one with several lines.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["Mask"]

HIDDEN = "***"


class Mask:
    """What one job must not show."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._hidden: set[str] = set()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Hide a value from now on; of several lines, each."""
        self._hidden |= {line.strip() for line in secret.splitlines() if line.strip()}

    def applied(self, text: str) -> str:
        """Return a text with the secrets hidden, the longest first."""
        for secret in sorted(self._hidden, key=lambda hidden: (-len(hidden), hidden)):
            text = text.replace(secret, HIDDEN)
        return text
