"""Sizes, public names and import directions of the package."""

from __future__ import annotations

import ast
import importlib
import inspect
import tomllib
from pathlib import Path

import pytest

import gitops_sim

PACKAGE = Path(gitops_sim.__file__).parent
MODULES = sorted(
    path for path in PACKAGE.rglob("*.py") if not {"samples", "_course"} & set(path.parts)
)
INITS = [path for path in MODULES if path.name == "__init__.py"]
LONGEST_MODULE = 500
PUBLIC_MEMBERS_OF_LAB = 12


def dotted(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_module_is_short_enough_to_be_read_at_once(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST_MODULE


@pytest.mark.parametrize("path", INITS, ids=dotted)
def test_init_only_reexports(path: Path) -> None:
    """A docstring, imports, `__all__`, and the lazy `__getattr__` of the top package."""
    allowed = ast.Import | ast.ImportFrom | ast.If
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            assert node.name == "__getattr__"
            assert path.parent == PACKAGE
            continue
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            assert [ast.unparse(target) for target in targets] in (["__all__"], ["__version__"])
            continue
        if isinstance(node, ast.Expr):
            assert isinstance(node.value, ast.Constant), ast.unparse(node)
            continue
        assert isinstance(node, allowed), ast.unparse(node)
        if isinstance(node, ast.If):
            assert ast.unparse(node.test) == "TYPE_CHECKING"


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_public_names_are_true(path: Path) -> None:
    """`__all__` lists what there is, once; a room whose `__init__` lists nothing shares nothing."""
    module = importlib.import_module(dotted(path))
    names = getattr(module, "__all__", None)
    if names is None:
        imported = [line for line in ast.parse(path.read_text()).body if _is_reexport(line)]
        assert not (path.name == "__init__.py" and imported), "say what is public"
        return
    assert len(names) == len(set(names))
    assert not [name for name in names if not hasattr(module, name)]


def _is_reexport(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module != "__future__"


def test_every_module_begins_with_its_job() -> None:
    undocumented = [
        dotted(path)
        for path in MODULES
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not undocumented


def test_lab_is_thin() -> None:
    """Other constructors (class methods) are not counted: nobody meets them on a lab at hand."""
    lab = gitops_sim.Lab(seed=1)
    members = [
        name
        for name in dir(lab)
        if not name.startswith("_")
        and not isinstance(inspect.getattr_static(lab, name), classmethod)
    ]
    assert len(members) <= PUBLIC_MEMBERS_OF_LAB, members


def test_only_the_command_line_reads_environment_variables() -> None:
    readers = [
        dotted(path)
        for path in MODULES
        if any(word in path.read_text(encoding="utf-8") for word in ("os.environ", "os.getenv"))
    ]
    # A served lab sets what a notebook's `!kubectl` finds, and puts back what was there.
    serving = "gitops_sim.lab.serving"
    assert not [name for name in readers if not name.startswith(("gitops_sim.cli", serving))]


def test_every_room_has_its_place_in_the_layers() -> None:
    """Only rooms that are still to come may be optional (in parentheses)."""
    contracts = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["tool"][
        "importlinter"
    ]["contracts"]
    layers = next(c["layers"] for c in contracts if c["type"] == "layers")
    placed = {room.strip() for layer in layers for room in layer.split("|")}
    optional = {room.strip("()") for room in placed if room.startswith("(")}
    present = {
        path.stem if path.is_file() else path.name
        for path in PACKAGE.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    } - {"__init__", "samples", "_course"}
    assert present <= {room.strip("()") for room in placed}
    assert not optional & present
