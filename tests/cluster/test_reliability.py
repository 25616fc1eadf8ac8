"""Whatever people do and whatever fails meanwhile: when all faults have ended, the cluster comes to
the state that it comes to without them, and keeps its promises on the way.

A schedule is a list of moves, some of a person, some faults. What a person asked for is done in
every run, tried again while the API is away; faults end before the last look. A schedule that
fails is shrunk, printed with the blob that reproduces it, and kept by Hypothesis. Every run makes
25 schedules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from hypothesis import given, note, settings
from hypothesis import strategies as st

from gitops_sim.apimachinery import conditions
from gitops_sim.apiserver import Kind
from gitops_sim.apiserver.server import Write
from gitops_sim.clock import VirtualClock
from gitops_sim.cluster import SimulatedCluster
from gitops_sim.errors import ApiError
from gitops_sim.journal import Journal
from gitops_sim.registry import Registry
from gitops_sim.types import Manifest

SETTLED = 1500.0
"""Seconds after the last fault's end at which nothing moves any more."""
SHOP = "shop"
HOLD = "example.com/hold"
API_REPLICAS, SURGE, UNAVAILABLE = 4, 1, 1
FAULTS = ("api down", "api slow", "kill", "node down", "stall watches", "drop watches")
QUICK = 250


class Move(NamedTuple):
    """After `wait` seconds something is done; `number` says to what, or how much of it."""

    what: str
    number: int
    wait: int


def is_fault(move: Move) -> bool:
    return move.what in FAULTS


def template(app: str, image: str) -> Manifest:
    probe = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 2}
    container = {"name": "main", "image": image, "readinessProbe": probe}
    return {
        "metadata": {"labels": {"app": app}},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 5},
    }


def workload(kind: str, app: str, replicas: int, **spec: Any) -> Manifest:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": app, "namespace": SHOP},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": app}},
            "template": template(app, f"shop/{app}:1"),
            **spec,
        },
    }


def image_patch(image: str) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}}


ROLLING = {"rollingUpdate": {"maxSurge": SURGE, "maxUnavailable": UNAVAILABLE}}
HELD = {"name": "held", "namespace": SHOP, "finalizers": [HOLD], "labels": {"app": "held"}}
FIRST = (
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SHOP}},
    workload("Deployment", "web", 2),
    workload("Deployment", "api", API_REPLICAS, strategy=ROLLING),
    workload("StatefulSet", "db", 2, serviceName="db"),
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": SHOP},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
    },
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": HELD},
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": HELD,
        "spec": {"containers": [{"name": "main", "image": "shop/held:1"}]},
    },
)


