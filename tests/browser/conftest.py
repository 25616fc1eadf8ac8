"""JupyterLab as `./do lab` starts it, and Debian's Chromium to look at it.

One server serves all tests of a session; each test opens pages of its own and leaves no kernel.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SHOTS = os.environ.get("GITOPS_SIM_SHOTS", "")
"""A folder for screenshots, for people who want to look."""
PATIENCE = 120.0
"""Seconds that a server or a notebook may take on a busy machine."""


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("no browser here: install Debian's package chromium")
    return {
        "executable_path": found,
        "args": ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"],
    }


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, Any]:
    return {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}


@dataclass(frozen=True)
class JupyterLab:
    """A running server: where it is, what opens it, and the copy of the course it serves."""

    url: str
    token: str
    course: Path

    def page(self, notebook: str) -> str:
        """Return the address of a notebook, with a workspace of its own."""
        return f"{self.url}lab/tree/{notebook}?reset&token={self.token}"

    def call(self, path: str, method: str = "GET") -> Any:
        """Ask the server; return the JSON that it answers."""
        request = urllib.request.Request(
            f"{self.url}{path}", method=method, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            body = answer.read()
        return json.loads(body) if body else None


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def jupyter_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    """Start what `./do lab` starts, with a home of its own."""
    home = tmp_path_factory.mktemp("home")
    course = home / "course"
    config = home / "config"
    config.mkdir()
    (config / "jupyter_server_config.json").write_text(
        json.dumps({"LabApp": {"expose_app_in_browser": True}})
    )
    environment = os.environ | {
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
    }
    program = Path(sys.executable).with_name("gitops-sim")
    command = [program, "tour", "--no-browser", "--dir", str(course), "--port", str(free_port())]
    log = home / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield _waited_for(process, home, course, log)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _waited_for(
    process: subprocess.Popen[bytes], home: Path, course: Path, log: Path
) -> JupyterLab:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        for file in (home / "runtime").glob("jpserver-*.json"):
            try:
                told = json.loads(file.read_text())
                lab = JupyterLab(told["url"], told["token"], course)
                lab.call("api/status")
            except (OSError, ValueError):  # half written, or not yet listening
                continue
            return lab
        time.sleep(0.1)  # noqa: TID251 - a real process, in real time
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text()[-4000:]}")


IDLE = """() => {
  const panel = window.jupyterapp?.shell.currentWidget;
  return panel?.sessionContext?.session?.kernel?.status === 'idle';
}"""
RUN_CELL = """([text, source]) => {
  const content = window.jupyterapp.shell.currentWidget.content;
  const index = content.widgets.findIndex(
    (cell) => cell.model.type === 'code' && cell.model.sharedModel.source.includes(text));
  content.activeCellIndex = index;
  if (source) content.widgets[index].model.sharedModel.setSource(source);
  return window.jupyterapp.commands.execute('notebook:run-cell');
}"""


class Notebook:
    """An open notebook: what a learner sees and does."""

    def __init__(self, page: Page, server: JupyterLab) -> None:
        self.page = page
        self._server = server

    @property
    def outputs(self) -> Locator:
        """All outputs, top to bottom."""
        return self.page.locator(".jp-OutputArea-output")

    def open(self, name: str) -> None:
        """Go to a notebook and wait until its kernel is idle."""
        self.page.goto(self._server.page(name))
        self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell").first.wait_for()
        self.wait_until_idle()

    def wait_until_idle(self) -> None:
        """Wait until the kernel has nothing to do."""
        self.page.wait_for_function(IDLE)

    def command(self, name: str) -> None:
        """Do what a menu entry of JupyterLab does, and wait until the kernel is idle again."""
        self.page.evaluate("name => window.jupyterapp.commands.execute(name)", name)
        self.wait_until_idle()

    def run_cell(self, text: str, source: str = "") -> None:
        """Run the code cell whose source contains a text, with another source if one is given."""
        self.page.evaluate(RUN_CELL, [text, source])
        self.wait_until_idle()

    def cell(self, text: str) -> Locator:
        """Return the code cell whose source contains a text."""
        editor = self.page.locator(".jp-InputArea-editor", has_text=text)
        return self.page.locator(".jp-CodeCell").filter(has=editor).first

    def shot(self, what: Locator, name: str) -> None:
        """Keep a picture of something, for people who want to look."""
        if SHOTS:
            what.screenshot(path=Path(SHOTS) / f"{name}.png")

    def close_kernels(self) -> None:
        """End every kernel of the server."""
        for session in self._server.call("api/sessions"):
            self._server.call(f"api/sessions/{session['id']}", "DELETE")


@pytest.fixture
def notebook(page: Page, jupyter_lab: JupyterLab) -> Iterator[Notebook]:
    """A page for a notebook; the kernels that it started are ended."""
    page.set_default_timeout(PATIENCE * 1000)
    opened = Notebook(page, jupyter_lab)
    yield opened
    opened.close_kernels()
