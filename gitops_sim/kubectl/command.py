"""`kubectl` without a process: a command line, a cluster and a folder of files.

A command is a generator, so that it takes virtual time, can wait for a rollout, and can be killed
between two of its requests: what it had done by then stays done.

Differs: the commands are those in `COMMANDS`, with the flags that pipelines and lessons use; of
`set` there is only `image`; any other command or flag is refused by its name. Flags that choose a
cluster or a user are passed over, except where a runner has several clusters. The real kubectl has
all of them, against a lab that serves.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_sim.errors import ApiError, LabError
from gitops_sim.kubectl.applying import APPLY_FLAGS, apply
from gitops_sim.kubectl.arguments import Arguments, Flag, parse
from gitops_sim.kubectl.changing import (
    PATCH_FLAGS,
    SCALE_FLAGS,
    SET_FLAGS,
    patch,
    scale,
    set_image,
)
from gitops_sim.kubectl.creating import (
    CREATE_FLAGS,
    REPLACE_FLAGS,
    RUN_FLAGS,
    create,
    replace,
    run,
)
from gitops_sim.kubectl.deleting import DELETE_FLAGS, delete
from gitops_sim.kubectl.describing import DESCRIBE_FLAGS, describe
from gitops_sim.kubectl.diffing import DIFF_FLAGS, diff
from gitops_sim.kubectl.eventing import EVENTS_FLAGS, events
from gitops_sim.kubectl.explaining import EXPLAIN_FLAGS, explain
from gitops_sim.kubectl.getting import GET_FLAGS, get
from gitops_sim.kubectl.kustomizing import KUSTOMIZE_FLAGS, kustomize
from gitops_sim.kubectl.labelling import LABEL_FLAGS, annotate, label
from gitops_sim.kubectl.messages import error_text
from gitops_sim.kubectl.nodes import CORDON_FLAGS, TAINT_FLAGS, cordon, taint, uncordon
from gitops_sim.kubectl.rollout import ROLLOUT_FLAGS, rollout
from gitops_sim.kubectl.serving import (
    LOGS_FLAGS,
    RESOURCES_FLAGS,
    VERSION_FLAGS,
    api_resources,
    logs,
    version,
)
from gitops_sim.kubectl.session import START_TAKES, LogReader, Session, Work
from gitops_sim.kubectl.waiting import WAIT_FLAGS, wait
from gitops_sim.protocols import Clock, Cluster, TreeReader
from gitops_sim.render import Renderer
from gitops_sim.types import Step

__all__ = ["COMMANDS", "CommandResult", "KubectlCommand"]

Command = Callable[[Session, Arguments], Work]
COMMANDS: Mapping[str, tuple[Command, Mapping[str, Flag]]] = {
    "annotate": (annotate, LABEL_FLAGS),
    "api-resources": (api_resources, RESOURCES_FLAGS),
    "apply": (apply, APPLY_FLAGS),
    "cordon": (cordon, CORDON_FLAGS),
    "create": (create, CREATE_FLAGS),
    "delete": (delete, DELETE_FLAGS),
    "describe": (describe, DESCRIBE_FLAGS),
    "diff": (diff, DIFF_FLAGS),
    "events": (events, EVENTS_FLAGS),
    "explain": (explain, EXPLAIN_FLAGS),
    "get": (get, GET_FLAGS),
    "kustomize": (kustomize, KUSTOMIZE_FLAGS),
    "label": (label, LABEL_FLAGS),
    "logs": (logs, LOGS_FLAGS),
    "patch": (patch, PATCH_FLAGS),
    "replace": (replace, REPLACE_FLAGS),
    "rollout": (rollout, ROLLOUT_FLAGS),
    "run": (run, RUN_FLAGS),
    "scale": (scale, SCALE_FLAGS),
    "set": (set_image, SET_FLAGS),
    "taint": (taint, TAINT_FLAGS),
    "uncordon": (uncordon, CORDON_FLAGS),
    "version": (version, VERSION_FLAGS),
    "wait": (wait, WAIT_FLAGS),
}


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a command left behind: its output, its errors, its exit status.

    `done` has a word for each object that an apply, a `rollout status` or a wait dealt with:
    `created`, `configured`, `unchanged`, `pruned`, `rolled out`, `waited for`; dry runs do nothing.
    """

    stdout: str = ""
    stderr: str = ""
    exit_code: int = 0
    done: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KubectlCommand:
    """A kubectl with a cluster to talk to and files to read.

    Attributes:
        cluster: Where it sends its requests; None: there is no kubeconfig.
        clock: Times its waiting.
        files: What `-f` and `-k` can name.
        renderer: Builds kustomizations.
        namespace: That of the kubeconfig's context.
        out, err: Told what is printed as soon as it is; None: nobody.
        logs: Gives what pods have printed; None: the cluster keeps none.
    """

    cluster: Cluster | None
    clock: Clock
    files: TreeReader
    renderer: Renderer
    namespace: str = "default"
    out: Callable[[str], None] | None = None
    err: Callable[[str], None] | None = None
    logs: LogReader | None = None

    def run(
        self, argv: Sequence[str], *, stdin: str = "", directory: str = ""
    ) -> Generator[Any, Any, CommandResult]:
        """Run one command line; never raises for what a user can do wrong.

        Args:
            argv: The words after `kubectl`.
            stdin: What `-f -` reads.
            directory: The working directory, a path in `files`.

        Yields:
            A step before each request that changes something, and what it parks on.

        Returns:
            Output, errors and exit status, as the real kubectl's.
        """
        session = Session(
            self.cluster,
            self.clock,
            self.files,
            self.renderer,
            directory=directory,
            stdin=stdin,
            namespace=self.namespace,
            out=self.out,
            err=self.err,
            logs=self.logs,
        )
        yield Step("kubectl", START_TAKES, " ".join(argv[:2]))
        name = ""
        try:
            name, arguments = _read(argv)
            session.use(arguments)
            command, _ = COMMANDS[name]
            code = yield from command(session, arguments)
        except (ApiError, LabError) as refused:
            session.err.append(error_text([refused]))
            code = 2 if name == "diff" else 1  # 1 says of a diff that there is one
        return CommandResult(session.out.text, session.err.text, code, tuple(session.done))


def _read(argv: Sequence[str]) -> tuple[str, Arguments]:
    """Return the command's name and its arguments; flags may stand before the name."""
    before = list(argv)
    flags: list[str] = []
    while before and before[0].startswith("-"):
        flags.append(before.pop(0))
        if "=" not in flags[-1] and before and flags[-1] != "--":
            flags.append(before.pop(0))
    if not before:
        raise LabError(f"no command given; there is: {', '.join(COMMANDS)}")
    name = before[0]
    if name not in COMMANDS:
        problem = f'unknown command "{name}" for "kubectl"'
        raise LabError(f"{problem}\nthis kubectl has: {', '.join(COMMANDS)}")
    return name, parse(f"kubectl {name}", [*flags, *before[1:]], COMMANDS[name][1])
