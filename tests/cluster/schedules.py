"""Schedules: what a person asks of a cluster, and what fails meanwhile, move by move.

A person declares: each of their moves changes what they want and applies it, and once more after
all faults have ended, as a GitOps agent does. Faults are whatever others do and what breaks.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple

from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.clock import VirtualClock
from gitops_sim.cluster import SimulatedCluster
from gitops_sim.errors import ApiError, InvalidError, NotFoundError
from gitops_sim.journal import Journal
from gitops_sim.registry import Registry
from gitops_sim.types import Manifest
from tests.cluster.promises import (
    API_REPLICAS,
    BAD_IMAGE,
    HOLD,
    SHOP,
    SURGE,
    UNAVAILABLE,
    Promises,
    state_of,
)

SETTLED = 1500.0
"""Seconds after which nothing moves any more: a deadline of 600 s and a wrong clock are over."""
ZONES = ("zone-a", "zone-b", "zone-c")
PERSON = (
    *("scale web", "scale db", "image of web", "image of api", "bad image of api", "image of db"),
    *("label", "cordon", "delete held"),
)
FAULTS = (
    *("api down", "api slow", "drop watches", "stall watches", "stale informer", "kill"),
    *("node down", "zone down", "registry down", "clock skew", "webhook"),
    *("somebody scales", "somebody edits", "somebody deletes", "delete pod", "hold pod"),
)


class Move(NamedTuple):
    """At a second of the schedule something is done; `number` says to what, or how much of it."""

    at: int
    what: str
    number: int


class Outcome(NamedTuple):
    """Which promises a run broke, and the states that it came to."""

    broken: list[str]
    states: list[dict[str, Any]]


def template(app: str, **spec: Any) -> Manifest:
    probe = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 2}
    container = {"name": "main", "image": f"shop/{app}:1", "readinessProbe": probe}
    return {
        "metadata": {"labels": {"app": app}},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 5, **spec},
    }


def workload(kind: str, app: str, replicas: int, **spec: Any) -> Manifest:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": app, "namespace": SHOP, "labels": {"app": app}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": app}},
            "template": template(app),
            **spec,
        },
    }


ROLLING = {"rollingUpdate": {"maxSurge": SURGE, "maxUnavailable": UNAVAILABLE}}
HELD = {"name": "held", "namespace": SHOP, "finalizers": [HOLD], "labels": {"app": "held"}}
FIRST = (
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SHOP}},
    workload("Deployment", "web", 1),
    workload("Deployment", "api", API_REPLICAS, strategy=ROLLING, minReadySeconds=2),
    workload("StatefulSet", "db", 1, serviceName="db"),
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
        "spec": template("held", tolerations=[{"operator": "Exists"}])["spec"],
    },
)
MOVABLE = (("Deployment", "web"), ("StatefulSet", "db"))
"""Nobody scales or deletes `api`: a roll-out that is stuck may then lose all pods that served."""
WEBHOOKS = (
    ("statefulsets", "/spec/replicas", 3),
    ("deployments", "/spec/template/spec/containers/0/image", "shop/other:1"),
    ("pods", "/metadata/labels/changed", "yes"),
)
"""Those that change pods leave no more than a label: what runs is not changed back."""


class World:
    """A cluster and what a person wants of it."""

    def __init__(self) -> None:
        self.clock = VirtualClock(seed=23)
        journal = Journal(self.clock)
        self.registry = Registry(self.clock, journal)
        self.cluster = SimulatedCluster("dev", self.clock, journal, None, self.registry)
        self.promises = Promises(self.cluster)
        self.wanted = {(m["kind"], m["metadata"]["name"]): fresh_copy(m) for m in FIRST}

    def live(self, moves: tuple[Move, ...]) -> Outcome:
        """Bring the first objects up, make all moves, end all faults, and wait.

        A roll-out that is stuck then is mended, and that is waited for too.
        """
        self._apply_all()
        self._pass(60)
        self.promises.is_healthy = True
        start = self.clock.now()
        for move in sorted(moves, key=lambda move: move.at):
            self.clock.run(max(start + move.at, self.clock.now()))
            if move.what in FAULTS:
                self.promises.is_healthy = False
            getattr(self, "_" + move.what.replace(" ", "_"))(move.number)
        self._heal()
        for _ in range(3):  # what somebody deletes may go slowly
            self._apply_all()
            self._pass(60)
        self._pass(SETTLED)
        self.promises.is_healthy = True
        states = [state_of(self.cluster)]
        if self._image_in("api") == BAD_IMAGE:
            self.promises.look_at_stuck()
            self._set_image("Deployment", "api", 2)
            self._pass(SETTLED)
            states.append(state_of(self.cluster))
        self.promises.look_at_reached(self.wanted.values())
        return Outcome(self.promises.broken, states)

    def _heal(self) -> None:
        faults = self.cluster.faults
        for end in (faults.api_up, faults.api_fast, faults.resume_watches):
            end()
        self.registry.bring_back()
        for zone in ZONES:
            faults.zone_up(zone)
        for machine in self.cluster.machines:
            faults.node_up(machine.name)
            faults.clock_skew(machine.name, 0)
        for name in self.cluster.controllers:
            faults.controller_up(name)
            faults.resume_watches(name)
        for resource, _, _ in WEBHOOKS:
            faults.webhook_removed(resource)
        for pod in self._pods():
            metadata = pod["metadata"]
            if HOLD in (metadata.get("finalizers") or ()):
                self.promises.released.add(metadata["uid"])
                self._patch("v1/Pod", metadata["name"], {"metadata": {"finalizers": None}})

    def _pass(self, seconds: float) -> None:
        self.clock.run(self.clock.now() + seconds)

    # What a person does.

    def _apply_all(self) -> None:
        for name in self.wanted:
            self._apply(*name)

    def _apply(self, kind: str, name: str) -> None:
        """Apply what is wanted; a person tries again what cannot be done yet."""
        for _ in range(10):
            try:
                self.cluster.apply(self.wanted[kind, name], field_manager="person", force=True)
            except ApiError:
                self._pass(1)
            else:
                return
        raise AssertionError(f"{kind} {name} cannot be applied")

    def _image_in(self, app: str) -> str:
        spec = self.wanted["Deployment", app]["spec"]["template"]["spec"]
        return str(spec["containers"][0]["image"])

    def _set_image(self, kind: str, app: str, number: int, *, image: str = "") -> None:
        container = self.wanted[kind, app]["spec"]["template"]["spec"]["containers"][0]
        container["image"] = image or f"shop/{app}:{number % 3}"
        self._apply(kind, app)

    def _scale(self, kind: str, app: str, replicas: int) -> None:
        self.wanted[kind, app]["spec"]["replicas"] = replicas
        self._apply(kind, app)

    def _scale_web(self, number: int) -> None:
        self._scale("Deployment", "web", number % 4)

    def _scale_db(self, number: int) -> None:
        self._scale("StatefulSet", "db", number % 4)

    def _image_of_web(self, number: int) -> None:
        self._set_image("Deployment", "web", number)

    def _image_of_api(self, number: int) -> None:
        self._set_image("Deployment", "api", number)

    def _bad_image_of_api(self, number: int) -> None:
        self._set_image("Deployment", "api", number, image=BAD_IMAGE)

    def _image_of_db(self, number: int) -> None:
        self._set_image("StatefulSet", "db", number)

    def _label(self, number: int) -> None:
        self.wanted["Deployment", "web"]["metadata"]["labels"]["tier"] = f"t{number}"
        self._apply("Deployment", "web")

    def _cordon(self, number: int) -> None:
        name = f"node-{number % 2 + 1}"  # one node is left
        self._patch("v1/Node", name, {"spec": {"unschedulable": number % 3 > 0 or None}}, None)

    def _delete_held(self, number: int) -> None:
        kind = ("Pod", "ConfigMap")[number % 2]
        if self.wanted.pop((kind, "held"), None):
            self.cluster.delete(f"v1/{kind}", "held", SHOP)

    # What fails.

    def _api_down(self, number: int) -> None:
        self.cluster.faults.api_down(_duration(number))

    def _api_slow(self, number: int) -> None:
        self.cluster.faults.api_slow("2s", _duration(number))

    def _stall_watches(self, number: int) -> None:
        self.cluster.faults.stall_watches(_duration(number))

    def _stale_informer(self, number: int) -> None:
        self.cluster.faults.stall_watches(_duration(number), self._controller(number))

    def _drop_watches(self, number: int) -> None:
        self.cluster.faults.drop_watches()

    def _kill(self, number: int) -> None:
        self.cluster.faults.controller_down(self._controller(number), _duration(number))

    def _controller(self, number: int) -> str:
        names = list(self.cluster.controllers)
        return names[number % len(names)]

    def _node_down(self, number: int) -> None:
        self.cluster.faults.node_down(f"node-{number % 3 + 1}", _duration(number))

    def _zone_down(self, number: int) -> None:
        self.cluster.faults.zone_down(ZONES[number % 3], _duration(number))

    def _registry_down(self, number: int) -> None:
        self.registry.take_down(_duration(number))

    def _clock_skew(self, number: int) -> None:
        seconds = number * 7.0 * (-1) ** number
        self.cluster.faults.clock_skew(f"node-{number % 3 + 1}", seconds, _duration(number))

    def _webhook(self, number: int) -> None:
        resource, path, value = WEBHOOKS[number % len(WEBHOOKS)]
        patch = [{"op": "add", "path": path, "value": value}]
        self.cluster.faults.webhook_installed(resource, patch, _duration(number))

    # What others do.

    def _somebody_scales(self, number: int) -> None:
        kind, app = MOVABLE[number % 2]
        self._patch(f"apps/v1/{kind}", app, {"spec": {"replicas": number // 2 % 4}})

    def _somebody_edits(self, number: int) -> None:
        kind, app = (*MOVABLE, ("Deployment", "api"))[number % 3]
        tag = ("missing", "2", "3")[number % 4 % 3] if app == "api" else "3"
        container = {"name": "main", "image": f"shop/{app}:{tag}"}
        self._patch(
            f"apps/v1/{kind}", app, {"spec": {"template": {"spec": {"containers": [container]}}}}
        )

    def _somebody_deletes(self, number: int) -> None:
        kind, app = (*MOVABLE, ("Service", "web"))[number % 3]
        propagation = ("Background", "Foreground", "Orphan")[number // 3 % 3]
        with suppress(NotFoundError):
            self.cluster.delete(kind, app, SHOP, propagation=propagation)

    def _delete_pod(self, number: int) -> None:
        if found := self._pods():
            name = found[number % len(found)]["metadata"]["name"]
            self.cluster.delete("v1/Pod", name, SHOP)

    def _hold_pod(self, number: int) -> None:
        if found := self._pods():
            name = found[number % len(found)]["metadata"]["name"]
            with suppress(InvalidError):  # it is being deleted
                self._patch("v1/Pod", name, {"metadata": {"finalizers": [HOLD]}})

    def _pods(self) -> list[Manifest]:
        return [p for p in self.cluster.list("v1/Pod", SHOP) if p["metadata"]["name"] != "held"]

    def _patch(
        self, kind: str, name: str, patch: dict[str, Any], namespace: str | None = SHOP
    ) -> None:
        with suppress(NotFoundError):
            self.cluster.patch(kind, name, patch, namespace, type="strategic")


def _duration(number: int) -> str:
    """Return how long a fault lasts; empty: until all are ended."""
    return f"{number}s" if number % 3 else ""


def without_faults(moves: tuple[Move, ...]) -> tuple[Move, ...]:
    """Return what a person does."""
    return tuple(move for move in moves if move.what in PERSON)
