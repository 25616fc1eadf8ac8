"""Kinds found by what people write."""

from __future__ import annotations

import pytest

from gitops_sim.apimachinery.kind_table import KindTable
from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.errors import NotFoundError

TABLE = KindTable()


@pytest.mark.parametrize(
    "text",
    [
        "Deployment",
        "deployment",
        "deployments",
        "deploy",
        "deployments.apps",
        "deploy.v1.apps",
        "apps/v1/Deployment",
    ],
)
def test_a_kind_has_many_names(text: str) -> None:
    found = TABLE.lookup(text)
    assert (found.group, found.version, found.kind) == ("apps", "v1", "Deployment")


def test_the_core_group_wins_for_a_bare_word_and_a_group_tells_apart() -> None:
    assert TABLE.lookup("events").group == ""
    assert TABLE.lookup("events.events.k8s.io").group == "events.k8s.io"


def test_the_preferred_version_comes_first() -> None:
    assert [t.version for t in TABLE.versions("autoscaling", "HorizontalPodAutoscaler")] == [
        "v2",
        "v1",
    ]
    assert TABLE.lookup("hpa").version == "v2"


def test_what_is_not_served_is_told_as_kubectl_does() -> None:
    with pytest.raises(NotFoundError, match='the server doesn\'t have a resource type "widgets"'):
        TABLE.lookup("widgets")
    with pytest.raises(NotFoundError, match='no matches for kind "Pod" in version "v2"'):
        TABLE.exact("v2", "Pod")


def test_a_kind_comes_and_goes() -> None:
    table = KindTable()
    widget = ResourceType("example.com", "v1", "Widget", "widgets", "widget", ("wd",))
    table.add(widget)
    assert table.lookup("wd") is widget
    table.remove(widget)
    with pytest.raises(NotFoundError):
        table.lookup("wd")
