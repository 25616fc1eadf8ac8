"""The scale subresource: what it shows, what it changes, who owns the replicas then."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.apiserver import ApiServer, InProcessClient
from gitops_sim.apiserver.scaling import ScaleWriter, change_scale, patched_scale, scale_of
from gitops_sim.errors import ConflictError, InvalidError, NotFoundError

WEB: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "app", "image": "nginx:1"}]},
        },
    },
}
DEPLOYMENTS = "apps/v1/Deployment"


def scaled(server: ApiServer, replicas: int, **options: Any) -> dict[str, Any]:
    resource_type = server.kinds.lookup(DEPLOYMENTS)

    def change(scale: dict[str, Any]) -> dict[str, Any]:
        return scale | {"spec": {"replicas": replicas}}

    writer = ScaleWriter("scaler", **options)
    return change_scale(server, resource_type, ("default", "web"), change, writer)


def owners(client: InProcessClient) -> list[tuple[str, str]]:
    """Who owns the replicas, and through which part."""
    fields = client.get(DEPLOYMENTS, "web")["metadata"]["managedFields"]
    return [
        (entry["manager"], entry.get("subresource", ""))
        for entry in fields
        if "f:replicas" in entry["fieldsV1"].get("f:spec", {})
    ]


def test_a_scale_shows_replicas_and_selector(server: ApiServer, client: InProcessClient) -> None:
    scale = scale_of(server, server.kinds.lookup(DEPLOYMENTS), client.create(WEB))
    assert scale["spec"] == {"replicas": 2}
    assert scale["status"] == {"replicas": 0, "selector": "app=web"}


def test_scaling_takes_the_replicas_over_from_their_owner(
    server: ApiServer, client: InProcessClient
) -> None:
    client.create(WEB)
    assert owners(client) == [("tester", "")]
    assert scaled(server, 5)["spec"] == {"replicas": 5}
    assert owners(client) == [("scaler", "scale")]
    applied = WEB | {"spec": WEB["spec"] | {"replicas": 1}}
    with pytest.raises(ConflictError, match=r"spec\.replicas"):
        client.apply(applied, field_manager="agent")


def test_replicas_that_nobody_owns_stay_nobodys(server: ApiServer, client: InProcessClient) -> None:
    spec = {key: value for key, value in WEB["spec"].items() if key != "replicas"}
    client.apply(WEB | {"spec": spec}, field_manager="agent")
    scaled(server, 5)
    assert owners(client) == []
    applied = client.apply(WEB, field_manager="other")
    assert applied["spec"]["replicas"] == 2


def test_a_negative_number_is_invalid(server: ApiServer, client: InProcessClient) -> None:
    client.create(WEB)
    with pytest.raises(InvalidError, match="must be greater than or equal to 0"):
        scaled(server, -1)


def test_a_dry_run_changes_nothing(server: ApiServer, client: InProcessClient) -> None:
    client.create(WEB)
    assert scaled(server, 5, dry_run=True)["spec"] == {"replicas": 5}
    assert client.get(DEPLOYMENTS, "web")["spec"]["replicas"] == 2


def test_what_is_not_there_cannot_be_scaled(server: ApiServer) -> None:
    with pytest.raises(NotFoundError):
        scaled(server, 1)


def test_a_patch_that_leaves_no_scale_is_invalid(
    server: ApiServer, client: InProcessClient
) -> None:
    client.create(WEB)
    scale = scale_of(server, server.kinds.lookup(DEPLOYMENTS), client.get(DEPLOYMENTS, "web"))
    with pytest.raises(InvalidError, match=r'"replicas\\":\\"x\\".*ScaleSpec\.spec\.replicas'):
        patched_scale(server, scale, {"spec": {"replicas": "x"}}, "merge")
    with pytest.raises(InvalidError, match="unrecognized type: int32"):
        patched_scale(server, scale, {"spec": {"replicas": "x"}}, "strategic")
