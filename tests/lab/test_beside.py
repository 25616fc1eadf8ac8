"""Several clusters in one grid."""

from __future__ import annotations

from gitops_sim.lab import Lab


def test_grid_has_a_row_for_every_object_of_any_cluster() -> None:
    lab = Lab(seed=7)
    book = lab.forge.import_repository("samples/runbook")
    right, half = lab.cluster("right"), lab.cluster("half")
    for cluster in (right, half):
        cluster.pipeline.connect(book, path="manifests")
    right.kubectl("apply -f manifests", repository=book)
    half.kubectl("create namespace shop")
    half.kubectl("create configmap notes -n shop --from-literal=a=b")
    words = str(lab.compare(right).beside(lab.compare(half))).splitlines()
    assert [line.split() for line in words] == [
        ["right", "half"],
        ["Namespace/shop", "S", "S"],
        ["ConfigMap/shop/menu", "S", "M"],
        ["Deployment/shop/web", "S", "M"],
        ["ConfigMap/shop/notes", "-", "X"],
    ]
