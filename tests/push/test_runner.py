"""What a job does on its runner: steps, variables, secrets, limits, crashes, deliveries."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from gitops_sim.errors import LabError
from gitops_sim.journal.facts import PipelineStepDone, ReadyRevision, RevisionApplied
from gitops_sim.types import Manifest

CHECKOUT = "uses: actions/checkout@v4"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: shop/web:1}]}
"""


def output(run: Any, step: int = -1) -> str:
    """What a step of the only job printed; 0 is the first of the file."""
    steps = run.jobs[0].steps
    return str(steps[step + 1 if step >= 0 else step].output)


def rolls_out(world: Any, *, after: float = 5.0) -> None:
    """Let Deployments be available some time after each change of them, as controllers would."""
    watch = world.client.watch("apps/v1/Deployment")

    def available(metadata: Manifest) -> None:
        name, generation = metadata["name"], metadata["generation"]
        counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
        status: Manifest = {"observedGeneration": generation, **dict.fromkeys(counts, 1)}
        world.client.patch(
            "apps/v1/Deployment", name, {"status": status}, type="merge", subresource="status"
        )

    def changed() -> None:
        for event in watch.drain():
            metadata = event.object["metadata"]
            seen = event.object.get("status", {}).get("observedGeneration")
            if metadata["generation"] != seen:
                world.clock.call_later(after, partial(available, metadata))

    watch.subscribe(changed)


def test_steps_share_the_workspace_and_run_in_order(world: Any) -> None:
    run = world.ran("echo one > file", "cat file; ls")
    assert run.status == "success"
    assert output(run) == "one\nfile\n"


def test_unknown_command_fails_the_step_and_says_what_there_is(world: Any) -> None:
    run = world.ran("echo before\nterraform apply\necho never")
    assert run.status == "failure"
    lines = output(run).splitlines()
    assert lines[:2] == ["before", "bash: line 2: terraform: command not found"]
    assert lines[2].startswith("this runner has: ")
    for command in ("kubectl", "kustomize", "git", "sleep", "test", "echo"):
        assert command in lines[2]
    assert lines[3:] == ["Error: Process completed with exit code 127."]


def test_script_that_is_no_shell_fails_its_step(world: Any) -> None:
    run = world.ran("if true; then echo")
    assert run.status == "failure"
    assert "exit code 2" in output(run)


def test_variables_come_from_workflow_job_and_step(world: Any) -> None:
    run = world.push("""
        name: ci
        on: push
        env: {A: workflow, B: workflow, C: workflow}
        jobs:
          j:
            runs-on: x
            env: {B: job, C: job}
            steps:
            - {run: 'echo $A $B $C ${{ env.C }}', env: {C: "${{ env.B }}-step"}}
            - run: echo "D=later" >> "$GITHUB_ENV"
            - run: echo $D ${{ env.D }}; echo $GITHUB_SHA $GITHUB_REF $GITHUB_RUN_NUMBER $CI
    """)
    world.clock.run(100)
    assert output(run, 0) == "workflow job job-step job-step\n"
    assert output(run, 2) == f"later later\n{run.source.commit} refs/heads/main 1 true\n"


def test_outputs_of_a_step_may_have_several_lines(world: Any) -> None:
    run = world.ran(
        'id: s\nrun: |\n  printf "text<<END\\\\na\\\\nb\\\\nEND\\\\n" >> $GITHUB_OUTPUT',
        "echo '${{ steps.s.outputs.text }}' ${{ steps.s.outcome }}",
    )
    assert output(run) == "a\nb success\n"


def test_wrong_line_in_an_output_file_fails_the_step(world: Any) -> None:
    run = world.ran('echo "no pair" >> $GITHUB_OUTPUT')
    assert run.status == "failure"
    assert "Unable to process file command: Invalid format 'no pair'" in run.log


