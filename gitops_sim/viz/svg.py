"""SVG as text: presentation attributes only, so that every sanitiser leaves it whole.

No style sheets, gradients, clip paths or scripts: what survives JupyterLab without trust, and
conversion to HTML or PDF. Numbers are rounded, so that equal pictures are equal bytes.
"""

from __future__ import annotations

from html import escape

from gitops_sim.viz.palette import INK, MONO, PAPER, SANS

__all__ = ["box", "clipped", "document", "group", "line", "number", "path", "text", "width_of"]

_AVERAGE_WIDTH = {"sans": 0.6, "bold": 0.66, "mono": 0.602}


def number(value: float) -> str:
    """Return a coordinate with at most two decimals and no trailing zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def width_of(content: str, size: float, *, face: str = "sans") -> float:
    """Estimate the width of a text in pixels; nothing here can measure fonts.

    Args:
        content: The text.
        size: Font size in pixels.
        face: `sans`, `bold` or `mono`.
    """
    return len(content) * size * _AVERAGE_WIDTH[face]


def clipped(content: str, size: float, room: float, *, face: str = "sans") -> str:
    """Return the text shortened with an ellipsis so that it fits into `room` pixels."""
    most = max(1, int(room / (size * _AVERAGE_WIDTH[face])))
    return content if len(content) <= most else content[: most - 1] + "…"


def text(
    x: float,
    y: float,
    content: str,
    *,
    size: float = 16,
    ink: str = INK,
    anchor: str = "start",
    weight: int = 400,
    mono: bool = False,
    italic: bool = False,
) -> str:
    """Return one line of text with its baseline at (x, y)."""
    more = "" if anchor == "start" else f' text-anchor="{anchor}"'
    more += f' font-family="{MONO}"' if mono else ""
    more += f' font-weight="{weight}"' if weight != 400 else ""
    more += ' font-style="italic"' if italic else ""
    return (
        f'<text x="{number(x)}" y="{number(y)}" font-size="{number(size)}" fill="{ink}"{more}>'
        f"{escape(content)}</text>"
    )


def box(
    x: float,
    y: float,
    width: float,
    height: float,
    *,
    fill: str = "none",
    stroke: str = "",
    stroke_width: float = 1.2,
    radius: float = 6,
    dashed: bool = False,
) -> str:
    """Return a rectangle with rounded corners."""
    more = f' stroke="{stroke}" stroke-width="{number(stroke_width)}"' if stroke else ""
    more += ' stroke-dasharray="7 6"' if dashed else ""
    return (
        f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}" '
        f'rx="{number(radius)}" fill="{fill}"{more}/>'
    )


def path(
    d: str, *, fill: str = "none", stroke: str = "", stroke_width: float = 2, dashed: bool = False
) -> str:
    """Return a path with round ends and joins."""
    more = ""
    if stroke:
        more = (
            f' stroke="{stroke}" stroke-width="{number(stroke_width)}" '
            'stroke-linecap="round" stroke-linejoin="round"'
        )
    more += ' stroke-dasharray="6 5"' if dashed else ""
    return f'<path d="{d}" fill="{fill}"{more}/>'


def line(
    x1: float,
    y1: float,
    x2: float,
    y2: float,
    *,
    stroke: str,
    stroke_width: float = 1.2,
    dashed: bool = False,
) -> str:
    """Return a straight line."""
    d = f"M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}"
    return path(d, stroke=stroke, stroke_width=stroke_width, dashed=dashed)


def group(content: str, *, y: float = 0, title: str = "", kind: str = "") -> str:
    """Return a group moved down by `y`, with a title that pointers and screen readers tell."""
    more = f' class="{kind}"' if kind else ""
    more += f' transform="translate(0 {number(y)})"' if y else ""
    told = f"<title>{escape(title)}</title>" if title else ""
    return f"<g{more}>{told}{content}</g>"


def document(content: str, *, width: float, height: float, label: str) -> str:
    """Return a whole SVG document on its own white paper, scaled down to fit its place.

    Args:
        content: What is drawn.
        width: Of the drawing, in pixels.
        height: Of the drawing, in pixels.
        label: What the picture says, in words, for those who cannot see it.
    """
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(label)}" '
        f'viewBox="0 0 {number(width)} {number(height)}" width="{number(width)}" '
        f'height="{number(height)}" style="max-width:100%;height:auto" font-family="{SANS}">'
        f"{box(0, 0, width, height, fill=PAPER, radius=10)}{content}</svg>"
    )
