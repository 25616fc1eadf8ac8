"""What controllers and agents run on: requests, work queue, informers, the loop, events."""

from gitops_sim.runtime.cache_set import CacheSet
from gitops_sim.runtime.cache_source import CacheSource, Listener, OwnCaches, SharedCaches
from gitops_sim.runtime.controller import Controller
from gitops_sim.runtime.event_names import EventNames
from gitops_sim.runtime.event_recorder import EventRecorder
from gitops_sim.runtime.informer import Informer
from gitops_sim.runtime.reflector import Reflector
from gitops_sim.runtime.requests import (
    Caches,
    ReconcileFunction,
    Request,
    Watched,
    controller_of,
    own_request,
    owner_request,
)
from gitops_sim.runtime.revocable import RevocableClient
from gitops_sim.runtime.work_queue import Backoff, WorkQueue

__all__ = [
    "Backoff",
    "CacheSet",
    "CacheSource",
    "Caches",
    "Controller",
    "EventNames",
    "EventRecorder",
    "Informer",
    "Listener",
    "OwnCaches",
    "ReconcileFunction",
    "Reflector",
    "Request",
    "RevocableClient",
    "SharedCaches",
    "Watched",
    "WorkQueue",
    "controller_of",
    "own_request",
    "owner_request",
]