def test_condition_of_a_step_sees_what_happened_before(world: Any) -> None:
    run = world.ran(
        "exit 3",
        "if: failure()\nrun: echo mended ${{ job.status }}",
        "if: success()\nrun: echo never",
        "if: always()\nrun: echo always",
    )
    assert [step.status for step in run.jobs[0].steps] == [
        "success",
        "failure",
        "success",
        "skipped",
        "success",
    ]
    assert output(run, 1) == "mended failure\n"
    assert run.status == "failure"


def test_step_that_may_fail_does_not_fail_the_job(world: Any) -> None:
    run = world.ran(
        "id: risky\nrun: exit 1\ncontinue-on-error: true",
        "echo ${{ steps.risky.outcome }} ${{ steps.risky.conclusion }}",
    )
    assert run.status == "success"
    assert output(run) == "failure success\n"


def test_expression_that_goes_wrong_fails_its_step_with_its_line(world: Any) -> None:
    run = world.ran("echo ${{ fromJSON('{') }}")
    assert run.status == "failure"
    assert "Error: .github/workflows/ci.yaml:6: fromJSON: '{' is no JSON" in run.log


def test_secret_is_never_shown(world: Any) -> None:
    world.pipelines.set_secret("shop", "TOKEN", "hunter2")
    world.pipelines.set_secret("shop", "KEY", "first line\nsecond line")
    run = world.ran(
        "env: {T: '${{ secrets.TOKEN }}'}\nrun: |\n  echo token is $T\n  echo -n hunter; echo 2",
        "echo '${{ secrets.KEY }}'",
        'echo "::add-mask::swordfish"; echo swordfish',
        "echo [${{ secrets.NONE }}]",
        "name: Log in with ${{ secrets.TOKEN }}\nrun: 'true'",
    )
    assert output(run, 0) == "token is ***\n***\n"
    assert output(run, 1) == "***\n***\n"
    assert output(run, 2) == "::add-mask::***\n***\n"
    assert output(run, 3) == "[]\n"
    assert run.jobs[0].steps[-1].name == "Log in with ***"
    assert "hunter2" not in run.log
    assert b"hunter2" not in world.journal.to_jsonl()


def test_secret_of_another_repository_is_not_there(world: Any) -> None:
    world.forge.create_repository("other", {"a": "b"})
    world.pipelines.set_secret("other", "TOKEN", "hunter2")
    assert output(world.ran("echo [${{ secrets.TOKEN }}]")) == "[]\n"


def test_checkout_gives_the_files_of_the_commit_of_the_run(world: Any) -> None:
    run = world.push(world.steps(CHECKOUT, "cat README.md; git rev-parse HEAD"))
    world.shop.commit({"README.md": "changed\n"}, "Change")
    world.clock.run(100)
    assert output(run) == f"shop\n{run.source.commit}\n"


def test_without_checkout_there_are_no_files(world: Any) -> None:
    run = world.ran("cat README.md")
    assert "cat: README.md: No such file or directory" in output(run)
    assert run.status == "failure"


def test_checkout_fails_as_git_does_while_the_forge_is_down(world: Any) -> None:
    run = world.push(world.steps(CHECKOUT, "echo never"))
    world.forge.take_down()
    world.clock.run(100)
    assert run.status == "failure"
    assert "Error: fatal: unable to access 'https://git.example.com/shop.git'" in run.log
    assert "exit code 128" in run.log


def test_working_directory_is_that_of_step_job_or_workflow(world: Any) -> None:
    run = world.push(
        """
        on: push
        defaults: {run: {working-directory: a}}
        jobs:
          j:
            runs-on: x
            steps:
            - uses: actions/checkout@v4
            - run: pwd
            - {run: pwd, working-directory: .}
            - {run: pwd, working-directory: nowhere}
    """,
        a__x_yaml="",
    )
    world.clock.run(100)
    assert output(run, 1) == "/home/runner/work/shop/shop/a\n"
    assert output(run, 2) == "/home/runner/work/shop/shop\n"
    assert "No such file or directory: working directory 'nowhere'" in output(run, 3)


