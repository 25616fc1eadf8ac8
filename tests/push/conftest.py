"""A lab for pipelines: clock, journal, forge, runners, and an API server to deploy to."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from gitops_sim.apiserver import InProcessClient, new_server
from gitops_sim.clock import VirtualClock
from gitops_sim.forge import Forge, Repository
from gitops_sim.journal import Journal
from gitops_sim.journal.facts import Fact
from gitops_sim.push import Pipelines, Run
from gitops_sim.render import Renderer

ONE_JOB = """\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
"""


class World:
    """One lab with one repository called shop and one cluster called staging."""

    def __init__(self, *, seed: int = 0, runners: int = 2) -> None:
        self.clock = VirtualClock(seed)
        self.journal = Journal(self.clock)
        self.forge = Forge(self.clock, self.journal)
        self.pipelines = Pipelines(
            self.forge, self.clock, self.journal, Renderer(), runners=runners
        )
        self.server = new_server(self.clock, self.journal, name="staging")
        self.client = InProcessClient(self.server, "runner")
        self.shop: Repository = self.forge.create_repository("shop", {"README.md": "shop\n"})

    def connect(self) -> World:
        """Give the runners of shop the cluster."""
        self.pipelines.connect("shop", "staging", self.client)
        return self

    def push(self, workflow: str, **files: str) -> Run:
        """Push a workflow (and other files: `a__b_yaml` is a/b.yaml) and return its run."""
        named = {name.replace("__", "/").replace("_yaml", ".yaml"): t for name, t in files.items()}
        path = ".github/workflows/ci.yaml"
        self.shop.commit({path: textwrap.dedent(workflow), **named}, "Change")
        return self.pipelines.runs[-1]

    def steps(self, *scripts: str, indent: int = 4) -> str:
        """A workflow with one job of such steps, each a script or the text of a step."""
        lines = []
        for script in scripts:
            if script.startswith(("run:", "uses:", "name:", "id:", "if:", "env:")):
                lines.append(textwrap.indent(script, " " * (indent + 2)).lstrip())
            else:
                body = textwrap.indent(textwrap.dedent(script), " " * (indent + 4))
                lines.append(f"run: |\n{body}")
        return ONE_JOB + "".join(f"{' ' * indent}- {line}\n" for line in lines)

    def ran(self, *scripts: str, seconds: float = 900.0) -> Run:
        """Push a workflow of such steps, let time pass, and return the run."""
        run = self.push(self.steps(*scripts))
        self.clock.run(self.clock.now() + seconds)
        return run

    def facts(self, kind: type[Fact]) -> list[Fact]:
        """The facts of one kind."""
        return list(self.journal.facts(kind))

    def settings(self, *names: str, level: int = 1) -> str:
        """ConfigMaps as a file."""
        return "---\n".join(
            f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n"
            f"data: {{level: '{level}'}}\n"
            for name in names
        )

    def names(self, kind: str = "v1/ConfigMap") -> list[str]:
        """The names of what is in the cluster's default namespace."""
        return [found["metadata"]["name"] for found in self.client.list(kind, "default")]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def make_world() -> Callable[..., World]:
    return World
