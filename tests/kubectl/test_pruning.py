"""`kubectl apply --prune`: what is its own, and what it never finds."""

from __future__ import annotations

from typing import Any

import pytest


def settings(name: str, labels: str = "{app: web}", namespace: str = "default") -> str:
    metadata = f"metadata: {{name: {name}, namespace: {namespace}, labels: {labels}}}"
    return f"apiVersion: v1\nkind: ConfigMap\n{metadata}\n"


def names(kubectl: Any, namespace: str = "default") -> list[str]:
    return [m["metadata"]["name"] for m in kubectl.client.list("v1/ConfigMap", namespace)]


@pytest.fixture
def applied(kubectl: Any) -> Any:
    """Objects a and b, applied together; c, labelled alike, but made by hand."""
    kubectl.write(all_yaml=f"{settings('a')}---\n{settings('b')}")
    kubectl.ok("apply -f all.yaml")
    kubectl.ok("create configmap c --from-literal=x=1")
    kubectl.ok("label cm c app=web")
    kubectl.write(all_yaml=settings("a"))
    return kubectl


def test_object_that_left_the_files_is_pruned_and_one_made_by_hand_stays(applied: Any) -> None:
    result = applied.run("apply --prune -l app=web -f all.yaml")
    assert result.stdout == "configmap/a unchanged\nconfigmap/b pruned\n"
    assert result.done == ("unchanged", "pruned")
    assert names(applied) == ["a", "c"]


def test_object_without_the_label_is_not_found(applied: Any) -> None:
    applied.ok("label cm b app-")
    assert applied.ok("apply --prune -l app=web -f all.yaml") == "configmap/a unchanged\n"
    assert names(applied) == ["a", "b", "c"]


def test_object_in_a_namespace_that_the_files_left_is_not_found(applied: Any) -> None:
    applied.ok("create ns other")
    applied.write(all_yaml=settings("b", namespace="other"))
    assert applied.ok("apply --prune -l app=web -f all.yaml") == "configmap/b created\n"
    assert names(applied) == ["a", "b", "c"]


def test_dry_run_prunes_nothing(applied: Any) -> None:
    shown = applied.ok("apply --prune -l app=web -f all.yaml --dry-run=server")
    assert shown.endswith("configmap/b pruned (server dry run)\n")
    assert names(applied) == ["a", "b", "c"]


def test_nothing_is_pruned_when_an_object_was_refused(applied: Any) -> None:
    applied.write(all_yaml=settings("Not_A_Name"))
    assert "is invalid" in applied.fails("apply --prune -l app=web -f all.yaml")
    assert names(applied) == ["a", "b", "c"]


def test_prune_of_everything_must_be_said_and_kinds_may_be_named(applied: Any) -> None:
    assert "without explicitly passing --all" in applied.fails("apply --prune -f all.yaml")
    line = "apply --prune --all -f all.yaml --prune-allowlist=core/v1/Secret"
    assert applied.ok(line) == "configmap/a unchanged\n"
    assert 'no matches for kind "X" in version "v1"' in applied.fails(line.replace("Secret", "X"))
    assert applied.ok("apply --prune --all -f all.yaml").endswith("configmap/b pruned\n")
