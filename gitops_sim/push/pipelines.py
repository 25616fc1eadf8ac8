"""Pipelines: what the forge tells becomes runs of workflows, on runners with a queue.

    push or merge request ─▶ workflow files of that commit ─▶ runs ─▶ jobs wait for runners ─▶ steps

A workflow file that is broken gives a failed run that says why, as on GitHub, and nothing else
stops. Whoever may deploy is decided here: a repository's runners have credentials for the clusters
that it was connected to, and for no others.

Differs: the workflow files of a merge request are those of its source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from gitops_sim.clock.door import Door, outside
from gitops_sim.errors import InputError, LabError, SpecError, UnknownRefError
from gitops_sim.forge import Forge, MergeRequest, Repository
from gitops_sim.journal import Journal
from gitops_sim.journal.facts import PipelineDone, PipelineStarted
from gitops_sim.protocols import Clock, Cluster
from gitops_sim.push.contexts import contexts_of
from gitops_sim.push.expression_values import ExpressionError
from gitops_sim.push.pool import RunnerPool
from gitops_sim.push.progress import RunProgress
from gitops_sim.push.runs import JobRun, Run, Source
from gitops_sim.push.surroundings import Access, Surroundings
from gitops_sim.push.triggers import Event, chosen_inputs
from gitops_sim.push.workflows import FOLDER, Workflow, parse_workflow
from gitops_sim.render import Renderer

__all__ = ["Pipelines"]

ACTIONS = {"opened": "opened", "synchronize": "synchronize", "merged": "closed", "closed": "closed"}
"""What happens to a merge request -> the type of GitHub's pull_request event."""
SKIP = ("[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]")
"""Words in a commit's message with which it starts no workflow."""


