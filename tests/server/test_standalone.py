"""A cluster served without a lab: its time, its users, and what it is made of."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from kubernetes import client

from gitops_sim.clock import EPOCH
from gitops_sim.errors import DurationError, LabError
from gitops_sim.server import ServeOptions, StandaloneCluster, StandaloneOptions

STILL = ServeOptions(speed=0)


def created(cluster: StandaloneCluster) -> datetime:
    """When the namespace `default` was made."""
    with cluster.api_client() as api:
        found = client.CoreV1Api(api).read_namespace("default")
    made: datetime = found.metadata.creation_timestamp
    return made


def test_time_that_stands_still_begins_at_the_same_moment_each_time() -> None:
    options = StandaloneOptions(controllers=False, serve=STILL)
    with StandaloneCluster(options) as one, StandaloneCluster(options) as other:
        assert created(one) == created(other) == EPOCH


def test_time_that_passes_is_that_of_the_clients() -> None:
    with StandaloneCluster(StandaloneOptions(controllers=False)) as cluster:
        now = datetime.now(UTC)  # noqa: TID251 - it is the wall clock's time that clients compare
        assert abs((now - created(cluster)).total_seconds()) < 60


def test_time_passes_as_far_as_it_is_told() -> None:
    with StandaloneCluster(StandaloneOptions(controllers=False, serve=STILL)) as cluster:
        cluster.run("1h30m")
        assert cluster.clock.now() == 5400
        looks: list[float] = []
        cluster.run_until(lambda: looks.append(cluster.clock.now()) or len(looks) == 4, step="10s")
        assert looks == [5400, 5410, 5420, 5430]
        with pytest.raises(LabError, match="not so after 20s"):
            cluster.run_until(lambda: False, timeout="20s")
        assert cluster.clock.now() == 5450
        with pytest.raises(DurationError):
            cluster.run("soon")


def test_controllers_bring_nodes_and_act_on_what_is_stored() -> None:
    options = StandaloneOptions(nodes=2, serve=STILL)
    job = {
        "metadata": {"name": "once"},
        "spec": {
            "template": {
                "spec": {
                    "restartPolicy": "Never",
                    "containers": [{"name": "once", "image": "once:1"}],
                }
            }
        },
    }
    with StandaloneCluster(options) as cluster, cluster.api_client() as api:
        cluster.run("10s")
        assert len(client.CoreV1Api(api).list_node().items) == 2
        cluster.registry.push("once:1", exit_code=0, crash_after="5s")
        batch = client.BatchV1Api(api)
        batch.create_namespaced_job("default", job)
        cluster.run_until(lambda: batch.read_namespaced_job("once", "default").status.succeeded)


def test_users_are_who_they_say_and_may_what_roles_say() -> None:
    serve = ServeOptions(speed=0, users={"dora": ("devs",)})
    with StandaloneCluster(StandaloneOptions(controllers=False, serve=serve)) as cluster:
        with cluster.api_client(user="dora") as api:
            told = client.AuthenticationV1Api(api).create_self_subject_review({})
            assert told.status.user_info.username == "dora"
            with pytest.raises(client.ApiException, match="Forbidden"):
                client.CoreV1Api(api).list_namespace()
        with pytest.raises(LabError, match="there is no user nobody"):
            cluster.configuration(user="nobody")
