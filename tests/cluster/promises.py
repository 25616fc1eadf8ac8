"""What a cluster promises whatever happens to it, looked at with each write; and its state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from gitops_sim.apimachinery import conditions
from gitops_sim.apiserver import Kind
from gitops_sim.apiserver.server import Write
from gitops_sim.cluster import SimulatedCluster
from gitops_sim.types import Manifest

SHOP = "shop"
HOLD = "example.com/hold"
API_REPLICAS, SURGE, UNAVAILABLE = 3, 1, 1
BAD_IMAGE = "shop/api:missing"

_PODS, _SETS, _DEPLOYMENTS = Kind("", "Pod"), Kind("apps", "ReplicaSet"), Kind("apps", "Deployment")


class Promises:
    """Looks at each write of a cluster with the Deployment `api` and the StatefulSet `db`.

    Attributes:
        broken: What was seen that must not be, in order.
        is_healthy: Nothing disturbs the cluster, nor what it has to recover from.
        released: The uids of those objects that whoever held them has let go.
    """

    def __init__(self, cluster: SimulatedCluster) -> None:
        self.broken: list[str] = []
        self.is_healthy = False
        self.released: set[str] = set()
        self._cluster = cluster
        cluster.server.after_write.append(self._look)

    def _look(self, write: Write, manifest: Manifest | None) -> None:
        kind = write.resource_type.kind
        if manifest is None and write.before is not None:
            self._look_at_held(write.before)
        if kind in ("ReplicaSet", "Pod"):
            self._look_at_api()
        if kind == "Pod":
            self._look_at_db()

    def _look_at_held(self, before: Manifest) -> None:
        metadata = before["metadata"]
        if HOLD in (metadata.get("finalizers") or ()) and metadata["uid"] not in self.released:
            self._break(f"{before['kind']} {metadata['name']} went, though held")

    def _look_at_api(self) -> None:
        store = self._cluster.server.store
        api = store.get(_DEPLOYMENTS, SHOP, "api")
        if api is None:
            return
        uid = api["metadata"]["uid"]
        wanted = sum(s["spec"]["replicas"] for s in store.objects(_SETS) if _owner(s) == uid)
        if wanted > API_REPLICAS + SURGE:
            self._break(f"api: {wanted} pods wanted")
        if not self.is_healthy:
            return
        pods = [pod for pod in store.objects(_PODS) if _app(pod) == "api" and not _is_going(pod)]
        if len(pods) > API_REPLICAS + SURGE:
            self._break(f"api: {len(pods)} pods")
        ready = sum(conditions.is_true(pod, "Ready") for pod in pods)
        if ready < API_REPLICAS - UNAVAILABLE:
            self._break(f"api: {ready} pods ready")

    def _look_at_db(self) -> None:
        """No ordinal is twice in the API, and none runs twice, be it that the API has lost one."""
        pods = [pod for pod in self._cluster.server.store.objects(_PODS) if _app(pod) == "db"]
        index = "apps.kubernetes.io/pod-index"
        known = Counter(pod["metadata"]["labels"][index] for pod in pods)
        running = Counter(
            run.place[1]
            for machine in self._cluster.machines
            for run in machine.pods.values()
            if any(found.started is not None for found in run.containers.values())
        )
        for ordinal, count in (known + running).items():
            if known[ordinal] > 1 or running[ordinal] > 1:
                self._break(f"db: {count} times {ordinal}")

    def _break(self, told: str) -> None:
        self.broken.append(f"{self._cluster.clock.now():.3f} {told}")

    def look_at_reached(self, wanted: Iterable[Manifest]) -> None:
        """What was asked for is there and serves, and nothing else; what is held is there."""
        for manifest in wanted:
            app, kind = manifest["metadata"]["name"], manifest["kind"]
            if kind not in ("Deployment", "StatefulSet"):
                continue
            pods = [pod for pod in self._cluster.list("v1/Pod", SHOP) if _app(pod) == app]
            seen = Counter((_image(pod), conditions.is_true(pod, "Ready")) for pod in pods)
            spec = manifest["spec"]
            if seen != +Counter({(_image(spec["template"]), True): spec["replicas"]}):
                self._break(f"{app}: came to {dict(seen)}")
        for kind in ("v1/Pod", "v1/ConfigMap"):
            if not self._cluster.list(kind, SHOP, labels="app=held"):
                self._break(f"no held {kind}")

    def look_at_stuck(self) -> None:
        """A roll-out that cannot end leaves as many as it may, and says that it is stuck."""
        api = self._cluster.get("apps/v1/Deployment", "api", SHOP)
        status, progress = api["status"], conditions.get(api, "Progressing")
        seen = (
            status.get("replicas"),
            status.get("availableReplicas"),
            status.get("updatedReplicas"),
            conditions.is_true(api, "Available"),
            progress.reason if progress else "",
        )
        least = API_REPLICAS - UNAVAILABLE
        total = API_REPLICAS + SURGE
        if seen != (total, least, total - least, True, "ProgressDeadlineExceeded"):
            self._break(f"api: stuck as {seen}")


def state_of(cluster: SimulatedCluster) -> dict[str, Any]:
    """Return what a cluster has come to, without names, moments and places.

    Where a roll-out is stuck, which of the older images still run depends on how it came there.
    """
    told: dict[str, Any] = {}
    for kind in ("Deployment", "StatefulSet"):
        for found in cluster.list(f"apps/v1/{kind}"):
            told[f"{kind} {found['metadata']['name']}"] = _workload(found)
    stuck = _image(cluster.get("apps/v1/Deployment", "api", SHOP)["spec"]["template"]) == BAD_IMAGE
    for pod in cluster.list("v1/Pod"):
        image = _image(pod)
        if stuck and _app(pod) == "api" and image != BAD_IMAGE:
            image = "older"
        key = f"pods {_app(pod)} {image} ready={conditions.is_true(pod, 'Ready')}"
        key += " going" * _is_going(pod)
        told[key] = told.get(key, 0) + 1
    for node in cluster.list("v1/Node"):
        taints = sorted(taint["key"] for taint in node["spec"].get("taints") or ())
        ready = conditions.is_true(node, "Ready")
        told[f"node {node['metadata']['name']}"] = (taints, ready)
    told["held"] = [_is_going(c) for c in cluster.list("v1/ConfigMap", SHOP, labels="app=held")]
    endpoints = cluster.get("v1/Endpoints", "web", SHOP).get("subsets") or ()
    told["web serves"] = sum(len(subset.get("addresses") or ()) for subset in endpoints)
    return told


def _workload(found: Manifest) -> dict[str, Any]:
    status = found.get("status") or {}
    return {
        "counts": {k: v for k, v in status.items() if k.endswith("eplicas") and v},
        "seen": status.get("observedGeneration") == found["metadata"]["generation"],
        "spec": found["spec"],
        "labels": found["metadata"].get("labels"),
        "conditions": sorted(
            (c["type"], c["status"], c["reason"]) for c in status.get("conditions", ())
        ),
    }


def _image(pod: Manifest) -> str:
    return str(pod["spec"]["containers"][0]["image"])


def _app(manifest: Manifest) -> str:
    return str((manifest["metadata"].get("labels") or {}).get("app", ""))


def _owner(manifest: Manifest) -> str:
    owners = manifest["metadata"].get("ownerReferences") or ({},)
    return str(owners[0].get("uid", ""))


def _is_going(manifest: Manifest) -> bool:
    return "deletionTimestamp" in manifest["metadata"]