class Pipelines:
    """All workflows, runs and runners of one lab.

    Attributes:
        runs: Every run, oldest first.

    Args:
        forge: Tells of pushes and merge requests, and gets the checks.
        clock: Times everything.
        journal: Is told everything.
        renderer: Builds kustomizations.
        runners: How many jobs may run at a time, in all repositories.
        door: The lab's door; None for pipelines that nobody replays.
    """

    def __init__(
        self,
        forge: Forge,
        clock: Clock,
        journal: Journal,
        renderer: Renderer,
        *,
        runners: int = 2,
        door: Door | None = None,
    ) -> None:
        if runners < 1:
            raise LabError(f"{runners} runners can run nothing", "give at least 1")
        self.runs: list[Run] = []
        self._access: dict[str, Access] = {}
        self._lab = Surroundings(forge, clock, journal, renderer, self._access)
        self._pool = RunnerPool(runners)
        self._active: dict[str, RunProgress] = {}
        self._groups: dict[str, list[RunProgress]] = {}
        self._numbers: dict[str, int] = {}
        self._parsed: dict[tuple[str, str], Workflow | SpecError] = {}
        self._door = door
        self._address = "pipelines"
        if door is not None:
            door.register(self._address, self)
        forge.on_push(self._pushed)
        forge.on_merge_request(self._merge_request)

    def __repr__(self) -> str:
        busy = len(self._pool.names) - len(self._pool.free)
        return f"<Pipelines: {len(self.runs)} runs, {busy} of {len(self._pool.names)} runners busy>"

    @property
    def queued(self) -> int:
        """Jobs that wait for a runner."""
        return self._pool.queued

    def run(self, run_id: str) -> Run:
        """Return the newest attempt of a run, such as `shop/deploy#3`; LabError when unknown."""
        for run in reversed(self.runs):
            if run.id == run_id:
                return run
        known = ", ".join(dict.fromkeys(run.id for run in self.runs[-5:])) or "none yet"
        raise LabError(f"there is no run {run_id!r}", f"the latest runs are: {known}")

    # -- changing

    @outside
    def connect(self, repository_name: str, cluster_name: str, cluster: Cluster) -> None:
        """Give a repository's runners credentials for a cluster.

        The first cluster is the one that kubectl means; others are named by `--context`.

        Raises:
            LabError: The forge has no such repository.
        """
        name = self._lab.forge.repository(repository_name).name
        self._access.setdefault(name, Access()).clusters[cluster_name] = cluster

    @outside
    def disconnect(self, repository_name: str, cluster_name: str) -> None:
        """Take a credential away: what runs now keeps it until its next kubectl command."""
        self._access.setdefault(repository_name, Access()).clusters.pop(cluster_name, None)

    @outside
    def set_secret(self, repository_name: str, name: str, value: str) -> None:
        """Set a secret of a repository: `${{ secrets.NAME }}`; logs show `***` for it.

        A saved lab holds the value, as it holds everything that came from outside.
        """
        repository = self._lab.forge.repository(repository_name).name
        self._access.setdefault(repository, Access()).secrets[name] = value

    @outside
    def run_push(self, repository_name: str, *, branch: str = "") -> None:
        """Start what a first push of a branch would start: an import of a repository starts none.

        Raises:
            LabError: There is no such repository.
            UnknownRefError: It has no such branch, or is empty.
        """
        repository = self._lab.forge.repository(repository_name)
        branch = branch or repository.default_branch
        self._pushed(repository, branch, "", repository.head(branch))

    @outside
    def dispatch(
        self,
        repository_name: str,
        workflow: str,
        *,
        branch: str = "",
        inputs: Mapping[str, str] | None = None,
    ) -> Run:
        """Start a workflow by hand, as GitHub's button does.

        Args:
            repository_name: Where it is.
            workflow: Its name, or the name of its file such as `deploy.yaml`.
            branch: Whose files; empty: the default branch.
            inputs: Name -> text, for those that the workflow declares.

        Raises:
            LabError: There is no such workflow, it is broken, has no `workflow_dispatch`, or does
                not take these inputs.
        """
        repository = self._lab.forge.repository(repository_name)
        branch = branch or repository.default_branch
        info = repository.info(repository.head(branch))
        spec = self._named(repository, info.commit, workflow)
        triggers = [t for t in spec.triggers if t.event == "workflow_dispatch"]
        if not triggers:
            problem = f"workflow {spec.name!r} does not have a 'workflow_dispatch' trigger"
            raise LabError(problem, "add `workflow_dispatch:` to its `on:`")
        source = Source(
            repository.name,
            "workflow_dispatch",
            info.commit,
            branch,
            actor=info.author,
            message=info.message,
            inputs=chosen_inputs(triggers[0], inputs or {}),
        )
        run = self._new_run(source, spec.name, spec)
        self._begin(run)
        return run

    @outside
    def rerun(self, run_id: str) -> Run:
        """Run all jobs of a run again, on the same commit, with the same workflow file.

        Raises:
            LabError: There is no such run, it is not over, or its file is broken.
        """
        old = self.run(run_id)
        if old.ended is None:
            raise LabError(f"{run_id} is not over", f"cancel it first, or let it end: {old}")
        if old.spec is None:
            raise LabError(f"{run_id} cannot run: {old.message}", "commit a mended workflow file")
        run = Run(
            old.id,
            old.number,
            old.attempt + 1,
            old.workflow,
            old.source,
            old.spec,
            self._lab.clock.now(),
        )
        self._begin(run)
        return run

    @outside
    def cancel(self, run_id: str) -> None:
        """Stop a run at once; what its steps have done stays done."""
        progress = self._active.get(self.run(run_id).id)
        if progress is None:
            raise LabError(f"{run_id} is over", "a run that is over cannot be cancelled")
        progress.cancel("The operation was canceled.")

    @outside
    def kill_runner(self, name: str) -> None:
        """Let a runner crash in the middle of its work; a new one of that name takes its place.

        Raises:
            LabError: There is no such runner, or it has nothing to do.
        """
        if name not in self._pool.names:
            raise LabError(f"there is no runner {name!r}", f"use one of {self._pool.names}")
        if not any(progress.lose(name) for progress in list(self._active.values())):
            raise LabError(f"{name} has nothing to do", "kill it while a job runs on it")

    # -- what the forge tells

    def _pushed(self, repository: Repository, branch: str, old: str, new: str) -> None:
        def files() -> Sequence[str]:
            before = old or self._parted(repository, branch)
            return repository.diff(before, new).paths if before else repository.tree(new).files()

        info = repository.info(new)
        source = Source(
            repository.name, "push", new, branch, actor=info.author, message=info.message
        )
        self._start(repository, source, Event("push", branch, files))

    def _parted(self, repository: Repository, branch: str) -> str:
        """Return what a new branch is compared with: the default branch; "" for the first."""
        default = repository.default_branch
        return default if branch != default and default in repository.branches() else ""

    def _merge_request(self, repository: Repository, request: MergeRequest, action: str) -> None:
        if action not in ACTIONS:
            return
        event = Event("pull_request", request.target, lambda: request.diff.paths, ACTIONS[action])
        source = Source(
            repository.name,
            "pull_request",
            request.head,
            request.source,
            request.target,
            request.number,
            request.author,
            ACTIONS[action],
            merged=action == "merged",
            message=repository.info(request.head).message,
        )
        self._start(repository, source, event)

    def _start(self, repository: Repository, source: Source, event: Event) -> None:
        """Start the workflows of a commit that want an event."""
        if any(word in source.message for word in SKIP):
            return
        for path, workflow in self._workflows(repository, source.commit):
            if isinstance(workflow, SpecError):
                if event.name == "push":  # GitHub tells of a broken file at each push
                    self._refuse(source, path, workflow)
            elif workflow.wants(event):
                self._begin(self._new_run(source, workflow.name, workflow))

    def _named(self, repository: Repository, commit: str, name: str) -> Workflow:
        """Return a workflow of a commit by its name or file; LabError when there is none."""
        known: list[str] = []
        for path, workflow in self._workflows(repository, commit):
            if isinstance(workflow, SpecError):
                if path.endswith(f"/{name}"):
                    raise LabError(f"Invalid workflow file: {workflow}", "mend it and commit")
                continue
            if name == workflow.name or path.endswith(f"/{name}"):
                return workflow
            known.append(workflow.name)
        listed = ", ".join(known) or "none"
        raise LabError(f"{repository.name} has no workflow {name!r}", f"its workflows: {listed}")

    def _workflows(
        self, repository: Repository, commit: str
    ) -> Iterator[tuple[str, Workflow | SpecError]]:
        """Yield the workflow files of a commit, each parsed, or what is wrong with it."""
        tree = repository.tree(commit)
        for path in tree.files(FOLDER):
            name = path.removeprefix(f"{FOLDER}/")
            if "/" not in name and name.endswith((".yaml", ".yml")):
                yield path, self._workflow(path, tree.blob_id(path), partial(tree.read, path))

    def _workflow(self, path: str, blob: str, content: Callable[[], bytes]) -> Workflow | SpecError:
        """Return a workflow file, parsed when it is first seen."""
        if (path, blob) not in self._parsed:
            try:
                self._parsed[path, blob] = parse_workflow(content(), path)
            except SpecError as wrong:
                self._parsed[path, blob] = wrong
            except (InputError, UnknownRefError) as wrong:  # a link that leads nowhere
                fix = "commit it as a file"
                self._parsed[path, blob] = SpecError(path, 0, f"cannot be read: {wrong}", fix)
        return self._parsed[path, blob]

    def _new_run(self, source: Source, workflow: str, spec: Workflow | None) -> Run:
        key = f"{source.repository}/{workflow}"
        self._numbers[key] = self._numbers.get(key, 0) + 1
        number = self._numbers[key]
        return Run(f"{key}#{number}", number, 1, workflow, source, spec, self._lab.clock.now())

    def _refuse(self, source: Source, path: str, wrong: SpecError) -> None:
        """Make a run that failed because its file is broken."""
        run = self._new_run(source, path, None)
        run.message = f"Invalid workflow file: {wrong}"
        run.status, run.started, run.ended = "failure", run.created, run.created
        self.runs.append(run)
        journal = self._lab.journal
        repository, commit = source.repository, source.commit
        journal.record(PipelineStarted(repository, commit, path, source.event, run.id))
        journal.record(PipelineDone(run.id, repository, commit, run.status))
        self._lab.forge.repository(repository).report_check(commit, path, "failure", run.message)

    # -- concurrency

    def _begin(self, run: Run) -> None:
        """Start a run, or let it wait for the one of its concurrency group that runs."""
        self.runs.append(run)
        progress = RunProgress(run, self._lab, self._pool, self._run_ended)
        self._active[run.id] = progress
        try:
            group = self._group(run)
        except ExpressionError as wrong:
            progress.cancel(f"Error: concurrency: {wrong}")
            return
        if not group:
            progress.begin()
            return
        before = self._groups.setdefault(group, [])
        waiting = before[1:]
        before.append(progress)
        if len(before) == 1:
            progress.begin()
            return
        for other in waiting:  # only the newest one waits, as on GitHub
            other.cancel("Canceling since a higher priority waiting request exists")
        concurrency = run.spec.concurrency if run.spec else None
        if concurrency and concurrency.cancel_in_progress:
            before[0].cancel("Canceling since a higher priority waiting request exists")

    def _group(self, run: Run) -> str:
        """Return the concurrency group of a run; empty when it has none."""
        if run.spec is None or run.spec.concurrency is None:
            return ""
        first = JobRun(run.spec.jobs[0], {}, "")
        contexts = contexts_of(run, first, self._access.get(run.source.repository) or Access())
        return f"{run.source.repository}/{run.spec.concurrency.group.text(contexts)}"

    def _run_ended(self, progress: RunProgress) -> None:
        if self._active.get(progress.run.id) is progress:
            del self._active[progress.run.id]
        for group, members in list(self._groups.items()):
            if progress not in members:
                continue
            was_first = members[0] is progress
            members.remove(progress)
            if not members:
                del self._groups[group]
            elif was_first:
                members[0].begin()
