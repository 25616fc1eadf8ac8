"""The signs of the pictures as paths: no font and no emoji decides how they look.

Every function draws around a centre (x, y); shapes differ, not only colours.
"""

from __future__ import annotations

from collections.abc import Callable

from gitops_sim.viz.palette import PAPER, SYNC_STATES, SyncName, health_ink
from gitops_sim.viz.svg import box, number, path, text

__all__ = ["cross", "diamond", "health_glyph", "sync_glyph", "triangle"]


def _circle(
    x: float, y: float, r: float, *, fill: str, stroke: str = "", stroke_width: float = 0
) -> str:
    more = f' stroke="{stroke}" stroke-width="{number(stroke_width)}"' if stroke else ""
    return f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(r)}" fill="{fill}"{more}/>'


def diamond(x: float, y: float, r: float, ink: str) -> str:
    """Draw a filled diamond of radius `r`: a commit."""
    return path(
        f"M{number(x)} {number(y - r)}L{number(x + r)} {number(y)}"
        f"L{number(x)} {number(y + r)}L{number(x - r)} {number(y)}Z",
        fill=ink,
    )


def triangle(x: float, y: float, r: float, ink: str) -> str:
    """Draw a filled triangle of radius `r`: something applied."""
    d = f"M{number(x)} {number(y - r)}L{number(x + r)} {number(y + r * 0.75)}H{number(x - r)}Z"
    return path(d, fill=ink, stroke=ink)


def cross(x: float, y: float, r: float, ink: str) -> str:
    """Draw a cross of radius `r`: a change made by hand."""
    d = (
        f"M{number(x - r)} {number(y - r)}L{number(x + r)} {number(y + r)}"
        f"M{number(x + r)} {number(y - r)}L{number(x - r)} {number(y + r)}"
    )
    return path(d, stroke=ink, stroke_width=3.2)


def _tick(x: float, y: float, ink: str) -> str:
    d = f"M{number(x - 6)} {number(y)}l4.2 4.8l7.8 -9.6"
    return _circle(x, y, 12, fill=ink) + path(d, stroke=PAPER, stroke_width=3.4)


def _unequal(x: float, y: float, ink: str) -> str:
    bars = f"M{number(x - 5.4)} {number(y - 2.6)}h10.8"
    bars += f"M{number(x - 5.4)} {number(y + 2.8)}h10.8M{number(x + 3)} {number(y - 6.8)}l-6 13.2"
    return diamond(x, y, 13.8, ink) + path(bars, stroke=PAPER, stroke_width=2)


def _warning(x: float, y: float, ink: str) -> str:
    sign = f"M{number(x)} {number(y - 13)}L{number(x + 13.8)} {number(y + 11)}H{number(x - 13.8)}Z"
    stroke = path(f"M{number(x)} {number(y - 5)}v7.6", stroke=PAPER, stroke_width=3.1)
    dot = _circle(x, y + 7.2, 1.8, fill=PAPER)
    return path(sign, fill=ink, stroke=ink) + stroke + dot


def _dashed_ring(x: float, y: float, ink: str) -> str:
    d = f"M{number(x - 11)} {number(y)}a11 11 0 1 0 22 0a11 11 0 1 0 -22 0Z"
    return path(d, fill=PAPER, stroke=ink, stroke_width=2.9, dashed=True)


def _plus(x: float, y: float, ink: str) -> str:
    bars = f"M{number(x - 6.6)} {number(y)}h13.2M{number(x)} {number(y - 6.6)}v13.2"
    square = box(x - 12, y - 12, 24, 24, fill=ink, radius=3.6)
    return square + path(bars, stroke=PAPER, stroke_width=3.4)


def _question(x: float, y: float, ink: str, r: float = 12) -> str:
    ring = _circle(x, y, r, fill=PAPER, stroke=ink, stroke_width=2.2)
    return ring + text(x, y + 5.4, "?", size=r * 1.33, ink=ink, anchor="middle", weight=700)


_SYNC: dict[SyncName, Callable[[float, float, str], str]] = {
    "Synced": _tick,
    "OutOfSync": _unequal,
    "Drifted": _warning,
    "Missing": _dashed_ring,
    "Extra": _plus,
    "Unknown": _question,
}


def sync_glyph(sync: SyncName, x: float, y: float) -> str:
    """Draw the sign of a sync state: tick, unequal, warning, dashed ring, plus or question."""
    return _SYNC[sync](x, y, SYNC_STATES[sync].ink)


def _heart(x: float, y: float, ink: str) -> str:
    d = (
        f"M{number(x)} {number(y + 8.5)}C{number(x - 15)} {number(y - 2.5)} {number(x - 7.5)} "
        f"{number(y - 12)} {number(x)} {number(y - 4)}C{number(x + 7.5)} {number(y - 12)} "
        f"{number(x + 15)} {number(y - 2.5)} {number(x)} {number(y + 8.5)}Z"
    )
    return path(d, fill=ink)


def _octagon(x: float, y: float, ink: str) -> str:
    d = f"M{number(x - 4)} {number(y - 10)}h8l6 6v8l-6 6h-8l-6 -6v-8Z"
    saltire = f"M{number(x - 3.8)} {number(y - 3.8)}l7.6 7.6m0 -7.6l-7.6 7.6"
    return path(d, fill=ink) + path(saltire, stroke=PAPER, stroke_width=2.6)


def _turning(x: float, y: float, ink: str) -> str:
    arc = f"M{number(x + 8)} {number(y - 3)}A8.5 8.5 0 1 0 {number(x + 7.5)} {number(y + 4.5)}"
    head = f"M{number(x + 11.5)} {number(y - 7.5)}l-2 8.5l-7.5 -4Z"
    return path(arc, stroke=ink, stroke_width=2.8) + path(head, fill=ink)


def _bars(x: float, y: float, ink: str) -> str:
    return box(x - 7, y - 8.5, 5, 17, fill=ink, radius=0) + box(
        x + 2, y - 8.5, 5, 17, fill=ink, radius=0
    )


def _bin(x: float, y: float, ink: str) -> str:
    return path(f"M{number(x - 7)} {number(y)}h14", stroke=ink, stroke_width=3.4)


def _small_question(x: float, y: float, ink: str) -> str:
    return _question(x, y, ink, 10)


_HEALTH: dict[str, Callable[[float, float, str], str]] = {
    "Current": _heart,
    "InProgress": _turning,
    "Failed": _octagon,
    "Terminating": _bin,
    "NotFound": _dashed_ring,
    "Suspended": _bars,
}


def health_glyph(health: str, x: float, y: float) -> str:
    """Draw the sign of a health status: heart, turning arrow, octagon, dash, bars or question."""
    return _HEALTH.get(health, _small_question)(x, y, health_ink(health))
