"""A what-if: a fork in which one thing is otherwise, laid over its origin."""

from __future__ import annotations

import pytest

from gitops_sim.errors import LabError
from gitops_sim.lab import ClusterHandle, Lab


def test_a_fork_is_laid_over_its_origin(lab: Lab, staging: ClusterHandle) -> None:
    other = lab.fork()
    outage = ("10:00:00", "kubectl", "scale deployment/web --replicas=0 -n shop")
    staging.faults.schedule(*outage)
    other.cluster("staging").faults.schedule(*outage)
    other.cluster("staging").flux.suspend("Kustomization", "flux-system")
    for each in (lab, other):
        each.run(until="10:20")
    found = lab.compare(staging, other=other)
    assert found.parting is not None
    assert found.words[0].startswith("the same until 09:03:0")
    text = str(found)
    assert "objects that differ: not the same from" in text
    assert "failed for users of Service/shop/web: not the same from" in text
    assert "<img" in found._repr_mimebundle_()["text/html"]
    assert staging.users("web").outages[0].end is not None
    assert other.cluster("staging").users("web").outages[0].end is None


def test_an_untouched_fork_is_the_same(lab: Lab, staging: ClusterHandle) -> None:
    found = lab.compare(staging, other=lab.fork())
    assert found.parting is None
    assert "both histories are the same" in str(found)
    assert "users" not in str(found)  # nobody met a failure


def test_a_lab_without_that_cluster_is_refused(lab: Lab, staging: ClusterHandle) -> None:
    with pytest.raises(LabError, match="has no cluster 'staging'"):
        lab.compare(staging, other=Lab())
