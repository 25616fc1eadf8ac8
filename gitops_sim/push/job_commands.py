"""Commands of a job that reach beyond its files: kubectl, kustomize, git, sleep, date.

Source: kubectl's own messages where there is no credential; Git 2.43 for git's.
Differs: git knows the commit that was checked out and nothing else; `date` prints the lab's time.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gitops_sim.clock import parse_duration
from gitops_sim.errors import DurationError
from gitops_sim.forge import CommitInfo
from gitops_sim.kubectl import CommandResult, KubectlCommand, log_reader
from gitops_sim.protocols import Clock, Cluster
from gitops_sim.push.shell_streams import Call, Job, Running, Tool
from gitops_sim.push.workspace import Workspace
from gitops_sim.render import Renderer
from gitops_sim.types import Step

__all__ = ["JobCommands", "ToldCommand"]

ToldCommand = Callable[[str, Sequence[str]], None]
"""Told of a kubectl command that succeeded: the cluster, and `CommandResult.done`."""
NO_CLUSTER = (
    "the runners of this repository have no credentials for a cluster: connect the repository to "
    "one\n"
)
GIT_FORMATS: Mapping[str, Callable[[CommitInfo], str]] = {
    "%H": lambda info: info.commit,
    "%h": lambda info: info.commit[:7],
    "%s": lambda info: info.message.partition("\n")[0],
    "%B": lambda info: info.message,
    "%an": lambda info: info.author,
    "%%": lambda _: "%",
    "%n": lambda _: "\n",
}
GIT_HERE = "git rev-parse [--short] HEAD, git log -1 [--oneline | --format=FORMAT]"


@dataclass(slots=True)
class JobCommands:
    """The commands of one job.

    Attributes:
        clock: Times what takes time.
        renderer: Builds kustomizations.
        workspace: The job's files.
        clusters: Name -> cluster that the runner has credentials for, looked up at each call.
        told: Told of each kubectl command that succeeded.
        commit: The commit that was checked out; None before a checkout.
        branch: The branch of that commit.
        context: The cluster that `kubectl config use-context` chose.
    """

    clock: Clock
    renderer: Renderer
    workspace: Workspace
    clusters: Mapping[str, Cluster]
    told: ToldCommand
    commit: CommitInfo | None = None
    branch: str = ""
    context: str = ""

    def tools(self) -> dict[str, Tool]:
        """Return those that are done at once."""
        return {"date": self._date, "git": self._git}

    def jobs(self) -> dict[str, Job]:
        """Return those that take time."""
        return {"kubectl": self._kubectl, "kustomize": self._kustomize, "sleep": self._sleep}

    def _kubectl(self, call: Call) -> Running:
        if call.args[:1] == ["config"]:
            return self._config(call)
        name = _flag(call.args, "--context") or self.context or next(iter(self.clusters), "")
        if name and name not in self.clusters:
            call.streams.err(f'error: context "{name}" does not exist\n')
            return 1
        result = yield from self._run(call, name, call.args)
        if result.exit_code == 0 and result.done:
            self.told(name, result.done)
        elif result.exit_code and not name:
            call.streams.err(NO_CLUSTER)
        return result.exit_code

    def _run(
        self, call: Call, cluster: str, words: Sequence[str]
    ) -> Generator[Any, Any, CommandResult]:
        """Run kubectl against a cluster, or without one."""
        reached = self.clusters.get(cluster)
        kubectl = KubectlCommand(
            reached,
            self.clock,
            self.workspace,
            self.renderer,
            out=call.streams.out,
            err=call.streams.err,
            logs=log_reader(reached),
        )
        return kubectl.run(words, stdin=call.streams.stdin, directory=call.shell.directory)

    def _config(self, call: Call) -> int:
        """Do the part of `kubectl config` that chooses a cluster."""
        word, name = (*call.args[1:3], "", "")[:2]
        current = self.context or next(iter(self.clusters), "")
        if word == "current-context":
            call.say(f"{current}\n" if current else "")
            if not current:
                call.streams.err("error: current-context is not set\n")
            return int(not current)
        if word == "get-contexts":
            call.say("".join(f"{known}\n" for known in self.clusters))
            return 0
        if word != "use-context":
            here = "use-context NAME, current-context, get-contexts"
            call.streams.err(f'error: unknown command "config {word}"; here it has: {here}\n')
            return 1
        if name not in self.clusters:
            call.streams.err(f'error: no context exists with the name: "{name}"\n')
            return 1
        self.context = name
        call.say(f'Switched to context "{name}".\n')
        return 0

    def _kustomize(self, call: Call) -> Running:
        """Do `kustomize build`, which needs no cluster."""
        if call.args[:1] != ["build"]:
            word = call.args[0] if call.args else ""
            call.streams.err(f'Error: unknown command "{word}" for "kustomize"; there is: build\n')
            return 1
        result = yield from self._run(call, "", ["kustomize", *call.args[1:]])
        return result.exit_code

    def _sleep(self, call: Call) -> Running:
        seconds = 0.0
        for word in call.args or ["nothing"]:
            try:
                bare = word.replace(".", "", 1).isdigit()
                seconds += float(word) if bare else parse_duration(word)
            except DurationError:
                call.complain(f"invalid time interval '{word}'")
                return 1
        yield Step("sleep", seconds, " ".join(call.args))
        return 0

    def _date(self, call: Call) -> int:
        pattern = "%a %b %e %H:%M:%S UTC %Y"
        for word in call.args:
            if word.startswith("+"):
                pattern = word[1:]
            elif word not in ("-u", "--utc"):
                call.complain(f"invalid option '{word}'; here it takes -u and +FORMAT")
                return 1
        start = datetime.fromisoformat(self.clock.timestamp(0.0))
        moment = start + timedelta(seconds=int(self.clock.now()))
        pattern = pattern.replace("%s", str(int(moment.timestamp())))
        call.say(moment.strftime(pattern) + "\n")
        return 0

    def _git(self, call: Call) -> int:
        if self.commit is None:
            fatal = "fatal: not a git repository (or any of the parent directories): .git"
            call.streams.err(f"{fatal}\nuse actions/checkout before this step\n")
            return 128
        word, *rest = call.args or [""]
        if word == "rev-parse":
            return self._rev_parse(call, rest, self.commit.commit)
        if word == "log":
            return self._log(call, rest, self.commit)
        call.complain(f"'{word}' is not a git command here; there is: {GIT_HERE}")
        return 1

    def _rev_parse(self, call: Call, words: list[str], commit: str) -> int:
        if words[-1:] != ["HEAD"]:
            call.streams.err(f"fatal: only HEAD is known here; there is: {GIT_HERE}\n")
            return 128
        if words[0] == "--abbrev-ref":
            call.say(f"{self.branch or 'HEAD'}\n")
            return 0
        length = 40
        for word in words[:-1]:
            if word.startswith("--short"):
                _, _, digits = word.partition("=")
                length = int(digits) if digits.isdigit() else 7
        call.say(f"{commit[:length]}\n")
        return 0

    def _log(self, call: Call, words: list[str], info: CommitInfo) -> int:
        pattern = ""
        for word in words:
            name, _, value = word.partition("=")
            if word == "--oneline":
                pattern = "%h %s"
            elif name in ("--format", "--pretty"):
                pattern = value.removeprefix("format:").removeprefix("tformat:")
            elif word not in ("-1", "-n1", "--no-decorate"):
                call.streams.err(f"fatal: unrecognized argument: {word}; there is: {GIT_HERE}\n")
                return 128
        if not pattern:
            body = "".join(f"    {line}\n" for line in info.message.splitlines())
            call.say(f"commit {info.commit}\nAuthor: {info.author}\n\n{body}")
            return 0
        for code, value_of in GIT_FORMATS.items():
            pattern = pattern.replace(code, value_of(info))
        call.say(f"{pattern}\n")
        return 0


def _flag(words: Sequence[str], flag: str) -> str:
    """Return the value of a flag; empty when it is not there."""
    for index, word in enumerate(words):
        if word == flag and index + 1 < len(words):
            return words[index + 1]
        if word.startswith(f"{flag}="):
            return word.partition("=")[2]
    return ""
