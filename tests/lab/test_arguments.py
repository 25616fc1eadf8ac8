"""Slips of the pen: one clear line each, and a lab that goes on and can still be saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitops_sim.errors import BadRequestError, DurationError, InputError, LabError, UnknownRefError
from gitops_sim.lab import Lab

Slip = Callable[[Lab, Any], object]

SLIPS: dict[str, tuple[Slip, str]] = {
    "the name of a repository": (
        lambda _, staging: staging.flux.bootstrap("shop", path="overlays/staging"),
        "'shop' is none",
    ),
    "no repository to push from": (
        lambda _, staging: staging.pipeline.connect(None),
        "a repository is needed here",
    ),
    "a cluster as repository": (
        lambda _, staging: staging.pipeline.start(staging),
        "a repository is needed here",
    ),
    "a cluster that is not there": (
        lambda lab, _: lab.compare("stagin"),
        r"there is no cluster 'stagin' \(there is: staging\)",
    ),
    "something else to compare": (lambda lab, _: lab.compare(7), "there is no cluster 7"),
    "a past cluster that never was": (
        lambda lab, _: lab.at("09:00").cluster("stagin"),
        "there is no cluster 'stagin'",
    ),
    "a past comparison that never was": (
        lambda lab, _: lab.at("09:00").compare("stagin"),
        "there is no cluster 'stagin'",
    ),
    "capitals in a name": (lambda lab, _: lab.cluster("My Cluster"), "is no name of a cluster"),
    "no name": (lambda lab, _: lab.cluster(None), "None is no name of a cluster"),
    "nodes as text": (lambda lab, _: lab.cluster("other", nodes="3"), "'3' nodes"),
    "another number of nodes": (
        lambda lab, _: lab.cluster("staging", nodes=9),
        "'staging' has 1 nodes, not 9",
    ),
    "half a node": (lambda lab, _: lab.cluster("other", nodes=1.5), "1.5 nodes"),
    "a speed of time in words": (lambda lab, _: lab.run("1s", speed="fast"), "a speed of 'fast'"),
    "words as duration": (lambda lab, _: lab.run("5 minutes"), "'5 minutes' is no duration"),
    "time that runs back": (lambda lab, _: lab.run("-5m"), "time only runs forward"),
    "a text as other lab": (lambda lab, c: lab.compare(c, other="x"), "'x' is no lab"),
    "an objective in percent": (lambda _, c: c.users(objective=99), "an objective of 99"),
    "an objective as text": (lambda _, c: c.users(objective="99%"), "an objective of '99%'"),
    "a pipe": (lambda _, c: c.kubectl("get pods | grep web"), "'|' is for a shell"),
    "YAML as object": (lambda _, c: c.create("kind: Pod"), "an object is a dict"),
    "an error rate in percent": (
        lambda lab, _: lab.registry.push("shop/web:2", error_rate=30),
        "an error rate of 30",
    ),
    "an error rate as text": (
        lambda lab, _: lab.registry.push("shop/web:2", error_rate="30%"),
        "an error rate of '30%'",
    ),
    "readiness in words": (
        lambda lab, _: lab.registry.push("shop/web:2", ready="no"),
        "ready='no'",
    ),
    "a number as moment": (lambda lab, _: lab.run(until=5), "5 is no moment"),
    "a number to look back to": (lambda lab, _: lab.at(5), "5 is no moment"),
    "a bare number as duration": (lambda lab, _: lab.run(5), "which unit is meant"),
    "an open quote": (lambda _, staging: staging.kubectl("get pods 'x"), "No closing quotation"),
    "a command in a list": (lambda _, staging: staging.kubectl(["get"]), "is no command"),
    "nothing as command": (lambda _, staging: staging.kubectl(None), "None is no command"),
    "nothing to import": (lambda lab, _: lab.forge.import_repository(""), "nothing to import"),
    "a number to import": (lambda lab, _: lab.forge.import_repository(5), "nothing to import"),
    "files without paths": (
        lambda lab, _: lab.forge.create_repository("other", ["web.yaml"]),
        r"\['web.yaml'\] are no files",
    ),
    "a speed in words": (lambda lab, _: lab.serve(speed="fast"), "a speed of 'fast'"),
    "a port that is none": (lambda lab, _: lab.serve(port=99999), "99999 is no port"),
    "a folder as file": (lambda lab, _: lab.save("/"), "cannot be written"),
    "a file in no folder": (lambda lab, _: lab.save("no-such/x.lab"), "cannot be written"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_told_and_nothing_comes_of_it(slip: str) -> None:
    lab = Lab(seed=1)
    staging = lab.cluster("staging", nodes=1)
    lab.run("1s")
    wrong, told = SLIPS[slip]
    with pytest.raises((LabError, DurationError, InputError, BadRequestError), match=told):
        wrong(lab, staging)
    assert repr(lab) == "<Lab seed=1 at 2026-01-05T09:00:01Z: no repository; staging>"
    assert lab.fork().journal.to_jsonl() == lab.journal.to_jsonl()


REPOSITORY_SLIPS: dict[str, tuple[Slip, str]] = {
    "a folder that Flux shall read": (
        lambda lab, shop: lab.cluster("a").flux.bootstrap(shop, path="overlays/stagin"),
        "has no directory 'overlays/stagin'\nNext: did you mean 'overlays/staging'",
    ),
    "a branch that Flux shall read": (
        lambda lab, shop: lab.cluster("a").flux.bootstrap(shop, path="base", branch="mainx"),
        "path 'mainx'\nNext: it has: main",
    ),
    "a folder that a pipeline applies": (
        lambda lab, shop: lab.cluster("a").pipeline.connect(shop, path="overlays/stagin"),
        "has no directory 'overlays/stagin'",
    ),
    "no folder": (lambda lab, shop: lab.cluster("a").flux.bootstrap(shop, path=5), "5 is no dir"),
    "a file": (
        lambda _, shop: shop.read("overlay/staging/kustomization.yaml"),
        "Next: did you mean 'overlays/staging/kustomization.yaml'",
    ),
    "a folder read": (lambda _, shop: shop.read("overlays/staging"), "Next: it is a folder"),
    "a number read": (lambda _, shop: shop.read(5), "5 is no path"),
    "a branch to commit to": (
        lambda _, shop: shop.commit({"a": "b"}, "Try", branch="mainx"),
        "it has: main; create_branch\\('mainx'\\) makes one",
    ),
    "no commit to revert": (lambda _, shop: shop.revert(None), "give the commit that commit"),
    "a commit to revert": (lambda _, shop: shop.revert("abcdef0"), "Next: it has: main"),
}


@pytest.mark.parametrize("slip", REPOSITORY_SLIPS)
def test_what_a_repository_has_not_is_told_with_what_it_has(slip: str) -> None:
    lab = Lab(seed=1)
    shop = lab.forge.import_repository("samples/shop")
    lab.cluster("a", nodes=1)
    wrong, told = REPOSITORY_SLIPS[slip]
    with pytest.raises((LabError, InputError, UnknownRefError), match=told):
        wrong(lab, shop)
    assert len(shop.log()) == 1
    lab.run("1m")
    assert lab.fork().journal.to_jsonl() == lab.journal.to_jsonl()


def test_an_empty_repository_may_get_its_folder_later() -> None:
    lab = Lab(seed=1)
    new = lab.forge.create_repository("new")
    staging = lab.cluster("staging", nodes=1)
    staging.flux.bootstrap(new, path="./later/")
    name = "apiVersion: v1\nkind: Namespace\nmetadata: {name: late}\n"
    new.commit({"later/namespace.yaml": name}, "Begin")
    lab.run("3m")
    assert staging.get("Namespace", "late")


@pytest.mark.parametrize("seed", ["x", None, 1.5, True])
def test_a_seed_is_a_whole_number(seed: Any) -> None:
    with pytest.raises(LabError, match="is no whole number"):
        Lab(seed=seed)


def test_a_path_is_imported_like_its_text(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text("kind: Service\n")
    assert Lab().forge.import_repository(tmp_path, "web").read("web.yaml") == "kind: Service\n"
