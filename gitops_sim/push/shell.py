"""A small shell for the steps of workflows: enough of bash to deploy, and nothing that can escape.

It knows words, quotes, variables, `$(…)`, pipes, `&&`, `||`, `if`, `for`, groups, redirections to
files of the workspace and here-documents. Commands are functions, so a script starts no process,
reads no file but the workspace's, and takes virtual time only. `set -e` holds as in bash: a
command that fails ends the script, unless its failure is being asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gitops_sim.errors import InputError, LabError, UnknownRefError
from gitops_sim.push.shell_builtins import BUILT_IN
from gitops_sim.push.shell_expansion import expand, expand_text
from gitops_sim.push.shell_streams import (
    Allowance,
    Call,
    EndOfScript,
    Job,
    Running,
    Sink,
    Streams,
    Tool,
)
from gitops_sim.push.shell_syntax import (
    AndOr,
    For,
    Group,
    If,
    Node,
    Pipeline,
    Redirect,
    Script,
    Simple,
    parse,
)
from gitops_sim.push.shell_words import Substitution
from gitops_sim.push.workspace import Workspace

__all__ = ["Shell"]

MAX_DEPTH = 20
"""Scripts inside `$(…)` inside each other."""
TOO_DEEP = "the script is nested too deep"


class Shell:
    """One shell.

    Attributes:
        workspace: The files it works on.
        directory: Where it stands, a path in the workspace.
        variables: All its variables.
        exported: Names of those that commands see.
        status: Exit status of the last command.
        options: "errexit", "pipefail", "nounset", "xtrace".
        allowance: What its scripts may still use up; shells in it use up the same.

    Args:
        workspace: The files.
        tools: Commands that are done at once, by name.
        jobs: Commands that take time, by name.
        variables: Its environment.
        directory: Where it starts.
        options: As the attribute.
        depth: How many shells are around this one.
    """

    def __init__(
        self,
        workspace: Workspace,
        tools: Mapping[str, Tool],
        jobs: Mapping[str, Job],
        variables: Mapping[str, str],
        *,
        directory: str = "",
        options: Sequence[str] = ("errexit",),
        depth: int = 0,
    ) -> None:
        self.workspace = workspace
        self.directory = directory
        self.variables = dict(variables)
        self.exported = set(variables)
        self.status = 0
        self.options = set(options)
        self.allowance = Allowance()
        self._tools = tools
        self._jobs = jobs
        self._depth = depth
        self._substituted = 0

    def run(self, script: str, streams: Streams) -> Running:
        """Run a script; returns its exit status and never raises for what is wrong with it."""
        try:
            tree = parse(script)
        except LabError as wrong:
            hint = f"\n{wrong.next_step}" if wrong.next_step else ""
            streams.err(f"bash: {wrong.problem}{hint}\n")
            return 2
        except RecursionError:
            streams.err(f"bash: {TOO_DEEP}\n")
            return 2
        try:
            yield from self._script(tree, streams, asked=False)
        except EndOfScript as end:
            self.status = end.status
        except LabError as wrong:
            streams.err(f"bash: {wrong.problem}\n")
            self.status = 1
        except InputError as wrong:
            streams.err(f"bash: {wrong}\n")
            self.status = 1
        except RecursionError:
            streams.err(f"bash: {TOO_DEEP}\n")
            self.status = 1
        return self.status

    @property
    def commands(self) -> list[str]:
        """Names of all commands that there are."""
        return sorted({*self._tools, *self._jobs, *BUILT_IN})

    def environment(self) -> dict[str, str]:
        """Return the variables that commands see."""
        return {name: self.variables[name] for name in self.exported if name in self.variables}

    # The tree, one method for each kind of node. `asked` is True where a failure is an answer.

    def _script(self, tree: Script, streams: Streams, *, asked: bool) -> Running:
        for item in tree.items:
            yield from self._and_or(item, streams, asked=asked)
        return self.status

    def _and_or(self, tree: AndOr, streams: Streams, *, asked: bool) -> Running:
        yield from self._pipeline(tree.first, streams, asked=asked or bool(tree.rest))
        for index, (operator, pipeline) in enumerate(tree.rest):
            if (self.status == 0) == (operator == "&&"):
                last = index == len(tree.rest) - 1
                yield from self._pipeline(pipeline, streams, asked=asked or not last)
        return self.status

    def _pipeline(self, tree: Pipeline, streams: Streams, *, asked: bool) -> Running:
        asked = asked or tree.negated
        if len(tree.commands) == 1:
            yield from self._command(tree.commands[0], streams, asked=asked)
        else:
            yield from self._pipe(tree.commands, streams, asked=asked)
        if tree.negated:
            self.status = int(self.status == 0)
        elif self.status and not asked and "errexit" in self.options:
            raise EndOfScript(self.status)
        return self.status

    def _pipe(self, commands: Sequence[Node], streams: Streams, *, asked: bool) -> Running:
        """Run commands that pass on their output; each in a shell of its own, as in bash."""
        text, failed = streams.stdin, 0
        for index, command in enumerate(commands):
            passed: list[str] = []
            last = index == len(commands) - 1
            piped = replace(streams, stdin=text, out=streams.out if last else passed.append)
            inner = self._copy()
            status = yield from inner._own(command, piped, asked=asked)  # noqa: SLF001 - its kind
            self.status = status
            failed = status or failed
            text = "".join(passed)
        if "pipefail" in self.options:
            self.status = failed
        return self.status

    def _own(self, command: Node, streams: Streams, *, asked: bool) -> Running:
        """Run a command as the whole of this shell: `exit` in it ends only this shell."""
        try:
            yield from self._command(command, streams, asked=asked)
        except EndOfScript as end:
            self.status = end.status
        return self.status

    def _command(self, tree: Node, streams: Streams, *, asked: bool) -> Running:
        if isinstance(tree, Simple):
            return (yield from self._simple(tree, streams))
        if isinstance(tree, If):
            return (yield from self._if(tree, streams, asked=asked))
        if isinstance(tree, For):
            return (yield from self._for(tree, streams, asked=asked))
        return (yield from self._group(tree, streams, asked=asked))

    def _if(self, tree: If, streams: Streams, *, asked: bool) -> Running:
        for condition, body in tree.branches:
            yield from self._script(condition, streams, asked=True)
            if self.status == 0:
                return (yield from self._script(body, streams, asked=asked))
        self.status = 0
        if tree.otherwise is not None:
            yield from self._script(tree.otherwise, streams, asked=asked)
        return self.status

    def _for(self, tree: For, streams: Streams, *, asked: bool) -> Running:
        values = yield from expand(self, tree.words, streams)
        self.status = 0
        for value in values:
            self.variables[tree.name] = value
            yield from self._script(tree.body, streams, asked=asked)
        return self.status

    def _group(self, tree: Group, streams: Streams, *, asked: bool) -> Running:
        streams, sinks = yield from self._redirected(tree.redirects, streams)
        if tree.own_shell:
            inner = self._copy()
            try:
                yield from inner._script(tree.body, streams, asked=asked)  # noqa: SLF001 - its kind
            except EndOfScript as end:
                inner.status = end.status
            self.status = inner.status
        else:
            yield from self._script(tree.body, streams, asked=asked)
        self._write(sinks)
        return self.status

    def _simple(self, tree: Simple, streams: Streams) -> Running:
        """Run one command: assignments, words, redirections, then the command itself."""
        self._substituted = 0
        self.allowance.run_command(tree.line)
        words = yield from expand(self, tree.words, streams)
        assigned: dict[str, str] = {}
        for name, word in tree.assignments:
            assigned[name] = yield from expand_text(self, word, streams)
        try:
            streams, sinks = yield from self._redirected(tree.redirects, streams)
        except LabError as wrong:
            streams.err(f"bash: line {tree.line}: {wrong.problem}\n")
            self.status = 1
            return 1
        if words:
            if "xtrace" in self.options:
                streams.err(f"+ {' '.join(words)}\n")
            before = {name: self.variables.get(name) for name in assigned}
            added = set(assigned) - self.exported
            self.variables |= assigned
            self.exported |= added
            self.status = yield from self._call(words, streams, tree.line)
            self.exported -= added
            for name, value in before.items():
                if value is None:
                    self.variables.pop(name, None)
                else:
                    self.variables[name] = value
        else:
            self.variables |= assigned
            self.status = self._substituted
        self._write(sinks)
        return self.status

    def _call(self, words: list[str], streams: Streams, line: int) -> Running:
        name, *args = words
        call = Call(name, args, streams, self)
        if name in BUILT_IN:
            return BUILT_IN[name](call)
        if name in self._jobs:
            return (yield from self._jobs[name](call))
        if name in self._tools:
            try:
                return self._tools[name](call)
            except (InputError, UnknownRefError) as wrong:
                call.complain(str(wrong))
                return 1
        streams.err(f"bash: line {line}: {name}: command not found\n")
        streams.err(f"this runner has: {', '.join(self.commands)}\n")
        return 127

    def substitute(self, segment: Substitution, streams: Streams) -> Generator[Any, Any, str]:
        """Return what the script of `$(…)` prints, without the line ends at its end.

        Raises:
            LabError: It is deeper than `MAX_DEPTH`.
        """
        if self._depth >= MAX_DEPTH:
            raise LabError(f"line {segment.line}: $(…) more than {MAX_DEPTH} deep")
        printed: list[str] = []
        inner = self._copy()
        inner.options.discard("errexit")  # as in bash, where `$(…)` does not inherit it
        self._substituted = yield from inner.run(
            segment.script, replace(streams, stdin="", out=printed.append)
        )
        return "".join(printed).rstrip("\n")

    # Redirections

    def _redirected(
        self, redirects: Sequence[Redirect], streams: Streams
    ) -> Generator[Any, Any, tuple[Streams, list[Sink]]]:
        """Return the streams after redirections, and the files to write when all is done."""
        sinks: list[Sink] = []
        for redirect in redirects:
            text = yield from expand_text(self, redirect.target, streams)
            if redirect.operator in ("<<", "<<-"):
                streams = replace(streams, stdin=text)
            elif redirect.operator == "<":
                streams = replace(streams, stdin=self._read(text))
            elif redirect.operator == ">&" and text in ("1", "2"):
                target = streams.out if text == "1" else streams.err
                streams = _with(streams, redirect.descriptor, target)
            else:
                sink = self._sink(text, append=redirect.operator == ">>")
                sinks.append(sink)
                streams = _with(streams, redirect.descriptor, sink.write)
                if redirect.operator in ("&>", ">&"):
                    streams = _with(streams, 2, sink.write)
        return streams, sinks

    def _sink(self, text: str, *, append: bool) -> Sink:
        if text == "/dev/null":
            return Sink(None, append=append)
        path = self.workspace.resolve(self.directory, text)
        if path is None:
            raise LabError(f"{text}: Permission denied (steps write below the workspace only)")
        if not path or self.workspace.is_directory(path):
            raise LabError(f"{text}: Is a directory")
        return Sink(path, append=append)

    def _read(self, text: str) -> str:
        path = self.workspace.resolve(self.directory, text)
        try:
            return self.workspace.read(path or "").decode(errors="replace")
        except UnknownRefError:
            raise LabError(f"{text}: No such file or directory") from None

    def _write(self, sinks: Sequence[Sink]) -> None:
        for sink in sinks:
            if sink.path is not None:
                there = b""
                if sink.append and self.workspace.exists(sink.path):
                    there = self.workspace.read(sink.path)
                self.workspace.write(sink.path, there + "".join(sink.parts).encode())

    def _copy(self) -> Shell:
        """Return a shell that starts where this one is, and changes nothing here."""
        copy = Shell(
            self.workspace,
            self._tools,
            self._jobs,
            self.variables,
            directory=self.directory,
            options=sorted(self.options),
            depth=self._depth + 1,
        )
        copy.exported = set(self.exported)
        copy.status = self.status
        copy.allowance = self.allowance
        return copy


def _with(streams: Streams, descriptor: int, target: Callable[[str], None]) -> Streams:
    return replace(streams, err=target) if descriptor == 2 else replace(streams, out=target)
