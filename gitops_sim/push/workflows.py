"""Workflows in GitHub Actions' form: `.github/workflows/*.yaml` and `*.yml`, parsed once.

    on ─▶ triggers        jobs ─▶ needs, if, matrix ─▶ steps: run, uses, if, env

A file is checked in full before anything of it runs, as GitHub does: unknown keys, a cycle of
`needs`, expressions. Each error names file, line and field.

Source: GitHub Actions, "Workflow syntax for GitHub Actions".
Differs: no reusable workflows, containers or services; actions are those in `ACTIONS` alone;
`permissions`, `environment` and `run-name` are accepted and change nothing; a job has no
concurrency of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gitops_sim.push.expression_values import ExpressionError
from gitops_sim.push.expressions import Expression, Template, parse_condition, parse_template
from gitops_sim.push.matrices import Matrix, parse_matrix
from gitops_sim.push.triggers import Event, Trigger, parse_triggers
from gitops_sim.push.workflow_yaml import Entry, read

__all__ = ["ACTIONS", "FOLDER", "Concurrency", "JobSpec", "StepSpec", "Workflow", "parse_workflow"]

FOLDER = ".github/workflows"
ACTIONS = {
    "actions/checkout": "puts the files of the commit, or of `with: ref`, into the workspace",
    "azure/setup-kubectl": "nothing: kubectl is there",
}
"""Actions that steps may use, without their version, and what they do here."""
CHECKOUT_INPUTS = (
    "ref",
    *("clean", "fetch-depth", "fetch-tags", "lfs", "persist-credentials"),
    *("show-progress", "submodules", "token"),
)
"""What may stand in a checkout's `with:`; all but `ref` change nothing here."""
TOP_KEYS = ("concurrency", "defaults", "env", "jobs", "name", "on", "permissions", "run-name")
JOB_KEYS = (
    "continue-on-error",
    "defaults",
    "env",
    "environment",
    "if",
    "name",
    "needs",
    "outputs",
    "permissions",
    "runs-on",
    "steps",
    "strategy",
    "timeout-minutes",
)
STEP_KEYS = (
    "continue-on-error",
    "env",
    "id",
    "if",
    "name",
    "run",
    "shell",
    "timeout-minutes",
    "uses",
    "with",
    "working-directory",
)
NOT_HERE = {
    "concurrency": "move it to the top of the workflow",
    "container": "remove it: steps run on the runner itself",
    "services": "remove it: steps run on the runner itself",
    "uses": "write the job's steps here: workflows that call others are not available",
    "with": "write the job's steps here: workflows that call others are not available",
    "secrets": "write the job's steps here: workflows that call others are not available",
}
"""Keys of a job that GitHub knows and the lab does not, and what to do instead."""
SHELLS = {"": ("errexit",), "bash": ("errexit", "pipefail"), "sh": ("errexit",)}
"""`shell:` -> options of the shell; without one there is no pipefail, as on GitHub."""
DEFAULT_TIMEOUT = 360.0
"""Minutes of a job."""


@dataclass(frozen=True, slots=True)
class StepSpec:
    """One step.

    Attributes:
        label: Its name, as far as it has one; the runner makes one up otherwise.
        run: The script; None for an action.
        uses: The action without its version; empty for a script.
        ref: What a checkout checks out; None: the commit of the run.
        id: For the steps context; empty: none.
        condition: `if:`; None: `success()`.
        env: Variables, not yet evaluated.
        working_directory: Relative to the workspace; None: the job's.
        shell: As in `SHELLS`.
        timeout_minutes: None: no limit but the job's.
        continue_on_error: A failure does not fail the job.
        line: Where it stands in the file.
    """

    label: Template
    run: Template | None
    uses: str
    ref: Template | None
    id: str
    condition: Expression | None
    env: Mapping[str, Template]
    working_directory: Template | None
    shell: str
    timeout_minutes: float | None
    continue_on_error: bool
    line: int


