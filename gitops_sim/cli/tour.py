"""`gitops-sim tour`: JupyterLab on the course, out of reach of the learner's own clusters.

JupyterLab gets KUBECONFIG set to a file of the lab's before it starts, so that every kernel and
every terminal in it has that from its first moment, also after a restart. As long as no lab serves,
the file names no cluster but has a current context, which does not exist: `kubectl` fails at once
and asks nobody. Without a current context it would turn to the cluster around its own pod (a hub in
the cloud), or to localhost:8080.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from gitops_sim.cli.course import STATE, copy_course
from gitops_sim.errors import InputError
from gitops_sim.server.kubeconfig import idle_kubeconfig, write_private

__all__ = ["configure", "jupyter_command", "jupyter_environment", "run"]

HIGHEST_PORT = 65535
FIRST_NOTEBOOK = "notebooks/00-tour.ipynb"

_IN_POD = ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "KUBERNETES_MASTER")
"""By these, client libraries find the cluster that a notebook's own pod runs in."""

_SETTINGS = {
    # No question about news and no look for updates: nothing leaves the machine.
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    # All cells stay in the page, so that a search and a screen reader find every output.
    "notebook-extension/tracker": {"windowingMode": "none"},
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument(
        "--dir", type=Path, default=Path("my-course"), help="where to work (default: my-course)"
    )
    parser.add_argument("--port", type=int, default=8888, help="first port to try")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument(
        "--command",
        metavar="PROGRAM",
        nargs=argparse.REMAINDER,
        help="start this instead of JupyterLab, with all words behind it: on a JupyterHub "
        "jupyterhub-singleuser",
    )


def run(arguments: argparse.Namespace) -> int:
    """Copy the course, start JupyterLab, and stay until it ends."""
    if not 0 <= arguments.port <= HIGHEST_PORT:
        raise InputError("--port", 0, f"{arguments.port} is no port", f"give 0 to {HIGHEST_PORT}")
    folder = arguments.dir.resolve()
    copied = copy_course(folder)
    if copied.kept:
        print(f"{copied.kept} files of {arguments.dir} are kept as you left them")
    environment = jupyter_environment(folder, os.environ)
    if arguments.command:
        return _become(arguments.command, environment)
    command = jupyter_command(folder, port=arguments.port, browser=not arguments.no_browser)
    print(f"JupyterLab on {arguments.dir}; Ctrl-C twice ends it", flush=True)
    with subprocess.Popen(command, env=environment) as server:
        while True:
            try:
                return min(server.wait(), 1)
            except KeyboardInterrupt:
                continue  # JupyterLab has it too, asks, and ends when it is meant


def _become(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Let another program take the place of this process, so that who started it finds it."""
    program = shutil.which(command[0], path=environment["PATH"])
    if program is None:
        raise InputError("--command", 0, f"there is no program {command[0]!r}", "install it")
    os.execve(program, [program, *command[1:]], dict(environment))  # noqa: S606 - no shell is meant


def jupyter_command(folder: Path, *, port: int = 8888, browser: bool = True) -> list[str]:
    """Return the command line that starts JupyterLab on a copy of the course."""
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={folder}",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        f"--LabApp.default_url=/lab/tree/{FIRST_NOTEBOOK}",
        "--LabApp.extension_manager=readonly",
    ]
    if not browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    return command


def jupyter_environment(folder: Path, outer: Mapping[str, str]) -> dict[str, str]:
    """Write the lab's own files into a copy of the course; return JupyterLab's environment.

    Args:
        folder: The copy, an absolute path.
        outer: The environment to start from.

    Returns:
        A fresh environment: the lab's KUBECONFIG, kubectl's cache and settings in the copy, this
        installation's kernel and programs before others of the same name.
    """
    state = folder / STATE
    for name, settings in _SETTINGS.items():
        file = state / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
    kubeconfig = state / "kubeconfig"
    write_private(kubeconfig, idle_kubeconfig())
    environment = {name: value for name, value in outer.items() if name not in _IN_POD}
    programs = str(Path(sys.executable).parent)
    return environment | {
        "KUBECONFIG": str(kubeconfig),
        "KUBECACHEDIR": str(state / "kubectl-cache"),
        "KUBERC": "off",
        "JUPYTERLAB_SETTINGS_DIR": str(state / "settings"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "PATH": os.pathsep.join(part for part in (programs, outer.get("PATH", "")) if part),
    }
