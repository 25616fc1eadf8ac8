"""What kubectl shows: tables, columns, differences, events, logs, what the server has."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.errors import BadRequestError, NotFoundError

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web-0", "labels": {"app": "web"}},
    "spec": {"containers": [{"name": "web", "image": "shop/web:1"}], "nodeName": "node-1"},
}


def make_pod(kubectl: Any, name: str = "web-0", **status: Any) -> None:
    kubectl.client.create(POD | {"metadata": POD["metadata"] | {"name": name}})
    kubectl.client.patch("v1/Pod", name, {"status": status}, type="merge", subresource="status")


def state(ready: bool, restarts: int = 0, **now: Any) -> list[dict[str, Any]]:  # noqa: FBT001
    return [
        {
            "name": "web",
            "image": "shop/web:1",
            "imageID": "",
            "ready": ready,
            "restartCount": restarts,
            "state": now,
        }
    ]


def test_pods_show_why_they_wait(kubectl: Any) -> None:
    make_pod(kubectl, "a", phase="Running", containerStatuses=state(True, running={}))
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    make_pod(kubectl, "b", phase="Running", containerStatuses=state(False, 3, **waiting))
    kubectl.clock.run(150)
    assert kubectl.ok("get pods") == (
        "NAME   READY   STATUS             RESTARTS   AGE\n"
        "a      1/1     Running            0          2m30s\n"
        "b      0/1     CrashLoopBackOff   3          2m30s\n"
    )


def test_wide_table_labels_and_all_namespaces_add_columns(kubectl: Any) -> None:
    make_pod(
        kubectl,
        phase="Running",
        podIPs=[{"ip": "10.244.0.7"}],
        containerStatuses=state(True, running={}),
    )
    wide = kubectl.ok("get pods -A -o wide --show-labels").splitlines()
    assert wide[0].split()[:2] == ["NAMESPACE", "NAME"]
    assert wide[0].endswith("NOMINATED NODE   READINESS GATES   LABELS")
    assert wide[1].split() == [
        *("default", "web-0", "1/1", "Running", "0", "0s", "10.244.0.7", "node-1"),
        *("<none>", "<none>", "app=web"),
    ]


def test_several_kinds_are_several_tables_with_kind_and_name(kubectl: Any) -> None:
    kubectl.ok("create configmap a --from-literal=x=1")
    kubectl.ok("create secret generic s --from-literal=x=1")
    assert kubectl.ok("get cm,secret") == (
        "NAME          DATA   AGE\nconfigmap/a   1      0s\n\n"
        "NAME       TYPE     DATA   AGE\nsecret/s   Opaque   1      0s\n"
    )


def test_list_can_be_sorted_and_given_columns(kubectl: Any) -> None:
    for name, size in (("a", "30"), ("b", "4")):
        kubectl.ok(f"create configmap {name} --from-literal=size={size}")
    assert kubectl.ok("get cm --sort-by=.data.size -o name") == "configmap/b\nconfigmap/a\n"
    assert kubectl.ok("get cm -o custom-columns=N:.metadata.name,NO:.data.no --no-headers") == (
        "a   <none>\nb   <none>\n"
    )
    assert (
        kubectl.ok(["get", "cm", "-o", 'jsonpath={.items[?(@.data.size=="4")].metadata.name}'])
        == "b"
    )


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("get", "You must specify the type of resource to get."),
        ("get nope", 'the server doesn\'t have a resource type "nope"'),
        ("get deploy.v9.apps", 'the server doesn\'t have a resource type "deploy" in group'),
        ("get cm nope", 'configmaps "nope" not found'),
        ("get cm -o toml", 'unable to match a printer suitable for the output format "toml"'),
        ("get cm/a b", "there is no need to specify a resource type as a separate argument"),
        ("get -A=maybe cm", 'invalid argument "maybe" for "--all-namespaces" flag'),
        ("frobnicate", 'unknown command "frobnicate" for "kubectl"\nthis kubectl has: annotate'),
        ("get -n", "flag needs an argument: --namespace"),
        ("", "no command given; there is: annotate"),
    ],
)
def test_wrong_question_is_told(kubectl: Any, line: str, says: str) -> None:
    assert says in kubectl.fails(line)


def test_empty_answer_is_no_error(kubectl: Any) -> None:
    result = kubectl.run("get pods")
    assert (result.exit_code, result.stderr) == (0, "No resources found in default namespace.\n")
    assert kubectl.run("get pods -A").stderr == "No resources found\n"
    assert kubectl.run("get cm nope --ignore-not-found").stderr == ""


def test_diff_shows_what_an_apply_would_change_and_exits_with_1(kubectl: Any) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {level: '1'}\n"
    kubectl.write(a_yaml=text)
    assert kubectl.run("diff -f a.yaml").exit_code == 1
    kubectl.ok("apply -f a.yaml")
    assert kubectl.run("diff -f a.yaml").exit_code == 0
    kubectl.write(a_yaml=text.replace("'1'", "'2'"))
    result = kubectl.run("diff -f a.yaml")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0] == "diff -u -N LIVE/v1.ConfigMap.default.a MERGED/v1.ConfigMap.default.a"
    assert '-  level: "1"' in lines
    assert '+  level: "2"' in lines
    assert kubectl.client.get("v1/ConfigMap", "a")["data"] == {"level": "1"}


def test_diff_hides_the_values_of_secrets(kubectl: Any) -> None:
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {key: b25l}\n"
    kubectl.write(s_yaml=text)
    kubectl.ok("apply -f s.yaml")
    kubectl.write(s_yaml=text.replace("b25l", "dHdv"))
    shown = kubectl.run("diff -f s.yaml").stdout
    assert "-  key: '*** (before)'" in shown
    assert "+  key: '*** (after)'" in shown


def test_diff_of_what_cannot_be_read_exits_with_2(kubectl: Any) -> None:
    assert kubectl.run("diff -f nope.yaml").exit_code == 2


def _event(kubectl: Any, name: str, reason: str, **more: Any) -> None:
    now = kubectl.clock.timestamp()
    kubectl.client.create(
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name},
            "involvedObject": {"kind": "Pod", "name": "web-0", "namespace": "default"},
            "type": "Warning",
            "reason": reason,
            "message": f"{reason} happened",
            "source": {"component": "kubelet"},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            **more,
        }
    )


def test_events_are_listed_oldest_first_and_counted(kubectl: Any) -> None:
    _event(kubectl, "one", "Failed")
    kubectl.clock.run(60)
    _event(kubectl, "two", "BackOff", count=4, firstTimestamp="2026-01-05T09:00:30Z")
    kubectl.clock.run(100)
    assert kubectl.ok("events --for pod/web-0 --types=Warning") == (
        "LAST SEEN           TYPE      REASON    OBJECT      MESSAGE\n"
        "100s                Warning   Failed    Pod/web-0   Failed happened\n"
        "40s (x4 over 70s)   Warning   BackOff   Pod/web-0   BackOff happened\n"
    )
    assert kubectl.run("events --types=Normal").stderr == "No events found in default namespace.\n"


def test_description_ends_with_the_events_of_the_object(kubectl: Any) -> None:
    make_pod(kubectl, phase="Running")
    uid = kubectl.client.get("v1/Pod", "web-0")["metadata"]["uid"]
    about = {"kind": "Pod", "name": "web-0", "namespace": "default", "uid": uid}
    _event(kubectl, "one", "Started", involvedObject=about, type="Normal")
    text = kubectl.ok("describe pod web-0")
    assert text.startswith(
        "Name:             web-0\nNamespace:        default\nPriority:         0\n"
    )
    assert text.endswith(
        "Events:\n"
        "  Type    Reason   Age   From     Message\n"
        "  ----    ------   ----  ----     -------\n"
        "  Normal  Started  0s    kubelet  Started happened\n"
    )


def test_logs_come_from_the_cluster(kubectl: Any) -> None:
    asked: list[tuple[str, str, str, bool]] = []

    def read(pod: str, namespace: str, *, container: str, previous: bool) -> str:
        asked.append((pod, namespace, container, previous))
        if pod == "nope":
            raise NotFoundError('pods "nope" not found')
        if previous:
            raise BadRequestError('previous terminated container "web" in pod "web-0" not found')
        return "one\ntwo\nthree\n"

    kubectl.ok("create deployment web --image=shop/web:1")
    make_pod(kubectl, phase="Running")
    assert kubectl.ok("logs web-0 -c web --tail=2", logs=read) == "two\nthree\n"
    assert kubectl.ok("logs deploy/web", logs=read) == "one\ntwo\nthree\n"
    assert asked == [("web-0", "default", "web", False), ("web-0", "default", "", False)]
    assert kubectl.run("logs nope", logs=read).stderr == (
        'error: error from server (NotFound): pods "nope" not found in namespace "default"\n'
    )
    assert kubectl.run("logs -p web-0", logs=read).stderr.startswith(
        "Error from server (BadRequest): previous terminated container"
    )
    assert kubectl.run("logs web-0").stderr == "error: this cluster keeps no logs\n"


def test_resources_of_the_server_are_listed(kubectl: Any) -> None:
    rows = kubectl.ok("api-resources").splitlines()
    assert rows[0].split() == ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]
    assert ["deployments", "deploy", "apps/v1", "true", "Deployment"] in [r.split() for r in rows]
    assert "deployments.apps\n" in kubectl.ok("api-resources --api-group=apps -o name")


def test_version_names_client_and_server(kubectl: Any) -> None:
    assert "Server Version: v1.37" in kubectl.ok("version")
    assert "Server" not in kubectl.ok("version --client")


def test_without_a_cluster_only_what_needs_none_works(kubectl: Any) -> None:
    kubectl.client = None
    assert kubectl.fails("get pods") == (
        "The connection to the server localhost:8080 was refused - did you specify the right host "
        "or port?\n"
    )
    assert kubectl.ok("version --client").startswith("Client Version: v1.37")


def test_several_objects_of_one_kind_are_one_table_and_missing_ones_are_told(
    kubectl: Any,
) -> None:
    make_pod(kubectl, "a", phase="Running")
    make_pod(kubectl, "b", phase="Running")
    result = kubectl.run("get pods a nope b --no-headers")
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["a", "b"]
    assert (result.stderr, result.exit_code) == (
        'Error from server (NotFound): pods "nope" not found\n',
        1,
    )


def test_labels_can_be_columns(kubectl: Any) -> None:
    make_pod(kubectl, phase="Running")
    head, row = kubectl.ok("get pods -L app,example.com/tier").splitlines()
    assert head.split()[-2:] == ["APP", "TIER"]
    assert row.split()[-1] == "web"


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (r'{range .items[*]}{.metadata.name}{"\n"}{end}', "a\nb\n"),
        (r"{range .items[*]}{range .spec.containers[*]}<{.image}>{end};{end}.", "<i:1>;<i:1>;."),
        (r"[{range .items[9]}never{end}]", "[]"),
    ],
)
def test_a_template_goes_through_lists(kubectl: Any, template: str, text: str) -> None:
    spec = {"containers": [{"name": "web", "image": "i:1"}]}
    for name in ("a", "b"):
        kubectl.client.create(POD | {"metadata": {"name": name}, "spec": spec})
    assert kubectl.ok(["get", "pods", "-o", f"jsonpath={template}"]) == text


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["-l", "a b"], 'that match label selector "a b", field selector "": unable to parse'),
        (["-o", "jsonpath={.items[0"], "{.items[0, unterminated array"),
        (["-o", "jsonpath={.items"], "{.items, unclosed action"),
    ],
)
def test_a_slip_in_a_question_is_told_in_the_words_of_kubectl(
    kubectl: Any, words: list[str], says: str
) -> None:
    assert says in kubectl.fails(["get", "pods", *words])