def test_step_has_no_pipefail_without_a_shell_and_has_it_with_bash(world: Any) -> None:
    run = world.push(
        "on: push\njobs: {j: {runs-on: x, steps: [{run: false | true}, "
        "{shell: bash, run: false | true}]}}\n"
    )
    world.clock.run(world.clock.now() + 100)
    assert [step.status for step in run.jobs[0].steps] == ["success", "success", "failure"]


def test_step_over_its_time_limit_fails_when_the_limit_is_reached(world: Any) -> None:
    run = world.ran("run: sleep 3600\ntimeout-minutes: 2", "echo never")
    assert run.jobs[0].steps[1].seconds == 120.0
    assert "The action 'Run sleep 3600' has timed out after 2 minutes." in run.log
    assert run.status == "failure"


def test_job_over_its_time_limit_fails_and_runs_nothing_more(world: Any) -> None:
    run = world.push(
        "on: push\njobs: {j: {runs-on: x, timeout-minutes: 1, steps: [{run: sleep 3600}, "
        "{if: always(), run: echo never}]}}\n"
    )
    world.clock.run(100)
    assert "The job has exceeded the maximum execution time of 1m0s" in run.log
    assert [step.status for step in run.jobs[0].steps][1:] == ["failure", "skipped"]
    assert run.status == "failure"


def test_apply_reaches_the_cluster_and_is_told_with_counts(world: Any) -> None:
    text = world.steps(CHECKOUT, "kubectl apply -f deploy")
    run = world.connect().push(text, deploy__a_yaml=world.settings("a", "b"))
    world.clock.run(100)
    assert run.status == "success"
    assert world.names() == ["a", "b"]
    (fact,) = world.facts(RevisionApplied)
    assert (fact.agent, fact.cluster) == ("push:shop/.github/workflows/ci.yaml", "staging")
    assert fact.revision == f"main@sha1:{run.source.commit}"
    assert (fact.created, fact.configured, fact.unchanged) == (2, 0, 0)
    world.shop.commit({"deploy/b.yaml": world.settings("c")}, "Add c")
    world.clock.run(200)
    assert (world.facts(RevisionApplied)[1].created, world.facts(RevisionApplied)[1].unchanged) == (
        1,
        2,
    )


def test_dry_run_and_diff_deliver_nothing(world: Any) -> None:
    text = world.steps(
        CHECKOUT, "kubectl apply --dry-run=server -f deploy", "kubectl diff -f deploy || true"
    )
    run = world.connect().push(text, deploy__a_yaml=world.settings("a"))
    world.clock.run(100)
    assert run.status == "success"
    assert "configmap/a created (server dry run)" in run.log
    assert world.names() == []
    assert world.facts(RevisionApplied) == []


def test_server_side_apply_counts_what_it_did(world: Any) -> None:
    text = world.steps(CHECKOUT, "kubectl apply --server-side -f deploy")
    world.connect().push(text, deploy__a_yaml=world.settings("a", "b"))
    world.clock.run(100)
    world.shop.commit({"deploy/a.yaml": world.settings("a", "b", level=2)}, "Raise")
    world.clock.run(200)
    world.shop.commit({"README.md": "x"}, "Write")
    world.clock.run(300)
    told = [(f.created, f.configured, f.unchanged) for f in world.facts(RevisionApplied)]
    assert told == [(2, 0, 0), (0, 2, 0), (0, 0, 2)]


def test_revision_is_ready_when_the_job_that_waited_has_ended_well(world: Any) -> None:
    rolls_out(world.connect())
    text = world.steps(
        CHECKOUT, "kubectl apply -f deploy", "kubectl rollout status deployment/web", "sleep 20"
    )
    run = world.push(text, deploy__web_yaml=DEPLOYMENT)
    world.clock.run(100)
    assert run.status == "success"
    (ready,) = world.facts(ReadyRevision)
    assert (ready.commit, ready.cluster) == (run.source.commit, "staging")
    (applied,) = world.journal.entries(RevisionApplied)
    (entry,) = world.journal.entries(ReadyRevision)
    assert entry.time >= applied.time + 25


