"""Rules that recordings do not show: one case a rule, through the server's own door."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.apimachinery.defaulting import apply_defaults
from gitops_sim.apimachinery.go_forms import go_form
from gitops_sim.apimachinery.schemas import Schemas
from gitops_sim.apimachinery.validation import validate_create, validate_update

POD = {"containers": [{"name": "c", "image": "web:1"}]}
LABELS = {"app": "web"}


def made(api_version: str, kind: str, **content: Any) -> dict[str, Any]:
    """Return an object as it is when it is checked: decoded and defaulted."""
    group, _, version = api_version.rpartition("/")
    schema = Schemas().schema_for(group, version, kind)
    assert schema is not None
    metadata = {"name": "x", "namespace": "default"} | content.pop("metadata", {})
    sent = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}
    manifest = go_form(sent, schema)
    apply_defaults(manifest)
    return manifest


def told(manifest: dict[str, Any]) -> set[str]:
    return {str(cause) for cause in validate_create(manifest)}


def pod(**spec: Any) -> dict[str, Any]:
    return made("v1", "Pod", spec=POD | spec)


def container(**content: Any) -> dict[str, Any]:
    return pod(containers=[{"name": "c", "image": "web:1"} | content])


def workload(kind: str, *, template: Any = None, **spec: Any) -> dict[str, Any]:
    shape = {"metadata": {"labels": LABELS}, "spec": POD} if template is None else template
    selected = {"selector": {"matchLabels": LABELS}, "template": shape}
    return made("apps/v1", kind, spec=selected | spec)


C = "spec.containers[0]"


@pytest.mark.parametrize(
    ("manifest", "cause"),
    [
        (pod(containers=[]), "spec.containers: Required value"),
        (container(image=""), f"{C}.image: Required value"),
        (container(name="A_b"), f'{C}.name: Invalid value: "A_b": a lowercase RFC 1123'),
        (
            pod(containers=[POD["containers"][0]] * 2),
            'spec.containers[1].name: Duplicate value: "c"',
        ),
        (
            container(ports=[{"containerPort": 70000}]),
            f"{C}.ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, incl",
        ),
        (
            container(ports=[{"containerPort": 1, "name": "p"}, {"containerPort": 2, "name": "p"}]),
            f'{C}.ports[1].name: Duplicate value: "p"',
        ),
        (
            container(volumeMounts=[{"name": "v", "mountPath": "/v"}]),
            f'{C}.volumeMounts[0].name: Not found: "v"',
        ),
        (
            container(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}),
            f'{C}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit',
        ),
        (
            container(env=[{"name": "A", "value": "1", "valueFrom": {"fieldRef": {}}}]),
            f'{C}.env[0].valueFrom: Invalid value: "": may not be specified when `value` is not',
        ),
        (container(livenessProbe={}), f"{C}.livenessProbe: Required value: must specify a handler"),
        (
            container(livenessProbe={"exec": {"command": ["x"]}, "successThreshold": 2}),
            f"{C}.livenessProbe.successThreshold: Invalid value: 2: must be 1",
        ),
        (
            pod(volumes=[{"name": "v", "emptyDir": {}, "hostPath": {"path": "/"}}]),
            "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type",
        ),
        (pod(restartPolicy="Maybe"), 'spec.restartPolicy: Unsupported value: "Maybe": supported'),
        (
            pod(tolerations=[{"operator": "Exists", "key": "k", "value": "v"}]),
            'spec.tolerations[0].operator: Invalid value: "v": value must be empty when',
        ),
        (
            workload(
                "Deployment", strategy={"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 0}}
            ),
            "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when",
        ),
        (
            workload("Deployment", strategy={"rollingUpdate": {"maxUnavailable": "many"}}),
            'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "many": a valid percent',
        ),
        (
            workload("Deployment", minReadySeconds=600),
            "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReady",
        ),
        (
            workload("StatefulSet", podManagementPolicy="Wild"),
            "spec.podManagementPolicy: Invalid value: \"Wild\": must be 'OrderedReady' or 'Par",
        ),
        (
            workload("DaemonSet", updateStrategy={"rollingUpdate": {"maxSurge": 1}}),
            "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when",
        ),
        (
            made("v1", "Secret", type="kubernetes.io/tls", data={"tls.crt": "YQ=="}),
            "data[tls.key]: Required value",
        ),
        (
            made("policy/v1", "PodDisruptionBudget", spec={"minAvailable": 1, "maxUnavailable": 1}),
            'spec: Invalid value: {"MinAvailable":1,"Selector":null,"MaxUnavailable":1,"Unhe',
        ),
        (
            made("autoscaling/v2", "HorizontalPodAutoscaler", spec={"maxReplicas": 0}),
            "spec.maxReplicas: Required value",
        ),
        (
            made(
                "networking.k8s.io/v1",
                "NetworkPolicy",
                spec={"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/99"}}]}]},
            ),
            'spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "10.0.0.0/99": must be a valid',
        ),
        (
            made(
                "rbac.authorization.k8s.io/v1",
                "RoleBinding",
                roleRef={"kind": "Rule", "name": "r"},
            ),
            'roleRef.kind: Unsupported value: "Rule": supported values: "Role", "ClusterRole"',
        ),
        (
            made("scheduling.k8s.io/v1", "PriorityClass", metadata={"name": "system-x"}, value=1),
            "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved",
        ),
        (
            made(
                "v1",
                "LimitRange",
                spec={"limits": [{"type": "Pod", "min": {"cpu": "2"}, "max": {"cpu": "1"}}]},
            ),
            'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
        ),
        (
            made("v1", "PersistentVolume", spec={"capacity": {"storage": "1Gi"}}),
            "spec: Required value: must specify a volume type",
        ),
    ],
)
def test_a_rule_names_its_field_and_words(manifest: dict[str, Any], cause: str) -> None:
    found = told(manifest)
    assert any(text.startswith(cause) for text in found), found


@pytest.mark.parametrize(
    ("before", "change", "cause"),
    [
        (
            workload("Deployment"),
            {"selector": {"matchLabels": {"app": "web", "tier": "x"}}},
            "spec.selector: Invalid value",
        ),
        (workload("DaemonSet"), {"selector": {"matchLabels": {"a": "b"}}}, "spec.selector"),
        (workload("StatefulSet"), {"serviceName": "other"}, "spec.serviceName: Invalid value"),
        (
            pod(),
            {"containers": [{"name": "c", "image": "web:1", "command": ["x"]}]},
            "spec: Forbidden: pod updates may not change fields other than",
        ),
        (pod(), {"containers": POD["containers"] * 2}, "spec.containers: Forbidden: pod updates"),
    ],
)
def test_an_update_may_not_change_what_is_fixed(
    before: dict[str, Any], change: dict[str, Any], cause: str
) -> None:
    after = before | {"spec": before["spec"] | change}
    if after["kind"] == "Pod":
        after = made("v1", "Pod", spec=after["spec"])
    found = {str(found) for found in validate_update(after, before)}
    assert any(text.startswith(cause) for text in found), found


def test_an_update_may_change_the_image_of_a_pod() -> None:
    before = pod()
    containers = [before["spec"]["containers"][0] | {"image": "web:2"}]
    after = before | {"spec": before["spec"] | {"containers": containers}}
    assert validate_update(after, before) == []


def test_a_status_only_update_does_not_look_at_the_spec_again() -> None:
    before = pod() | {"spec": {"containers": []}}  # would be refused
    assert validate_update(before | {"status": {"phase": "Running"}}, before) == []


def test_a_good_container_is_a_bad_one_among_others() -> None:
    template = {"name": "web", "image": "web:1"}
    mount = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    volumes = [{"name": "data", "emptyDir": {}}]

    def problems(*containers: dict[str, Any], **spec: Any) -> list[str]:
        metadata = {"name": "web", "namespace": "default"}
        spec = {"containers": list(containers), "restartPolicy": "Always"} | spec
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
        apply_defaults(pod)
        return [cause.field for cause in validate_create(pod)]

    assert problems(template) == []
    assert problems(template, template) == ["spec.containers[1].name"]
    assert problems(template | mount, volumes=volumes) == []
    assert problems(template | mount) == ["spec.containers[0].volumeMounts[0].name"]


def test_a_good_object_has_no_causes() -> None:
    for manifest in (pod(), *(workload(k) for k in ("Deployment", "ReplicaSet", "DaemonSet"))):
        assert told(manifest) == set()
