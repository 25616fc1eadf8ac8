"""Two definitions want the same names."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.apiserver import InProcessClient
from gitops_sim.errors import ForbiddenError, NotFoundError

CRD = "apiextensions.k8s.io/v1/CustomResourceDefinition"


def definition(plural: str, kind: str, **more: Any) -> dict[str, Any]:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": plural, "kind": kind} | more
    spec = {"group": "g.example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.g.example.com"},
        "spec": spec,
    }


def moon(name: str, **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "g.example.com/v1",
        "kind": "Moon",
        "metadata": {"name": name, "namespace": "default"} | metadata,
    }


def condition(client: InProcessClient, plural: str, kind: str) -> tuple[str, str, str]:
    status = client.get(CRD, f"{plural}.g.example.com")["status"]
    found = next(c for c in status["conditions"] if c["type"] == kind)
    return found["status"], found["reason"], found["message"]


def test_names_that_are_taken_are_not_accepted(client: InProcessClient) -> None:
    client.create(definition("moons", "Moon"))
    client.create(definition("satellites", "Moon", shortNames=["sat"]))
    taken = ("False", "ListKindConflict", '"MoonList" is already in use')
    assert condition(client, "satellites", "NamesAccepted") == taken
    refused = ("False", "NotAccepted", "not all names are accepted")
    assert condition(client, "satellites", "Established") == refused
    accepted = client.get(CRD, "satellites.g.example.com")["status"]["acceptedNames"]
    assert accepted == {"plural": "satellites", "shortNames": ["sat"], "kind": ""}
    assert client.create(moon("io"))["kind"] == "Moon"


def test_going_of_a_refused_definition_leaves_the_other_served(client: InProcessClient) -> None:
    client.create(definition("moons", "Moon"))
    client.create(definition("satellites", "Moon"))
    client.delete(CRD, "satellites.g.example.com")
    assert client.create(moon("io"))["metadata"]["name"] == "io"


def test_names_that_come_free_are_accepted(client: InProcessClient) -> None:
    client.create(definition("moons", "Moon"))
    client.create(definition("satellites", "Moon"))
    client.delete(CRD, "moons.g.example.com")
    assert condition(client, "satellites", "Established")[0] == "True"
    client.create(moon("io"))
    assert len(client.list("g.example.com/v1/Moon", "default")) == 1


def test_nothing_new_comes_while_a_definition_goes(client: InProcessClient) -> None:
    client.create(definition("moons", "Moon"))
    client.create(moon("io", finalizers=["a.b/c"]))
    client.delete(CRD, "moons.g.example.com")
    assert condition(client, "moons", "Terminating")[1] == "InstanceDeletionInProgress"
    with pytest.raises(ForbiddenError, match="create not allowed while custom resource definition"):
        client.create(moon("europa"))
    client.patch("g.example.com/v1/Moon", "io", {"metadata": {"finalizers": None}}, "default")
    with pytest.raises(NotFoundError):
        client.get(CRD, "moons.g.example.com")