@dataclass(frozen=True, slots=True)
class JobSpec:
    """One job; fields as in `StepSpec` where they have the same name.

    Attributes:
        id: Its key under `jobs`.
        needs: Ids of the jobs that come before it.
        matrix: One job for each of its combinations.
        outputs: Evaluated when its steps are done.
    """

    id: str
    label: Template
    needs: tuple[str, ...]
    condition: Expression | None
    env: Mapping[str, Template]
    working_directory: Template | None
    shell: str
    matrix: Matrix
    outputs: Mapping[str, Template]
    timeout_minutes: float
    continue_on_error: bool
    steps: tuple[StepSpec, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Concurrency:
    """One run at a time of those with the same group; a new one waits, or cancels the old one."""

    group: Template
    cancel_in_progress: bool = False


@dataclass(frozen=True, slots=True)
class Workflow:
    """One workflow file.

    Attributes:
        name: `name:`, or the path of the file.
        file: Its path in the repository.
        triggers: When it runs.
        env: Variables of all jobs.
        jobs: In the order of the file.
        concurrency: None: any number at a time.
    """

    name: str
    file: str
    triggers: tuple[Trigger, ...]
    env: Mapping[str, Template]
    jobs: tuple[JobSpec, ...]
    concurrency: Concurrency | None

    def wants(self, event: Event) -> bool:
        """Return whether an event starts it."""
        return any(trigger.fires(event) for trigger in self.triggers)


@dataclass(frozen=True, slots=True)
class _Defaults:
    working_directory: Template | None = None
    shell: str = ""


def parse_workflow(data: bytes, file: str) -> Workflow:
    """Read a workflow file.

    Raises:
        SpecError: Something in it is wrong; the first thing found.
    """
    whole = read(data, file)
    members = whole.mapping(TOP_KEYS)
    for key in ("on", "jobs"):
        if key not in members:
            raise whole.refuse(f"required key {key!r} is missing", f"write `{key}:`")
    defaults = _defaults(members, _Defaults())
    jobs = members["jobs"].mapping()
    if not jobs:
        raise members["jobs"].refuse("there is no job", "write at least one")
    parsed = tuple(_job(name, entry, defaults) for name, entry in jobs.items())
    _check_needs(parsed, jobs)
    return Workflow(
        members["name"].text() if "name" in members else file,
        file,
        parse_triggers(members["on"]),
        _templates(members.get("env")),
        parsed,
        _concurrency(members.get("concurrency")),
    )


def _defaults(members: Mapping[str, Entry], above: _Defaults) -> _Defaults:
    """Read `defaults.run`."""
    if "defaults" not in members:
        return above
    run = members["defaults"].mapping(("run",)).get("run")
    inner = run.mapping(("shell", "working-directory")) if run else {}
    directory = _optional_template(inner.get("working-directory"))
    return _Defaults(directory or above.working_directory, _shell(inner, above.shell))


def _job(name: str, entry: Entry, defaults: _Defaults) -> JobSpec:
    members = entry.mapping()
    _check_id(name, entry)
    for key, fix in NOT_HERE.items():
        if key in members:
            raise members[key].refuse(f"{key!r} of a job is not available here", fix)
    entry.mapping(JOB_KEYS)
    if "runs-on" not in members:
        raise entry.refuse("required key 'runs-on' is missing", "write `runs-on: ubuntu-latest`")
    if "steps" not in members or not members["steps"].items():
        raise entry.refuse("the job has no steps", "write `steps:` with at least one")
    defaults = _defaults(members, defaults)
    minutes = members.get("timeout-minutes")
    steps = tuple(_step(step) for step in members["steps"].items())
    _check_step_ids(steps, members["steps"])
    return JobSpec(
        name,
        _template(members["name"]) if "name" in members else Template((name,)),
        tuple(members["needs"].texts()) if "needs" in members else (),
        _condition(members),
        _templates(members.get("env")),
        defaults.working_directory,
        defaults.shell,
        parse_matrix(members.get("strategy")),
        _templates(members.get("outputs")),
        minutes.number() if minutes else DEFAULT_TIMEOUT,
        members["continue-on-error"].flag() if "continue-on-error" in members else False,
        steps,
        entry.line,
    )


def _step(entry: Entry) -> StepSpec:
    members = entry.mapping(STEP_KEYS)
    if ("run" in members) == ("uses" in members):
        found = "both" if "run" in members else "neither"
        raise entry.refuse(f"a step has either run or uses, this one {found}", "keep one of them")
    minutes = members.get("timeout-minutes")
    uses = _action(members["uses"]) if "uses" in members else ""
    run = _template(members["run"]) if "run" in members else None
    first = (members["run"].text().strip().splitlines() or [""])[0] if run else uses
    label = _template(members["name"]) if "name" in members else _label_of(f"Run {first}")
    return StepSpec(
        label,
        run,
        uses,
        _ref(members.get("with"), uses),
        members["id"].text() if "id" in members else "",
        _condition(members),
        _templates(members.get("env")),
        _optional_template(members.get("working-directory")),
        _shell(members, ""),
        minutes.number() if minutes else None,
        members["continue-on-error"].flag() if "continue-on-error" in members else False,
        entry.line,
    )


def _label_of(text: str) -> Template:
    """Return the name of a step without one: its first line, whose expressions may be cut."""
    try:
        return parse_template(text)
    except ExpressionError:
        return Template((text,))


def _action(entry: Entry) -> str:
    """Return an action without its version, if it is there."""
    name, _, version = entry.text().partition("@")
    if name not in ACTIONS:
        listed = ", ".join(f"{action} ({what})" for action, what in ACTIONS.items())
        raise entry.refuse(
            f"unable to resolve action {entry.text()!r}: it is not available here",
            f"write a `run:` step, or use one of {listed}",
        )
    if not version:
        raise entry.refuse(f"action {name!r} has no version", f"write {name}@v4")
    return name


def _ref(inputs: Entry | None, uses: str) -> Template | None:
    """Read a step's `with:`; of a checkout it may name another revision."""
    if inputs is None or uses != "actions/checkout":
        return None
    return _optional_template(inputs.mapping(CHECKOUT_INPUTS).get("ref"))


def _shell(members: Mapping[str, Entry], above: str) -> str:
    if "shell" not in members:
        return above
    name = members["shell"].text()
    if name not in SHELLS or not name:
        raise members["shell"].refuse(f"shell {name!r} is not available here", "use bash")
    return name


def _condition(members: Mapping[str, Entry]) -> Expression | None:
    if "if" not in members:
        return None
    try:
        return parse_condition(members["if"].text())
    except ExpressionError as wrong:
        raise members["if"].refuse(str(wrong)) from None


def _template(entry: Entry) -> Template:
    try:
        return parse_template(entry.text())
    except ExpressionError as wrong:
        raise entry.refuse(str(wrong)) from None


def _optional_template(entry: Entry | None) -> Template | None:
    return None if entry is None else _template(entry)


def _templates(entry: Entry | None) -> dict[str, Template]:
    """Read a mapping of texts, such as `env`."""
    if entry is None or entry.value is None:
        return {}
    return {name: _template(below) for name, below in entry.mapping().items()}


def _concurrency(entry: Entry | None) -> Concurrency | None:
    if entry is None:
        return None
    if not isinstance(entry.value, dict):
        return Concurrency(_template(entry))
    members = entry.mapping(("cancel-in-progress", "group"))
    if "group" not in members:
        raise entry.refuse("required key 'group' is missing", "write `group: deploy`")
    cancel = members.get("cancel-in-progress")
    return Concurrency(_template(members["group"]), cancel.flag() if cancel else False)


def _check_id(name: str, entry: Entry) -> None:
    if not name.replace("-", "_").isidentifier() or not name.isascii():
        raise entry.refuse(f"{name!r} is no id", "use letters, digits, - and _")


def _check_step_ids(steps: Sequence[StepSpec], entry: Entry) -> None:
    seen: set[str] = set()
    for step, item in zip(steps, entry.items(), strict=True):
        if step.id in seen:
            raise item.refuse(f"the id {step.id!r} is used twice", "choose another")
        if step.id:
            _check_id(step.id, item)
            seen.add(step.id)


def _check_needs(jobs: Sequence[JobSpec], entries: Mapping[str, Entry]) -> None:
    """Refuse a need that is no job, and jobs that wait for each other."""
    known = {job.id: job for job in jobs}
    for job in jobs:
        for needed in job.needs:
            if needed not in known:
                at = entries[job.id].mapping()["needs"]
                listed = ", ".join(known)
                raise at.refuse(f"there is no job {needed!r}", f"use one of {listed}")
    done: set[str] = set()
    while left := [job for job in jobs if job.id not in done]:
        ready = {job.id for job in left if done.issuperset(job.needs)}
        if not ready:
            at = entries[left[0].id].mapping()["needs"]
            names = ", ".join(job.id for job in left)
            raise at.refuse(f"jobs wait for each other: {names}", "take one of the needs away")
        done |= ready
