"""Virtual time, jobs, seeded randomness, and the one door for outside inputs."""

from gitops_sim.clock.account import Account
from gitops_sim.clock.door import Door, Input, outside
from gitops_sim.clock.durations import format_duration, parse_duration
from gitops_sim.clock.pacing import pace
from gitops_sim.clock.virtual import EPOCH, VirtualClock

__all__ = [
    "EPOCH",
    "Account",
    "Door",
    "Input",
    "VirtualClock",
    "format_duration",
    "outside",
    "pace",
    "parse_duration",
]
