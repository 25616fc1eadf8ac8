"""CEL: values, the server's words for errors, and the functions that Kubernetes adds."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.apimachinery.cel import CelError, compile_expression

SELF = {
    "size": 4,
    "name": "a-b",
    "labels": {"app": "x"},
    "ports": [{"port": 80, "name": "web"}, {"port": 90, "name": "db"}],
}


def evaluated(expression: str) -> Any:
    return compile_expression(expression, ("self",)).evaluate({"self": SELF})


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("self.size > 3 && self.size <= 4", True),
        ("has(self.min) || self.size == 4", True),
        ("self.ports.all(p, p.port > 79)", True),
        ("self.ports.exists_one(p, p.name == 'web')", True),
        ("self.ports.map(p, p.name).join(',')", "web,db"),
        ("'app' in self.labels", True),
        ("self.name.split('-').size()", 2),
        ("self.?missing.orValue('none')", "none"),
        ("'size ' + string(self.size)", "size 4"),
        ("[1, 2, 2].isSorted()", True),
        ("self.ports.map(p, p.port).sum() == 170", True),
        ("self.name.find('[a-z]')", "a"),
        ("quantity('1Gi').isGreaterThan(quantity('1000Mi'))", True),
        ("quantity('1Gi') == quantity('1024Mi')", True),
        ("isQuantity('1.5Gi') && !isQuantity('big')", True),
    ],
)
def test_expressions_give_what_cel_says(expression: str, value: Any) -> None:
    assert evaluated(expression) == value


def test_a_syntax_error_has_the_words_of_the_server() -> None:
    with pytest.raises(CelError) as caught:
        evaluated("object.spec.(")
    assert str(caught.value) == (
        "compilation failed: ERROR: <input>:1:13: Syntax error: no viable alternative at input "
        "'.('\n | object.spec.(\n | ............^"
    )


@pytest.mark.parametrize(
    ("expression", "message"),
    [("self.labels.none", "no such key: none"), ("self.size / 0 == 1", "division by zero")],
)
def test_what_fails_while_it_runs_is_an_error(expression: str, message: str) -> None:
    with pytest.raises(CelError, match=message):
        evaluated(expression)


def test_an_undeclared_variable_does_not_compile() -> None:
    with pytest.raises(CelError, match="undeclared reference to 'other"):
        evaluated("other.x == 1")
