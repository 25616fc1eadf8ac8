"""Slips of the pen: one clear line each, and a lab that goes on and can still be saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitops_sim.errors import DurationError, InputError, LabError
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
    with pytest.raises((LabError, DurationError, InputError), match=told):
        wrong(lab, staging)
    assert repr(lab) == "<Lab seed=1 at 2026-01-05T09:00:01Z: no repository; staging>"
    assert lab.fork().journal.to_jsonl() == lab.journal.to_jsonl()


@pytest.mark.parametrize("seed", ["x", None, 1.5, True])
def test_a_seed_is_a_whole_number(seed: Any) -> None:
    with pytest.raises(LabError, match="is no whole number"):
        Lab(seed=seed)


def test_a_path_is_imported_like_its_text(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text("kind: Service\n")
    assert Lab().forge.import_repository(tmp_path, "web").read("web.yaml") == "kind: Service\n"
