"""PodSecurity: labels of a namespace refuse pods, warn of templates and note for the audit."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.apiserver import ApiServer, InProcessClient
from gitops_sim.apiserver.users import Caller
from gitops_sim.errors import ForbiddenError, InvalidError

KEY = "pod-security.kubernetes.io/"


def namespace(**labels: str) -> dict[str, Any]:
    told = {f"{KEY}{mode.replace('_', '-')}": level for mode, level in labels.items()}
    metadata = {"name": "shop", "labels": told}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def pod(name: str = "web", **context: Any) -> dict[str, Any]:
    container = {"name": "web", "image": "web:1", "securityContext": context}
    metadata = {"name": name, "namespace": "shop"}
    kind = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}
    return kind | {"spec": {"containers": [container]}}


@pytest.fixture
def prepare(client: InProcessClient) -> Any:
    def make(**labels: str) -> None:
        client.create(namespace(**labels))
        metadata = {"name": "default", "namespace": "shop"}
        client.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})

    return make


def test_a_pod_below_the_enforced_level_is_refused(client: InProcessClient, prepare: Any) -> None:
    prepare(enforce="baseline")
    client.create(pod())
    with pytest.raises(ForbiddenError) as refused:
        client.create(pod("other", privileged=True))
    assert str(refused.value) == (
        'pods "other" is forbidden: violates PodSecurity "baseline:latest": privileged (container '
        '"web" must not set securityContext.privileged=true)'
    )


def test_templates_are_warned_of_and_noted_but_let_in(
    server: ApiServer, client: InProcessClient, prepare: Any
) -> None:
    prepare(enforce="baseline", warn="baseline", audit="baseline", warn_version="v1.30")
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod(privileged=True)["spec"]}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    metadata = {"name": "web", "namespace": "shop"}
    caller = Caller()
    with server.called_by(caller):
        client.create(
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
        )
    told = 'privileged (container "web" must not set securityContext.privileged=true)'
    assert caller.warnings == [f'would violate PodSecurity "baseline:v1.30": {told}']
    assert caller.annotations == {
        f"{KEY}audit-violations": f'would violate PodSecurity "baseline:latest": {told}'
    }


def test_what_is_refused_is_warned_of_in_templates(
    server: ApiServer, client: InProcessClient, prepare: Any
) -> None:
    prepare(enforce="baseline")
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod(privileged=True)["spec"]}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    kind = {"apiVersion": "apps/v1", "kind": "ReplicaSet"}
    caller = Caller()
    with server.called_by(caller):
        client.create(kind | {"metadata": {"name": "web", "namespace": "shop"}, "spec": spec})
    (warning,) = caller.warnings
    assert warning.startswith('would violate PodSecurity "baseline:latest": privileged')


def test_a_stricter_level_warns_of_pods_that_are_there(
    server: ApiServer, client: InProcessClient, prepare: Any
) -> None:
    prepare()
    for name in ("a", "b"):
        client.create(pod(name, privileged=True))
    caller = Caller()
    label = {"metadata": {"labels": {f"{KEY}enforce": "baseline"}}}
    with server.called_by(caller):
        client.patch("v1/Namespace", "shop", label)
    assert caller.warnings == [
        (
            'existing pods in namespace "shop" violate the new PodSecurity enforce level '
            '"baseline:latest"'
        ),
        "a (and 1 other pod): privileged",
    ]


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        ({"enforce": "strict"}, "must be one of privileged, baseline, restricted"),
        ({"warn_version": "1.30"}, 'must be "latest" or "v1.x"'),
    ],
)
def test_a_label_that_is_none_is_refused(
    client: InProcessClient, labels: dict[str, str], problem: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        client.create(namespace(**labels))
    assert str(refused.value).endswith(problem)
    assert str(refused.value).startswith(f'Namespace "shop" is invalid: metadata.labels[{KEY}')