def test_rollout_that_is_not_done_in_time_fails_the_run_and_nothing_is_ready(world: Any) -> None:
    text = world.steps(
        CHECKOUT, "kubectl apply -f deploy", "kubectl rollout status deploy/web --timeout=30s"
    )
    run = world.connect().push(text, deploy__web_yaml=DEPLOYMENT)
    world.clock.run(100)
    assert run.status == "failure"
    assert "error: timed out waiting for the condition" in run.log
    assert world.facts(ReadyRevision) == []
    assert len(world.facts(RevisionApplied)) == 1


def test_without_credentials_kubectl_reaches_nothing_and_says_why(world: Any) -> None:
    run = world.ran("kubectl get pods")
    assert run.status == "failure"
    refused, why = output(run).splitlines()[:2]
    assert refused == (
        "The connection to the server localhost:8080 was refused - did you specify the right host "
        "or port?"
    )
    assert why.startswith("the runners of this repository have no credentials for a cluster")


def test_credential_taken_away_stops_the_next_delivery(world: Any) -> None:
    text = world.steps(CHECKOUT, "kubectl apply -f deploy")
    world.connect().push(text, deploy__a_yaml=world.settings("a"))
    world.clock.run(100)
    world.pipelines.disconnect("shop", "staging")
    run = world.push(text, deploy__a_yaml=world.settings("a", level=2))
    world.clock.run(200)
    assert run.status == "failure"
    assert world.client.get("v1/ConfigMap", "a")["data"] == {"level": "1"}


def test_context_chooses_between_clusters(make_world: Any) -> None:
    world, other = make_world(), make_world()
    world.connect()
    world.pipelines.connect("shop", "production", other.client)
    run = world.push(
        world.steps(
            CHECKOUT,
            "kubectl --context production apply -f deploy",
            "kubectl config current-context; kubectl config use-context production",
            "kubectl config current-context; kubectl get cm -o name",
            "kubectl --context nowhere get pods",
        ),
        deploy__a_yaml=world.settings("a"),
    )
    world.clock.run(100)
    assert (world.names(), other.names()) == ([], ["a"])
    assert output(run, 2) == 'staging\nSwitched to context "production".\n'
    assert output(run, 3) == "production\nconfigmap/a\n"
    assert 'error: context "nowhere" does not exist' in output(run, 4)
    assert world.facts(RevisionApplied)[0].cluster == "production"


def test_runner_killed_in_an_apply_leaves_it_half_applied_and_a_rerun_completes_it(
    make_world: Any,
) -> None:
    names = [f"c{number}" for number in range(20)]
    world = make_world(runners=1).connect()
    text = world.steps(CHECKOUT, "kubectl apply -f deploy", "echo never")
    run = world.push(text, deploy__a_yaml=world.settings(*names))
    assert world.clock.run_until(lambda: len(world.names()) == 7, 100)
    world.pipelines.kill_runner("runner-1")
    world.clock.run(200)
    assert len(world.names()) == 7
    assert run.status == "failure"
    assert "The runner runner-1 lost communication with the server." in run.log
    assert [step.status for step in run.jobs[0].steps][2:] == ["failure", "skipped"]
    assert run.jobs[0].steps[2].output.startswith("configmap/c0 created\n")
    assert world.facts(RevisionApplied) == []
    assert world.facts(PipelineStepDone)[-1].status == "failure"
    world.pipelines.rerun(run.id)
    world.clock.run(300)
    assert len(world.names()) == 20
    (fact,) = world.facts(RevisionApplied)
    assert (fact.created, fact.unchanged) == (13, 7)


