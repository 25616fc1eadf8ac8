"""From a push to checks: which runs start, in what order, and what the forge and journal hear."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitops_sim.errors import LabError, UnknownRefError
from gitops_sim.journal.facts import (
    CheckReported,
    PipelineDone,
    PipelineStarted,
    PipelineStepDone,
)

THREE = """
    name: ci
    on: push
    jobs:
      a: {runs-on: x, steps: [{run: sleep 10}]}
      b: {runs-on: x, needs: a, steps: [{run: sleep 10}]}
      c: {runs-on: x, needs: [a, b], steps: [{run: echo done}]}
"""


def set_up_at(world: Any, run: Any) -> dict[str, float]:
    """When the set-up of each job of a run was over."""
    return {
        entry.fact.job: entry.time
        for entry in world.journal.entries(PipelineStepDone)
        if entry.fact.run == run.id and entry.fact.step == "Set up job"
    }


def test_push_starts_the_workflows_that_want_it(world: Any) -> None:
    main = "on: {push: {branches: [main]}}\njobs: {a: {runs-on: x, steps: [{run: 'true'}]}}\n"
    dev = main.replace("main", "dev")
    world.shop.commit(
        {".github/workflows/main.yaml": main, ".github/workflows/dev.yml": dev}, "Add workflows"
    )
    assert [run.workflow for run in world.pipelines.runs] == [".github/workflows/main.yaml"]
    world.shop.create_branch("dev")
    assert [run.workflow for run in world.pipelines.runs][1:] == [".github/workflows/dev.yml"]


def test_files_that_are_no_workflows_are_left_alone(world: Any) -> None:
    world.shop.commit(
        {".github/workflows/README.md": "x", ".github/workflows/more/ci.yaml": "broken: ["}, "Add"
    )
    assert world.pipelines.runs == []


def test_paths_of_a_push_are_those_of_its_commits(world: Any) -> None:
    text = "on: {push: {paths: ['deploy/**']}}\njobs: {a: {runs-on: x, steps: [{run: ls}]}}\n"
    world.push(text, deploy__a_yaml=world.settings("a"))
    assert len(world.pipelines.runs) == 1
    world.shop.commit({"README.md": "more"}, "Write")
    assert len(world.pipelines.runs) == 1
    world.shop.commit({"deploy/b.yaml": world.settings("b")}, "Deploy")
    assert len(world.pipelines.runs) == 2


def test_commit_that_says_skip_ci_starts_nothing(world: Any) -> None:
    world.push(THREE)
    world.shop.commit({"README.md": "x"}, "Write [skip ci]")
    assert len(world.pipelines.runs) == 1


def test_merge_request_runs_its_source_when_opened_and_when_it_gets_commits(world: Any) -> None:
    text = """
        name: check
        on: pull_request
        jobs:
          look:
            runs-on: x
            steps:
            - uses: actions/checkout@v4
            - run: echo $GITHUB_EVENT_NAME $GITHUB_HEAD_REF $GITHUB_BASE_REF $GITHUB_REF $(cat new)
    """
    world.shop.create_branch("feature")
    world.shop.commit({".github/workflows/ci.yaml": text, "new": "one"}, "Add", "feature")
    assert world.pipelines.runs == []
    world.shop.open_merge_request("feature")
    world.clock.run(100)
    (first,) = world.pipelines.runs
    assert first.status == "success"
    printed = first.jobs[0].steps[-1].output
    assert printed == "pull_request feature main refs/pull/1/merge one\n"
    world.shop.commit({"new": "two"}, "Change", "feature")
    world.clock.run(200)
    second = world.pipelines.runs[1]
    assert second.source.commit == world.shop.head("feature")
    assert second.jobs[0].steps[-1].output.endswith(" two\n")


def test_check_of_a_merge_request_stands_in_its_way_until_it_is_green(world: Any) -> None:
    world.shop.protect(checks=["check / look"])
    text = (
        "name: check\non: pull_request\njobs:\n  look: {runs-on: x, steps: [{run: test -f ok}]}\n"
    )
    world.shop.create_branch("feature")
    text = text.replace("[{run: test", "[{uses: actions/checkout@v4}, {run: test")
    world.shop.commit({".github/workflows/ci.yaml": text}, "Add", "feature")
    request = world.shop.open_merge_request("feature")
    assert request.refusals
    world.clock.run(100)
    assert world.shop.checks(request.head)["check / look"].status == "failure"
    assert request.refusals
    world.shop.commit({"ok": ""}, "Mend", "feature")
    assert request.refusals
    world.clock.run(200)
    assert request.refusals == []


def test_jobs_run_in_the_order_of_their_needs(world: Any) -> None:
    run = world.push(THREE)
    world.clock.run(200)
    assert run.status == "success"
    when = set_up_at(world, run)
    assert when["b"] > when["a"] + 10
    assert when["c"] > when["b"] + 10


def test_failure_stops_the_jobs_that_need_it_and_no_others(world: Any) -> None:
    run = world.push("""
        name: ci
        on: push
        jobs:
          bad: {runs-on: x, steps: [{run: "false"}, {run: echo never}]}
          after: {runs-on: x, needs: bad, steps: [{run: echo never}]}
          last: {runs-on: x, needs: after, steps: [{run: echo never}]}
          mend: {runs-on: x, needs: after, if: failure(), steps: [{run: echo mended}]}
          always:
            needs: bad
            if: always()
            runs-on: x
            steps: [{run: "echo ${{ needs.bad.result }}"}]
          apart: {runs-on: x, steps: [{run: echo apart}]}
    """)
    world.clock.run(200)
    assert {job.name: job.status for job in run.jobs} == {
        "bad": "failure",
        "after": "skipped",
        "last": "skipped",
        "mend": "success",
        "always": "success",
        "apart": "success",
    }
    assert run.status == "failure"
    assert [step.status for step in run.job("bad").steps] == ["success", "failure", "skipped"]
    assert run.job("always").steps[-1].output == "failure\n"
    checks = world.shop.checks(run.source.commit)
    assert (checks["ci / bad"].status, checks["ci / after"].status) == ("failure", "success")
    assert checks["ci / after"].description == "Skipped"


def test_check_goes_from_pending_to_its_end(world: Any) -> None:
    run = world.push(THREE)
    assert world.shop.checks(run.source.commit)["ci / c"].status == "pending"
    world.clock.run(200)
    told = [(f.name, f.status) for f in world.facts(CheckReported) if f.name == "ci / c"]
    assert told == [("ci / c", "pending"), ("ci / c", "pending"), ("ci / c", "success")]


def test_run_is_told_from_start_to_end(world: Any) -> None:
    run = world.push(THREE)
    world.clock.run(200)
    (started,), (done,) = world.facts(PipelineStarted), world.facts(PipelineDone)
    assert (started.workflow, started.event, started.run) == ("ci", "push", "shop/ci#1")
    assert (done.run, done.status, done.commit) == ("shop/ci#1", "success", run.source.commit)
    steps = [fact for fact in world.facts(PipelineStepDone) if fact.job == "a"]
    assert [(fact.step, fact.status) for fact in steps] == [
        ("Set up job", "success"),
        ("Run sleep 10", "success"),
    ]
    assert steps[1].seconds == 10.0


def test_one_runner_takes_one_job_after_the_other_in_order(make_world: Callable[..., Any]) -> None:
    world = make_world(runners=1)
    job = "{runs-on: x, steps: [{run: sleep 60}]}"
    first = world.push(f"on: push\njobs:\n  a: {job}\n  b: {job}\n")
    second = world.push(f"on: push\n# again\njobs:\n  a: {job}\n")
    assert world.pipelines.queued == 2
    world.clock.run(400)
    one, two, three = (
        *set_up_at(world, first).values(),
        *set_up_at(world, second).values(),
    )
    assert one + 60 < two
    assert two + 60 < three
    assert {run.status for run in (first, second)} == {"success"}


def test_two_runners_work_at_the_same_time(world: Any) -> None:
    job = "{runs-on: x, steps: [{run: sleep 60}]}"
    run = world.push(f"on: push\njobs:\n  a: {job}\n  b: {job}\n")
    world.clock.run(200)
    one, two = set_up_at(world, run).values()
    assert abs(one - two) < 60
    assert {job.runner for job in run.jobs} == {"runner-1", "runner-2"}


def test_broken_workflow_is_a_failed_run_that_says_where(world: Any) -> None:
    run = world.push("on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n    - rum: ls\n")
    assert run.status == "failure"
    assert run.message == (
        "Invalid workflow file: .github/workflows/ci.yaml:6: jobs.a.steps[0].rum: unexpected key "
        "'rum' (fix: did you mean 'run'?)"
    )
    assert run.log == f"{run.message}\n"
    check = world.shop.checks(run.source.commit)[".github/workflows/ci.yaml"]
    assert (check.status, check.description) == ("failure", run.message)
    assert world.facts(PipelineDone)[0].status == "failure"
    mended = world.push("on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n    - run: ls\n")
    world.clock.run(100)
    assert mended.status == "success"


def test_broken_workflow_leaves_the_others_alone(world: Any) -> None:
    good = "on: push\njobs: {a: {runs-on: x, steps: [{run: ls}]}}\n"
    world.shop.commit(
        {".github/workflows/a.yaml": "jobs: [", ".github/workflows/b.yaml": good}, "Add"
    )
    world.clock.run(100)
    assert [run.status for run in world.pipelines.runs] == ["failure", "success"]


def test_matrix_is_one_job_for_each_combination(world: Any) -> None:
    run = world.push("""
        on: push
        jobs:
          test:
            runs-on: x
            strategy: {matrix: {where: [staging, production], level: [1, 2]}}
            steps: [{run: "echo ${{ matrix.where }}-${{ matrix.level }}"}]
          named:
            name: "deploy to ${{ matrix.where }}"
            needs: test
            runs-on: x
            strategy: {matrix: {where: [staging]}}
            steps: [{run: ls}]
    """)
    world.clock.run(300)
    assert [job.name for job in run.jobs] == [
        "test (staging, 1)",
        "test (staging, 2)",
        "test (production, 1)",
        "test (production, 2)",
        "deploy to staging",
    ]
    assert run.job("test (production, 2)").steps[-1].output == "production-2\n"
    assert run.status == "success"


@pytest.mark.parametrize(("fail_fast", "status"), [("true", "cancelled"), ("false", "success")])
def test_failure_in_a_matrix_cancels_the_rest_unless_told_otherwise(
    world: Any, fail_fast: str, status: str
) -> None:
    run = world.push(f"""
        on: push
        jobs:
          test:
            runs-on: x
            strategy: {{fail-fast: {fail_fast}, matrix: {{code: [1, 0]}}}}
            steps: [{{run: "sleep ${{{{ matrix.code && 1 || 60 }}}}; exit ${{{{ matrix.code }}}}"}}]
          after: {{runs-on: x, needs: test, steps: [{{run: ls}}]}}
    """)
    world.clock.run(300)
    assert [job.status for job in run.jobs] == ["failure", status, "skipped"]
    assert world.pipelines.queued == 0


def test_max_parallel_holds_jobs_of_a_matrix_back(make_world: Callable[..., Any]) -> None:
    world = make_world(runners=4)
    run = world.push("""
        on: push
        jobs:
          test:
            runs-on: x
            strategy: {max-parallel: 1, matrix: {n: [1, 2, 3]}}
            steps: [{run: sleep 30}]
    """)
    world.clock.run(300)
    times = sorted(set_up_at(world, run).values())
    assert times[1] > times[0] + 30
    assert times[2] > times[1] + 30


def test_outputs_of_a_job_reach_those_that_need_it(world: Any) -> None:
    run = world.push("""
        on: push
        jobs:
          make:
            runs-on: x
            outputs: {tag: "${{ steps.t.outputs.tag }}"}
            steps: [{id: t, run: echo "tag=v7" >> "$GITHUB_OUTPUT"}]
          use:
            needs: make
            if: needs.make.outputs.tag == 'v7'
            runs-on: x
            steps: [{run: "echo ${{ needs.make.outputs.tag }} ${{ needs.make.result }}"}]
    """)
    world.clock.run(100)
    assert run.job("use").steps[-1].output == "v7 success\n"


def test_job_that_may_fail_does_not_fail_the_run(world: Any) -> None:
    run = world.push("""
        on: push
        jobs:
          risky: {runs-on: x, continue-on-error: true, steps: [{run: "false"}]}
          after: {runs-on: x, needs: risky, steps: [{run: ls}]}
    """)
    world.clock.run(100)
    assert run.status == "success"
    assert run.job("after").status == "success"


def test_new_run_of_a_concurrency_group_cancels_the_one_that_runs(world: Any) -> None:
    text = """
        on: push
        concurrency: {group: deploy, cancel-in-progress: true}
        jobs: {a: {runs-on: x, steps: [{run: sleep 100}]}}
    """
    first = world.push(text)
    world.clock.run(30)
    second = world.push(text + "    # again\n")
    world.clock.run(300)
    assert (first.status, second.status) == ("cancelled", "success")


def test_runs_of_a_group_go_one_at_a_time_and_only_the_newest_waits(world: Any) -> None:
    text = """
        on: push
        concurrency: deploy
        jobs: {a: {runs-on: x, steps: [{run: sleep 100}]}}
    """
    runs = [world.push(text + f"    # {number}\n") for number in range(3)]
    world.clock.run(600)
    assert [run.status for run in runs] == ["success", "cancelled", "success"]
    assert runs[2].started > runs[0].ended - 1e-9


def test_run_can_be_cancelled_and_frees_its_runner(make_world: Callable[..., Any]) -> None:
    world = make_world(runners=1)
    run = world.push("on: push\njobs: {a: {runs-on: x, steps: [{run: sleep 1000}]}}\n")
    world.clock.run(30)
    world.pipelines.cancel(run.id)
    assert run.status == "cancelled"
    assert world.shop.checks(run.source.commit)[".github/workflows/ci.yaml / a"].status == "failure"
    after = world.push("on: push\njobs: {b: {runs-on: x, steps: [{run: ls}]}}\n")
    world.clock.run(60)
    assert after.status == "success"
    with pytest.raises(LabError, match="is over"):
        world.pipelines.cancel(run.id)


def test_rerun_is_another_attempt_on_the_same_commit(world: Any) -> None:
    run = world.push(THREE)
    with pytest.raises(LabError, match="is not over"):
        world.pipelines.rerun(run.id)
    world.clock.run(200)
    world.shop.commit({"README.md": "later"}, "Change")
    again = world.pipelines.rerun(run.id)
    world.clock.run(400)
    assert (again.id, again.attempt, again.status) == (run.id, 2, "success")
    assert again.source == run.source
    assert world.pipelines.run(run.id) is again


def test_unknown_run_and_runner_are_told_with_what_there_is(world: Any) -> None:
    with pytest.raises(LabError, match="there is no run 'x'"):
        world.pipelines.run("x")
    with pytest.raises(LabError, match="no runner 'x'"):
        world.pipelines.kill_runner("x")
    with pytest.raises(LabError, match="has nothing to do"):
        world.pipelines.kill_runner("runner-1")
    with pytest.raises(LabError, match="no repository 'x'"):
        world.pipelines.connect("x", "staging", world.client)


def test_same_seed_gives_the_same_history_and_another_seed_other_durations(
    make_world: Callable[..., Any],
) -> None:
    def history(seed: int) -> bytes:
        world = make_world(seed=seed)
        world.push(THREE)
        world.clock.run(300)
        return bytes(world.journal.to_jsonl())

    assert history(4) == history(4)
    assert history(4) != history(5)


def test_log_has_job_step_and_time_before_each_line(world: Any) -> None:
    run = world.push("on: push\njobs: {a: {runs-on: x, steps: [{name: Say, run: echo hi}]}}\n")
    world.clock.run(60)
    job, step, rest = run.log.splitlines()[-1].split("\t")
    assert (job, step) == ("a", "Say")
    assert rest.endswith("Z hi")


def test_imported_repository_runs_when_it_is_told_to(world: Any, tmp_path: Path) -> None:
    (tmp_path / ".github/workflows").mkdir(parents=True)
    (tmp_path / ".github/workflows/ci.yaml").write_text(textwrap.dedent(THREE))
    world.forge.import_repository(str(tmp_path), "imported")
    assert world.pipelines.runs == []
    world.pipelines.run_push("imported")
    world.clock.run(200)
    assert [str(run.status) for run in world.pipelines.runs] == ["success"]
    with pytest.raises(UnknownRefError):
        world.pipelines.run_push("imported", branch="nope")


BY_HAND = """
    name: roll
    on:
      workflow_dispatch:
        inputs:
          version: {required: true, description: Which image}
          where: {type: choice, options: [staging, production], default: staging}
    jobs: {a: {runs-on: x, steps: [{run: "echo ${{ inputs.version }} ${{ inputs.where }}"}]}}
