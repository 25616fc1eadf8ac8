"""Pictures stand on a projector: no text in them is smaller than people at the back can read."""

from __future__ import annotations

import re

from gitops_sim.journal import facts
from gitops_sim.lab import Lab

SMALLEST = 15
"""Of 1120 pixels of width; a notebook on a projector with 1280 shows it with 11."""


def test_no_text_in_a_picture_is_small() -> None:
    lab = Lab(seed=1)
    shop = lab.forge.import_repository("samples/shop")
    staging = lab.cluster("staging")
    staging.flux.bootstrap(shop, path="overlays/staging", interval="1m")
    lab.run("3m")
    branch = lab.fork()
    branch.cluster("staging").kubectl("scale deployment/web -n shop --replicas=5")
    branch.run("1m")
    lab.run("1m")
    assert lab.journal.facts(facts.UsersServed)
    there = lab.compare(staging)
    drawings = {
        "board": branch.compare("staging").svg,
        "lanes": branch.compare("staging").lanes().svg,
        "tree": there.tree().svg,
        "ladder": there.ladder().svg,
        "grid": there.beside(branch.compare("staging")).svg,
        "loop": staging.flux.loop().svg,
        "users": staging.users("web").picture.svg,
        "what-if": lab.compare(staging, other=branch).picture.svg,
    }
    for name, svg in drawings.items():
        sizes = [float(size) for size in re.findall(r'font-size="([\d.]+)"', svg)]
        assert sizes, name
        assert min(sizes) >= SMALLEST, name
