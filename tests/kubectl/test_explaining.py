"""What `kubectl explain` printed at a real API server, letter by letter against the one in process.

`explained.json.xz` has two definitions of custom kinds, and commands with what they printed.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parent.parent / "data" / "kubectl" / "explained.json.xz"
RECORDED: dict[str, Any] = json.loads(lzma.decompress(DATA.read_bytes()))


@pytest.fixture(scope="module")
def kubectl(make_kubectl: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = make_kubectl(tmp_path_factory.mktemp("files")).write(crd_yaml=RECORDED["crd"])
    made.ok("apply -f crd.yaml")
    return made


@pytest.mark.parametrize("command", RECORDED["commands"], ids=lambda command: command["line"])
def test_kinds_and_fields_are_explained_as_the_real_one_does(
    kubectl: Any, command: dict[str, Any]
) -> None:
    result = kubectl.run(command["line"])
    assert (result.stdout, result.stderr, result.exit_code) == (
        command["stdout"],
        command["stderr"],
        command["exit"],
    )


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("explain", "You must specify the type of resource to explain."),
        ("explain unicorns", 'the server doesn\'t have a resource type "unicorns"'),
    ],
)
def test_what_cannot_be_explained_is_told(kubectl: Any, line: str, says: str) -> None:
    assert says in kubectl.fails(line)
