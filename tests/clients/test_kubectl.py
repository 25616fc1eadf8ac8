"""kubectl from its wheel, unmodified: every command that a learner types, against the server."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from gitops_sim.server import StandaloneCluster
from tests.clients.conftest import PROGRAM, Kubectl

pytestmark = [
    pytest.mark.all,
    pytest.mark.simulated_cluster(controllers=True, nodes=2, speed=20.0),
]
"""Twenty virtual seconds a second: images are pulled and pods started while kubectl waits."""

TWO_MAPS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: one, labels: {set: a}}
data: {color: red}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: two, labels: {set: a}}
data: {color: red}
"""
ONE_MAP = TWO_MAPS.partition("---")[0].replace("red", "blue")
WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "web:1"}]
"""


@pytest.fixture
def web(kubectl: Kubectl) -> None:
    """A Deployment with two pods that are ready."""
    kubectl("apply", "-f", "-", stdin=WEB)
    kubectl("rollout", "status", "deploy/web", "--timeout=60s")


def test_apply_k_brings_an_overlay(kubectl: Kubectl, tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "over").mkdir()
    (tmp_path / "base" / "web.yaml").write_text(WEB)
    (tmp_path / "base" / "kustomization.yaml").write_text("resources: [web.yaml]\n")
    (tmp_path / "over" / "kustomization.yaml").write_text(
        "resources: [../base]\nnamePrefix: my-\nreplicas: [{name: web, count: 1}]\n"
        "configMapGenerator: [{name: flags, literals: [a=b]}]\n"
    )
    said = kubectl("apply", "-k", "over")
    created = [line.split("/")[1].split(" ")[0] for line in said.lines]
    assert created[0].startswith("my-flags-")
    assert created[1] == "my-web"
    kubectl("rollout", "status", "deploy/my-web", "--timeout=60s")
    assert [line.rpartition(" ")[2] for line in kubectl("apply", "-k", "over").lines] == [
        "unchanged",
        "unchanged",
    ]


def test_get_w_prints_changes_as_they_happen(kubectl: Kubectl, simulated_kubeconfig: Path) -> None:
    kubectl("create", "-f", "-", stdin=TWO_MAPS)
    command = [
        PROGRAM,
        "get",
        "configmap",
        "one",
        "-w",
        "--no-headers",
        "-o",
        "custom-columns=C:.data.color",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        try:
            assert watching.stdout.readline().strip() == "red"
            kubectl("patch", "configmap", "one", "-p", '{"data":{"color":"green"}}')
            assert watching.stdout.readline().strip() == "green"
        finally:
            watching.terminate()


def test_diff_tells_what_apply_would_change(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=TWO_MAPS)
    assert not kubectl("diff", "-f", "-", stdin=TWO_MAPS).out
    said = kubectl("diff", "-f", "-", stdin=ONE_MAP, fails=True)
    changed = [line for line in said.lines if line[:1] in "+-" and line[1:2] not in "+-"]
    assert changed == ["-  color: red", "+  color: blue"]


def test_describe_shows_pods_and_what_happened(kubectl: Kubectl, web: None) -> None:
    deployment = kubectl("describe", "deployment", "web").out
    assert "Replicas:               2 desired | 2 updated | 2 total | 2 available" in deployment
    assert "Scaled up replica set" in deployment
    name = kubectl("get", "pods", "-o", "jsonpath={.items[0].metadata.name}").out
    pod = kubectl("describe", "pod", name).out
    assert "default-scheduler" in pod
    assert "Controlled By:  ReplicaSet/web-" in pod
    node = kubectl("describe", "node", "node-1").out
    assert "Allocated resources:" in node
    assert "HolderIdentity:  node-1" in node


def test_explain_reads_the_schema(kubectl: Kubectl) -> None:
    said = kubectl("explain", "deployment.spec.strategy.rollingUpdate.maxSurge").out
    assert "FIELD: maxSurge <IntOrString>" in said
    assert "maximum number of pods" in said
    assert "automountServiceAccountToken" in kubectl("explain", "pod.spec", "--recursive").out
    error = kubectl("explain", "pod.spec.nothing", fails=True).err
    assert 'field "nothing" does not exist' in error


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("namespace a", "Namespace"),
        ("configmap a --from-literal=k=v", "ConfigMap"),
        ("secret generic a --from-literal=k=v", "Secret"),
        ("deployment a --image=web:1 --replicas=2 --port=80", "Deployment"),
        ("service clusterip a --tcp=80:8080", "Service"),
        ("job a --image=web:1 -- true", "Job"),
        ("cronjob a --image=web:1 --schedule=1_*_*_*_*", "CronJob"),
        ("ingress a --rule=shop.example.com/=web:80", "Ingress"),
        ("quota a --hard=pods=3", "ResourceQuota"),
        ("role a --verb=get --resource=pods", "Role"),
        ("clusterrole a --verb=get --resource=pods", "ClusterRole"),
        ("rolebinding a --clusterrole=view --user=dora", "RoleBinding"),
        ("serviceaccount a", "ServiceAccount"),
        ("poddisruptionbudget a --selector=app=web --min-available=1", "PodDisruptionBudget"),
        ("priorityclass a --value=5", "PriorityClass"),
    ],
    ids=lambda value: value.split()[0] if " " in value else None,
)
def test_create_by_flags(kubectl: Kubectl, command: str, kind: str) -> None:
    words = [word.replace("_", " ") for word in command.split()]
    made = json.loads(kubectl("create", "-o", "json", *words).out)
    assert made["kind"] == kind
    assert made["metadata"]["uid"]
    again = kubectl("create", *words, fails=True).err
    assert "(AlreadyExists)" in again or "already exists" in again


def test_create_token_is_accepted(kubectl: Kubectl, simulated_cluster: StandaloneCluster) -> None:
    kubectl("create", "serviceaccount", "robot")
    token = kubectl("create", "token", "robot").out.strip()
    said = kubectl(
        "--token",
        token,
        "auth",
        "whoami",
        "-o",
        "json",
        "--kubeconfig=",
        f"--server={simulated_cluster.url}",
        "--insecure-skip-tls-verify",
    )
    assert (
        json.loads(said.out)["status"]["userInfo"]["username"]
        == "system:serviceaccount:default:robot"
    )


def test_edit_writes_what_the_editor_left(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=ONE_MAP)
    said = kubectl("edit", "configmap", "one", EDITOR="sed -i s/blue/pink/")
    assert said.out == "configmap/one edited\n"
    assert kubectl("get", "cm", "one", "-o", "jsonpath={.data.color}").out == "pink"
    said = kubectl("edit", "configmap", "one", EDITOR="true")
    assert said.out + said.err == "Edit cancelled, no changes made.\n"


def test_edit_tells_why_the_server_refused(kubectl: Kubectl, web: None) -> None:
    error = kubectl(
        "edit", "deploy", "web", EDITOR="sed -i s/replicas:.2/replicas:\\ -2/", fails=True
    ).err
    assert 'deployments.apps "web" is invalid' in error


def test_rollouts(kubectl: Kubectl, web: None) -> None:
    kubectl("set", "image", "deploy/web", "web=web:2")
    assert "successfully rolled out" in kubectl("rollout", "status", "deploy/web").out
    kubectl("annotate", "deploy/web", "kubernetes.io/change-cause=second")
    history = kubectl("rollout", "history", "deploy/web").out
    assert [line.split() for line in history.splitlines()[2:] if line] == [
        ["1", "<none>"],
        ["2", "second"],
    ]
    assert "web:1" in kubectl("rollout", "history", "deploy/web", "--revision=1").out
    assert kubectl("rollout", "undo", "deploy/web").out == "deployment.apps/web rolled back\n"
    image = "jsonpath={.spec.template.spec.containers[0].image}"
    assert kubectl("get", "deploy", "web", "-o", image).out == "web:1"
    kubectl("rollout", "restart", "deploy/web")
    kubectl("rollout", "status", "deploy/web")
    kubectl("rollout", "pause", "deploy/web")
    error = kubectl("rollout", "restart", "deploy/web", fails=True).err
    assert "can't restart paused deployment" in error
    kubectl("rollout", "resume", "deploy/web")


def test_a_rollout_that_does_not_come_is_told(kubectl: Kubectl, web: None) -> None:
    kubectl("set", "image", "deploy/web", "web=nowhere/web:9")
    said = kubectl("rollout", "status", "deploy/web", "--timeout=1s", fails=True)
    assert "timed out waiting for the condition" in said.err
    pods = kubectl("get", "pods").out
    assert "ImagePullBackOff" in pods or "ErrImagePull" in pods or "ContainerCreating" in pods


def test_wait_and_scale(kubectl: Kubectl, web: None) -> None:
    assert kubectl("scale", "deploy/web", "--replicas=4").out == "deployment.apps/web scaled\n"
    ready = "--for=jsonpath={.status.readyReplicas}=4"
    kubectl("wait", "deploy/web", ready, "--timeout=60s")
    assert len(kubectl("get", "pods", "-o", "name").lines) == 4
    kubectl("scale", "deploy/web", "--replicas=0")
    kubectl("wait", "pods", "-l", "app=web", "--for=delete", "--timeout=60s")
    assert kubectl("get", "pods").err == "No resources found in default namespace.\n"
    wrong = kubectl("scale", "deploy/web", "--current-replicas=9", "--replicas=1", fails=True)
    assert "Expected replicas to be 9, was 0" in wrong.err


def test_auth_can_i(kubectl: Kubectl) -> None:
    kubectl("create", "role", "reader", "--verb=get,list", "--resource=pods")
    kubectl("create", "rolebinding", "dora", "--role=reader", "--user=dora")
    assert kubectl("auth", "can-i", "create", "pods").out == "yes\n"
    assert kubectl("auth", "can-i", "list", "pods", "--as=dora").out == "yes\n"
    assert kubectl("auth", "can-i", "delete", "pods", "--as=dora", fails=True).out == "no\n"
    listed = kubectl("auth", "can-i", "--list", "--as=dora").lines
    assert any(line.split() == ["pods", "[]", "[]", "[get", "list]"] for line in listed)
    error = kubectl("delete", "pod", "any", "--as=dora", fails=True).err
    assert 'User "dora" cannot' in error


def test_api_resources_and_versions(kubectl: Kubectl) -> None:
    rows = {line.split()[0] for line in kubectl("api-resources", "--no-headers").lines}
    assert {"pods", "deployments", "customresourcedefinitions", "leases", "events"} <= rows
    named = kubectl("api-resources", "--api-group=batch", "-o", "name").lines
    assert named == ["cronjobs.batch", "jobs.batch"]
    assert "apps/v1" in kubectl("api-versions").lines
    assert "Server Version: v1.37" in kubectl("version").out


def test_events_of_one_object(kubectl: Kubectl, web: None) -> None:
    said = kubectl("events", "--for=deployment/web").out
    assert "ScalingReplicaSet" in said
    assert "Scheduled" not in said
    assert "Scheduled" in kubectl("get", "events", "--sort-by=.lastTimestamp").out


def test_logs_of_a_pod_and_of_a_missing_one(kubectl: Kubectl, web: None) -> None:
    kubectl("logs", "deploy/web")
    kubectl("logs", "-l", "app=web", "--prefix")
    assert "not found" in kubectl("logs", "nobody", fails=True).err


def test_server_side_apply_names_the_other_manager(kubectl: Kubectl) -> None:
    kubectl(
        "apply",
        "--server-side",
        "-f",
        "-",
        stdin=ONE_MAP,
    )
    other = ("apply", "--server-side", "--field-manager=other", "-f", "-")
    error = kubectl(*other, stdin=ONE_MAP.replace("blue", "grey"), fails=True).err
    assert 'conflict with "kubectl": .data.color' in error
    kubectl(*other, "--force-conflicts", stdin=ONE_MAP.replace("blue", "grey"))
    managed = json.loads(kubectl("get", "cm", "one", "-o", "json", "--show-managed-fields").out)
    owners = {
        entry["manager"]
        for entry in managed["metadata"]["managedFields"]
        if "f:data" in entry["fieldsV1"]
    }
    assert owners == {"other"}


def test_client_side_apply_hands_over_to_server_side(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=TWO_MAPS)
    said = kubectl("apply", "--server-side", "-f", "-", stdin=ONE_MAP)
    assert said.out == "configmap/one serverside-applied\n"
    managed = json.loads(kubectl("get", "cm", "one", "-o", "json", "--show-managed-fields").out)
    owners = [
        (entry["manager"], entry["operation"]) for entry in managed["metadata"]["managedFields"]
    ]
    assert sorted(owners) == [("kubectl", "Apply"), ("kubectl-last-applied", "Apply")]


def test_apply_prune_deletes_what_is_no_longer_there(kubectl: Kubectl) -> None:
    prune = ("apply", "--prune", "-l", "set=a", "--prune-allowlist=core/v1/ConfigMap", "-f", "-")
    kubectl(*prune, stdin=TWO_MAPS)
    assert kubectl(*prune, stdin=ONE_MAP).lines == [
        "configmap/one configured",
        "configmap/two pruned",
    ]
    assert kubectl("get", "cm", "-l", "set=a", "-o", "name").lines == ["configmap/one"]


@pytest.mark.parametrize("cascade", ["background", "foreground", "orphan"])
def test_delete_with_cascade(kubectl: Kubectl, web: None, cascade: str) -> None:
    said = kubectl("delete", "deploy", "web", f"--cascade={cascade}")
    assert 'deployment.apps "web" deleted' in said.out
    if cascade == "orphan":
        assert len(kubectl("get", "pods", "-o", "name").lines) == 2
        assert not json.loads(kubectl("get", "rs", "-o", "json").out)["items"][0]["metadata"].get(
            "ownerReferences"
        )
    else:
        kubectl("wait", "pods", "-l", "app=web", "--for=delete", "--timeout=60s")


def test_delete_of_a_namespace_empties_it(kubectl: Kubectl) -> None:
    kubectl("create", "namespace", "shop")
    kubectl("create", "-n", "shop", "-f", "-", stdin=TWO_MAPS)
    kubectl("delete", "namespace", "shop", "--timeout=60s")
    assert "not found" in kubectl("get", "namespace", "shop", fails=True).err


def test_label_annotate_patch_replace(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=TWO_MAPS)
    assert kubectl("label", "cm", "one", "tier=front").out == "configmap/one labeled\n"
    error = kubectl("label", "cm", "one", "tier=back", fails=True).err
    assert "already has a value (front), and --overwrite is false" in error
    kubectl("label", "cm", "one", "tier=back", "--overwrite")
    assert kubectl("label", "cm", "one", "tier-").out == "configmap/one unlabeled\n"
    kubectl("annotate", "cm", "--all", "note=x")
    kubectl("patch", "cm", "one", "--type=merge", "-p", '{"data":{"color":null,"size":"1"}}')
    json_patch = (
        '[{"op":"test","path":"/data/size","value":"1"},{"op":"remove","path":"/data/size"}]'
    )
    kubectl("patch", "cm", "one", "--type=json", "-p", json_patch)
    assert not json.loads(kubectl("get", "cm", "one", "-o", "json").out).get("data")
    assert kubectl("replace", "-f", "-", stdin=ONE_MAP).out == "configmap/one replaced\n"
    stored = json.loads(kubectl("get", "cm", "one", "-o", "json").out)
    assert stored["data"] == {"color": "blue"}
    assert "annotations" not in stored["metadata"]
    said = kubectl("replace", "--force", "-f", "-", stdin=ONE_MAP)
    assert said.lines == [
        'configmap "one" deleted from default namespace',
        "configmap/one replaced",
    ]


def test_strategic_patch_of_a_list_by_name(kubectl: Kubectl, web: None) -> None:
    patch = '{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"side:1"}]}}}}'
    kubectl("patch", "deploy", "web", "-p", patch)
    names = "jsonpath={.spec.template.spec.containers[*].name}"
    assert kubectl("get", "deploy", "web", "-o", names).out == "side web"


def test_expose_set_autoscale_run(kubectl: Kubectl, web: None) -> None:
    kubectl("expose", "deploy/web", "--port=80")
    kubectl("set", "env", "deploy/web", "MODE=fast")
    kubectl("set", "resources", "deploy/web", "--limits=cpu=200m,memory=64Mi")
    kubectl("autoscale", "deploy", "web", "--min=2", "--max=5", "--cpu=80%")
    kubectl("run", "one", "--image=web:1")
    kubectl("wait", "pod/one", "--for=condition=Ready", "--timeout=60s")
    listed = kubectl("get", "all", "-o", "name").lines
    kinds = {name.partition("/")[0] for name in listed}
    assert kinds == {
        "pod",
        "service",
        "deployment.apps",
        "replicaset.apps",
        "horizontalpodautoscaler.autoscaling",
    }


def test_cordon_drain_and_taint(kubectl: Kubectl, web: None) -> None:
    kubectl("cordon", "node-1")
    kubectl("drain", "node-1", "--ignore-daemonsets", "--timeout=60s")
    kubectl("rollout", "status", "deploy/web", "--timeout=60s")
    nodes = kubectl("get", "pods", "-o", "jsonpath={.items[*].spec.nodeName}").out
    assert set(nodes.split()) == {"node-2"}
    kubectl("uncordon", "node-1")
    kubectl("taint", "node", "node-1", "only=db:NoSchedule")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("exec", "deploy/web", "--", "ls"), "exec is not possible here"),
        (("attach", "deploy/web"), "attach is not possible here"),
        (("port-forward", "deploy/web", ":80"), "portforward is not possible here"),
    ],
    ids=["exec", "attach", "port-forward"],
)
def test_what_needs_a_process_says_why_not(
    kubectl: Kubectl, web: None, words: tuple[str, ...], told: str
) -> None:
    error = kubectl(*words, fails=True).err
    assert "containers of a simulated cluster run no processes" in error
    assert told in error


def test_cp_says_why_not(kubectl: Kubectl, web: None, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    pod = kubectl("get", "pods", "-o", "jsonpath={.items[0].metadata.name}").out
    error = kubectl("cp", "file", f"{pod}:/tmp/file", fails=True).err
    assert "containers of a simulated cluster run no processes" in error