class World:
    """A cluster, a schedule, and the promises that are looked at with each write."""

    def __init__(self) -> None:
        self.clock = VirtualClock(seed=23)
        self.journal = Journal(self.clock)
        registry = Registry(self.clock, self.journal)
        self.cluster = SimulatedCluster("dev", self.clock, self.journal, None, registry)
        self.broken: list[str] = []
        self.disturbed = True  # until everything has come up
        self.cluster.server.after_write.append(self._look)

    def live(self, moves: list[Move]) -> None:
        """Bring the first objects up, make all moves, end all faults, and wait."""
        for manifest in FIRST:
            self._insist(lambda manifest=manifest: self.cluster.create(manifest))
            self._pass(1)
        self._pass(60)
        self.disturbed = False
        for move in moves:
            self._pass(move.wait)
            self._make(move)
        self._heal()
        self._image_of_api(2)  # where a roll-out is stuck depends on how it came there
        self._pass(SETTLED)

    def _make(self, move: Move) -> None:
        if is_fault(move) or move.what == "delete pod":
            self.disturbed = True
        getattr(self, "_" + move.what.replace(" ", "_"))(move.number)

    def _heal(self) -> None:
        faults = self.cluster.faults
        faults.api_up()
        faults.api_fast()
        faults.resume_watches()
        for machine in self.cluster.machines:
            if machine.down_since is not None:
                self.cluster.node_up(machine.name)
        for name in self.cluster.controllers:
            self.cluster.start(name)

    def _pass(self, seconds: float) -> None:
        self.clock.run(self.clock.now() + seconds)

    def _insist(self, call: Callable[[], object]) -> None:
        """Do what a person wants, who tries again until the API is there."""
        for _ in range(1000):
            try:
                call()
            except ApiError:
                self._pass(1)
            else:
                return
        raise AssertionError("the API never came back")

    def _patch(self, kind: str, name: str, patch: dict[str, Any], namespace: str = SHOP) -> None:
        self._insist(
            lambda: self.cluster.patch(kind, name, patch, namespace or None, type="strategic")
        )

    # What a person does.

    def _scale_web(self, number: int) -> None:
        self._patch("apps/v1/Deployment", "web", {"spec": {"replicas": number % 5}})

    def _scale_db(self, number: int) -> None:
        self._patch("apps/v1/StatefulSet", "db", {"spec": {"replicas": number % 4}})

    def _image_of_web(self, number: int) -> None:
        self._patch("apps/v1/Deployment", "web", image_patch(f"shop/web:{number % 3}"))

    def _image_of_api(self, number: int) -> None:
        self._patch("apps/v1/Deployment", "api", image_patch(f"shop/api:{number % 3}"))

    def _bad_image_of_api(self, number: int) -> None:
        self._patch("apps/v1/Deployment", "api", image_patch("shop/api:missing"))

    def _image_of_db(self, number: int) -> None:
        self._patch("apps/v1/StatefulSet", "db", image_patch(f"shop/db:{number % 3}"))

    def _label(self, number: int) -> None:
        labels = {"metadata": {"labels": {"tier": f"t{number}"}}}
        self._patch("apps/v1/Deployment", "web", labels)

    def _cordon(self, number: int) -> None:
        name = f"node-{number % 2 + 1}"  # one node is left
        self._patch("v1/Node", name, {"spec": {"unschedulable": number % 3 > 0 or None}}, "")

    def _delete_pod(self, number: int) -> None:
        pods = self.cluster.server.store.objects(_kind("Pod"))
        names = sorted(p["metadata"]["name"] for p in pods if p["metadata"]["name"] != "held")
        if names:
            with suppress(ApiError):
                self.cluster.delete("v1/Pod", names[number % len(names)], SHOP)

    def _delete_held(self, number: int) -> None:
        kind = ("v1/Pod", "v1/ConfigMap")[number % 2]
        self._insist(lambda: self.cluster.delete(kind, "held", SHOP))

    # What fails.

    def _api_down(self, number: int) -> None:
        self.cluster.faults.api_down(f"{number % 90 + 1}s")

    def _api_slow(self, number: int) -> None:
        self.cluster.faults.api_slow("2s", f"{number % 90 + 1}s")

    def _kill(self, number: int) -> None:
        names = list(self.cluster.controllers)
        self.cluster.kill(names[number % len(names)])

    def _node_down(self, number: int) -> None:
        self.cluster.node_down(f"node-{number % 3 + 1}")

    def _stall_watches(self, number: int) -> None:
        self.cluster.faults.stall_watches()

    def _drop_watches(self, number: int) -> None:
        self.cluster.faults.drop_watches()

    # What must hold with every write.

    def _look(self, write: Write, manifest: Manifest | None) -> None:
        kind = write.resource_type.kind
        if kind == "ConfigMap" or (manifest is None and kind == "Pod"):
            self._look_at_held(write, manifest)
        if kind in ("ReplicaSet", "Pod"):
            self._look_at_api()
        if kind == "Pod":
            self._look_at_ordinals()

    def _look_at_held(self, write: Write, manifest: Manifest | None) -> None:
        before = write.before
        if manifest is None and before is not None and HOLD in _finalizers(before):
            self.broken.append(f"{before['kind']} {before['metadata']['name']} went, though held")

    def _look_at_api(self) -> None:
        store = self.cluster.server.store
        sets = [s for s in store.objects(_kind("ReplicaSet")) if _app(s) == "api"]
        wanted = sum(s["spec"]["replicas"] for s in sets)
        if wanted > API_REPLICAS + SURGE:
            self.broken.append(f"api: {wanted} pods wanted at {self.clock.now()}")
        if self.disturbed:
            return
        pods = [p for p in store.objects(_kind("Pod")) if _app(p) == "api"]
        going = [p for p in pods if "deletionTimestamp" in p["metadata"]]
        if len(pods) - len(going) > API_REPLICAS + SURGE:
            self.broken.append(f"api: {len(pods) - len(going)} pods at {self.clock.now()}")
        ready = sum(conditions.is_true(p, "Ready") for p in pods if p not in going)
        if ready < API_REPLICAS - UNAVAILABLE:
            self.broken.append(f"api: {ready} pods ready at {self.clock.now()}")

    def _look_at_ordinals(self) -> None:
        pods = [p for p in self.cluster.server.store.objects(_kind("Pod")) if _app(p) == "db"]
        index = "apps.kubernetes.io/pod-index"
        ordinals = Counter(pod["metadata"]["labels"][index] for pod in pods)
        if any(count > 1 for count in ordinals.values()):
            self.broken.append(f"db: twice the same ordinal: {ordinals}")

    def state(self) -> dict[str, Any]:
        """Return what the cluster has come to, without names, moments and places."""
        told: dict[str, Any] = {}
        for kind in ("Deployment", "StatefulSet"):
            for found in self.cluster.list(f"apps/v1/{kind}"):
                status = found["status"]
                counts = {k: v for k, v in status.items() if k.endswith("eplicas") and v}
                told[f"{kind} {found['metadata']['name']}"] = {
                    "counts": counts,
                    "seen": status["observedGeneration"] == found["metadata"]["generation"],
                    "spec": found["spec"],
                    "labels": found["metadata"].get("labels"),
                    "conditions": sorted(
                        (c["type"], c["status"], c["reason"])
                        for c in status.get("conditions", ())
                        if c["type"] != "Progressing" or c["status"] == "True"
                    ),
                }
        for pod in self.cluster.list("v1/Pod"):
            image = pod["spec"]["containers"][0]["image"]
            ready = conditions.is_true(pod, "Ready")
            going = "deletionTimestamp" in pod["metadata"]
            key = f"pods {_app(pod)} {image} ready={ready} going={going}"
            told[key] = told.get(key, 0) + 1
        for node in self.cluster.list("v1/Node"):
            spec = node["spec"]
            taints = sorted(t["key"] for t in spec.get("taints") or ())
            told[f"node {node['metadata']['name']}"] = (taints, conditions.is_true(node, "Ready"))
        endpoints = self.cluster.get("v1/Endpoints", "web", SHOP).get("subsets") or ()
        told["web serves"] = sum(len(s.get("addresses") or ()) for s in endpoints)
        return told


