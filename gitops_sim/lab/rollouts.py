"""Which versions were rolled out behind a route, and how that went.

Read from what the Deployment said of itself: its condition Progressing names the ReplicaSet that it
is busy with, and the ReplicaSet has the image.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from gitops_sim.cluster.network.traffic import routes
from gitops_sim.errors import ImagePullError, NotFoundError
from gitops_sim.journal import Journal, facts
from gitops_sim.protocols import Reader
from gitops_sim.registry.references import parse_reference
from gitops_sim.types import Manifest
from gitops_sim.viz import RolloutSpan

__all__ = ["rollouts_behind"]

_NAMED = re.compile(r'"([^"]+)"')


def rollouts_behind(
    route: str, reader: Reader, journal: Journal, cluster: str, span: tuple[float, float]
) -> tuple[RolloutSpan, ...]:
    """Return the roll-outs of the Deployment behind a route, oldest first.

    Args:
        route: A route of users, `Service/shop/web` or `Ingress/shop/front www.example.com/`.
        reader: Its cluster, as it is now.
        journal: Knows what the Deployment said, and when.
        cluster: The cluster's name there.
        span: From when to when, in seconds since the epoch.

    Returns:
        None at all where several Deployments stand behind one route, or no Deployment.
    """
    found = list(_deployments(route, reader))
    if len(found) != 1:
        return ()
    metadata = found[0]["metadata"]
    subject = f"Deployment/{metadata['namespace']}/{metadata['name']}"
    told = [
        (entry.time, entry.fact)
        for entry in journal.entries(facts.ConditionChanged, until=span[1])
        if isinstance(entry.fact, facts.ConditionChanged)
        and (entry.fact.cluster, entry.fact.subject) == (cluster, subject)
        and entry.fact.type == "Progressing"
    ]
    versions = {
        found["metadata"]["name"]: _version(found)
        for found in reader.list("apps/v1/ReplicaSet", metadata["namespace"])
    }
    return tuple(
        replace(rollout, start=max(rollout.start, span[0]), version=versions.get(name, name))
        for name, rollout in _spans(told, span[1])
        if rollout.end > span[0]
    )


def _deployments(route: str, reader: Reader) -> Iterator[Manifest]:
    """Yield the Deployments whose pods the Service of a route selects."""
    kind, namespace, name = route.partition(" ")[0].split("/")
    service = name
    try:
        if kind == "Ingress":
            ingress = reader.get("networking.k8s.io/v1/Ingress", name, namespace)
            place = route.partition(" ")[2]
            service = next((to for path, to in routes(ingress) if path == place), "")
        wanted = (reader.get("v1/Service", service, namespace)["spec"].get("selector")) or {}
    except NotFoundError:
        return
    for found in reader.list("apps/v1/Deployment", namespace):
        labels = found["spec"]["template"]["metadata"].get("labels") or {}
        if wanted and wanted.items() <= labels.items():
            yield found


def _version(replicaset: Manifest) -> str:
    """Return the tag of the first image: unless the image says otherwise, users see that."""
    image: str = replicaset["spec"]["template"]["spec"]["containers"][0]["image"]
    try:
        reference = parse_reference(image)
    except ImagePullError:
        return image
    return reference.tag or reference.digest.removeprefix("sha256:")[:12]


def _spans(
    told: Iterable[tuple[float, facts.ConditionChanged]], end: float
) -> Iterator[tuple[str, RolloutSpan]]:
    """Yield (ReplicaSet, span): the next begins when the Deployment turns to another one."""
    current, span = "", RolloutSpan(0.0, end, "")
    for time, fact in told:
        named = _NAMED.search(fact.message)
        if named and named[1] != current:
            if current:
                yield current, replace(span, end=time)
            current, span = named[1], RolloutSpan(time, end, "")
        if fact.reason == "NewReplicaSetAvailable" and span.done is None:
            span = replace(span, done=time)
        elif fact.reason == "ProgressDeadlineExceeded":
            span = replace(span, stuck=time)
    if current:
        yield current, span
