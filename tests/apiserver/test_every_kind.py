"""Every built-in kind of the pinned version can be created, applied, read and deleted."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from gitops_sim.apimachinery.kind_table import KindTable
from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apimachinery.schemas import Schema, Schemas
from gitops_sim.apiserver import InProcessClient
from gitops_sim.errors import InvalidError

STORED = [t for t in KindTable() if {"create", "get", "patch"} <= set(t.verbs)]

POD = {"containers": [{"name": "c", "image": "web:1"}]}
TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": POD}
SELECTED = {"selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE}
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
JOB = {"template": TEMPLATE | {"spec": POD | {"restartPolicy": "Never"}}}
NEEDED: dict[str, dict[str, Any]] = {
    "CronJob": {"spec": {"schedule": "0 * * * *", "jobTemplate": {"spec": JOB}}},
    "CustomResourceDefinition": {
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "xs", "kind": "X"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object"}},
                }
            ],
        }
    },
    "ClusterRoleBinding": {"roleRef": {"kind": "ClusterRole", "name": "r"}},
    "DaemonSet": {"spec": SELECTED},
    "Deployment": {"spec": SELECTED},
    "EndpointSlice": {"addressType": "IPv4", "endpoints": []},
    "Event": {
        "action": "Do",
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "involvedObject": {"namespace": "default"},
        "reason": "Done",
        "regarding": {"namespace": "default"},
        "reportingController": "example.com/c",
        "reportingInstance": "c",
        "type": "Normal",
    },
    "HorizontalPodAutoscaler": {
        "spec": {
            "maxReplicas": 2,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        }
    },
    "Ingress": {"spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}},
    "IngressClass": {"spec": {"controller": "example.com/c"}},
    "Job": {"spec": JOB},
    "PersistentVolume": {
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "hostPath": {"path": "/x"},
        }
    },
    "PersistentVolumeClaim": {"spec": CLAIM},
    "Pod": {"spec": POD},
    "PodTemplate": {"template": TEMPLATE},
    "PriorityClass": {"value": 1},
    "ReplicaSet": {"spec": SELECTED},
    "ReplicationController": {"spec": {"template": TEMPLATE}},
    "RoleBinding": {"roleRef": {"kind": "Role", "name": "r"}},
    "Service": {"spec": {"ports": [{"port": 80}]}},
    "CertificateSigningRequest": {
        "spec": {
            "request": b64encode(b"-----BEGIN CERTIFICATE REQUEST-----").decode(),
            "signerName": "example.com/s",
            "usages": ["client auth"],
        }
    },
    "StatefulSet": {"spec": SELECTED | {"serviceName": "web"}},
    "VolumeAttachment": {
        "spec": {"attacher": "a", "nodeName": "n", "source": {"persistentVolumeName": "v"}}
    },
    "ValidatingAdmissionPolicy": {
        "spec": {
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE"],
                        "resources": ["secrets"],
                    }
                ]
            },
            "validations": [{"expression": "true"}],
        }
    },
    "ValidatingAdmissionPolicyBinding": {
        "spec": {"policyName": "x", "validationActions": ["Deny"]}
    },
    "StorageClass": {"provisioner": "example.com/p"},
}


def sample(resource_type: ResourceType, name: str = "x") -> dict[str, Any]:
    """Return an object with what its kind requires: by hand where rules ask for more."""
    schema = Schemas().schema_for(resource_type.group, resource_type.version, resource_type.kind)
    assert schema is not None
    metadata: dict[str, Any] = {"name": name, "labels": {"team": "a"}}
    if resource_type.kind == "CustomResourceDefinition":
        metadata["name"] = f"{name}s.example.com"
    if resource_type.namespaced:
        metadata["namespace"] = "default"
    known = NEEDED.get(resource_type.kind, {})
    content = {k: v for k, v in known.items() if k in schema.properties}
    required = {key: zero(schema.properties[key]) for key in schema.required}
    identity = {"apiVersion": resource_type.api_version, "kind": resource_type.kind}
    return {**identity, **required, **content, "metadata": metadata}


def zero(schema: Schema) -> Any:
    """Return the smallest value of a schema: its required members, all empty."""
    if schema.type == "map":
        return {key: zero(schema.properties[key]) for key in schema.required}
    if schema.type == "list":
        return []
    if schema.format == "byte":
        return "YQ=="
    words = {"integer": 1, "number": 1, "boolean": False}
    return "2026-01-05T09:00:00Z" if schema.format == "date-time" else words.get(schema.scalar, "a")


def test_all_groups_of_the_pinned_version_are_there() -> None:
    groups = {resource_type.group for resource_type in STORED}
    assert len(STORED) > 60
    assert {"", "apps", "batch", "policy", "resource.k8s.io", "networking.k8s.io"} <= groups


@pytest.mark.parametrize("resource_type", STORED, ids=lambda t: f"{t.api_version}/{t.kind}")
def test_a_kind_can_be_created_applied_and_deleted(
    resource_type: ResourceType, client: InProcessClient
) -> None:
    kind = f"{resource_type.api_version}/{resource_type.kind}"
    manifest = sample(resource_type)
    name, namespace = manifest["metadata"]["name"], manifest["metadata"].get("namespace")
    created = client.create(manifest)
    if resource_type.kind != "CustomResourceDefinition":  # is established by a second write
        assert client.get(kind, name, namespace) == created
    update = {"apiVersion": manifest["apiVersion"], "kind": manifest["kind"]}
    update["metadata"] = {"name": name, "annotations": {"note": "1"}, "labels": {"team": "b"}}
    applied = client.apply(update, field_manager="me", force=True)
    assert applied["metadata"]["annotations"]["note"] == "1"
    assert {entry["operation"] for entry in applied["metadata"]["managedFields"]} == {
        "Apply",
        "Update",
    }
    again = client.apply(update, field_manager="me")
    assert again["metadata"]["resourceVersion"] == applied["metadata"]["resourceVersion"]
    assert client.patch(kind, name, {}, namespace) == again
    client.delete(kind, name, namespace)


@pytest.mark.parametrize("resource_type", STORED, ids=lambda t: f"{t.api_version}/{t.kind}")
def test_a_kind_refuses_a_name_that_no_object_may_have(
    resource_type: ResourceType, client: InProcessClient
) -> None:
    manifest = sample(resource_type)
    manifest["metadata"]["name"] = "a/b"
    with pytest.raises(InvalidError, match=r"metadata\.name"):
        client.create(manifest)
