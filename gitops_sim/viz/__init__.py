"""Pictures: SVG made in Python, text for terminals, and a player that needs no kernel.

Drawing is pure: a picture is made from facts that someone else gathered (`Board`, `Lanes`,
`Ladder`, `ReconcileLoop`, `TreeNode`); nothing here reads a cluster or a clock.
"""

from gitops_sim.viz.board import Board, BoardRow, board_text, draw_board
from gitops_sim.viz.ladder import Ladder, Message, draw_ladder
from gitops_sim.viz.lanes import LaneMark, Lanes, draw_lanes
from gitops_sim.viz.loop import LoopStage, ReconcileLoop, draw_loop
from gitops_sim.viz.picture import Picture
from gitops_sim.viz.player import Frame, play
from gitops_sim.viz.tree import TreeNode, draw_tree

__all__ = [
    "Board",
    "BoardRow",
    "Frame",
    "Ladder",
    "LaneMark",
    "Lanes",
    "LoopStage",
    "Message",
    "Picture",
    "ReconcileLoop",
    "TreeNode",
    "board_text",
    "draw_board",
    "draw_ladder",
    "draw_lanes",
    "draw_loop",
    "draw_tree",
    "play",
]
