"""The API server without transport: versioned store, verbs, admission, watches, custom kinds."""

from gitops_sim.apiserver.assembly import new_server
from gitops_sim.apiserver.client import InProcessClient
from gitops_sim.apiserver.server import ApiServer, Write
from gitops_sim.apiserver.store import Change, Kind, Store, StoreConflictError
from gitops_sim.apiserver.watching import StoreWatch

__all__ = [
    "ApiServer",
    "Change",
    "InProcessClient",
    "Kind",
    "Store",
    "StoreConflictError",
    "StoreWatch",
    "Write",
    "new_server",
]
