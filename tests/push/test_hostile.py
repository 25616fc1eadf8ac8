"""Whatever someone writes into a workflow, its run ends, and the lab goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

WORKFLOW = """\
name: w
on: [push]
env: {A: "${{ github.sha }}"}
jobs:
  one:
    runs-on: x
    if: ${{ always() && github.ref == 'refs/heads/main' }}
    strategy: {matrix: {a: [1, 2]}}
    timeout-minutes: 2
    steps:
    - uses: actions/checkout@v4
    - {id: s, run: 'echo "x=1" >> $GITHUB_OUTPUT; sleep 1', shell: bash}
    - run: echo ${{ steps.s.outputs.x }} && kubectl get cm
  two: {runs-on: x, needs: one, steps: [{run: ls}]}
"""
PIECES = [
    *("{", "}", "[", "]", ":", ", ", "- ", "\n", "\t", "'", '"', "$", "&a ", "*a", "!x", "|", ">"),
    *("# ", "%", "\\", "\0", "é", "null", "true", "1e999", "<<: ", "---\n", "...\n", "?", "on"),
    *("${{ }}", "${{ fromJSON('[') }}", "${{", "}}", "needs", "if", "run", "while", "exit 3"),
]
WORDS = [
    *("kubectl", "get", "apply", "delete", "patch", "wait", "rollout", "status", "create", "label"),
    *("-f", "-", "d", "-o", "json", "jsonpath={", "-n", "-l", "a in (b", "--all", "cm", "deploy/x"),
    *(
        "--for=condition=X",
        "--timeout=1s",
        "-p",
        "'{}'",
        "'['",
        "a=b",
        "a-",
        "configmap",
        "--prune",
    ),
    *("echo", "printf", "%d", "%", "sed", "s/(/x/", "grep", "(", ")", "cat", "head", "-n", "x"),
    *("if", "then", "fi", "for", "in", "do", "done", ";", "&&", "||", "|", "$(", "`", "${X:-", "}"),
    *(">", ">>", "<", "<<E\n", "2>&1", "../../x", "/", "*", "[", "test", "!", "sleep", "-5", "1e9"),
    *(
        "git",
        "log",
        "rev-parse",
        "HEAD",
        "date",
        "+%",
        "kustomize",
        "build",
        ".",
        "exit",
        "set",
        "-x",
    ),
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=10))
def test_any_script_ends_its_run(make_world: Callable[..., Any], words: list[str]) -> None:
    world = make_world().connect()
    step = {"run": " ".join(words), "timeout-minutes": 1}
    steps = json.dumps([{"uses": "actions/checkout@v4"}, step])
    run = world.push(f"on: push\njobs: {{a: {{runs-on: x, steps: {steps}}}}}\n")
    world.clock.run(300)
    assert run.status in ("success", "failure")
    assert world.pipelines.queued == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, len(WORKFLOW)), st.integers(0, 9), st.sampled_from(PIECES)),
        min_size=1,
        max_size=3,
    )
)
def test_any_damage_to_a_workflow_is_a_run_that_ends(
    make_world: Callable[..., Any], damage: list[tuple[int, int, str]]
) -> None:
    text = WORKFLOW
    for place, cut, piece in damage:
        text = text[:place] + piece + text[place + cut :]
    world = make_world()
    world.shop.commit({".github/workflows/w.yaml": text}, "Damage")
    world.clock.run(300)
    for run in world.pipelines.runs:
        assert run.status in ("success", "failure")
        assert run.spec or run.message.startswith("Invalid workflow file: .github/workflows/w.yaml")
