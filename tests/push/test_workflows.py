"""Workflow files: what is read from them, and how each mistake is told."""

from __future__ import annotations

import textwrap

import pytest

from gitops_sim.errors import SpecError
from gitops_sim.push.workflows import Workflow, parse_workflow

FILE = ".github/workflows/ci.yaml"
JOB = """\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
    - run: echo hello
"""


def parsed(text: str) -> Workflow:
    return parse_workflow(textwrap.dedent(text).encode(), FILE)


def problem(text: str) -> str:
    with pytest.raises(SpecError) as told:
        parsed(text)
    return str(told.value)


def test_word_on_is_a_key_and_not_a_boolean() -> None:
    workflow = parsed(JOB)
    assert [trigger.event for trigger in workflow.triggers] == ["push"]
    assert workflow.name == FILE


@pytest.mark.parametrize("on", ["push", "[push]", "{push: }", '"push"'])
def test_event_may_be_text_a_list_or_a_mapping(on: str) -> None:
    assert parsed(JOB.replace("on: push", f"on: {on}")).triggers[0].event == "push"


def test_values_keep_the_spelling_that_yaml_1_1_would_change() -> None:
    workflow = parsed(JOB.replace("on: push", "on: push\nenv: {A: yes, B: 0777, C: 1.10, D: off}"))
    assert {k: v.text({}) for k, v in workflow.env.items()} == {
        "A": "yes",
        "B": "0777",
        "C": "1.10",
        "D": "off",
    }


def test_workflow_is_read_in_full() -> None:
    workflow = parsed("""
        name: deploy
        on: {push: {branches: [main]}, pull_request: }
        env: {LEVEL: low}
        defaults: {run: {working-directory: deploy}}
        concurrency: {group: "deploy-${{ github.ref }}", cancel-in-progress: true}
        jobs:
          check:
            runs-on: ubuntu-latest
            outputs: {tag: "${{ steps.t.outputs.tag }}"}
            steps:
            - uses: actions/checkout@v4
            - {id: t, run: echo, name: Tag, env: {X: 1}, continue-on-error: true}
          deploy:
            name: Deploy it
            needs: check
            if: github.event_name == 'push'
            runs-on: [self-hosted, linux]
            timeout-minutes: 5
            strategy: {fail-fast: false, matrix: {where: [staging, production]}}
            steps: [{run: ls, working-directory: "."}]
    """)
    check, deploy = workflow.jobs
    assert (workflow.name, workflow.env["LEVEL"].text({})) == ("deploy", "low")
    assert workflow.concurrency is not None
    assert workflow.concurrency.cancel_in_progress
    assert [step.uses for step in check.steps] == ["actions/checkout", ""]
    assert check.steps[1].continue_on_error
    assert check.working_directory is not None
    assert deploy.needs == ("check",)
    assert deploy.timeout_minutes == 5
    assert deploy.matrix.combinations == ({"where": "staging"}, {"where": "production"})
    assert not deploy.matrix.fail_fast