def test_cancelled_run_writes_nothing_more(world: Any) -> None:
    text = world.steps(CHECKOUT, "kubectl apply -f deploy")
    run = world.connect().push(text, deploy__a_yaml=world.settings(*(f"c{n}" for n in range(20))))
    assert world.clock.run_until(lambda: len(world.names()) == 3, 100)
    world.pipelines.cancel(run.id)
    world.clock.run(200)
    assert len(world.names()) == 3
    assert "The operation was canceled." in run.log


def test_pipe_and_kustomize_build_work_without_a_cluster(world: Any) -> None:
    kustomization = "resources: [cm.yaml]\nnamePrefix: my-\n"
    text = world.steps(CHECKOUT, "kustomize build deploy | grep -c my-settings")
    run = world.push(
        text, deploy__kustomization_yaml=kustomization, deploy__cm_yaml=world.settings("settings")
    )
    world.clock.run(100)
    assert run.status == "success"
    assert output(run) == "1\n"


def test_apply_reads_what_a_pipe_brings(world: Any) -> None:
    world.connect()
    text = world.steps(CHECKOUT, "sed s/level/height/ deploy/a.yaml | kubectl apply -f -")
    world.push(text, deploy__a_yaml=world.settings("a"))
    world.clock.run(100)
    assert world.client.get("v1/ConfigMap", "a")["data"] == {"height": "1"}


def test_git_knows_the_commit(world: Any) -> None:
    run = world.ran(
        CHECKOUT,
        "git rev-parse --short HEAD; git log -1 --format='%an: %s'",
        "git rev-parse --abbrev-ref HEAD",
        "git push",
    )
    assert output(run, 1) == f"{run.source.commit[:7]}\nalice: Change\n"
    assert output(run, 2) == "main\n"
    assert "git: 'push' is not a git command here; there is: git rev-parse" in output(run, 3)
    assert "fatal: not a git repository" in output(world.ran("git log -1"))


def test_sleep_takes_virtual_time_and_date_tells_it(world: Any) -> None:
    run = world.ran("date +%H:%M; sleep 1h; date -u '+%Y-%m-%dT%H:%M'", seconds=5000)
    assert output(run) == "09:00\n2026-01-05T10:00\n"
    assert "invalid time interval 'soon'" in output(world.ran("sleep soon"))


def test_lab_needs_at_least_one_runner(make_world: Any) -> None:
    with pytest.raises(LabError, match="give at least 1"):
        make_world(runners=0)


def test_checkout_takes_the_revision_that_is_named(world: Any) -> None:
    world.shop.create_branch("old")
    world.shop.tag("v1")
    world.shop.commit({"README.md": "newer\n"}, "Write")
    run = world.push("""
        on: push
        jobs:
          j:
            runs-on: x
            env: {WHICH: v1}
            steps:
            - {uses: actions/checkout@v4, with: {ref: old, fetch-depth: 0}}
            - run: cat README.md; git rev-parse --abbrev-ref HEAD
            - {uses: actions/checkout@v4, with: {ref: "${{ env.WHICH }}"}}
            - run: cat README.md
            - {uses: actions/checkout@v4, with: {ref: nowhere}}
    """)
    world.clock.run(100)
    assert (output(run, 1), output(run, 3)) == ("shop\nold\n", "shop\n")
    assert "Error: A branch or tag with the name 'nowhere' could not be found" in output(run, 4)
    assert run.status == "failure"


def test_event_is_known_to_the_workflow(world: Any) -> None:
    text = """
        on: {pull_request: {types: [closed]}}
        jobs:
          j:
            if: github.event.pull_request.merged == true
            runs-on: x
            name: after ${{ github.event.number }}
            steps: [{run: "echo ${{ github.event.action }} ${{ github.base_ref }}"}]
    """
    world.shop.create_branch("feature")
    world.shop.commit({".github/workflows/ci.yaml": text}, "Add", "feature")
    world.shop.open_merge_request("feature").merge()
    world.clock.run(100)
    (run,) = world.pipelines.runs
    assert run.jobs[0].name == "after 1"
    assert output(run) == "closed main\n"
