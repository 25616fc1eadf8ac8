"""Pictures: SVG made in Python, text for terminals, and a player that needs no kernel.

Drawing is pure: a picture is made from facts that someone else gathered (`Board`, `Lanes`,
`Ladder`, `Grid`, `ReconcileLoop`, `TreeNode`, `UsersChart`,
`Overlay`); nothing here reads a cluster or a
clock.
"""

from gitops_sim.viz.board import Board, BoardRow, board_text, draw_board
from gitops_sim.viz.grid import Grid, GridRow, draw_grid
from gitops_sim.viz.ladder import Ladder, Message, draw_ladder
from gitops_sim.viz.lanes import LaneMark, Lanes, draw_lanes
from gitops_sim.viz.loop import LoopStage, ReconcileLoop, draw_loop
from gitops_sim.viz.overlay import Overlay, OverlayPanel, draw_overlay
from gitops_sim.viz.picture import Picture
from gitops_sim.viz.player import Frame, play
from gitops_sim.viz.tree import TreeNode, draw_tree
from gitops_sim.viz.users import OutageSpan, RolloutSpan, UsersChart, UsersStep, draw_users

__all__ = [
    "Board",
    "BoardRow",
    "Frame",
    "Grid",
    "GridRow",
    "Ladder",
    "LaneMark",
    "Lanes",
    "LoopStage",
    "Message",
    "OutageSpan",
    "Overlay",
    "OverlayPanel",
    "Picture",
    "ReconcileLoop",
    "RolloutSpan",
    "TreeNode",
    "UsersChart",
    "UsersStep",
    "board_text",
    "draw_board",
    "draw_grid",
    "draw_ladder",
    "draw_lanes",
    "draw_loop",
    "draw_overlay",
    "draw_tree",
    "draw_users",
    "play",
]
