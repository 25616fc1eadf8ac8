"""The examples for authors of operators run as they stand on the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gitops_sim import pytest_plugin
from gitops_sim.server import StandaloneCluster

pytest_plugins = ["pytester"]
PAGE = Path(__file__).parents[1] / "docs" / "operators.md"
EXAMPLE = re.compile(
    r"<!-- tested: begin -->\n```python\n(.*?)```\n<!-- tested: end -->", re.DOTALL
)
FIXTURE = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)


@pytest.mark.all
def test_examples_run_as_they_stand(pytester: pytest.Pytester) -> None:
    examples = EXAMPLE.findall(PAGE.read_text(encoding="utf-8"))
    for number, text in enumerate(examples):
        (pytester.path / f"test_example_{number}.py").write_text(text)
    plain = ("-p", "no:cacheprovider", "-p", "no:playwright")
    pytester.runpytest_subprocess(*plain).assert_outcomes(passed=len(examples))
    assert len(examples) == 3


def test_what_the_page_names_is_there() -> None:
    text = PAGE.read_text(encoding="utf-8")
    told = FIXTURE.findall(text)
    options = {"controllers", "nodes", "speed", "seed", "users"}
    fixtures = {name for name in pytest_plugin.__all__ if "simulated" in name}
    assert set(told) == fixtures | options
    members = re.findall(r"`\.(\w+)", text)
    assert {"run", "run_until", "kubeconfig"} <= set(members)
    cluster = StandaloneCluster()
    assert not [
        name for name in members if not hasattr(type(cluster), name) and name not in vars(cluster)
    ]