MISTAKES = [
    (
        JOB.replace("run:", "runs:"),
        f"{FILE}:6: jobs.a.steps[0].runs: unexpected key 'runs' (fix: did you mean 'run'?)",
    ),
    (
        JOB.replace("on: push", "on: pull_requests"),
        (
            f"{FILE}:1: on: unexpected event 'pull_requests' (fix: use one of push, pull_request, "
            "workflow_dispatch)"
        ),
    ),
    (JOB.replace("on: push\n", ""), f"{FILE}:1: required key 'on' is missing (fix: write `on:`)"),
    (
        JOB.replace("    runs-on: ubuntu-latest\n", ""),
        (
            f"{FILE}:3: jobs.a: required key 'runs-on' is missing "
            "(fix: write `runs-on: ubuntu-latest`)"
        ),
    ),
    (
        JOB + "    needs: [b]\n",
        f"{FILE}:7: jobs.a.needs: there is no job 'b' (fix: use one of a)",
    ),
    (
        JOB + "    needs: a\n",
        f"{FILE}:7: jobs.a.needs: jobs wait for each other: a (fix: take one of the needs away)",
    ),
    (
        JOB + "      uses: actions/checkout@v4\n",
        (
            f"{FILE}:6: jobs.a.steps[0]: a step has either run or uses, this one both "
            "(fix: keep one of them)"
        ),
    ),
    (
        JOB + "    - name: nothing\n",
        (
            f"{FILE}:7: jobs.a.steps[1]: a step has either run or uses, this one neither "
            "(fix: keep one of them)"
        ),
    ),
    (
        JOB + "    - uses: docker/build-push-action@v6\n",
        (
            f"{FILE}:7: jobs.a.steps[1].uses: unable to resolve action "
            "'docker/build-push-action@v6': it is not available here (fix: write a `run:` step, or "
            "use one of actions/checkout (puts the files of the commit, or of `with: ref`, into "
            "the workspace), "
            "azure/setup-kubectl (nothing: kubectl is there))"
        ),
    ),
    (
        JOB + "    - uses: actions/checkout\n",
        (
            f"{FILE}:7: jobs.a.steps[1].uses: action 'actions/checkout' has no version "
            "(fix: write actions/checkout@v4)"
        ),
    ),
    (
        JOB + "      if: githup.sha == 'x'\n",
        (
            f"{FILE}:7: jobs.a.steps[0].if: unrecognized named-value: 'githup'; there is: env, "
            "github, inputs, job, matrix, needs, runner, secrets, steps, vars"
        ),
    ),
    (
        JOB + "      env: {X: '${{ github.sha'}\n",
        f"{FILE}:7: jobs.a.steps[0].env.X: '${{{{ github.sha' is not closed by }}}}",
    ),
    (
        JOB + "    timeout-minutes: soon\n",
        f"{FILE}:7: jobs.a.timeout-minutes: want a number, not 'soon'",
    ),
    (
        JOB + "    container: node:20\n",
        (
            f"{FILE}:7: jobs.a.container: 'container' of a job is not available here "
            "(fix: remove it: steps run on the runner itself)"
        ),
    ),
    (
        JOB + "      shell: pwsh\n",
        f"{FILE}:7: jobs.a.steps[0].shell: shell 'pwsh' is not available here (fix: use bash)",
    ),
    (
        JOB + "    strategy: {matrix: {a: []}}\n",
        f"{FILE}:7: jobs.a.strategy.matrix.a: the list is empty (fix: give at least one value)",
    ),
    (
        JOB
        + "    strategy: {matrix: {"
        + ", ".join(f"{a}: [1, 2, 3]" for a in "abcdefghi")
        + "}}\n",
        f"{FILE}:7: jobs.a.strategy.matrix: the matrix gives 19683 jobs (fix: want 1 to 256)",
    ),
    (
        JOB + "    strategy: {matrix: '${{ fromJSON(needs.x) }}'}\n",
        (
            f"{FILE}:7: jobs.a.strategy.matrix: a matrix made by an expression is not available "
            "here (fix: write it out)"
        ),
    ),
    (
        "on:\n  push:\n    branches: [main]\n    branches-ignore: [dev]\njobs: {}\n",
        f"{FILE}:5: jobs: there is no job (fix: write at least one)",
    ),
    ("", f"{FILE}: the file is empty (fix: write one workflow, with `on:` and `jobs:`)"),
    ("- a\n", f"{FILE}:1: want a mapping, not a list (fix: write `name: value` below it)"),
    (
        "on: push\n---\non: push\n",
        f"{FILE}: the file has several documents (fix: write one workflow, with `on:` and `jobs:`)",
    ),
]


@pytest.mark.parametrize(("text", "says"), MISTAKES)
def test_mistake_is_told_with_file_line_field_and_fix(text: str, says: str) -> None:
    assert problem(text) == says


def test_filters_that_exclude_each_other_are_refused() -> None:
    both = "on: {push: {branches: [main], branches-ignore: [dev]}}"
    assert "branches and branches-ignore cannot be given together" in problem(
        JOB.replace("on: push", both)
    )


def test_cycle_of_needs_names_the_jobs() -> None:
    text = "on: push\njobs:\n"
    for name, needs in (("a", "c"), ("b", "a"), ("c", "b")):
        text += f"  {name}: {{runs-on: x, needs: {needs}, steps: [{{run: ls}}]}}\n"
    assert "jobs wait for each other: a, b, c" in problem(text)


def test_id_of_a_step_is_given_once() -> None:
    two = JOB.replace("- run: echo hello", "- {id: x, run: ls}\n    - {id: x, run: ls}")
    assert "steps[1]: the id 'x' is used twice" in problem(two)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("on: push\n" + "a: " + "[" * 500 + "]" * 500, "nested deeper than"),
        ("a: &a [x, x]\nb: &b [*a, *a]\n" + "c: [" + "*b, " * 120 + "]\n", "aliases"),
        ("on: push\non: push\n", "duplicate key"),
        ("on: [push\njobs:\n", ""),
        ("on: \x00\n", ""),
    ],
)
def test_file_that_is_not_safe_to_read_is_refused_with_its_name(text: str, says: str) -> None:
    told = problem(text)
    assert told.startswith(FILE)
    assert says in told


def test_matrix_takes_include_and_exclude() -> None:
    strategy = (
        "    strategy:\n      matrix:\n        os: [a, b]\n        v: [1, 2]\n"
        "        exclude: [{os: a, v: 2}]\n"
        "        include: [{os: b, extra: true}, {os: c}]\n"
    )
    assert parsed(JOB + strategy).jobs[0].matrix.combinations == (
        {"os": "a", "v": 1},
        {"os": "b", "v": 1, "extra": True},
        {"os": "b", "v": 2, "extra": True},
        {"os": "c"},
    )
