"""A server as it is started: admission in place, first namespaces there."""

from __future__ import annotations

from functools import partial

from gitops_sim.apiserver.admission import FIRST_NAMESPACES, created_with, namespace_lifecycle
from gitops_sim.apiserver.admission_limits import give_defaults, keep_limits
from gitops_sim.apiserver.admission_pods import admit_pod
from gitops_sim.apiserver.admission_policy import judge_by_policies
from gitops_sim.apiserver.admission_quota import take_quota
from gitops_sim.apiserver.admission_security import secure_pods
from gitops_sim.apiserver.admission_volumes import admit_growth
from gitops_sim.apiserver.admission_webhooks import judge_by_webhooks
from gitops_sim.apiserver.bootstrap import own_objects, store_first_objects
from gitops_sim.apiserver.client import InProcessClient
from gitops_sim.apiserver.custom_kinds import begin_definition, follow_definitions
from gitops_sim.apiserver.escalation import no_escalation
from gitops_sim.apiserver.server import ApiServer
from gitops_sim.apiserver.services import ServiceAllocation
from gitops_sim.apiserver.strategies import prepare_kind
from gitops_sim.journal import Journal
from gitops_sim.protocols import Clock

__all__ = ["new_server"]


def new_server(clock: Clock, journal: Journal, *, name: str = "cluster") -> ApiServer:
    """Return a running API server with the namespaces that every cluster has."""
    server = ApiServer(clock, journal, name=name)
    server.webhooks.make_client = lambda address: InProcessClient(server, address)
    server.admission += [
        namespace_lifecycle(server),
        created_with(server),
        partial(give_defaults, server),
        partial(admit_pod, server),
        partial(no_escalation, server),
    ]
    server.judges += [
        partial(keep_limits, server),
        partial(admit_growth, server),
        partial(secure_pods, server),
        partial(judge_by_policies, server),
        partial(judge_by_webhooks, server),
        partial(take_quota, server),
    ]
    server.strategies.append(partial(prepare_kind, server))
    ServiceAllocation(server)
    server.strategies.append(partial(begin_definition, server))
    server.after_write.append(partial(follow_definitions, server))
    client = InProcessClient(server, "kube-apiserver")
    for namespace in FIRST_NAMESPACES:
        metadata = {"name": namespace, "labels": {"kubernetes.io/metadata.name": namespace}}
        client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    store_first_objects(server)
    for manifest in own_objects(clock.timestamp().partition("T")[0]):
        client.create(manifest)
    return server
