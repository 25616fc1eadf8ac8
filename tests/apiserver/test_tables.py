"""Tables of kinds that no recording shows; the source of each row is the server's own printer."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.apiserver.store import Kind
from gitops_sim.apiserver.table_rows import ROWS
from gitops_sim.apiserver.tables import make_table

MADE, NOW = "2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z"


@pytest.mark.parametrize(
    ("group", "kind", "parts", "cells"),
    [
        (
            "autoscaling",
            "Scale",
            {"spec": {"replicas": 3}, "status": {"replicas": 2}},
            ["x", 3, 2, "5m"],
        ),
        (
            "certificates.k8s.io",
            "CertificateSigningRequest",
            {
                "spec": {"signerName": "a/b", "username": "jo", "expirationSeconds": 3600},
                "status": {"conditions": [{"type": "Approved"}], "certificate": "eA=="},
            },
            ["x", "5m", "a/b", "jo", "60m", "Approved,Issued"],
        ),
        (
            "networking.k8s.io",
            "IPAddress",
            {"spec": {"parentRef": {"resource": "services", "namespace": "n", "name": "s"}}},
            ["x", "services/n/s", "5m"],
        ),
        (
            "storage.k8s.io",
            "CSIDriver",
            {"spec": {"volumeLifecycleModes": ["Persistent", "Ephemeral"]}},
            ["x", True, False, False, "<unset>", False, "Persistent,Ephemeral", "5m"],
        ),
        (
            "resource.k8s.io",
            "ResourceClaim",
            {"status": {"allocation": {"devices": {}}, "reservedFor": [{}]}},
            ["x", "allocated,reserved", "5m"],
        ),
        ("resource.k8s.io", "ResourceClaim", {}, ["x", "pending", "5m"]),
        (
            "scheduling.k8s.io",
            "PodGroup",
            {
                "spec": {"schedulingPolicy": {"gang": {}}, "workloadRef": {"workloadName": "w"}},
                "status": {
                    "conditions": [{"type": "PodGroupInitiallyScheduled", "status": "True"}]
                },
            },
            ["x", "Gang", "w", "Scheduled", "5m"],
        ),
        (
            "storagemigration.k8s.io",
            "StorageVersionMigration",
            {"spec": {"resource": {"group": "apps", "resource": "deployments"}}},
            ["x", "deployments.apps", "Unknown"],
        ),
    ],
)
def test_a_row_has_the_cells_of_the_real_printer(
    group: str, kind: str, parts: Any, cells: list[Any]
) -> None:
    manifest = {"metadata": {"name": "x", "creationTimestamp": MADE}} | parts
    table = make_table(Kind(group, kind), [manifest], NOW, None)
    assert table["rows"][0]["cells"] == cells


SPARE = {"IPAddress": 1}
"""Cells that the real printer gives beyond its columns."""


@pytest.mark.parametrize("key", sorted(ROWS))
def test_rows_are_as_wide_as_their_columns(key: str) -> None:
    group, _, kind = key.rpartition("/")
    whole = {
        "metadata": {"name": "x", "creationTimestamp": MADE},
        "spec": {
            "template": {"spec": {"containers": []}},
            "jobTemplate": {"spec": {"template": {"spec": {"containers": []}}}},
            "scaleTargetRef": {"kind": "Deployment", "name": "x"},
            "schedule": "* * * * *",
        },
        "status": {},
        "roleRef": {"kind": "Role", "name": "x"},
        "involvedObject": {},
        "source": {},
    }
    table = make_table(Kind(group, kind), [whole], NOW, None)
    width = len(table["columnDefinitions"]) + SPARE.get(kind, 0)
    assert len(table["rows"][0]["cells"]) == width
