"""The resource tree: who made whom, from an agent's resource down to the pods, with health.

networkx gives the order (an owner before what it owns, siblings by name); the SVG is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gitops_sim.types import ResourceKey
from gitops_sim.viz.glyphs import health_glyph
from gitops_sim.viz.palette import LINE, MUTED, PAPER, health_ink
from gitops_sim.viz.picture import Picture
from gitops_sim.viz.svg import box, clipped, document, group, number, path, text, width_of

__all__ = ["TreeNode", "draw_tree"]

_BOX_WIDTH, _BOX_HEIGHT, _GAP_X, _ROW = 250, 52, 30, 62


@dataclass(frozen=True, slots=True)
class TreeNode:
    """One object; `owner` is None for a root; `note` is a short text such as `2/3 ready`."""

    key: ResourceKey
    owner: ResourceKey | None
    health: str
    note: str = ""


def draw_tree(nodes: Sequence[TreeNode]) -> Picture:
    """Draw owners left, what they own to the right of them; the words are an indented list.

    An owner that is not among the nodes counts as none: its dependents become roots.
    """
    order = _ordered(nodes)
    depth_most = max((depth for _, depth in order), default=0)
    width = 24 + (depth_most + 1) * (_BOX_WIDTH + _GAP_X)
    height = 24 + _ROW * max(_rows(order).values(), default=-1) + _ROW
    rows = _rows(order)
    drawn = "".join(_draw(node, depth, rows) for node, depth in order)
    label = "Resource tree: " + "; ".join(f"{node.key} {node.health}" for node, _ in order)
    words = "\n".join(
        f"{'  ' * depth}{node.key}  {node.health}{'  ' + node.note if node.note else ''}"
        for node, depth in order
    )
    return Picture(document(drawn, width=width, height=height, label=label), words)


def _ordered(nodes: Sequence[TreeNode]) -> list[tuple[TreeNode, int]]:
    import networkx as nx

    by_key = {node.key: node for node in nodes}
    graph: nx.DiGraph[ResourceKey] = nx.DiGraph()
    graph.add_nodes_from(sorted(by_key))
    for key in sorted(by_key):
        owner = by_key[key].owner
        if owner in by_key:
            graph.add_edge(owner, key)
    depths: dict[ResourceKey, int] = {}
    order: list[tuple[TreeNode, int]] = []
    for root in (key for key in graph if not graph.in_degree(key)):
        for parent, child, label in nx.dfs_labeled_edges(graph, root):
            if label == "forward":
                depths[child] = 0 if parent == child else depths[parent] + 1
                order.append((by_key[child], depths[child]))
    return order


def _rows(order: Sequence[tuple[TreeNode, int]]) -> dict[ResourceKey, int]:
    """Give each object a line; the first of what it owns shares the line of its owner."""
    rows: dict[ResourceKey, int] = {}
    line = -1
    before = -1
    for node, depth in order:
        if depth <= before or line < 0:
            line += 1
        rows[node.key] = line
        before = depth
    return rows


def _draw(node: TreeNode, depth: int, rows: dict[ResourceKey, int]) -> str:
    x = 12 + depth * (_BOX_WIDTH + _GAP_X)
    y = 12 + rows[node.key] * _ROW
    edge = ""
    if node.owner in rows:
        start_y = 12 + rows[node.owner] * _ROW + _BOX_HEIGHT / 2
        start_x = x - _GAP_X
        bend = start_x + _GAP_X / 2
        d = f"M{number(start_x)} {number(start_y)}H{number(bend)}"
        edge = path(d + f"V{number(y + _BOX_HEIGHT / 2)}H{number(x)}", stroke=LINE)
    heading = f"{node.key.kind} · {node.note}" if node.note else node.key.kind
    frame = box(
        x, y, _BOX_WIDTH, _BOX_HEIGHT, fill=PAPER, stroke=health_ink(node.health), stroke_width=1.8
    )
    parts = (
        edge,
        frame,
        text(x + 12, y + 20, clipped(heading, 15, _BOX_WIDTH - 20), size=15, ink=MUTED),
        text(
            x + 12,
            y + 42,
            _both_ends(node.key.name, int((_BOX_WIDTH - 50) / width_of("n", 16, face="bold"))),
            size=16,
            weight=600,
        ),
        health_glyph(node.health, x + _BOX_WIDTH - 22, y + 34),
    )
    return group("".join(parts), title=f"{node.key}: {node.health}")


def _both_ends(name: str, most: int) -> str:
    """Shorten a name in its middle: what tells one pod from the next stands at its end."""
    if len(name) <= most:
        return name
    tail = name.rpartition("-")[2][-(most // 2) :]
    return f"{name[: most - len(tail) - 2]}…-{tail}" if "-" in name else f"{name[: most - 1]}…"
