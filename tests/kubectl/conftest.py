"""kubectl against a real API server in process, with files from a dict."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitops_sim.apiserver import InProcessClient, new_server
from gitops_sim.clock import VirtualClock
from gitops_sim.journal import Journal
from gitops_sim.kubectl import CommandResult, KubectlCommand
from gitops_sim.protocols import TreeReader
from gitops_sim.render import FolderTree, Renderer
from gitops_sim.types import Step


class Kubectl:
    """A terminal: `run("get pods")` returns output, errors and exit status."""

    def __init__(self, folder: Path, *, namespace: str = "default") -> None:
        self.folder = folder
        self.clock = VirtualClock(1)
        self.server = new_server(self.clock, Journal(self.clock))
        self.client = InProcessClient(self.server, "tester")
        self.files: TreeReader = FolderTree(folder)
        self.namespace = namespace
        self.steps: list[Step] = []
        self.clock.on_step.append(lambda _, step, *__: self.steps.append(step))

    def write(self, **files: str) -> Kubectl:
        """Write files: `a__b_yaml` is a/b.yaml."""
        for name, text in files.items():
            path = self.folder / name.replace("__", "/").replace("_yaml", ".yaml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.files = FolderTree(self.folder)
        return self

    def start(self, line: str | list[str], *, stdin: str = "", **more: Any) -> dict[str, Any]:
        """Start a command line; the result is in "result" when it has ended."""
        argv = shlex.split(line) if isinstance(line, str) else line
        command = KubectlCommand(
            self.client, self.clock, self.files, Renderer(), namespace=self.namespace, **more
        )
        state: dict[str, Any] = {}

        def job() -> Any:
            state["result"] = yield from command.run(argv, stdin=stdin)

        state["handle"] = self.clock.spawn("kubectl", job())
        return state

    def run(self, line: str | list[str], *, stdin: str = "", **more: Any) -> CommandResult:
        """Run a command line to its end."""
        state = self.start(line, stdin=stdin, **more)
        assert self.clock.run_until(lambda: not state["handle"].alive, 10_000)
        result: CommandResult = state["result"]
        return result

    def ok(self, line: str | list[str], *, stdin: str = "", **more: Any) -> str:
        """Run a command line that must succeed; return what it printed."""
        result = self.run(line, stdin=stdin, **more)
        assert result.exit_code == 0, result.stderr
        return result.stdout

    def fails(self, line: str | list[str], *, stdin: str = "") -> str:
        """Run a command line that must fail; return what it complained."""
        result = self.run(line, stdin=stdin)
        assert result.exit_code == 1, result.stdout
        return result.stderr

    def status(self, name: str, **status: Any) -> None:
        """Write the status of a Deployment, as its controller would."""
        live = self.client.get("apps/v1/Deployment", name)
        seen = {"observedGeneration": live["metadata"]["generation"]}
        body = {"status": seen | status}
        self.client.patch("apps/v1/Deployment", name, body, type="merge", subresource="status")


@pytest.fixture
def kubectl(tmp_path: Path) -> Kubectl:
    return Kubectl(tmp_path)


@pytest.fixture(scope="module")
def make_kubectl() -> Callable[..., Kubectl]:
    return Kubectl
