"""A Git forge in memory: repositories, merge requests, reviews, rules, and real Git clients."""

from gitops_sim.forge.blame import BlamedLine
from gitops_sim.forge.diffs import Diff
from gitops_sim.forge.forge import Forge
from gitops_sim.forge.history import CommitInfo
from gitops_sim.forge.http import GitHttp, HttpRequest, HttpResponse
from gitops_sim.forge.merge_requests import MergeRequest
from gitops_sim.forge.repository import Repository
from gitops_sim.forge.rules import Check, Protection, Refusal, Review

__all__ = [
    "BlamedLine",
    "Check",
    "CommitInfo",
    "Diff",
    "Forge",
    "GitHttp",
    "HttpRequest",
    "HttpResponse",
    "MergeRequest",
    "Protection",
    "Refusal",
    "Repository",
    "Review",
]
