"""`kubectl apply`: in the order of the files, on past errors, half-applied when it is killed."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.apimachinery.last_applied import ANNOTATION


def settings(name: str, level: int = 1, extra: str = "") -> str:
    metadata = f"metadata: {{name: {name}{extra}}}"
    return f"apiVersion: v1\nkind: ConfigMap\n{metadata}\ndata: {{level: '{level}'}}\n"


def names(kubectl: Any) -> list[str]:
    return [found["metadata"]["name"] for found in kubectl.client.list("v1/ConfigMap", "default")]


def test_object_is_created_then_unchanged_then_configured(kubectl: Any) -> None:
    kubectl.write(a_yaml=settings("a"))
    assert kubectl.ok("apply -f a.yaml") == "configmap/a created\n"
    version = kubectl.client.get("v1/ConfigMap", "a")["metadata"]["resourceVersion"]
    assert kubectl.ok("apply -f a.yaml") == "configmap/a unchanged\n"
    assert kubectl.client.get("v1/ConfigMap", "a")["metadata"]["resourceVersion"] == version
    kubectl.write(a_yaml=settings("a", 2))
    assert kubectl.ok("apply -f a.yaml") == "configmap/a configured\n"
    assert kubectl.client.get("v1/ConfigMap", "a")["data"] == {"level": "2"}


def test_field_that_left_the_file_is_removed_and_a_foreign_one_stays(kubectl: Any) -> None:
    two = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: '1', y: '2'}\n"
    kubectl.write(a_yaml=two)
    kubectl.ok("apply -f a.yaml")
    kubectl.ok(["patch", "cm", "a", "-p", '{"data": {"z": "3"}}'])
    kubectl.write(a_yaml=two.replace(", y: '2'", ""))
    kubectl.ok("apply -f a.yaml")
    assert kubectl.client.get("v1/ConfigMap", "a")["data"] == {"x": "1", "z": "3"}


def test_object_made_otherwise_is_taken_over_with_a_warning(kubectl: Any) -> None:
    kubectl.ok("create configmap a --from-literal=level=1")
    kubectl.write(a_yaml=settings("a"))
    result = kubectl.run("apply -f a.yaml")
    assert result.stdout == "configmap/a configured\n"
    assert result.stderr.startswith(f"Warning: resource configmaps/a is missing the {ANNOTATION}")


def test_directory_is_applied_in_the_order_of_its_files(kubectl: Any) -> None:
    kubectl.write(d__b_yaml=settings("b"), d__a_yaml=settings("a"), d__sub__c_yaml=settings("c"))
    kubectl.write(d__notes_txt="no manifest")
    assert kubectl.ok("apply -f d") == "configmap/a created\nconfigmap/b created\n"
    assert kubectl.ok("apply -R -f d").endswith("configmap/c created\n")


def test_list_and_standard_input_are_applied(kubectl: Any) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap"}
    items = [body | {"metadata": {"name": name}} for name in ("a", "b")]
    text = str({"apiVersion": "v1", "kind": "List", "items": items}).replace("'", '"')
    assert kubectl.ok("apply -f -", stdin=text) == "configmap/a created\nconfigmap/b created\n"


def test_error_of_one_object_does_not_stop_the_next(kubectl: Any) -> None:
    bad = settings("Not_A_Name")
    kubectl.write(all_yaml="---\n".join([settings("a"), bad, settings("b")]))
    result = kubectl.run("apply -f all.yaml")
    assert result.exit_code == 1
    assert result.stdout == "configmap/a created\nconfigmap/b created\n"
    assert 'The ConfigMap "Not_A_Name" is invalid: metadata.name' in result.stderr
    assert result.done == ("created", "created")


def test_kind_that_is_not_served_is_told_and_the_rest_applied(kubectl: Any) -> None:
    other = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t}\n"
    kubectl.write(all_yaml=f"{other}---\n{settings('a')}")
    result = kubectl.run("apply -f all.yaml")
    assert result.exit_code == 1
    assert result.stdout == "configmap/a created\n"
    assert result.stderr == (
        'error: resource mapping not found for name: "t" namespace: "" from "all.yaml": no matches '
        'for kind "Thing" in version "example.com/v1"\nensure CRDs are installed first\n'
    )


def test_documents_before_a_broken_one_are_applied_and_the_line_is_told(kubectl: Any) -> None:
    kubectl.write(all_yaml=f"{settings('a')}---\nkind: [\n")
    result = kubectl.run("apply -f all.yaml")
    assert (result.exit_code, names(kubectl)) == (1, ["a"])
    assert result.stderr.startswith("error: error parsing all.yaml: error converting YAML to JSON")
    assert "line 7" in result.stderr


def test_missing_path_stops_everything_before_anything_is_sent(kubectl: Any) -> None:
    kubectl.write(a_yaml=settings("a"))
    assert kubectl.fails("apply -f a.yaml -f nope.yaml") == (
        'error: the path "nope.yaml" does not exist\n'
    )
    assert names(kubectl) == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("apply", "error: must specify one of -f and -k"),
        ("apply -f a.yaml -k .", "error: only one of -f or -k can be specified"),
        ("apply -f a.yaml extra", "error: Unexpected args: ['extra']"),
        ("apply -f a.yaml --dry-run=no", "error: Invalid dry-run value (no)."),
        ("apply -f a.yaml --force-conflicts", "--force-conflicts only works with --server-side"),
        ("apply -f a.yaml --validate=maybe", 'error: invalid - validate option "maybe"'),
        ("apply -f a.yaml --nonsense", "error: unknown flag: --nonsense"),
        ("apply -f https://x/y.yaml", "the lab fetches nothing from the network"),
        ("apply -f ../../outside.yaml", 'the path "../../outside.yaml" does not exist'),
        ("apply -k .", "unable to find one of 'kustomization.yaml'"),
    ],
)
def test_wrong_command_line_is_told_in_kubectls_words(kubectl: Any, line: str, says: str) -> None:
    kubectl.write(a_yaml=settings("a"))
    assert says in kubectl.fails(line)
    assert names(kubectl) == []


def test_namespace_of_the_command_line_fills_in_and_contradicts(kubectl: Any) -> None:
    kubectl.ok("create ns shop")
    kubectl.write(a_yaml=settings("a"), b_yaml=settings("b", extra=", namespace: shop"))
    kubectl.ok("apply -n shop -f a.yaml -f b.yaml")
    assert [m["metadata"]["name"] for m in kubectl.client.list("v1/ConfigMap", "shop")] == [
        "a",
        "b",
    ]
    assert kubectl.fails("apply -n default -f b.yaml") == (
        'error: the namespace from the provided object "shop" does not match the namespace '
        "\"default\". You must pass '--namespace=shop' to perform this operation.\n"
    )


def test_namespace_that_is_not_there_is_an_error_of_the_server(kubectl: Any) -> None:
    kubectl.write(a_yaml=settings("a", extra=", namespace: shop"))
    assert kubectl.fails("apply -f a.yaml") == (
        'Error from server (NotFound): error when creating "a.yaml": namespaces "shop" not found\n'
    )


def test_selector_chooses_objects_of_the_files(kubectl: Any) -> None:
    kubectl.write(
        all_yaml=f"{settings('a', extra=', labels: {x: z}')}---\n{settings('b')}",
    )
    assert kubectl.ok("apply -f all.yaml -l x=z") == "configmap/a created\n"


def test_object_without_a_name_is_refused(kubectl: Any) -> None:
    kubectl.write(a_yaml="apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: a-}\n")
    assert kubectl.fails("apply -f a.yaml") == (
        "error: from a-: cannot use generate name with apply\n"
    )


def test_server_side_apply_owns_fields_and_gives_up_those_left_out(kubectl: Any) -> None:
    two = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: '1', y: '2'}\n"
    kubectl.write(a_yaml=two)
    assert kubectl.run("apply --server-side -f a.yaml").done == ("created",)
    kubectl.write(a_yaml=two.replace(", y: '2'", ""))
    result = kubectl.run("apply --server-side -f a.yaml")
    assert (result.stdout, result.done) == ("configmap/a serverside-applied\n", ("configured",))
    assert kubectl.client.get("v1/ConfigMap", "a")["data"] == {"x": "1"}
    assert kubectl.run("apply --server-side -f a.yaml").done == ("unchanged",)


def test_dry_run_changes_nothing_and_counts_nothing(kubectl: Any) -> None:
    kubectl.write(a_yaml=settings("a"))
    for mode, word in (("client", "dry run"), ("server", "server dry run")):
        result = kubectl.run(f"apply -f a.yaml --dry-run={mode}")
        assert (result.stdout, result.done) == (f"configmap/a created ({word})\n", ())
    assert names(kubectl) == []


def test_unknown_field_of_a_live_object_is_refused_as_a_patch(kubectl: Any) -> None:
    kubectl.write(a_yaml=settings("a"))
    kubectl.ok("apply -f a.yaml")
    kubectl.write(a_yaml=settings("a", 2) + "nonsense: 1\n")
    told = kubectl.fails("apply -f a.yaml")
    assert told.startswith('The request is invalid: patch: Invalid value: "map[')
    assert told.endswith('": strict decoding error: unknown field "nonsense"\n')
    result = kubectl.run("apply -f a.yaml --validate=warn")
    assert result.stderr == 'Warning: unknown field "nonsense"\n'
    assert result.stdout == "configmap/a configured\n"


def test_apply_killed_between_two_objects_is_half_applied(kubectl: Any) -> None:
    kubectl.write(all_yaml="---\n".join(settings(f"c{n}") for n in range(5)))
    printed: list[str] = []
    state = kubectl.start("apply -f all.yaml", out=printed.append)
    assert kubectl.clock.run_until(lambda: len(names(kubectl)) == 2, 100)
    state["handle"].kill()
    kubectl.clock.run(kubectl.clock.now() + 100)
    assert names(kubectl) == ["c0", "c1"]
    assert printed == ["configmap/c0 created\n", "configmap/c1 created\n"]


def test_each_write_is_a_step_of_its_own_and_takes_time(kubectl: Any) -> None:
    kubectl.write(all_yaml="---\n".join(settings(f"c{n}") for n in range(3)))
    began = kubectl.clock.now()
    kubectl.ok("apply -f all.yaml")
    told = [(step.name, step.subject) for step in kubectl.steps[1:]]
    assert told == [("kubectl apply", f"ConfigMap/default/c{n}") for n in range(3)]
    assert kubectl.clock.now() - began == pytest.approx(0.28)
