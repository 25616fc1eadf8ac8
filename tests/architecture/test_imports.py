"""What the core may load and use: little, and nothing that a browser's kernel lacks."""

from __future__ import annotations

import ast
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import gitops_sim

HEAVY = ("kubernetes", "matplotlib", "networkx", "git", "uvicorn", "ipywidgets", "IPython")

BLOCKERS = """
import sys

class Missing:
    names = {"orjson", "yaml._yaml", "_yaml"}
    def find_spec(self, name, path=None, target=None):
        if name in self.names:
            raise ModuleNotFoundError(f"{name} is blocked", name=name)

FORBIDDEN = {
    "socket.__new__", "subprocess.Popen", "os.system", "os.fork", "os.posix_spawn", "os.exec",
}

def refuse(event, args):
    if event in FORBIDDEN:
        raise RuntimeError(f"the core used {event}")

def no_thread(*args):
    raise RuntimeError("the core used _thread.start_new_thread")

import _thread

_thread.start_new_thread = _thread.start_joinable_thread = no_thread
sys.meta_path.insert(0, Missing())
sys.addaudithook(refuse)
"""


HOMES = {
    "simpy": {"clock"},
    "dulwich": {"forge"},
    "git": {"forge"},
    "networkx": {"viz"},
    "uvicorn": {"server"},
    "trustme": {"server"},
    "socket": {"server"},
    "threading": {"server", "cli"},
    "subprocess": {"cli", "render"},
}
"""Where a library may be used; the rest of the package does without it."""


@pytest.mark.parametrize("library", HOMES)
def test_library_stays_in_its_home(library: str) -> None:
    strangers = {
        module
        for module, names in imports().items()
        if library in names and module.partition("/")[0] not in HOMES[library]
    }
    assert not strangers


@cache
def imports() -> dict[str, set[str]]:
    """Return what each module of the package imports, also inside functions."""
    package = Path(gitops_sim.__file__).parent
    return {
        path.relative_to(package).as_posix(): set(imported(path)) for path in package.rglob("*.py")
    }


def imported(path: Path) -> Iterator[str]:
    """Yield the top-level names of the modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def run(code: str) -> str:
    """Run Python code in a process of its own; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_of_the_package_is_light() -> None:
    loaded = run("import sys, gitops_sim; print(*sorted(sys.modules))").split()
    assert not set(HEAVY) & set(loaded)
    assert not {"simpy", "dulwich", "yaml"} & set(loaded), "the rooms load on first use"


def test_import_of_lab_loads_nothing_heavy() -> None:
    loaded = run("import sys; from gitops_sim import Lab; print(*sorted(sys.modules))").split()
    assert not set(HEAVY) & set(loaded)


TINY_LAB = """
from gitops_sim import Lab
lab = Lab(seed=3)
shop = lab.forge.import_repository("samples/shop")
staging = lab.cluster("staging")
staging.flux.bootstrap(shop, path="overlays/staging", interval="1m")
lab.run("5m")
staging.patch("Deployment", "web", {"spec": {"replicas": 9}}, "shop")
print(lab.compare(staging))
lab.run("15m")
found = staging.get("Deployment", "web", "shop")
print(found["spec"]["replicas"], found["status"]["readyReplicas"])
"""


def test_core_runs_without_threads_sockets_subprocesses_and_c_modules() -> None:
    printed = run(BLOCKERS + TINY_LAB)
    assert printed.splitlines()[-1] == "2 2"


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("_thread.start_new_thread", "import threading; threading.Thread(target=print).start()"),
        ("socket.__new__", "import socket; socket.socket()"),
        ("subprocess.Popen", "import subprocess; subprocess.run(['true'])"),
        ("orjson is blocked", "import orjson"),
        ("yaml._yaml is blocked", "import yaml._yaml"),
    ],
)
def test_the_blockers_of_this_test_do_block(what: str, code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BLOCKERS + code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert what in done.stderr
