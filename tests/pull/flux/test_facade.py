"""The verbs of the `flux` command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gitops_sim.clock import Door
from gitops_sim.errors import LabError

Write = Callable[..., str]


def test_bootstrap_writes_what_flux_bootstrap_ends_with(world: Any, manifest: Write) -> None:
    files = {"clusters/a/cm.yaml": manifest("ConfigMap", "settings")}
    world.forge.create_repository("shop", files)
    world.flux.bootstrap("https://git.example.com/shop.git", path="clusters/a")
    world.run(3)
    source = world.get("gitrepository", "flux-system", "flux-system")["spec"]
    assert source == {
        "interval": "1m",
        "ref": {"branch": "main"},
        "timeout": "60s",
        "url": "https://git.example.com/shop.git",
    }
    spec = world.get("kustomization", "flux-system", "flux-system")["spec"]
    assert (spec["interval"], spec["path"], spec["prune"]) == ("10m", "./clusters/a", True)
    assert world.exists("configmap", "settings")


def test_bootstrap_again_changes_the_spec(world: Any, manifest: Write) -> None:
    world.forge.create_repository("shop", {"a/cm.yaml": manifest("ConfigMap", "settings")})
    world.flux.bootstrap("https://git.example.com/shop.git", path="b")
    world.run(3)
    world.flux.bootstrap("https://git.example.com/shop.git", path="a")
    world.run(3)
    assert world.exists("configmap", "settings")


def test_bootstrap_refuses_an_interval_that_is_none(world: Any) -> None:
    with pytest.raises(LabError, match="no duration"):
        world.flux.bootstrap("https://git.example.com/shop.git", interval="10 parsecs")


def test_get_prints_the_tables_of_the_command_line(world: Any, manifest: Write) -> None:
    world.deliver({"app/cm.yaml": manifest("ConfigMap", "settings")})
    short = world.repository.head()[:8]
    assert world.flux.get(namespace="shop").splitlines() == [
        "NAME\tREVISION          \tSUSPENDED\tREADY\tMESSAGE",
        f"app \tmain@sha1:{short}\tFalse    \tTrue \tApplied revision: main@sha1:{short}",
    ]
    assert world.flux.get("sources git", namespace=None).splitlines()[1].split("\t") == [
        "shop     ",
        "repo",
        f"main@sha1:{short}",
        "False    ",
        "True ",
        f"stored artifact for revision 'main@sha1:{short}'",
    ]
    assert world.flux.get() == "no objects found"


def test_tree_shows_what_was_applied(world: Any, manifest: Write) -> None:
    spec = {
        "interval": "1m",
        "path": "./inner",
        "prune": True,
        "sourceRef": {"kind": "GitRepository", "name": "repo"},
    }
    nested = manifest("Kustomization", "in", version="kustomize.toolkit.fluxcd.io/v1", spec=spec)
    world.deliver(
        {
            "app/k.yaml": nested,
            "app/s.yaml": manifest("Secret", "s"),
            "inner/cm.yaml": manifest("ConfigMap", "settings"),
        }
    )
    world.run(3)
    assert world.flux.tree("app", namespace="shop").splitlines() == [
        "Kustomization/shop/app",
        "├── Secret/shop/s",
        "└── Kustomization/shop/in",
        "    └── ConfigMap/shop/settings",
    ]


def test_reconcile_with_source_fetches_and_applies_now(world: Any, manifest: Write) -> None:
    world.forge.create_repository("shop", {"app/cm.yaml": manifest("ConfigMap", "a")})
    world.source(interval="1h")
    world.kustomization(interval="1h")
    world.run(3)
    world.repository.commit({"app/b.yaml": manifest("ConfigMap", "b")}, "second")
    said = world.flux.reconcile("ks", "app", namespace="shop", with_source=True)
    assert said.splitlines()[-1] == "✔ Kustomization annotated"
    world.run(3)
    assert world.exists("configmap", "b")


def test_reconcile_of_a_suspended_resource_is_refused(world: Any, manifest: Write) -> None:
    world.deliver({"app/cm.yaml": manifest("ConfigMap", "a")}, suspend=True)
    with pytest.raises(LabError, match="resource is suspended"):
        world.flux.reconcile("kustomization", "app", namespace="shop")


def test_what_is_not_there_is_named_with_what_is(world: Any) -> None:
    world.source()
    with pytest.raises(LabError, match="there are: repo"):
        world.flux.suspend("source git", "nothing", namespace="shop")
    with pytest.raises(LabError, match="Flux has no kind 'helmrelease' here"):
        world.flux.get("helmrelease")
    with pytest.raises(LabError, match="name one of: source-controller, kustomize-controller"):
        world.flux.kill("helm-controller")


def test_a_webhook_is_quicker_than_a_poll(world: Any, manifest: Write) -> None:
    world.forge.create_repository("shop", {"app/cm.yaml": manifest("ConfigMap", "a")})
    world.source(interval="1h")
    world.kustomization(interval="1h")
    world.run(3)
    world.forge.on_push(lambda repo, *_: world.flux.receive(world.forge.url(repo.name)))
    world.repository.commit({"app/b.yaml": manifest("ConfigMap", "b")}, "second")
    world.run(3)
    assert world.exists("configmap", "b")
    assert world.flux.receive("https://git.example.com/other.git") == 0


def test_a_killed_controller_does_nothing_until_it_is_started(world: Any, manifest: Write) -> None:
    world.flux.kill("kustomize-controller")
    world.deliver({"app/cm.yaml": manifest("ConfigMap", "a")})
    assert not world.exists("configmap", "a")
    assert repr(world.flux) == "<Flux cluster/staging/flux: source-controller running>"
    world.flux.start("kustomize-controller")
    world.run(3)
    assert world.exists("configmap", "a")


def test_what_people_do_to_flux_goes_through_the_door(world: Any) -> None:
    world.flux._door = door = Door(world.clock)
    door.register(world.flux._address, world.flux)
    world.flux.bootstrap("https://git.example.com/shop.git", path="x")
    world.flux.suspend("kustomization", "flux-system")
    world.flux.kill("source-controller")
    assert [(entry.address, entry.method) for entry in door.inputs] == [
        ("cluster/staging/flux", "bootstrap"),
        ("cluster/staging/flux", "suspend"),
        ("cluster/staging/flux", "kill"),
    ]
