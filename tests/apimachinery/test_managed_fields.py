"""Who owns what after applies and updates, on bare objects."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apimachinery.last_applied import ANNOTATION
from gitops_sim.apimachinery.managed_fields import after_update, apply, owners
from gitops_sim.apimachinery.schemas import Schemas
from gitops_sim.errors import ConflictError

SCHEMA = Schemas().schema_for("", "v1", "Pod")
TIME = "2026-01-05T09:00:00Z"


def pod(**containers: str) -> dict[str, Any]:
    listed = [{"name": name, "image": image} for name, image in containers.items()]
    spec = {"containers": listed}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}


def applied(live: Any, config: Any, manager: str, *, force: bool = False, time: str = TIME) -> Any:
    return apply(
        live,
        config,
        manager=manager,
        force=force,
        schema=SCHEMA,
        time=time,
        api_version="v1",
    )


def updated(live: Any, new: Any, manager: str, *, time: str = TIME) -> Any:
    return after_update(live, new, manager=manager, schema=SCHEMA, time=time, api_version="v1")


def test_items_of_a_keyed_list_have_owners_of_their_own() -> None:
    live = applied(None, pod(web="web:1"), "one")
    live = applied(live, pod(log="log:1"), "two")
    assert [c["name"] for c in live["spec"]["containers"]] == ["web", "log"]
    found = owners(live)
    assert found['.spec.containers[name="web"].image'] == ["one"]
    assert found['.spec.containers[name="log"].image'] == ["two"]


def test_what_is_given_up_goes_with_its_item() -> None:
    live = applied(None, pod(web="web:1", log="log:1"), "one")
    live = applied(live, pod(web="web:1"), "one")
    assert [c["name"] for c in live["spec"]["containers"]] == ["web"]


def test_an_update_takes_what_it_changes_from_everybody() -> None:
    live = applied(None, pod(web="web:1"), "one")
    live = updated(live, pod(web="web:2") | {"metadata": live["metadata"]}, "hand")
    assert owners(live)['.spec.containers[name="web"].image'] == ["hand"]
    with pytest.raises(ConflictError, match='conflict with "hand" using v1'):
        applied(live, pod(web="web:1"), "one")
    after = applied(live, pod(web="web:1"), "one", force=True)
    assert owners(after)['.spec.containers[name="web"].image'] == ["one"]


def test_an_apply_that_changes_nothing_returns_the_object_itself() -> None:
    live = applied(None, pod(web="web:1"), "one")
    assert applied(live, pod(web="web:1"), "one", time="2026-01-05T10:00:00Z") is live


def test_an_apply_that_came_to_nothing_is_looked_at_again_when_the_object_is_another() -> None:
    live = applied(None, pod(web="web:1"), "one")
    assert applied(live, pod(web="web:1"), "one") is live
    moved = updated(live, pod(web="web:2") | {"metadata": live["metadata"]}, "hand")
    with pytest.raises(ConflictError):
        applied(moved, pod(web="web:1"), "one")
    assert applied(live, pod(web="web:1"), "two") is not live
    assert applied(live, pod(web="web:1"), "one") is live
    equal = fresh_copy(live)
    assert applied(equal, pod(web="web:1"), "one") is equal


def test_entries_share_one_manager_for_apply_and_update() -> None:
    live = updated(None, pod(web="web:1"), "one")
    live = applied(live, pod(web="web:1"), "one")
    entries = live["metadata"]["managedFields"]
    assert [(e["manager"], e["operation"]) for e in entries] == [
        ("one", "Apply"),
        ("one", "Update"),
    ]


def test_sets_are_owned_value_by_value() -> None:
    def held(*finalizers: str) -> dict[str, Any]:
        manifest = pod()
        manifest["metadata"]["finalizers"] = list(finalizers)
        del manifest["spec"]
        return manifest

    live = applied(None, held("a/a"), "one")
    live = applied(live, held("b/b"), "two")
    assert live["metadata"]["finalizers"] == ["a/a", "b/b"]
    live = applied(live, held(), "one")
    assert live["metadata"]["finalizers"] == ["b/b"]


def test_kubectl_takes_over_what_its_annotation_holds_and_conflicts_beyond() -> None:
    """Source: lastappliedmanager.go: from client-side to server-side apply without conflicts."""
    sent = pod(web="web:1")
    annotations = {ANNOTATION: json.dumps(sent | {"apiVersion": "v1", "kind": "Pod"})}
    before = sent | {"metadata": sent["metadata"] | {"annotations": annotations}}
    live = updated(None, before, "kubectl-client-side-apply")
    assert applied(live, pod(web="web:2"), "kubectl")["spec"]["containers"][0]["image"] == "web:2"
    with pytest.raises(ConflictError, match='conflict with "kubectl-client-side-apply"'):
        applied(live, pod(web="web:2"), "another")
    image = [{"name": "web", "image": "web:hand"}]
    live = updated(live, live | {"spec": live["spec"] | {"containers": image}}, "hand")
    with pytest.raises(ConflictError, match='conflict with "hand"'):
        applied(live, pod(web="web:2"), "kubectl")
