"""`kubectl rollout`: following a status, going back, restarting, pausing."""

from __future__ import annotations

from typing import Any

import pytest

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: shop/web:1}]}
"""
DONE = {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}


@pytest.fixture
def deployed(kubectl: Any) -> Any:
    kubectl.write(web_yaml=DEPLOYMENT)
    kubectl.ok("apply -f web.yaml")
    return kubectl


def test_status_follows_a_rollout_until_it_is_done(deployed: Any) -> None:
    state = deployed.start("rollout status deploy/web")
    clock = deployed.clock
    for step, status in enumerate(
        ({"replicas": 2, "updatedReplicas": 1}, {"replicas": 3, "updatedReplicas": 2}, DONE)
    ):
        clock.call_later(10.0 * (step + 1), lambda status=status: deployed.status("web", **status))
    assert clock.run_until(lambda: not state["handle"].alive, 100)
    assert clock.now() == pytest.approx(30.0, abs=1.0)
    result = state["result"]
    assert result.stdout.splitlines() == [
        "Waiting for deployment spec update to be observed...",
        (
            'Waiting for deployment "web" rollout to finish: 1 out of 2 new replicas have been '
            "updated..."
        ),
        'Waiting for deployment "web" rollout to finish: 1 old replicas are pending termination...',
        'deployment "web" successfully rolled out',
    ]
    assert (result.exit_code, result.done) == (0, ("rolled out",))


def test_status_gives_up_when_its_time_is_over(deployed: Any) -> None:
    began = deployed.clock.now()
    result = deployed.run("rollout status deploy/web --timeout=20s")
    assert (result.exit_code, result.stderr) == (
        1,
        "error: timed out waiting for the condition\n",
    )
    assert result.done == ()
    assert deployed.clock.now() - began == pytest.approx(20.1, abs=0.2)


def test_status_fails_when_the_progress_deadline_is_exceeded(deployed: Any) -> None:
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    deployed.status("web", conditions=[late])
    assert deployed.fails("rollout status deploy/web") == (
        'error: deployment "web" exceeded its progress deadline\n'
    )


def test_status_fails_when_the_object_goes_away(deployed: Any) -> None:
    state = deployed.start("rollout status deploy/web")
    deployed.clock.call_later(
        5.0, lambda: deployed.client.delete("apps/v1/Deployment", "web", propagation="Orphan")
    )
    deployed.clock.call_later(6.0, lambda: _release(deployed))
    assert deployed.clock.run_until(lambda: not state["handle"].alive, 100)
    assert state["result"].stderr == "error: object has been deleted\n"


def _release(kubectl: Any) -> None:
    """Take the finalizer away, as the garbage collector would."""
    patch = {"metadata": {"finalizers": None}}
    kubectl.client.patch("apps/v1/Deployment", "web", patch, type="merge")


def test_status_looks_once_without_watch_and_does_not_say_it_is_done(deployed: Any) -> None:
    result = deployed.run("rollout status deploy/web --watch=false")
    assert (result.exit_code, result.done) == (0, ())


def test_status_knows_daemon_and_stateful_sets(kubectl: Any) -> None:
    text = DEPLOYMENT.replace("  replicas: 2\n", "")
    kubectl.write(
        ds_yaml=text.replace("kind: Deployment", "kind: DaemonSet"),
        sts_yaml=text.replace("kind: Deployment", "kind: StatefulSet"),
    )
    kubectl.ok("apply -f ds.yaml -f sts.yaml")
    for kind, status in (
        ("DaemonSet", {"desiredNumberScheduled": 1, "updatedNumberScheduled": 1}),
        ("StatefulSet", {"replicas": 1, "readyReplicas": 1, "updatedReplicas": 1}),
    ):
        live = kubectl.client.get(f"apps/v1/{kind}", "web")
        body = {"status": {"observedGeneration": live["metadata"]["generation"], **status}}
        kubectl.client.patch(f"apps/v1/{kind}", "web", body, type="merge", subresource="status")
    assert kubectl.ok("rollout status ds/web --watch=false") == (
        'Waiting for daemon set "web" rollout to finish: 0 of 1 updated pods are available...\n'
    )
    assert "partitioned roll out complete: 1 new pods" in kubectl.ok("rollout status sts/web")


def _replica_set(kubectl: Any, revision: int, image: str) -> None:
    """Make the ReplicaSet that a Deployment would have for a revision."""
    live = kubectl.client.get("apps/v1/Deployment", "web")
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "controller": True}
    owner["uid"] = live["metadata"]["uid"]
    labels = {"app": "web", "pod-template-hash": f"h{revision}"}
    container = live["spec"]["template"]["spec"]["containers"][0] | {"image": image}
    kubectl.client.create(
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": f"web-{revision}",
                "annotations": {
                    "deployment.kubernetes.io/revision": str(revision),
                    "kubernetes.io/change-cause": f"cause {revision}",
                },
                "ownerReferences": [owner],
            },
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            },
        }
    )


def test_history_lists_revisions_with_their_cause(deployed: Any) -> None:
    _replica_set(deployed, 1, "shop/web:0")
    _replica_set(deployed, 2, "shop/web:1")
    assert deployed.ok("rollout history deploy/web") == (
        "deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         cause 1\n2         cause 2\n\n"
    )


def test_undo_brings_the_template_of_the_revision_before_back(deployed: Any) -> None:
    _replica_set(deployed, 1, "shop/web:0")
    _replica_set(deployed, 2, "shop/web:1")
    result = deployed.run("rollout undo deploy/web")
    assert result.stdout == "deployment.apps/web rolled back\n"
    assert "was previously managed with 'kubectl apply'" in result.stderr
    template = deployed.client.get("apps/v1/Deployment", "web")["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == "shop/web:0"
    assert template["metadata"]["labels"] == {"app": "web"}
    again = deployed.run("rollout undo deploy/web --to-revision=1")
    assert "skipped rollback (current template already matches revision 1)" in again.stdout


@pytest.mark.parametrize("dry_run", ["client", "server"])
def test_undo_as_a_dry_run_changes_nothing(deployed: Any, dry_run: str) -> None:
    _replica_set(deployed, 1, "shop/web:0")
    _replica_set(deployed, 2, "shop/web:1")
    before = deployed.server.store.revision
    result = deployed.run(f"rollout undo deploy/web --dry-run={dry_run}")
    assert "dry run)\n" in result.stdout
    assert deployed.server.store.revision == before


@pytest.mark.parametrize("word", ["restart", "pause", "resume", "status", "history"])
def test_other_rollouts_know_no_dry_run(deployed: Any, word: str) -> None:
    before = deployed.server.store.revision
    assert "unknown flag: --dry-run" in deployed.fails(
        f"rollout {word} deploy/web --dry-run=client"
    )
    assert deployed.server.store.revision == before


def test_undo_needs_a_history(deployed: Any) -> None:
    told = deployed.fails("rollout undo deploy/web --to-revision=9")
    assert told.endswith("error: unable to find specified revision 9 in history\n")
    assert 'no rollout history found for deployment "web"' in deployed.fails(
        "rollout undo deploy/web"
    )


def test_restart_marks_the_template_with_the_time_of_the_lab(deployed: Any) -> None:
    assert deployed.ok("rollout restart deploy/web") == "deployment.apps/web restarted\n"
    template = deployed.client.get("apps/v1/Deployment", "web")["spec"]["template"]
    assert template["metadata"]["annotations"] == {
        "kubectl.kubernetes.io/restartedAt": deployed.clock.timestamp()
    }


def test_paused_rollout_is_neither_paused_again_nor_restarted(deployed: Any) -> None:
    assert deployed.ok("rollout pause deploy/web") == "deployment.apps/web paused\n"
    assert deployed.client.get("apps/v1/Deployment", "web")["spec"]["paused"] is True
    assert "is already paused" in deployed.fails("rollout pause deploy/web")
    assert "can't restart paused deployment" in deployed.fails("rollout restart deploy/web")
    assert deployed.ok("rollout resume deploy/web") == "deployment.apps/web resumed\n"
    assert "is not paused" in deployed.fails("rollout resume deploy/web")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("rollout", 'unknown command "" for "kubectl rollout"; there is: status'),
        ("rollout status", "required resource not specified"),
        ("rollout status deploy", "resource(s) were provided, but no name was specified"),
        ("rollout status deploy/nope", 'deployments.apps "nope" not found'),
        ("rollout status ns/default", "no status viewer has been implemented for namespace"),
        ("rollout restart ns/default", 'namespaces "default" restarting is not supported'),
        ("rollout undo ns/default", 'no rollbacker has been implemented for "namespace"'),
    ],
)
def test_what_cannot_be_rolled_out_is_told(deployed: Any, line: str, says: str) -> None:
    assert says in deployed.fails(line)


def test_an_undo_that_is_only_tried_shows_the_template_and_changes_nothing(deployed: Any) -> None:
    _replica_set(deployed, 1, "shop/web:0")
    _replica_set(deployed, 2, "shop/web:1")
    told = deployed.ok("rollout undo deploy/web --dry-run=client")
    assert told.startswith("deployment.apps/web Pod Template:\n  Labels:\tapp=web\n")
    assert "    Image:\tshop/web:0\n" in told
    assert told.endswith(" (dry run)\n")
    live = deployed.client.get("apps/v1/Deployment", "web")
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == "shop/web:1"


def test_history_shows_the_template_of_a_revision(deployed: Any) -> None:
    _replica_set(deployed, 2, "shop/web:1")
    told = deployed.ok("rollout history deploy/web --revision=2")
    assert told.startswith("deployment.apps/web with revision #2\nPod Template:\n")
    assert "    Image:\tshop/web:1\n" in told
    assert "unable to find the specified revision" in deployed.fails(
        "rollout history deploy/web --revision=7"
    )
