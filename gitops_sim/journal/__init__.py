"""Append-only typed facts, and what is computed from them."""

from gitops_sim.journal import facts
from gitops_sim.journal.differing import Parting, first_difference, in_words
from gitops_sim.journal.journal import Entry, Journal
from gitops_sim.journal.measures import (
    Delivered,
    convergence,
    deployment_frequency,
    drift_exposure,
    lead_times,
)
from gitops_sim.journal.users import Outage, Stretch, UsersSeries, routes_of, users_series
from gitops_sim.journal.who_set import Setter, who_set

__all__ = [
    "Delivered",
    "Entry",
    "Journal",
    "Outage",
    "Parting",
    "Setter",
    "Stretch",
    "UsersSeries",
    "convergence",
    "deployment_frequency",
    "drift_exposure",
    "facts",
    "first_difference",
    "in_words",
    "lead_times",
    "routes_of",
    "users_series",
    "who_set",
]
