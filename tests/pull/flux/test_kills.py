"""Wherever a controller is killed, the cluster ends in the same state once it runs again."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

Write = Callable[..., str]
CONTROLLERS = ("source-controller", "kustomize-controller")
_RUN = 25.0


def play(world: Any, manifest: Write, kills: list[tuple[float, str, float]]) -> dict[str, Any]:
    """Deliver two commits with drift between them; kill and start at the given times."""
    files = {f"app/{n}.yaml": manifest("ConfigMap", n, data={"v": "1"}) for n in ("a", "b", "c")}
    world.forge.create_repository("shop", files)
    world.source(interval="4s")
    world.kustomization(interval="6s", wait=True)
    todo: list[tuple[float, Callable[[], Any]]] = [
        (9.0, lambda: world.people.patch("configmap", "a", {"data": {"v": "x"}}, "shop")),
        (9.0, lambda: world.people.delete("configmap", "b", "shop")),
        (18.0, lambda: _second_commit(world, manifest)),
        (27.0, lambda: world.people.patch("configmap", "d", {"data": {"w": "x"}}, "shop")),
    ]
    for at, name, pause in kills:
        todo += [(at, lambda name=name: world.flux.kill(name))]
        todo += [(at + pause, lambda name=name: world.flux.start(name))]
    for at, act in sorted(todo, key=lambda entry: entry[0]):
        world.clock.run(at)
        act()
    for name in CONTROLLERS:
        world.flux.start(name)
    world.clock.run(40.0 + _RUN)
    assert world.clock.run_until(lambda: world.ready()[0] == "True", 10.0)  # not within a pass
    return final_state(world)


def _second_commit(world: Any, manifest: Write) -> None:
    new = manifest("ConfigMap", "d", data={"v": "2"})
    changed = manifest("ConfigMap", "a", data={"v": "2"})
    files = {"app/c.yaml": None, "app/d.yaml": new, "app/a.yaml": changed}
    world.repository.commit(files, "second")


def final_state(world: Any) -> dict[str, Any]:
    maps = world.people.list("configmap", "shop")
    app = world.status("kustomization", "app")
    return {
        "objects": {m["metadata"]["name"]: (m["data"], m["metadata"]["labels"]) for m in maps},
        "owners": [
            [(e["manager"], e["operation"]) for e in m["metadata"]["managedFields"]] for m in maps
        ],
        "ready": world.ready(),
        "source": world.ready("repo", "gitrepository"),
        "inventory": app["inventory"],
        "revision": app["lastAppliedRevision"],
        "observed": app["observedGeneration"],
        "conditions": [(c["type"], c["status"]) for c in app["conditions"]],
    }


@cache
def undisturbed(new_world: Callable[..., Any], manifest: Write) -> dict[str, Any]:
    """The final state without a kill, played once."""
    return play(new_world(), manifest, [])


def kills_of(seed: int) -> list[tuple[float, str, float]]:
    """Return up to five crashes, many of them in the middle of a pass: when, who, how long."""
    rng = random.Random(seed)  # noqa: TID251
    return [
        (
            round(rng.choice((0.7, 4.0, 9.0, 14.0, 18.0, 22.0)) + rng.random() * 6, 3),
            rng.choice(CONTROLLERS),
            rng.choice((0.0, 0.001, 0.5, 5.0)),
        )
        for _ in range(rng.randrange(1, 6))
    ]


@pytest.mark.parametrize("seed", range(20))
def test_a_kill_at_any_step_ends_in_the_same_state(
    new_world: Callable[..., Any], manifest: Write, seed: int
) -> None:
    kills = kills_of(seed)
    assert play(new_world(), manifest, kills) == undisturbed(new_world, manifest), kills


@pytest.mark.all
@pytest.mark.parametrize("block", range(10))
def test_many_kills_at_any_step_end_in_the_same_state(
    new_world: Callable[..., Any], manifest: Write, block: int
) -> None:
    for seed in range(100 + block * 30, 130 + block * 30):
        kills = kills_of(seed)
        assert play(new_world(), manifest, kills) == undisturbed(new_world, manifest), kills


def test_a_kill_between_two_writes_leaves_things_half_applied(
    new_world: Callable[..., Any], manifest: Write
) -> None:
    world = new_world()
    files = {f"app/{n}.yaml": manifest("ConfigMap", n) for n in "abcdef"}
    world.forge.create_repository("shop", files)
    world.source()
    world.kustomization()
    assert world.clock.run_until(lambda: world.exists("configmap", "c"), 10)
    world.flux.kill("kustomize-controller")
    world.run(10)
    assert [world.exists("configmap", n) for n in "abcdef"] == [True] * 3 + [False] * 3
    world.flux.start("kustomize-controller")
    world.run(3)
    assert all(world.exists("configmap", n) for n in "abcdef")
    assert world.ready()[0] == "True"
