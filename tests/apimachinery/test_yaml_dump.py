"""Writing YAML as kubectl does."""

from __future__ import annotations

import pytest
import yaml

from gitops_sim.apimachinery.yaml_loader import dump

PRINTED = """\
a: "yes"
a2: 2
a10: 1
b: |
  x
  y
c:
- d: 1
  e:
  - true
  - null
f: {}
g: []
h: "1"
i: 1.5
j: ""
k: "12:30:45"
l: "2026-01-05T09:00:00Z"
m: 'a: b'
"n": 1e+20
o: it's
p: 'xxxxxxxxxxxxxxxxxxxx xxxxxxxxxxxxxxxxxxxx xxxxxxxxxxxxxxxxxxxx xxxxxxxxxxxxxxxxxxxx
  yyyyyyyyyyyyyyyyyyyy '
q: é
"""

VALUE = {
    "q": "é",
    "p": " ".join(["x" * 20] * 4 + ["y" * 20, ""]),
    "o": "it's",
    "n": 1e20,
    "m": "a: b",
    "l": "2026-01-05T09:00:00Z",
    "k": "12:30:45",
    "j": "",
    "i": 1.5,
    "h": "1",
    "g": [],
    "f": {},
    "c": [{"e": [True, None], "d": 1}],
    "b": "x\ny\n",
    "a10": 1,
    "a2": 2,
    "a": "yes",
}


def test_yaml_looks_like_kubectls() -> None:
    assert dump(VALUE) == PRINTED


def test_yaml_without_the_c_emitter_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from gitops_sim.apimachinery import yaml_dump

    monkeypatch.delattr(yaml, "CSafeDumper")
    yaml_dump._dumper.cache_clear()
    try:
        assert dump(VALUE) == PRINTED
    finally:
        yaml_dump._dumper.cache_clear()


def test_a_shared_value_is_written_twice() -> None:
    shared = {"x": [1]}
    assert dump({"a": shared, "b": shared}) == "a:\n  x:\n  - 1\nb:\n  x:\n  - 1\n"


def test_single_values_are_a_line() -> None:
    assert dump("x") == "x\n"
    assert dump(1) == "1\n"


def test_signs_sort_before_letters_and_numbers_by_value() -> None:
    keys = ["app.kubernetes.io/name", "app", "a-1", "a-10", "a-2", "Z", "a_b", "ab", "x01", "x1"]
    lines = dump(dict.fromkeys(keys, 0)).splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "Z",
        "a-1",
        "a-2",
        "a-10",
        "a_b",
        "ab",
        "app",
        "app.kubernetes.io/name",
        "x1",
        "x01",
    ]
