r"""The part of kubectl's JSONPath that pipelines use.

`{.status.readyReplicas}`, `{.items[*].metadata.name}`, `[0]`, `['a.b']`, `.a\.b`,
`[?(@.type=="Ready")]`, `{range .items[*]}…{end}`, text and `{"\n"}` around them.

Differs: no slices, no comparison but `==` and `!=`.
"""

from __future__ import annotations

import json
import re
from collections import deque
from typing import Any

from gitops_sim.errors import LabError

__all__ = ["evaluate"]

STEP = re.compile(
    r"""\.?(?:
        (?P<field>(?:[A-Za-z0-9_$/-]|\\.)+)
      | \[(?P<index>-?\d+)\]
      | \[(?P<all>\*)\] | (?P<star>\*)
      | \[(?P<quote>['"])(?P<key>.*?)(?P=quote)\]
      | \[\?\(@(?P<left>[^=!)]+?)\s*(?P<op>==|!=)\s*(?P<right>[^)]+?)\)\]
    )""",
    re.VERBOSE,
)


def evaluate(template: str, value: Any, *, joint: str = " ") -> str:
    """Return the text that a template gives for an object; what is missing gives nothing.

    Args:
        template: Text with expressions in braces, or one expression without.
        value: The object.
        joint: What stands between several values of one expression.

    Raises:
        LabError: The template uses what is not understood.
    """
    text = template if "{" in template else f"{{{_with_dot(template)}}}"
    parts = re.split(r"(\{[^{}]*\})", text)
    if parts[-1].startswith("{"):
        what = "array" if "[" in parts[-1] else "action"
        problem = f"unterminated {what}" if what == "array" else f"unclosed {what}"
        raise LabError(f"error parsing jsonpath {template}, {problem}")
    return "".join(_block(deque(parts), value, joint))


def _block(parts: deque[str], value: Any, joint: str) -> list[str]:
    """Return what parts give, up to the end of the range that they stand in; they are used up."""
    out: list[str] = []
    while parts:
        part = parts.popleft()
        if not (part.startswith("{") and part.endswith("}")):
            out.append(part)
            continue
        expression = part[1:-1].strip()
        word, _, path = expression.partition(" ")
        if word == "end":
            break
        if word != "range":
            out.append(_expression(expression, value, joint))
            continue
        inside = parts.copy()
        _block(parts, {}, joint)
        for item in _walk(path.strip(), value):
            out += _block(inside.copy(), item, joint)
    return out


def _with_dot(path: str) -> str:
    return path if path.startswith((".", "[", "$", "@")) else f".{path}"


def _expression(text: str, value: Any, joint: str) -> str:
    """Return what stands for one `{...}`."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        literal = text[1:-1].replace('"', '\\"') if text[0] == "'" else text[1:-1]
        return str(json.loads(f'"{literal}"'))
    return joint.join(_shown(found) for found in _walk(text, value))


def _walk(path: str, value: Any) -> list[Any]:
    """Return the values that a path leads to."""
    rest = path.removeprefix("$").removeprefix("@")
    found = [value]
    while rest and rest != ".":
        match = STEP.match(rest)
        if match is None:
            raise LabError(f"error parsing jsonpath {{{path}}}: unrecognized text at {rest!r}")
        rest = rest[match.end() :]
        found = [child for item in found for child in _children(match, item)]
    return found


def _children(step: re.Match[str], item: Any) -> list[Any]:
    """Return what one step leads to from one value."""
    name = step["key"] if step["key"] is not None else step["field"]
    if name is not None:
        name = re.sub(r"\\(.)", r"\1", name)
        return [item[name]] if isinstance(item, dict) and name in item else []
    if step["index"] is not None:
        index = int(step["index"])
        there = isinstance(item, list) and -len(item) <= index < len(item)
        return [item[index]] if there else []
    if step["op"] is not None:
        wanted = step["right"].strip("'\"")
        equal = step["op"] == "=="
        items = item if isinstance(item, list) else []
        return [
            one
            for one in items
            if (wanted in [_shown(found) for found in _walk(step["left"], one)]) == equal
        ]
    if isinstance(item, dict):
        return list(item.values())
    return list(item) if isinstance(item, list) else []


def _shown(value: Any) -> str:
    """Return a value as kubectl prints it: text as it is, all else as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
