"""Colours, words and fonts of every picture: one place, so that all pictures speak alike.

Each sync state has an ink, a pale tint for its row, a glyph and words; nothing is told by colour
alone. The inks hold at least 4.5:1 on white and on their tint, and any two of them stay apart in
normal, protan, deutan and tritan sight (smallest CIE76 distance 26).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = [
    "ACCENT",
    "HEALTH_INKS",
    "INK",
    "LINE",
    "MONO",
    "MUTED",
    "PAPER",
    "SANS",
    "SYNC_STATES",
    "VERSION_LOOKS",
    "HealthName",
    "SyncLook",
    "SyncName",
    "health_ink",
]

SyncName: TypeAlias = Literal["Synced", "OutOfSync", "Drifted", "Missing", "Extra", "Unknown"]
HealthName: TypeAlias = Literal[
    "Current", "InProgress", "Failed", "Terminating", "NotFound", "Suspended", "Unknown"
]

PAPER = "#FFFFFF"
INK = "#1B1F24"
MUTED = "#57606A"
LINE = "#8C959F"
ACCENT = "#0969DA"
SANS = "DejaVu Sans,Segoe UI,Helvetica,Arial,sans-serif"
MONO = "DejaVu Sans Mono,Menlo,Consolas,monospace"


@dataclass(frozen=True, slots=True)
class SyncLook:
    """How a sync state looks: `tint` is empty for the state that should not catch the eye."""

    ink: str
    tint: str
    words: str
    mark: str


SYNC_STATES: dict[SyncName, SyncLook] = {
    "Synced": SyncLook("#007E6A", "", "in sync", "="),
    "OutOfSync": SyncLook("#955B08", "#FFF1DB", "new commit waits", "≠"),
    "Drifted": SyncLook("#8D0A2D", "#FDE7EA", "edited by hand", "!"),
    "Missing": SyncLook("#3A4374", "#E9ECFA", "missing", "o"),
    "Extra": SyncLook("#9942CD", "#F4E9FB", "extra: prune", "+"),
    "Unknown": SyncLook("#57606A", "#EEF0F2", "unknown", "?"),
}
"""`mark` is the glyph's stand-in where a picture is text."""

HEALTH_INKS: dict[HealthName, str] = {
    "Current": "#007E6A",
    "InProgress": "#0969DA",
    "Failed": "#8D0A2D",
    "Terminating": "#57606A",
    "NotFound": "#3A4374",
    "Suspended": "#57606A",
    "Unknown": "#57606A",
}


VERSION_LOOKS: tuple[tuple[str, str], ...] = (
    ("#E8F2FD", "#0969DA"),
    ("#E6F7F2", "#007E6A"),
    ("#F8F0FD", "#9942CD"),
    ("#FFF1DB", "#955B08"),
    ("#E9ECFA", "#3A4374"),
)
"""Tint and ink of the versions that users see, in the order in which they do, round and round."""


def health_ink(health: str) -> str:
    """Return the ink of a health status; the one of Unknown for a word that has none."""
    return {str(name): ink for name, ink in HEALTH_INKS.items()}.get(health, MUTED)
