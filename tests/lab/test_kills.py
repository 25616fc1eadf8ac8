"""Kill any controller or agent at any step and start it again: the end is the same.

Kills are crashes: writes are revoked first, then the work in hand is dropped, so things are left
half-done in every way there is. `./do test --all` tries 300 schedules.
"""

from __future__ import annotations

from functools import cache
from random import Random  # noqa: TID251 - schedules of tests, seeded
from typing import Any

import pytest

from gitops_sim.lab import ClusterHandle, Lab

FLUX = ("source-controller", "kustomize-controller")
SCHEDULES = 300
QUICK = 10


def started() -> tuple[Lab, ClusterHandle]:
    lab = Lab(seed=7)
    shop = lab.forge.import_repository("samples/shop")
    staging = lab.cluster("staging")
    staging.flux.bootstrap(shop, path="overlays/staging", sync_interval="2m", wait=True)
    return lab, staging


def change(lab: Lab) -> None:
    """Commit a new image, another number of replicas, a new service and the end of one."""
    shop = lab.forge.repository("shop")
    web = shop.read("base/web.yaml")
    web = web.replace("replicas: 2", "replicas: 3").replace("web:1.4.0", "web:1.5.0")
    extra = shop.read("base/cart.yaml").replace("cart", "search")
    listed = shop.read("base/kustomization.yaml").replace("cart.yaml", "search.yaml")
    files = {
        "base/web.yaml": web,
        "base/search.yaml": extra,
        "base/cart.yaml": None,
        "base/kustomization.yaml": listed,
    }
    shop.commit(files, "Change everything")


def end_state(lab: Lab, staging: ClusterHandle) -> dict[str, Any]:
    """Return what must be the same: all but names drawn at random, times and versions."""
    found: dict[str, Any] = {}
    for kind in ("apps/v1/Deployment", "v1/Service", "v1/ConfigMap", "apps/v1/ReplicaSet"):
        for manifest in staging.list(kind, "shop"):
            if kind == "apps/v1/ReplicaSet" and not manifest["spec"]["replicas"]:
                continue  # remembers a revision, which a killed agent may never have applied
            spec = {
                k: v for k, v in manifest.get("spec", {}).items() if not k.startswith("cluster")
            }
            found[f"{kind}/{manifest['metadata']['name']}"] = (spec, manifest.get("data"))
    for manifest in staging.list("apps/v1/Deployment", "shop"):
        status = {k: v for k, v in manifest["status"].items() if k.endswith("eplicas")}
        found[f"status/{manifest['metadata']['name']}"] = status
    pods = sorted(
        (
            pod["metadata"]["ownerReferences"][0]["name"],
            pod["spec"]["containers"][0]["image"],
            pod["status"]["phase"],
        )
        for pod in staging.list("v1/Pod", "shop")
    )
    found["pods"] = pods
    slices = staging.list("discovery.k8s.io/v1/EndpointSlice", "shop")
    found["endpoints"] = sorted(
        (
            piece["metadata"]["labels"]["kubernetes.io/service-name"],
            sum(bool(e["conditions"]["ready"]) for e in piece.get("endpoints") or ()),
        )
        for piece in slices
    )
    kustomization = staging.get("Kustomization", "flux-system", "flux-system")["status"]
    ready = next(c for c in kustomization["conditions"] if c["type"] == "Ready")
    found["flux"] = (
        ready["status"],
        ready["reason"],
        kustomization["lastAppliedRevision"].endswith(lab.forge.repository("shop").head()),
        sorted(entry["id"] for entry in kustomization["inventory"]["entries"]),
    )
    return found


def _is_ready(staging: ClusterHandle) -> bool:
    status = staging.get("Kustomization", "flux-system", "flux-system")["status"]
    return any(c["type"] == "Ready" and c["status"] == "True" for c in status["conditions"])


@cache
def clean_run() -> tuple[dict[str, Any], int, int]:
    """Return the end state without kills, and the clock events before and after the change."""
    lab, staging = started()
    lab.run("3m")
    before = lab.clock.events
    change(lab)
    lab.run("3m")
    after = lab.clock.events
    lab.run("20m")
    return end_state(lab, staging), before, after


def run_with_kills(seed: int) -> dict[str, Any]:
    _, before, after = clean_run()
    draw = Random(seed)
    lab, staging = started()
    names = [*staging.simulated.controllers, *FLUX]
    moments = sorted(draw.randrange(after + 50) for _ in range(draw.randint(1, 4)))
    changed = False
    down: list[str] = []

    def switch(name: str, *, on: bool) -> None:
        owner: Any = staging.flux if name in FLUX else staging.simulated
        (owner.start if on else owner.kill)(name)

    for moment in moments:
        if not changed and moment > before:
            lab.clock.run(max(180.0, lab.clock.now()))
            change(lab)
            changed = True
        lab.clock.run_until(lambda m=moment: lab.clock.events >= m, 300.0)
        name = draw.choice(names)
        if name not in down:
            switch(name, on=False)
            down.append(name)
        if draw.random() < 0.6:
            lab.run(f"{draw.choice([1, 20, 400])}ms")
            switch(down.pop(draw.randrange(len(down))), on=True)
    if not changed:
        change(lab)
    lab.run(f"{draw.choice([1, 30, 90])}s")
    for name in down:
        switch(name, on=True)
    lab.run("30m")
    lab.run(until=lambda: _is_ready(staging), timeout="3m")  # not in the middle of a pass
    return end_state(lab, staging)


@pytest.mark.parametrize("seed", range(QUICK))
def test_a_kill_at_any_step_ends_in_the_same_state(seed: int) -> None:
    assert run_with_kills(seed) == clean_run()[0]


@pytest.mark.all
def test_many_kills_end_in_the_same_state(all_histories: bool) -> None:  # noqa: FBT001
    bad = [
        seed
        for seed in range(QUICK, SCHEDULES if all_histories else 3 * QUICK)
        if run_with_kills(seed) != clean_run()[0]
    ]
    assert not bad, f"seeds with another end: {bad}"
