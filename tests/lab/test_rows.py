"""Verdicts on one object: what differs, why, and who set it."""

from __future__ import annotations

from typing import Any

from gitops_sim.lab.rows import Both, row_of
from gitops_sim.types import Manifest, ResourceKey

NOW = "2026-01-05T09:00:00Z"
KEY = ResourceKey("apps", "Deployment", "shop", "web")


def deployment(replicas: int | None = 3, image: str = "shop/web:1.8") -> Manifest:
    spec: dict[str, Any] = {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}}
    if replicas is not None:
        spec["replicas"] = replicas
    metadata = {"name": "web", "namespace": "shop"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def set_by(manifest: Manifest, manager: str) -> Manifest:
    fields = {"f:spec": {"f:replicas": {}}}
    entry = {"manager": manager, "operation": "Update", "time": NOW, "fieldsV1": fields}
    return manifest | {"metadata": manifest["metadata"] | {"managedFields": [entry]}}


def test_equal_sides_are_in_sync_and_show_what_tells_most() -> None:
    row = row_of(Both(KEY, deployment(), deployment(), deployment()), NOW)
    assert (row.sync, row.words) == ("Synced", "in sync")
    assert (row.desired, row.actual) == ("replicas: 3", "replicas: 3")


def test_an_edit_is_drift_and_names_its_manager() -> None:
    live = set_by(deployment(5), "kubectl-edit")
    row = row_of(Both(KEY, deployment(), deployment(), live), NOW)
    assert (row.sync, row.who) == ("Drifted", "kubectl-edit")
    assert (row.desired, row.actual, row.differs) == ("replicas: 3", "replicas: 5", True)


def test_a_commit_that_waits_is_out_of_sync_and_shows_tags_of_one_image() -> None:
    new, old = deployment(image="shop/web:1.8"), deployment(image="shop/web:1.7")
    row = row_of(Both(KEY, new, old, old, waits=True), NOW)
    assert row.sync == "OutOfSync"
    assert (row.desired, row.actual) == ("image: 1.8", "image: 1.7")


def test_an_edit_counts_as_drift_even_while_a_commit_waits() -> None:
    new, old = deployment(image="shop/web:1.8"), deployment(image="shop/web:1.7")
    edited = deployment(5, image="shop/web:1.7")
    assert row_of(Both(KEY, new, old, edited, waits=True), NOW).sync == "Drifted"


def test_a_field_that_a_waiting_commit_gives_up_is_out_of_sync() -> None:
    row = row_of(Both(KEY, deployment(None), deployment(3), deployment(3), waits=True), NOW)
    assert row.sync == "OutOfSync"
    assert (row.desired, row.actual) == ("replicas: (absent)", "replicas: 3")


def test_missing_objects_are_told_from_new_ones() -> None:
    missing = row_of(Both(KEY, deployment(), deployment(), None), NOW)
    new = row_of(Both(KEY, deployment(), None, None, waits=True), NOW)
    assert (missing.sync, missing.words) == ("Missing", "missing")
    assert (new.sync, new.words) == ("Missing", "not applied yet")


def test_an_object_that_is_not_in_git_is_extra_with_its_fate() -> None:
    row = row_of(Both(KEY, None, deployment(), deployment(), fate="extra: prune"), NOW)
    assert (row.sync, row.words, row.desired) == ("Extra", "extra: prune", None)


def test_a_quantity_in_another_form_is_no_difference() -> None:
    desired, live = deployment(), deployment()
    limits = {"resources": {"limits": {"cpu": "0.5"}}}
    desired["spec"]["template"]["spec"]["containers"][0] |= limits
    stored = {"resources": {"limits": {"cpu": "500m"}}}
    live["spec"]["template"]["spec"]["containers"][0] |= stored
    assert row_of(Both(KEY, desired, desired, live), NOW).sync == "Synced"


def test_a_secret_written_as_text_equals_the_stored_one() -> None:
    key = ResourceKey("", "Secret", "shop", "token")
    metadata = {"name": "token", "namespace": "shop"}
    desired = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
    desired |= {"stringData": {"word": "open"}}
    live = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "data": {"word": "b3Blbg=="},
    }
    assert row_of(Both(key, desired, desired, live), NOW).sync == "Synced"


def test_a_port_without_a_protocol_equals_the_stored_one() -> None:
    desired, live = deployment(), deployment()
    desired["spec"]["template"]["spec"]["containers"][0]["ports"] = [{"containerPort": 80}]
    stored = [{"containerPort": 80, "protocol": "TCP"}]
    live["spec"]["template"]["spec"]["containers"][0]["ports"] = stored
    assert row_of(Both(KEY, desired, desired, live), NOW).sync == "Synced"


def test_an_item_of_a_list_is_named_by_the_list_and_an_annotation_by_itself() -> None:
    desired, live = deployment(), deployment()
    desired["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": "1"}]
    row = row_of(Both(KEY, desired, desired, live), NOW)
    assert row.desired == "env: 1"
    desired = deployment()
    desired["metadata"]["annotations"] = {"example.com/team.name": "shop"}
    row = row_of(Both(KEY, desired, desired, live), NOW)
    assert row.desired == "example.com/team.name: shop"
