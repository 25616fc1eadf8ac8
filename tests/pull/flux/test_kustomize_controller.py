"""kustomize-controller on a cluster whose API server is all there is."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from gitops_sim.errors import ForbiddenError, NotFoundError
from gitops_sim.journal import facts

Write = Callable[..., str]


def settings(manifest: Write, **data: str) -> dict[str, str]:
    return {"app/cm.yaml": manifest("ConfigMap", "settings", data=data)}


def test_a_commit_becomes_labelled_objects(world: Any, manifest: Write) -> None:
    world.deliver(settings(manifest, mode="dev"))
    found = world.get("configmap", "settings")
    assert found["data"] == {"mode": "dev"}
    assert found["metadata"]["labels"] == {
        "kustomize.toolkit.fluxcd.io/name": "app",
        "kustomize.toolkit.fluxcd.io/namespace": "shop",
    }
    assert world.ready()[:2] == ("True", "ReconciliationSucceeded")


def test_a_pass_that_finds_nothing_to_do_changes_no_object(world: Any, manifest: Write) -> None:
    world.deliver(settings(manifest, mode="dev"))
    before = world.get("configmap", "settings")["metadata"]["resourceVersion"]
    world.run(60)
    assert world.get("configmap", "settings")["metadata"]["resourceVersion"] == before


def test_drift_is_found_with_its_fields_and_who_set_them_and_repaired(
    world: Any, manifest: Write
) -> None:
    world.deliver(settings(manifest, mode="dev"))
    world.people.patch("configmap", "settings", {"data": {"mode": "hand"}}, "shop")
    world.run(6)
    assert world.get("configmap", "settings")["data"] == {"mode": "dev"}
    (found,) = world.journal.facts(facts.DriftFound)
    assert (found.subject, found.paths) == ("ConfigMap/shop/settings", ("data.mode",))
    assert found.manager == "kubectl-edit"
    assert len(world.journal.facts(facts.DriftRepaired)) == 1


def test_fields_that_kubectl_added_are_taken_away(world: Any, manifest: Write) -> None:
    world.deliver(settings(manifest, mode="dev"))
    world.people.patch("configmap", "settings", {"data": {"extra": "x"}}, "shop")
    world.run(6)
    assert world.get("configmap", "settings")["data"] == {"mode": "dev"}
    (found,) = world.journal.facts(facts.DriftFound)
    assert (found.paths, found.manager) == (("data.extra",), "kubectl-edit")


def test_fields_that_another_manager_added_stay(world: Any, manifest: Write) -> None:
    world.deliver(settings(manifest, mode="dev"))
    client = world.client("my-operator")
    client.patch("configmap", "settings", {"data": {"extra": "x"}}, "shop")
    world.run(6)
    assert world.get("configmap", "settings")["data"] == {"mode": "dev", "extra": "x"}
    assert world.journal.facts(facts.DriftFound) == []


def test_a_field_that_left_git_is_removed(world: Any, manifest: Write) -> None:
    world.deliver(settings(manifest, mode="dev", old="x"))
    world.repository.commit(settings(manifest, mode="dev"), "drop old")
    world.run(6)
    assert world.get("configmap", "settings")["data"] == {"mode": "dev"}
    assert world.journal.facts(facts.DriftFound) == []  # Git changed, nobody else


def annotated(manifest: Write, key: str, value: str) -> dict[str, str]:
    annotations = {f"kustomize.toolkit.fluxcd.io/{key}": value}
    text = manifest("ConfigMap", "settings", data={"a": "1"}, metadata={"annotations": annotations})
    return {"app/cm.yaml": text}


def test_ssa_merge_keeps_what_kubectl_added(world: Any, manifest: Write) -> None:
    world.deliver(annotated(manifest, "ssa", "Merge"))
    world.people.patch("configmap", "settings", {"data": {"extra": "x"}}, "shop")
    world.run(6)
    assert world.get("configmap", "settings")["data"] == {"a": "1", "extra": "x"}


def test_ssa_if_not_present_creates_again_but_does_not_correct(world: Any, manifest: Write) -> None:
    world.deliver(annotated(manifest, "ssa", "IfNotPresent"))
    world.people.patch("configmap", "settings", {"data": {"a": "2"}}, "shop")
    world.run(6)
    assert world.get("configmap", "settings")["data"] == {"a": "2"}
    world.people.delete("configmap", "settings", "shop")
    world.run(6)
    assert world.get("configmap", "settings")["data"] == {"a": "1"}


def test_what_left_git_is_pruned(world: Any, manifest: Write) -> None:
    other = {"app/other.yaml": manifest("ConfigMap", "other")}
    world.deliver(settings(manifest, mode="dev") | other)
    world.repository.commit({"app/other.yaml": None}, "drop it")
    world.run(6)
    assert not world.exists("configmap", "other")
    assert world.status("kustomization", "app")["inventory"]["entries"] == [
        {"id": "shop_settings__ConfigMap", "v": "v1"}
    ]


@pytest.mark.parametrize("spec", [{"prune": False}, {}])
def test_objects_that_are_protected_stay_and_leave_the_inventory(
    world: Any, manifest: Write, spec: dict[str, Any]
) -> None:
    files = annotated(manifest, "prune", "disabled") | {"app/b.yaml": manifest("ConfigMap", "b")}
    world.deliver(files, **spec)
    world.repository.commit({"app/cm.yaml": None}, "drop it")
    world.run(6)
    assert world.exists("configmap", "settings")
    entries = world.status("kustomization", "app")["inventory"]["entries"]
    assert [entry["id"] for entry in entries] == ["shop_b__ConfigMap"]


def test_objects_that_another_kustomization_took_over_are_not_pruned(
    world: Any, manifest: Write
) -> None:
    keep = {"app/b.yaml": manifest("ConfigMap", "b")}
    world.deliver(settings(manifest, mode="dev") | keep)
    labels = {"kustomize.toolkit.fluxcd.io/name": "other"}
    world.client("other").patch("configmap", "settings", {"metadata": {"labels": labels}}, "shop")
    world.repository.commit({"app/cm.yaml": None}, "moved")
    world.run(4)
    assert world.exists("configmap", "settings")


def test_a_refused_object_stops_its_stage_but_not_the_one_before(
    world: Any, manifest: Write
) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "extra"}}
    widget = manifest("Widget", "w", version="example.com/v1")
    files = {"app/ns.yaml": json.dumps(namespace), "app/w.yaml": widget}
    world.deliver(files | settings(manifest, mode="dev"))
    status, reason, message = world.ready()
    assert (status, reason) == ("False", "ReconciliationFailed")
    assert message == (
        'Widget/shop/w dry-run failed: no matches for kind "Widget" in version "example.com/v1"\n'
        "Namespace/extra created"
    )
    assert world.people.get("namespace", "extra")
    assert not world.exists("configmap", "settings")
    assert "inventory" not in world.status("kustomization", "app")


def test_an_object_in_a_missing_namespace_is_said_so(world: Any, manifest: Write) -> None:
    nowhere = manifest("ConfigMap", "x", metadata={"namespace": "nowhere"})
    world.deliver({"app/x.yaml": nowhere})
    assert world.ready()[2] == 'ConfigMap/nowhere/x not found: namespaces "nowhere" not found'


def test_a_namespaced_object_needs_a_namespace_or_a_target_namespace(
    world: Any, manifest: Write
) -> None:
    bare = {"app/x.yaml": manifest("ConfigMap", "x", metadata={"namespace": None})}
    world.deliver(bare)
    assert world.ready()[2].startswith("ConfigMap/x namespace not specified")
    world.kustomization(targetNamespace="shop")
    world.run(3)
    assert world.exists("configmap", "x")


def test_an_immutable_field_is_refused_and_recreated_with_force(
    world: Any, manifest: Write
) -> None:
    def job(image: str) -> dict[str, str]:
        template = {
            "spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": image}]}
        }
        return {"app/j.yaml": manifest("Job", "j", version="batch/v1", spec={"template": template})}

    world.deliver(job("a:1"))
    first = world.get("job", "j")["metadata"]["uid"]
    world.repository.commit(job("a:2"), "new image")
    world.run(6)
    assert world.ready()[1] == "ReconciliationFailed"
    assert "dry-run failed (Invalid)" in world.ready()[2]
    world.kustomization(force=True)
    world.run(6)
    assert world.get("job", "j")["metadata"]["uid"] != first
    assert world.ready()[0] == "True"


def test_a_missing_source_is_said_so_and_tried_again(world: Any, manifest: Write) -> None:
    world.kustomization()
    world.run(2)
    assert world.ready() == (
        "False",
        "ArtifactFailed",
        'gitrepositories.source.toolkit.fluxcd.io "repo" not found',
    )
    world.forge.create_repository("shop", settings(manifest, mode="dev"))
    world.source()
    world.run(3)
    assert world.ready()[0] == "True"


def test_a_source_of_a_kind_that_is_not_served_is_said_so(world: Any) -> None:
    world.kustomization(sourceRef={"kind": "OCIRepository", "name": "x"})
    world.run(2)
    assert world.ready()[2] == (
        'no matches for kind "OCIRepository" in version "source.toolkit.fluxcd.io/v1"'
    )


def test_a_build_that_fails_keeps_what_is_there(world: Any, manifest: Write) -> None:
    world.deliver(settings(manifest, mode="dev"))
    world.repository.commit({"app/kustomization.yaml": "resources: [nothing.yaml]\n"}, "break it")
    world.run(6)
    status, reason, message = world.ready()
    assert (status, reason) == ("False", "BuildFailed")
    assert message.startswith("kustomize build failed: ")
    assert world.exists("configmap", "settings")


def test_a_field_that_this_lab_cannot_honour_stalls(world: Any, manifest: Write) -> None:
    world.deliver(settings(manifest, mode="dev"), decryption={"provider": "sops"})
    assert world.condition("kustomization", "app", "Stalled")["message"] == (
        "Reconciliation failed terminally due to configuration error: "
        "spec.decryption is not supported in this lab"
    )
    world.kustomization(decryption=None)
    world.run(3)
    assert world.ready()[0] == "True"
    assert world.condition("kustomization", "app", "Stalled") == {}


def test_an_encrypted_secret_is_refused(world: Any, manifest: Write) -> None:
    world.deliver({"app/s.yaml": manifest("Secret", "s", sops={"mac": "x"}, data={"a": "ENC[x]"})})
    assert world.ready()[1:] == (
        "BuildFailed",
        (
            "Secret/shop/s is SOPS encrypted, configuring decryption is required for this secret "
            "to be reconciled"
        ),
    )


def test_a_suspended_kustomization_does_nothing_and_deletes_nothing(
    world: Any, manifest: Write
) -> None:
    world.deliver(settings(manifest, mode="dev"))
    world.flux.suspend("kustomization", "app", namespace="shop")
    world.people.patch("configmap", "settings", {"data": {"mode": "hand"}}, "shop")
    world.run(30)
    assert world.get("configmap", "settings")["data"] == {"mode": "hand"}
    world.people.delete("kustomization", "app", "shop")
    world.run(3)
    assert not world.exists("kustomization", "app")
    assert world.exists("configmap", "settings")


@pytest.mark.parametrize(
    ("spec", "stays"),
    [
        ({}, False),
        ({"prune": False}, True),
        ({"prune": False, "deletionPolicy": "Delete"}, False),
        ({"deletionPolicy": "Orphan"}, True),
        ({"deletionPolicy": "WaitForTermination"}, False),
    ],
)
def test_deletion_follows_the_policy(
    world: Any, manifest: Write, spec: dict[str, Any], *, stays: bool
) -> None:
    world.deliver(settings(manifest, mode="dev"), **spec)
    world.people.delete("kustomization", "app", "shop")
    world.run(3)
    assert not world.exists("kustomization", "app")
    assert world.exists("configmap", "settings") is stays


def test_two_that_depend_on_each_other_wait_for_ever(world: Any, manifest: Write) -> None:
    world.deliver(settings(manifest, mode="dev"), suspend=True)
    world.kustomization("one", dependsOn=[{"name": "two"}])
    world.kustomization("two", dependsOn=[{"name": "one"}])
    world.run(120)
    assert world.ready("one")[1:] == (
        "DependencyNotReady",
        "dependency 'shop/two' is not ready",
    )
    assert world.ready("two")[1] == "DependencyNotReady"


def test_a_dependency_of_the_same_source_must_have_the_revision(
    world: Any, manifest: Write
) -> None:
    files = {"base/a.yaml": manifest("ConfigMap", "a"), "app/b.yaml": manifest("ConfigMap", "b")}
    world.forge.create_repository("shop", files)
    world.source()
    world.kustomization("base", path="./base")
    world.kustomization("app", dependsOn=[{"name": "base"}])
    world.run(40)
    assert world.ready("app")[0] == "True"
    world.flux.suspend("kustomization", "base", namespace="shop")
    world.repository.commit({"app/b.yaml": manifest("ConfigMap", "b", data={"x": "1"})}, "next")
    world.run(40)
    assert world.ready("app")[2] == "dependency 'shop/base' revision is not up to date"


def test_variables_are_substituted_and_objects_may_opt_out(world: Any, manifest: Write) -> None:
    off = {"annotations": {"kustomize.toolkit.fluxcd.io/substitute": "disabled"}}
    files = {
        "app/a.yaml": manifest("ConfigMap", "a", data={"v": "${who:=nobody} ${place}"}),
        "app/b.yaml": manifest("ConfigMap", "b", data={"v": "${place}"}, metadata=off),
    }
    secret = {"who": base64.b64encode(b"ann").decode()}
    world.people.create(json.loads(manifest("Secret", "vars", data=secret)))
    sources = [
        {"kind": "Secret", "name": "vars"},
        {"kind": "ConfigMap", "name": "no", "optional": True},
    ]
    world.deliver(files, postBuild={"substitute": {"place": "here"}, "substituteFrom": sources})
    assert world.get("configmap", "a")["data"] == {"v": "ann here"}
    assert world.get("configmap", "b")["data"] == {"v": "${place}"}


def test_a_variable_without_value_fails_the_build_when_strict(world: Any, manifest: Write) -> None:
    files = {"app/a.yaml": manifest("ConfigMap", "a", data={"v": "${place}"})}
    world.deliver(files, postBuild={"substitute": {"other": "x"}})
    assert world.ready()[1:] == (
        "BuildFailed",
        (
            "post build failed for 'ConfigMap.v1.[noGrp]/a': variable substitution failed: "
            'variable not set (strict mode): "place"'
        ),
    )
    world.kustomization(postBuild=None)  # nothing is substituted without any variable
    world.run(3)
    assert world.get("configmap", "a")["data"] == {"v": "${place}"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kind: ${empty}\nmetadata: {name: a}\n", "missing or no text"),
        ("kind: ConfigMap\nmetadata: {name: '${map}'}\n", "name is not text"),
        ("kind: ConfigMap\nmetadata: {name: a, labels: '${map}[]'}\n", "labels of ConfigMap a"),
        ("kind: ConfigMap\nmetadata: {name: a, labels: [x]}\n", "labels of ConfigMap a"),
        ("kind: ConfigMap\nmetadata: {name: a, namespace: {b: c}}\n", "namespace of ConfigMap a"),
    ],
)
def test_what_is_or_becomes_no_object_fails_the_build(world: Any, text: str, says: str) -> None:
    post_build = {"substitute": {"empty": "", "map": "{}"}}
    world.deliver({"app/a.yaml": f"apiVersion: v1\n{text}"}, postBuild=post_build)
    assert world.ready()[1] == "BuildFailed"
    assert says in world.ready()[2]


def test_a_watched_config_map_wakes_those_that_substitute_from_it(
    world: Any, manifest: Write
) -> None:
    labels = {"reconcile.fluxcd.io/watch": "Enabled"}
    values = json.loads(manifest("ConfigMap", "vars", data={"x": "1"}, metadata={"labels": labels}))
    world.people.create(values)
    files = {"app/a.yaml": manifest("ConfigMap", "a", data={"v": "v${x}"})}
    post_build = {"substituteFrom": [{"kind": "ConfigMap", "name": "vars"}]}
    world.deliver(files, interval="1h", postBuild=post_build)
    world.people.patch("configmap", "vars", {"data": {"x": "2"}}, "shop")
    world.run(2)
    assert world.get("configmap", "a")["data"] == {"v": "v2"}


def test_build_options_of_the_spec_are_used(world: Any, manifest: Write) -> None:
    patch = "- op: replace\n  path: /data/mode\n  value: prod\n"
    world.deliver(
        settings(manifest, mode="dev"),
        namePrefix="a-",
        commonMetadata={"labels": {"team": "blue"}},
        patches=[{"patch": patch, "target": {"kind": "ConfigMap"}}],
    )
    found = world.get("configmap", "a-settings")
    assert found["data"] == {"mode": "prod"}
    assert found["metadata"]["labels"]["team"] == "blue"


def test_a_request_is_handled_even_when_the_pass_fails(world: Any, manifest: Write) -> None:
    world.deliver(settings(manifest, mode="dev"), path="./nope", interval="1h", retryInterval="1h")
    world.flux.reconcile("kustomization", "app", namespace="shop")
    world.run(2)
    asked = world.get("kustomization", "app")["metadata"]["annotations"]
    handled = world.status("kustomization", "app")["lastHandledReconcileAt"]
    assert handled == asked["reconcile.fluxcd.io/requestedAt"]
    assert world.status("kustomization", "app")["observedGeneration"] == -1


def test_ready_revision_is_told_once_everything_is_current(world: Any, manifest: Write) -> None:
    spec = {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "a", "image": "a:1"}]},
        },
    }
    world.deliver({"app/d.yaml": manifest("Deployment", "web", version="apps/v1", spec=spec)})
    assert world.ready()[0] == "True"
    assert world.journal.facts(facts.ReadyRevision) == []
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 1)
    conditions = [
        {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"},
        {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
    ]
    status = counts | {"observedGeneration": 1, "conditions": conditions}
    world.people.patch("deployment", "web", {"status": status}, "shop", subresource="status")
    world.run(2)
    (fact,) = world.journal.facts(facts.ReadyRevision)
    assert fact.agent == "flux:shop/app"
    assert [f.health for f in world.journal.facts(facts.HealthChanged)] == ["InProgress", "Current"]


def test_history_counts_passes_with_the_same_manifests(world: Any, manifest: Write) -> None:
    world.deliver(settings(manifest, mode="dev"))
    world.run(20)
    (entry,) = world.status("kustomization", "app")["history"]
    assert entry["totalReconciliations"] > 3
    assert entry["lastReconciledStatus"] == "ReconciliationSucceeded"


def test_a_kustomization_without_required_fields_is_refused(world: Any) -> None:
    with pytest.raises(Exception, match=r"spec\.interval"):
        world.kustomization(interval="10 parsecs")
    with pytest.raises(NotFoundError):
        world.get("kustomization", "app")


def test_health_checks_name_what_to_wait_for(world: Any, manifest: Write) -> None:
    checks = [{"apiVersion": "v1", "kind": "ConfigMap", "name": "elsewhere"}]
    world.deliver(settings(manifest, mode="dev"), healthChecks=checks)
    assert world.ready()[:2] == ("Unknown", "Progressing")
    assert world.condition("kustomization", "app", "Healthy")["status"] == "Unknown"
    world.people.create(json.loads(manifest("ConfigMap", "elsewhere")))
    world.run(6)
    assert world.ready()[0] == "True"
    assert world.condition("kustomization", "app", "Healthy")["reason"] == "Succeeded"
    world.kustomization()
    world.run(6)
    assert world.condition("kustomization", "app", "Healthy") == {}


def test_waiting_ends_early_when_something_has_failed(world: Any, manifest: Write) -> None:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a"}]}}
    job = manifest("Job", "j", version="batch/v1", spec={"template": template})
    world.deliver({"app/j.yaml": job}, wait=True)
    conditions = [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]
    status = {"status": {"conditions": conditions}}
    world.people.patch("job", "j", status, "shop", subresource="status")
    world.run(6)
    assert world.condition("kustomization", "app", "Healthy")["message"] == (
        "failed early due to stalled resources: [Job/shop/j status: 'Failed']"
    )
    assert world.status("kustomization", "app")["history"][0]["lastReconciledStatus"] == (
        "HealthCheckFailed"
    )


def test_an_object_that_cannot_be_deleted_keeps_the_kustomization(
    world: Any, manifest: Write
) -> None:
    world.deliver(settings(manifest, mode="dev"))

    def refuse(*_: Any, **__: Any) -> None:
        raise ForbiddenError("no")

    client = world.flux.controllers["kustomize-controller"]._life._client._cluster
    delete, client.delete = client.delete, refuse
    world.people.delete("kustomization", "app", "shop")
    world.run(10)
    assert ("Warning", "PruneFailed", "ConfigMap/shop/settings delete failed: no") in (
        world.events("Kustomization")
    )
    assert world.exists("kustomization", "app")
    client.delete = delete
    world.run(60)
    assert not world.exists("kustomization", "app")