"""


def test_workflow_is_started_by_hand_with_its_inputs(world: Any) -> None:
    world.shop.commit({".github/workflows/roll.yaml": textwrap.dedent(BY_HAND)}, "Add")
    assert world.pipelines.runs == []
    run = world.pipelines.dispatch("shop", "roll.yaml", inputs={"version": "1.2"})
    world.clock.run(100)
    assert (run.status, run.source.event) == ("success", "workflow_dispatch")
    assert run.jobs[0].steps[-1].output == "1.2 staging\n"


@pytest.mark.parametrize(
    ("workflow", "inputs", "says"),
    [
        ("roll", {}, "required input 'version' not provided"),
        ("roll", {"version": "1", "x": "y"}, r"unexpected inputs provided: \['x'\]"),
        ("roll", {"version": "1", "where": "moon"}, "'moon' is no option"),
        ("nope", {}, "shop has no workflow 'nope'"),
        ("ci", {}, "workflow 'ci' does not have a 'workflow_dispatch' trigger"),
        ("broken.yaml", {}, "Invalid workflow file: .github/workflows/broken.yaml"),
    ],
)
def test_start_by_hand_that_cannot_be_is_told(
    world: Any, workflow: str, inputs: dict[str, str], says: str
) -> None:
    folder = ".github/workflows"
    files = {"roll.yaml": BY_HAND, "ci.yaml": THREE, "broken.yaml": "on: ["}
    world.shop.commit({f"{folder}/{n}": textwrap.dedent(t) for n, t in files.items()}, "Add")
    with pytest.raises(LabError, match=says):
        world.pipelines.dispatch("shop", workflow, inputs=inputs)