def _kind(name: str) -> Kind:
    return Kind("apps" if name == "ReplicaSet" else "", name)


def _app(manifest: Manifest) -> str:
    return str((manifest["metadata"].get("labels") or {}).get("app", ""))


def _finalizers(manifest: Manifest) -> list[str]:
    return manifest["metadata"].get("finalizers") or []


PERSON = (
    *("scale web", "scale db", "image of web", "image of api", "bad image of api", "image of db"),
    *("label", "cordon", "delete pod", "delete held"),
)
moves = st.builds(Move, st.sampled_from((*PERSON, *FAULTS)), st.integers(0, 99), st.integers(0, 45))
schedules = st.lists(moves, min_size=1, max_size=12)


def check(schedule: list[Move]) -> None:
    """Run a schedule with its faults and without, and compare."""
    disturbed, clean = World(), World()
    disturbed.live(schedule)
    clean.live([move for move in schedule if not is_fault(move) and move.what != "delete pod"])
    note(f"broken: {disturbed.broken[:3]} {clean.broken[:3]}")
    assert not disturbed.broken
    assert not clean.broken
    assert disturbed.state() == clean.state()


@settings(max_examples=QUICK)
@given(schedules)
def test_faults_leave_no_trace(schedule: list[Move]) -> None:
    check(schedule)
