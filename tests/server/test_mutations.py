"""Recorded requests with a part of their body replaced: what a client sends is no fault of ours."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

DATA = Path(__file__).parent.parent / "data/conformance/apiserver.json.xz"
REQUESTS = [
    (step["method"], step["path"], step.get("headers", {}), step["body"])
    for entry in json.loads(lzma.decompress(DATA.read_bytes()))
    for step in entry["steps"]
    if isinstance(step.get("body"), dict) and "${" not in json.dumps(step)
]
STRANGE: list[Any] = [
    *(None, True, 0, -1, 1.5, 2**70, "", "x", "a/b", "é\u0000", "-1", "1e9999", [], {}),
    *([None], [{}], [[]], {"": None}, {"name": None}, {"a": {"b": [1]}}, [{"name": 1}], "9" * 300),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all parts of a value."""
    found = [path]
    if isinstance(value, dict):
        for name, member in value.items():
            found += places(member, (*path, name))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            found += places(item, (*path, place))
    return found


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    """Return a value with the part at a path replaced."""
    if not path:
        return by
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], by)
    return copy


@st.composite
def mutations(draw: st.DrawFn) -> tuple[str, str, dict[str, str], Any]:
    method, path, headers, body = draw(st.sampled_from(REQUESTS))
    where = draw(st.sampled_from(places(body)))
    return method, path, headers, replaced(body, where, draw(st.sampled_from(STRANGE)))


@given(mutations())
def test_a_changed_request_meets_no_unhandled_error(
    module_site: Any, mutation: tuple[str, str, dict[str, str], Any]
) -> None:
    method, path, headers, body = mutation
    low = {name.lower(): value for name, value in headers.items()}
    reply = module_site.ask(method, path, body, headers=low)
    assert 200 <= reply.status < 600
